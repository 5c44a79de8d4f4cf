//! Customers of the ledger's projection, with what they did.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::api::customer::Customer;
use crate::core::api::paging::{Order, Page};
use crate::core::api::sale::{Entry, Lead, Sale};
use crate::core::sql::Where;
use crate::edge::figures::{self, Scope};
use crate::edge::listing::{self, Listing};
use crate::edge::{codec, d1};

const COLUMNS: &str = "k.id, k.external_id, k.name, k.email, k.avatar, COALESCE(k.country, c.country) AS country, k.created_at, k.first_sale_at, \
    k.subscription_canceled_at, k.body, k.link_id, l.domain AS link_domain, l.key AS link_key, l.url AS link_url";
const FROM: &str = "customers k LEFT JOIN credited_clicks c ON c.click_id = k.click_id LEFT JOIN links l ON l.id = k.link_id";

/// Customers, or `None` when the cursor names none.
pub(crate) async fn list(
    env: &Env,
    scope: &Scope,
    condition: Where,
    order: Order,
    page: &Page,
    size: i64,
) -> Result<Option<Vec<Customer>>> {
    let amounts = if order.name == "saleAmount" {
        let figures = figures::of_every_customer(env, scope).await?;
        Some(figures.into_iter().map(|(id, found)| (id, found.sale_amount)).collect())
    } else {
        None
    };
    let owner = ("k.workspace_id", scope.workspace_id.as_str());
    let list =
        Listing { columns: COLUMNS, from: FROM, id: "k.id", owner, condition, order, page, size, amounts };
    listing::read(env, list).await
}

/// How many customers there are.
pub(crate) async fn count(env: &Env, condition: &Where) -> Result<i64> {
    #[derive(Deserialize)]
    struct Row {
        n: i64,
    }
    let query = format!(
        "SELECT COUNT(*) AS n FROM customers k LEFT JOIN credited_clicks c ON c.click_id = k.click_id WHERE {}",
        condition.text()
    );
    let row: Option<Row> = d1::first(&d1::database(env)?, &query, &d1::binds(condition.binds())?).await?;
    Ok(row.map_or(0, |row| row.n))
}

/// How many there are per country or link, most first.
pub(crate) async fn count_by(
    env: &Env,
    condition: &Where,
    column: &str,
) -> Result<Vec<(Option<String>, i64)>> {
    #[derive(Deserialize)]
    struct Row {
        value: Option<String>,
        n: i64,
    }
    let query = format!(
        "SELECT {column} AS value, COUNT(*) AS n FROM customers k LEFT JOIN credited_clicks c ON c.click_id = k.click_id \
         WHERE {} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1000",
        condition.text()
    );
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, &query, &d1::binds(condition.binds())?).await?;
    Ok(rows.into_iter().map(|row| (row.value, row.n)).collect())
}

/// The id of the customer that `name` (`cus_…` or `ext_…`) means now: a merged one is its winner.
pub(crate) async fn resolve(env: &Env, scope: &Scope, name: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        merged_into: Option<String>,
    }
    let db = d1::database(env)?;
    let condition = match name.strip_prefix("ext_") {
        // The latest external id is indexed; earlier ones are looked for in the ledger's own list.
        Some(_) => {
            "external_id = ?3 OR (visible = 1 AND EXISTS \
             (SELECT 1 FROM json_each(body, '$.externalIds') e WHERE e.value = ?3))"
        }
        None => "id = ?3",
    };
    let query = format!(
        "SELECT id, merged_into FROM customers WHERE workspace_id = ?1 AND mode = ?2 AND ({condition}) \
         ORDER BY merged_into IS NOT NULL, visible DESC, created_at LIMIT 1"
    );
    let mut wanted = name.strip_prefix("ext_").unwrap_or(name).to_owned();
    let mut query = query.as_str();
    let by_id = "SELECT id, merged_into FROM customers WHERE workspace_id = ?1 AND mode = ?2 AND id = ?3";
    // A winner may have been merged in its turn. Chains are short; a circle would be a defect, not a hang.
    for _ in 0..8 {
        let values =
            [d1::text(scope.workspace_id.as_str()), d1::text(scope.mode.as_str()), d1::text(wanted.as_str())];
        let row: Option<Row> = d1::first(&db, query, &values).await?;
        match row {
            None => return Ok(None),
            Some(Row { id, merged_into: None }) => return Ok(Some(id)),
            Some(Row { merged_into: Some(winner), .. }) => wanted = winner,
        }
        query = by_id;
    }
    Ok(None)
}

