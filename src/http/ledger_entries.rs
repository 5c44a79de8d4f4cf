//! `GET /api/ledger/entries`: every signed entry by time, for reconciliation and audits.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::time::Millis;
use crate::edge::d1_entries::{self, Range, Row};
use crate::http::failure::Answer;
use crate::http::{auth, query, respond};

/// Entries in one answer, at most.
const MAX_AT_ONCE: i64 = 1000;
/// Entries in one answer when the caller does not say.
const AT_ONCE: i64 = 100;
/// An instant after every event: the last one of 9999.
const END_OF_TIME: Millis = Millis(253_402_300_799_999);

/// `?start=&end=` (by time), `?sortOrder=`, `?startingAfter=<entry id>`, `?withSales=`, `?limit=`, `?mode=`.
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?.workspace_id;
    let query = query(request)?;
    let mode = query.mode()?;
    let range = Range {
        from: query.date("start")?.unwrap_or_default(),
        to: query.date("end")?.unwrap_or(END_OF_TIME),
        after: query.text("startingAfter"),
        newest_first: query.choice("sortOrder", &["asc", "desc"])? == Some("desc"),
        with_sales: query.boolean("withSales", true)?,
        limit: query.integer("limit", 1, MAX_AT_ONCE)?.unwrap_or(AT_ONCE),
    };
    let rows = d1_entries::list(env, workspace_id, mode, &range).await?;
    Ok(respond::json(200, &rows.into_iter().map(shown).collect::<Vec<Value>>())?)
}

fn shown(row: Row) -> Value {
    let names = row.names.and_then(|text| serde_json::from_str::<Vec<String>>(&text).ok());
    json!({
        "id": row.id, "kind": row.kind, "at": row.at.to_iso(), "amount": row.amount, "currency": row.currency,
        "customerId": row.customer_id, "saleId": row.sale_id, "saleAt": row.sale_at.map(Millis::to_iso),
        "clickId": row.click_id, "linkId": row.link_id, "reference": row.reference,
        "references": names.unwrap_or_default(), "processor": row.processor,
    })
}
