//! The outbox of outbound webhooks: one row per webhook and event, made in the transaction that made the event.
//!
//! The row is what counts. A message in the queue only says that one waits: a message that is lost is replaced by the
//! hourly sweep, one that comes twice finds nothing to do.

use serde::{Deserialize, Serialize};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Env, Result, console_error};

use crate::core::ledger::announce::News;
use crate::core::metrics::Deliveries;
use crate::core::time::Millis;
use crate::core::webhook::{Subject, Trigger};
use crate::edge::{bindings, codec, d1, entropy};

/// How many messages the queue takes at once.
const MESSAGES_AT_ONCE: usize = 100;
/// What waits longer than this without an attempt has lost its message.
const LOST_AFTER_MS: i64 = 5 * 60_000;
/// How many of those one sweep picks up.
const SWEPT_AT_ONCE: i64 = 1000;
/// How long the log is kept.
const KEPT_MS: i64 = 30 * 86_400_000;

const COLUMNS: &str = "webhook_id, event_id, workspace_id, mode, event, customer_id, subject, state, next_at, created_at, \
                       updated_at";

/// Says which delivery waits: the message in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nudge {
    /// `wh_…`
    pub webhook_id: String,
    /// `evt_…`
    pub event_id: String,
}

/// The statement that enters what a ledger has to tell, for every webhook of the workspace that wants it; entering it
/// again changes nothing; and the one that reads, for [`entered`], what waits of it.
pub(crate) fn enter(db: &D1Database, news: &[News], now: Millis) -> Result<[D1PreparedStatement; 2]> {
    let insert = format!(
        "INSERT OR IGNORE INTO webhook_deliveries ({COLUMNS}) \
         SELECT w.id, n.value ->> 'id', w.workspace_id, w.mode, n.value ->> 'event', n.value ->> 'customerId', \
                n.value ->> 'subject', 'waiting', ?2, ?2, ?2 \
         FROM json_each(?1) n JOIN webhooks w \
           ON w.workspace_id = n.value ->> 'workspaceId' AND w.mode = n.value ->> 'mode' AND w.disabled_at IS NULL \
         WHERE EXISTS (SELECT 1 FROM json_each(w.triggers) t WHERE t.value = n.value ->> 'event')"
    );
    let values = [d1::text(codec::encode(&news)?.as_str()), d1::int(now.0)?];
    let waiting = "SELECT webhook_id, event_id FROM webhook_deliveries WHERE state = 'waiting' AND attempts = 0 \
                   AND event_id IN (SELECT value ->> 'id' FROM json_each(?1))";
    Ok([
        d1::statement(db, &insert, &values)?,
        d1::statement(db, waiting, values.get(..1).unwrap_or_default())?,
    ])
}

/// The statement that enters a change of links, in the transaction of the change.
pub(crate) fn enter_links(
    db: &D1Database,
    trigger: Trigger,
    workspace_id: &str,
    link_ids: &[String],
    now: Millis,
) -> Result<D1PreparedStatement> {
    let rows = link_ids
        .iter()
        .map(|id| {
            let subject = Subject { link_id: Some(id.clone()), ..Subject::default() };
            Ok((entropy::object_id("evt_")?, codec::encode(&subject)?))
        })
        .collect::<Result<Vec<(String, String)>>>()?;
    let query = format!(
        "INSERT OR IGNORE INTO webhook_deliveries ({COLUMNS}) \
         SELECT w.id, n.value ->> 0, w.workspace_id, w.mode, ?2, NULL, n.value ->> 1, 'waiting', ?4, ?4, ?4 \
         FROM webhooks w CROSS JOIN json_each(?3) n \
         WHERE w.workspace_id = ?1 AND w.disabled_at IS NULL \
           AND EXISTS (SELECT 1 FROM json_each(w.triggers) t WHERE t.value = ?2) \
         RETURNING webhook_id, event_id"
    );
    let values = [
        d1::text(workspace_id),
        d1::text(trigger.name()),
        d1::text(codec::encode(&rows)?.as_str()),
        d1::int(now.0)?,
    ];
    d1::statement(db, &query, &values)
}

/// What one statement of a batch has entered.
pub(crate) fn entered(result: Option<&D1Result>) -> Vec<Nudge> {
    result.and_then(|result| result.results::<Nudge>().ok()).unwrap_or_default()
}

/// Tells the queue. What it refuses is found by the sweep.
pub(crate) async fn nudge(env: &Env, nudges: &[Nudge]) {
    for some in nudges.chunks(MESSAGES_AT_ONCE) {
        if let Err(e) = send(env, some).await {
            console_error!("webhooks: {} deliveries wait for the sweep, the queue refused: {e}", some.len());
        }
    }
}

async fn send(env: &Env, nudges: &[Nudge]) -> Result<()> {
    let texts = nudges.iter().map(codec::encode).collect::<Result<Vec<String>>>()?;
    env.queue(bindings::HOOKS)?.send_batch(texts).await
}

/// Tells the queue again of what waits and has lost its message.
pub(crate) async fn sweep(env: &Env, now: Millis) -> Result<usize> {
    let query = "SELECT webhook_id, event_id FROM webhook_deliveries WHERE state = 'waiting' AND next_at < ?1 \
                 ORDER BY next_at LIMIT ?2";
    let values: [JsValue; 2] = [d1::int(now.0.saturating_sub(LOST_AFTER_MS))?, d1::int(SWEPT_AT_ONCE)?];
    let lost: Vec<Nudge> = d1::rows(&d1::database(env)?, query, &values).await?;
    nudge(env, &lost).await;
    Ok(lost.len())
}

/// How many deliveries of the last 24 hours are in each state: of one workspace, or of all.
pub(crate) async fn states(env: &Env, workspace_id: Option<&str>, now: Millis) -> Result<Deliveries> {
    #[derive(Deserialize)]
    struct Row {
        state: String,
        count: i64,
    }
    let query = "SELECT state, COUNT(*) AS count FROM webhook_deliveries \
                 WHERE created_at > ?1 AND (?2 IS NULL OR workspace_id = ?2) GROUP BY state";
    let values = [d1::int(now.plus_days(-1).0)?, d1::text(workspace_id)];
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &values).await?;
    Ok(rows.into_iter().map(|row| (row.state, row.count)).collect())
}

/// Deletes the old part of the log.
pub(crate) async fn purge(env: &Env, now: Millis) -> Result<()> {
    let query = "DELETE FROM webhook_deliveries WHERE created_at < ?1";
    let values = [d1::int(now.0.saturating_sub(KEPT_MS))?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}
