//! The Directory's tables.

use worker::{Result, SqlStorage};

use crate::core::ledger::view::Policy;
use crate::edge::{codec, sql};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
-- One name, one customer. `payment` is the bare id of payments, which tracked names join.
CREATE TABLE IF NOT EXISTS aliases (
  alias TEXT PRIMARY KEY, payment TEXT, tracked INTEGER NOT NULL, customer_id TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS aliases_by_payment ON aliases (payment) WHERE payment IS NOT NULL;
CREATE INDEX IF NOT EXISTS aliases_by_customer ON aliases (customer_id);
CREATE TABLE IF NOT EXISTS customers (
  id TEXT PRIMARY KEY, merged_into TEXT, erased INTEGER NOT NULL DEFAULT 0) STRICT;
-- Facts on their way to a ledger.
CREATE TABLE IF NOT EXISTS handovers (
  fact_key TEXT PRIMARY KEY, customer_id TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS handovers_by_customer ON handovers (customer_id);
-- Customers found to be one: the loser is to be sealed, the winner to absorb it.
CREATE TABLE IF NOT EXISTS merges (loser TEXT PRIMARY KEY) STRICT;
-- Ledgers that are to do something besides: 'erase', 'project'.
CREATE TABLE IF NOT EXISTS chores (
  customer_id TEXT NOT NULL, chore TEXT NOT NULL, PRIMARY KEY (customer_id, chore)) STRICT;
-- Browsers that came back from a checkout with a click; `given`: to the ledger of whoever the session is of.
CREATE TABLE IF NOT EXISTS arrivals (
  session TEXT NOT NULL, click_id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
  given INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session, click_id)) STRICT;
CREATE INDEX IF NOT EXISTS arrivals_by_click ON arrivals (click_id);
CREATE INDEX IF NOT EXISTS arrivals_by_time ON arrivals (at);
CREATE TABLE IF NOT EXISTS claims (claim TEXT PRIMARY KEY, answer TEXT NOT NULL) STRICT;
-- Whose claim it is: an erasure hides it.
CREATE TABLE IF NOT EXISTS claim_owners (
  customer_id TEXT NOT NULL, claim TEXT NOT NULL, PRIMARY KEY (customer_id, claim)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parked (
  key TEXT PRIMARY KEY, event_id TEXT NOT NULL, event_type TEXT NOT NULL, at INTEGER NOT NULL,
  account TEXT NOT NULL, reason TEXT NOT NULL, raw TEXT) STRICT;
CREATE TABLE IF NOT EXISTS log (
  event_id TEXT NOT NULL, account TEXT NOT NULL, event_type TEXT NOT NULL, at INTEGER NOT NULL,
  received_at INTEGER NOT NULL, deliveries INTEGER NOT NULL, verdict TEXT NOT NULL,
  customer_id TEXT, sales TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (event_id, account)) STRICT;
CREATE INDEX IF NOT EXISTS log_by_time ON log (received_at);
";

/// Creates what is missing; re-runnable.
pub(super) fn create(storage: &SqlStorage) -> Result<()> {
    sql::run(storage, TABLES, vec![])
}

/// The workspace's settings: those it has chosen, else those of its first delivery.
pub(super) fn policy(storage: &SqlStorage) -> Result<Option<Policy>> {
    match setting(storage, "policy")? {
        Some(text) => Ok(Some(codec::decode(&text)?)),
        None => Ok(None),
    }
}

/// Keeps the settings that came with a delivery, if none are known.
pub(super) fn learn_policy(storage: &SqlStorage, policy: &Policy) -> Result<()> {
    let query = "INSERT OR IGNORE INTO settings (name, value) VALUES ('policy', ?)";
    sql::run(storage, query, vec![codec::encode(policy)?.into()])
}

/// Keeps what the workspace has chosen; lists every customer for a new projection if it is another choice than before.
pub(super) fn settle(storage: &SqlStorage, chosen: &Policy) -> Result<i64> {
    if policy(storage)?.as_ref() == Some(chosen) { Ok(0) } else { queue_rebuild(storage, chosen) }
}

fn keep_policy(storage: &SqlStorage, policy: &Policy) -> Result<()> {
    keep(storage, "policy", &codec::encode(policy)?)
}

#[derive(serde::Deserialize)]
struct Setting {
    value: String,
}

pub(super) fn setting(storage: &SqlStorage, name: &str) -> Result<Option<String>> {
    let found: Vec<Setting> =
        sql::rows(storage, "SELECT value FROM settings WHERE name = ?", vec![name.into()])?;
    Ok(found.into_iter().next().map(|s| s.value))
}

pub(super) fn keep(storage: &SqlStorage, name: &str, value: &str) -> Result<()> {
    let query = "INSERT INTO settings (name, value) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
    sql::run(storage, query, vec![name.into(), value.into()])
}

#[derive(serde::Deserialize)]
struct Count {
    n: i64,
}

/// Lists every customer for a new projection; gives how many.
pub(super) fn queue_rebuild(storage: &SqlStorage, policy: &Policy) -> Result<i64> {
    keep_policy(storage, policy)?;
    let query = "INSERT OR IGNORE INTO chores (customer_id, chore)
        SELECT id, 'project' FROM customers WHERE merged_into IS NULL";
    sql::run(storage, query, vec![])?;
    let counted: Vec<Count> =
        sql::rows(storage, "SELECT COUNT(*) AS n FROM chores WHERE chore = 'project'", vec![])?;
    Ok(counted.first().map_or(0, |c| c.n))
}
