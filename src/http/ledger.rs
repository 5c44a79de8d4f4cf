//! What the ledger says of itself: totals, parked facts, the webhook log, rebuild.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::ledger::messages::{LogRow, ParkedRow, ToDirectory};
use crate::core::mode::Mode;
use crate::core::problem::Problem;
use crate::edge::{d1_ledger, objects, workspaces};
use crate::http::failure::Answer;
use crate::http::{auth, query, respond};

/// Parked rows in one answer, at most.
const PARKED_AT_ONCE: i64 = 500;
/// Log rows in one answer when the caller does not say.
const LOG_AT_ONCE: i64 = 100;
/// Log rows in one answer, at most.
const MAX_LOG: i64 = 1000;

/// `GET /api/ledger/totals`: both modes, per link and currency as charged.
pub(crate) async fn totals(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?.workspace_id;
    Ok(respond::json(200, &d1_ledger::totals(env, workspace_id).await?)?)
}

/// `GET /api/parked`: what waits and for what, in the ledgers and in the Directory.
pub(crate) async fn parked(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?.workspace_id;
    let mode = query(request)?.mode()?;
    let stub = objects::directory(env, workspace_id, mode)?;
    let waiting: Vec<ParkedRow> = objects::call(&stub, &ToDirectory::Parked).await?;
    let mut rows: Vec<Value> = waiting
        .into_iter()
        .map(|row| {
            json!({"id": row.key, "kind": "event", "at": row.at.to_iso(), "reference": null,
                "eventId": row.event_id, "eventType": row.event_type, "account": row.account,
                "amount": null, "currency": null, "reason": row.reason})
        })
        .collect();
    let in_ledgers = d1_ledger::parked(env, workspace_id, mode, PARKED_AT_ONCE).await?;
    rows.extend(in_ledgers.into_iter().map(|row| {
        json!({"id": row.id, "kind": row.kind, "at": row.at.to_iso(), "reference": row.reference,
            "eventId": row.event_id, "amount": row.amount, "currency": row.currency, "reason": row.reason})
    }));
    Ok(respond::json(200, &rows)?)
}

/// `GET /api/stripe/events`: every verified event of the last 30 days, newest first. `?limit=`, `?before=`.
pub(crate) async fn events(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::WebhooksRead).await?.workspace_id;
    let query = query(request)?;
    let (mode, limit, before) = (query.mode()?, query.integer("limit", 1, MAX_LOG)?, query.date("before")?);
    let stub = objects::directory(env, workspace_id, mode)?;
    let message = ToDirectory::Log { limit: limit.unwrap_or(LOG_AT_ONCE), before };
    let rows: Vec<LogRow> = objects::call(&stub, &message).await?;
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            json!({"id": row.id, "type": row.event_type, "created": row.at.to_iso(),
                "receivedAt": row.received_at.to_iso(), "deliveries": row.deliveries, "account": row.account,
                "verdict": row.verdict, "customerId": row.customer_id, "sales": row.sales})
        })
        .collect();
    Ok(respond::json(200, &rows)?)
}

/// `POST /api/ledger/rebuild`: drops the projection and has every ledger make its part anew.
pub(crate) async fn rebuild(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::WorkspacesWrite).await?.workspace_id;
    let workspace =
        workspaces::find(env, workspace_id).await?.ok_or_else(|| Problem::not_found("Workspace"))?;
    let mut customers = 0;
    for mode in [Mode::Live, Mode::Test] {
        d1_ledger::drop_projection(env, workspace_id, mode).await?;
        let stub = objects::directory(env, workspace_id, mode)?;
        let policy = workspace.policy(mode);
        let listed: i64 = objects::call(&stub, &ToDirectory::Rebuild { policy }).await?;
        customers += listed;
    }
    Ok(respond::json(202, &json!({"customers": customers}))?)
}
