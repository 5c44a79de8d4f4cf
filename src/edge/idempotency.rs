//! Answers of requests with an `Idempotency-Key`, in D1.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::time::{DAY_MS, Millis};
use crate::edge::d1;

/// After this long without an answer the first request is taken for dead, and the key may be used again.
const DEAD_MS: i64 = 60_000;

/// What asking for a key led to.
pub(crate) enum Claim {
    /// The request is the first.
    First,
    /// It was answered before.
    Answered(u16, String),
    /// The first is still under way.
    UnderWay,
    /// The key belongs to another request.
    Other,
}

#[derive(Deserialize)]
struct Row {
    fingerprint: String,
    status: Option<u16>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Taken {}

/// Takes the key for a request, or says what became of the request that has it.
pub(crate) async fn claim(
    env: &Env,
    workspace_id: &str,
    key: &str,
    fingerprint: &str,
    now: Millis,
) -> Result<Claim> {
    let db = d1::database(env)?;
    let old = "DELETE FROM idempotency_keys WHERE created_at < ?1 \
               OR (workspace_id = ?2 AND key = ?3 AND status IS NULL AND created_at < ?4)";
    let old_values = [
        d1::int(now.0.saturating_sub(DAY_MS))?,
        d1::text(workspace_id),
        d1::text(key),
        d1::int(now.0.saturating_sub(DEAD_MS))?,
    ];
    // Whoever inserts is the first: one row, one winner.
    let take = "INSERT INTO idempotency_keys (workspace_id, key, fingerprint, created_at) VALUES (?1, ?2, ?3, ?4) \
                ON CONFLICT DO NOTHING RETURNING fingerprint";
    let take_values = [d1::text(workspace_id), d1::text(key), d1::text(fingerprint), d1::int(now.0)?];
    let read = "SELECT fingerprint, status, body FROM idempotency_keys WHERE workspace_id = ?1 AND key = ?2";
    let read_values = [d1::text(workspace_id), d1::text(key)];
    let answers = db
        .batch(vec![
            d1::statement(&db, old, &old_values)?,
            d1::statement(&db, take, &take_values)?,
            d1::statement(&db, read, &read_values)?,
        ])
        .await?;
    let mut answers = answers.into_iter().skip(1);
    let taken: Vec<Taken> = answers.next().map(|answer| answer.results()).transpose()?.unwrap_or_default();
    if !taken.is_empty() {
        return Ok(Claim::First);
    }
    let rows: Vec<Row> = answers.next().map(|answer| answer.results()).transpose()?.unwrap_or_default();
    Ok(match rows.into_iter().next() {
        Some(row) if row.fingerprint != fingerprint => Claim::Other,
        Some(Row { status: Some(status), body: Some(body), .. }) => Claim::Answered(status, body),
        _ => Claim::UnderWay,
    })
}

/// Keeps the answer.
pub(crate) async fn keep(env: &Env, workspace_id: &str, key: &str, status: u16, body: &str) -> Result<()> {
    let query = "UPDATE idempotency_keys SET status = ?3, body = ?4 WHERE workspace_id = ?1 AND key = ?2";
    let values = [d1::text(workspace_id), d1::text(key), d1::int(i64::from(status))?, d1::text(body)];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}

/// Gives the key back: the request did nothing.
pub(crate) async fn release(env: &Env, workspace_id: &str, key: &str) -> Result<()> {
    let query = "DELETE FROM idempotency_keys WHERE workspace_id = ?1 AND key = ?2 AND status IS NULL";
    d1::statement(&d1::database(env)?, query, &[d1::text(workspace_id), d1::text(key)])?
        .run()
        .await
        .map(|_| ())
}