/// One customer that is listed.
pub(crate) async fn find(env: &Env, scope: &Scope, id: &str) -> Result<Option<Customer>> {
    let query = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE k.id = ?1 AND k.workspace_id = ?2 AND k.mode = ?3 AND k.visible = 1"
    );
    let values = [d1::text(id), d1::text(scope.workspace_id.as_str()), d1::text(scope.mode.as_str())];
    d1::first(&d1::database(env)?, &query, &values).await
}

/// What one customer did.
#[derive(Default)]
pub(crate) struct History {
    /// By time.
    pub leads: Vec<Lead>,
    /// By time.
    pub sales: Vec<Sale>,
    /// By time.
    pub entries: Vec<Entry>,
    /// As they stand.
    pub subscriptions: Vec<Subscription>,
}

/// A subscription.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
pub(crate) struct Subscription {
    id: String,
    reference: String,
    status: String,
    mrr: i64,
    currency: Option<String>,
    #[serde(rename(serialize = "startedAt"), serialize_with = "iso")]
    started_at: Option<i64>,
    #[serde(rename(serialize = "churnedAt"), serialize_with = "iso")]
    churned_at: Option<i64>,
    #[serde(rename(serialize = "linkId"))]
    link_id: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde's serialize_with passes a reference")]
fn iso<S: serde::Serializer>(at: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::Serialize;
    at.map(|at| crate::core::time::Millis(at).to_iso()).serialize(serializer)
}

/// Everything that some customers did, in one moment.
pub(crate) async fn history(env: &Env, scope: &Scope, customer_id: &str) -> Result<History> {
    let db = d1::database(env)?;
    let of = |table: &str, columns: &str, order: &str| {
        let query = format!(
            "SELECT {columns} FROM {table} WHERE customer_id = ?1 AND workspace_id = ?2 AND mode = ?3 ORDER BY {order}, id"
        );
        let values =
            [d1::text(customer_id), d1::text(scope.workspace_id.as_str()), d1::text(scope.mode.as_str())];
        d1::statement(&db, &query, &values)
    };
    let statements = vec![
        of("leads", "id, at, event_name, quantity, click_id, link_id, metadata", "at")?,
        of("sales", SALE_COLUMNS, "at")?,
        of("entries", ENTRY_COLUMNS, "at")?,
        of(
            "subscriptions",
            "id, reference, status, mrr, currency, started_at, churned_at, link_id",
            "started_at",
        )?,
    ];
    let mut answers = db.batch(statements).await?.into_iter();
    let mut next = || answers.next().ok_or_else(|| codec::missing("an answer of the batch"));
    Ok(History {
        leads: next()?.results()?,
        sales: next()?.results()?,
        entries: next()?.results()?,
        subscriptions: next()?.results()?,
    })
}

const SALE_COLUMNS: &str = "id, customer_id, account, reference, at, event_name, amount, currency, tax, processor, \
    invoice_id, subscription_id, click_id, link_id, clicked_at, rate_day, touches, receipt";
const ENTRY_COLUMNS: &str = "id, sale_id, kind, at, amount, currency, reference";

/// The sale that `name` means: its id, or any reference it is known by (`in_…`, `cs_…`, `pi_…`, `ch_…`).
pub(crate) async fn sale(env: &Env, scope: &Scope, name: &str) -> Result<Option<Sale>> {
    let db = d1::database(env)?;
    let values = [d1::text(scope.workspace_id.as_str()), d1::text(scope.mode.as_str()), d1::text(name)];
    for condition in [
        "id = ?3 OR reference = ?3",
        // Its other references stand on the receipt only.
        "instr(receipt, ?3) > 0 AND EXISTS (SELECT 1 FROM json_each(receipt, '$.references') r WHERE r.value = ?3)",
    ] {
        let query = format!(
            "SELECT {SALE_COLUMNS} FROM sales WHERE workspace_id = ?1 AND mode = ?2 AND ({condition}) \
             ORDER BY at, id LIMIT 1"
        );
        let found: Option<Sale> = d1::first(&db, &query, &values).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
