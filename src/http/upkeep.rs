//! `POST /_pimms/upkeep`: what the crons do, at once, in the local runtime only; it has no crons of its own.

use serde_json::json;
use worker::{Env, Request};

use crate::core::time::Millis;
use crate::core::validate::Fields;
use crate::edge::{click_sums, d1_clicks, entropy, webhook_outbox};
use crate::http::failure::Answer;
use crate::http::{body, respond};

/// How many steps one call takes.
const STEPS: usize = 10;

/// `{"now": milliseconds}` does it as if it were that time; `"purge": true` deletes old clicks, too.
/// Answers `{"steps": n, "rowsWritten": m}`: less than ten steps mean that nothing is left, and so many rows have been
/// written for clicks and their sums since the isolate started.
pub(crate) async fn run(mut request: Request, env: &Env) -> Answer {
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let fields = Fields::root(&body)?;
    let now = fields.integer("now", 0, i64::MAX)?.value().map_or_else(entropy::now, Millis);
    webhook_outbox::sweep(env, now).await?;
    let steps = click_sums::advance(env, now, STEPS).await?;
    if fields.boolean("purge")?.value() == Some(true) {
        click_sums::purge(env, now).await?;
        webhook_outbox::purge(env, now).await?;
    }
    Ok(respond::json(
        200,
        &json!({"steps": steps, "rowsWritten": d1_clicks::rows_written() + click_sums::rows_written()}),
    )?)
}
