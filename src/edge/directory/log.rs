//! The webhook log (30 days) and what is parked here: unusable events and unknown accounts.

use serde::Deserialize;
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::core::health;
use crate::core::ledger::messages::{LogRow, Note, Outcome, ParkedRow, Parking};
use crate::core::time::Millis;
use crate::edge::{codec, sql};

/// How long the log is kept, in days: as long as Stripe keeps its events.
const KEPT_DAYS: i64 = 30;
/// How many rows one clean-up removes at most.
const PRUNED_AT_ONCE: i32 = 1000;

/// Enters a delivery, or counts it once more.
pub(super) fn note(storage: &SqlStorage, note: &Note, customer_id: Option<&str>, now: Millis) -> Result<()> {
    let query =
        "INSERT INTO log (event_id, account, event_type, at, received_at, deliveries, verdict, customer_id)
        VALUES (?, ?, ?, ?, ?, 1, ?, ?)
        ON CONFLICT (event_id, account) DO UPDATE SET deliveries = deliveries + 1,
          customer_id = COALESCE(excluded.customer_id, customer_id),
          verdict = CASE WHEN excluded.customer_id IS NULL AND customer_id IS NULL
                    THEN excluded.verdict ELSE verdict END";
    let values: Vec<SqlStorageValue> = vec![
        note.event_id.as_str().into(),
        note.account.as_str().into(),
        note.event_type.as_str().into(),
        SqlStorageValue::try_from_i64(note.at.0)?,
        SqlStorageValue::try_from_i64(now.0)?,
        note.verdict.as_str().into(),
        customer_id.map_or(SqlStorageValue::Null, Into::into),
    ];
    sql::run(storage, query, values)
}

/// What the ledger made of events.
pub(super) fn settle(storage: &SqlStorage, outcomes: &[Outcome]) -> Result<()> {
    for outcome in outcomes {
        let sales = codec::encode(&outcome.sales)?;
        let query = "UPDATE log SET verdict = ?, sales = ? WHERE event_id = ?";
        let values: Vec<SqlStorageValue> =
            vec![outcome.verdict.as_str().into(), sales.into(), outcome.event_id.as_str().into()];
        sql::run(storage, query, values)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Stored {
    event_id: String,
    account: String,
    event_type: String,
    at: Millis,
    received_at: Millis,
    deliveries: i64,
    verdict: String,
    customer_id: Option<String>,
    sales: String,
}

/// Stripe's events in the log, newest first.
pub(super) fn rows(storage: &SqlStorage, limit: i64, before: Option<Millis>) -> Result<Vec<LogRow>> {
    let query =
        "SELECT event_id, account, event_type, at, received_at, deliveries, verdict, customer_id, sales
        FROM log WHERE received_at < ? AND event_type NOT LIKE 'track.%' ORDER BY received_at DESC, event_id DESC LIMIT ?";
    let before = before.map_or((1 << 53) - 1, |b| b.0);
    let values =
        vec![SqlStorageValue::try_from_i64(before)?, SqlStorageValue::try_from_i64(limit.clamp(1, 1000))?];
    let stored: Vec<Stored> = sql::rows(storage, query, values)?;
    Ok(stored
        .into_iter()
        .map(|row| LogRow {
            id: row.event_id,
            event_type: row.event_type,
            at: row.at,
            received_at: row.received_at,
            deliveries: row.deliveries,
            account: row.account,
            verdict: row.verdict,
            customer_id: row.customer_id,
            sales: codec::decode(&row.sales).unwrap_or_default(),
        })
        .collect())
}

/// Removes what is older than the log is kept.
pub(super) fn prune(storage: &SqlStorage, now: Millis) -> Result<()> {
    let query = "DELETE FROM log WHERE rowid IN (SELECT rowid FROM log WHERE received_at < ? LIMIT ?)";
    sql::run(
        storage,
        query,
        vec![SqlStorageValue::try_from_i64(now.plus_days(-KEPT_DAYS).0)?, PRUNED_AT_ONCE.into()],
    )
}

/// Keeps an event that cannot be booked.
pub(super) fn park(storage: &SqlStorage, note: &Note, parking: &Parking) -> Result<()> {
    let query = "INSERT OR IGNORE INTO parked (key, event_id, event_type, at, account, reason, raw)
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    let values: Vec<SqlStorageValue> = vec![
        format!("{}|{}", note.account, note.event_id).into(),
        note.event_id.as_str().into(),
        note.event_type.as_str().into(),
        SqlStorageValue::try_from_i64(note.at.0)?,
        note.account.as_str().into(),
        parking.reason.as_str().into(),
        parking.raw.as_deref().map_or(SqlStorageValue::Null, Into::into),
    ];
    sql::run(storage, query, values)
}

/// What is parked here; with `accounts`, only their raw bodies.
pub(super) fn parked(storage: &SqlStorage, accounts: &[String]) -> Result<Vec<ParkedRow>> {
    #[derive(Deserialize)]
    struct Waiting {
        key: String,
        event_id: String,
        event_type: String,
        at: Millis,
        account: String,
        reason: String,
        raw: Option<String>,
    }
    let query = "SELECT key, event_id, event_type, at, account, reason,
          CASE WHEN ?1 = '[]' THEN NULL ELSE raw END AS raw
        FROM parked WHERE ?1 = '[]' OR (raw IS NOT NULL AND account IN (SELECT value FROM json_each(?1)))
        ORDER BY at, key LIMIT 500";
    let found: Vec<Waiting> = sql::rows(storage, query, vec![codec::encode(&accounts)?.into()])?;
    Ok(found
        .into_iter()
        .map(|row| ParkedRow {
            key: row.key,
            event_id: row.event_id,
            event_type: row.event_type,
            at: row.at,
            account: row.account,
            reason: row.reason,
            raw: row.raw,
        })
        .collect())
}

/// How far the work on what came in is behind.
pub(super) fn health(storage: &SqlStorage) -> Result<health::Ledger> {
    #[derive(Deserialize)]
    struct Recent {
        customer_id: String,
        received_at: Millis,
    }
    // When a fact came is in the log, under the event it is of.
    let query = "SELECT
          (SELECT COUNT(*) FROM handovers) AS waiting,
          (SELECT MIN(l.received_at) FROM (SELECT body FROM handovers LIMIT 200) h
             JOIN log l ON l.event_id = h.body ->> '$.source.event_id') AS waiting_since,
          (SELECT COUNT(*) FROM parked) AS parked,
          (SELECT MAX(received_at) FROM log WHERE event_type NOT LIKE 'track.%') AS last_event,
          (SELECT COUNT(*) FROM (SELECT deliveries FROM log ORDER BY received_at DESC LIMIT 200)
             WHERE deliveries > 1) AS repeated";
    let found: Vec<health::Ledger> = sql::rows(storage, query, vec![])?;
    let mut found = found.into_iter().next().unwrap_or_default();
    let query = "SELECT customer_id, received_at FROM log WHERE customer_id IS NOT NULL
        ORDER BY received_at DESC LIMIT 3";
    let recent: Vec<Recent> = sql::rows(storage, query, vec![])?;
    found.recent = recent.into_iter().map(|row| (row.customer_id, row.received_at)).collect();
    Ok(found)
}

/// Removes rows that were booked after all.
pub(super) fn unpark(storage: &SqlStorage, keys: &[String]) -> Result<()> {
    let query = "DELETE FROM parked WHERE key IN (SELECT value FROM json_each(?))";
    sql::run(storage, query, vec![codec::encode(&keys)?.into()])
}
