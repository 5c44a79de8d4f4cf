//! The Durable Object that serialises one customer's facts.
//!
//! A shell around [`crate::core::ledger::fold`]: facts are added in one transaction, the view is folded from
//! all of them, and the rows that changed become the outbox in that same transaction. [`projection`] sends the
//! outbox to D1, and with it what the world is to be told ([`news`]).

mod news;
mod projection;

use std::cell::Cell;
use std::rc::Rc;

use serde::Deserialize;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State, console_error,
    durable_object,
};

use crate::core::ledger::announce::{News, ToldMap};
use crate::core::ledger::erase;
use crate::core::ledger::fact::Fact;
use crate::core::ledger::fold::fold;
use crate::core::ledger::messages::{Absorbed, KeyedFact, Sealed, ToLedger};
use crate::core::ledger::rows::{self, Row};
use crate::core::ledger::view::Policy;
use crate::edge::{codec, objects, sql};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
-- The view's rows as last folded, and the outbox: rows whose version D1 has not confirmed.
CREATE TABLE IF NOT EXISTS rows (
  tab TEXT NOT NULL, id TEXT NOT NULL, body TEXT, version INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tab, id)) STRICT;
CREATE INDEX IF NOT EXISTS rows_to_send ON rows (sent) WHERE sent = 0;
-- What was told the world, and what is about to be: core::ledger::announce.
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, times INTEGER NOT NULL, total INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS news (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
";

/// One customer's ledger.
#[durable_object(alarm)]
pub struct CustomerLedger {
    state: State,
    env: Env,
    ready: Cell<bool>,
    /// How often the projection failed in a row.
    failures: Cell<u32>,
}

impl DurableObject for CustomerLedger {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, ready: Cell::new(false), failures: Cell::new(0) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match self.handle(&mut request).await {
            Ok(response) => Ok(response),
            Err(error) => {
                console_error!("ledger: {error}");
                objects::failure(&error)
            }
        }
    }

    /// Never throws: an alarm that does is dropped after seven runs.
    async fn alarm(&self) -> Result<Response> {
        let outcome = match self.prepare() {
            Ok(()) => projection::send(&self.env, &self.sql()).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(false) => self.failures.set(0),
            Ok(true) => self.arm(0).await,
            Err(error) => {
                console_error!("projection: {error}");
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                // 0.25 s, doubling, at most 15 s: half of the 30 s within which D1 must equal the ledger.
                self.arm(250_i64.saturating_mul(1 << failures.min(6)).min(15_000)).await;
            }
        }
        Response::empty()
    }
}

#[derive(Deserialize)]
struct Stored {
    key: String,
    body: String,
}

#[derive(Deserialize)]
struct StoredRow {
    tab: String,
    id: String,
    body: Option<String>,
}

/// What an absorption brought.
#[derive(Default)]
struct Change {
    facts: Vec<KeyedFact>,
    absorbed: Vec<String>,
    erased: bool,
    everything: bool,
    told: ToldMap,
    news: Vec<News>,
}

impl CustomerLedger {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    fn prepare(&self) -> Result<()> {
        if !self.ready.get() {
            sql::run(&self.sql(), TABLES, vec![])?;
            self.ready.set(true);
        }
        Ok(())
    }

    async fn handle(&self, request: &mut Request) -> Result<Response> {
        self.prepare()?;
        let message = objects::message::<ToLedger>(request).await?;
        if let (ToLedger::Absorb { policy, .. }, Some(winner)) =
            (&message, setting(&self.sql(), "sealed_to")?)
        {
            return self.forward(&message, policy, &winner).await;
        }
        match message {
            ToLedger::Absorb { customer_id, policy, facts, absorbed, erased, told, news } => {
                let change = Change { facts, absorbed, erased, everything: false, told, news };
                objects::answer(&self.book(customer_id, policy, change).await?)
            }
            ToLedger::Seal { customer_id: _, winner } => {
                keep(&self.sql(), "sealed_to", &winner)?;
                objects::answer(&self.sealed()?)
            }
            ToLedger::Unsent => objects::answer(&projection::unsent(&self.sql())?),
            ToLedger::Tell { customer_id: _ } => objects::answer(&self.sealed()?),
            ToLedger::Erase { customer_id, policy } => {
                let change = Change { erased: true, ..Change::default() };
                self.book(customer_id, policy, change).await?;
                objects::answer(&())
            }
            ToLedger::Project { customer_id, policy } => {
                let change = Change { everything: true, ..Change::default() };
                self.book(customer_id, policy, change).await?;
                objects::answer(&())
            }
        }
    }

    /// A sealed ledger books nothing: what still arrives goes to whoever took over.
    async fn forward(&self, message: &ToLedger, policy: &Policy, winner: &str) -> Result<Response> {
        let ToLedger::Absorb { facts, absorbed, erased, told, news, .. } = message else {
            return Err(Error::RustError("only facts are forwarded".into()));
        };
        let forwarded = ToLedger::Absorb {
            customer_id: winner.to_owned(),
            policy: policy.clone(),
            facts: facts.clone(),
            absorbed: absorbed.clone(),
            erased: *erased,
            told: told.clone(),
            news: news.clone(),
        };
        let stub = objects::ledger(&self.env, &policy.workspace_id, policy.mode, winner)?;
        let answer: Absorbed = objects::call(&stub, &forwarded).await?;
        objects::answer(&answer)
    }

    fn sealed(&self) -> Result<Sealed> {
        let storage = self.sql();
        let facts = stored_facts(&storage)?;
        Ok(Sealed {
            facts,
            absorbed: absorbed(&storage)?,
            erased: setting(&storage, "erased")?.is_some(),
            told: news::told(&storage)?,
            news: news::waiting(&storage)?,
        })
    }

    /// Adds, folds, and writes the rows that changed, in one transaction; then lets the alarm project them.
    async fn book(&self, customer_id: String, policy: Policy, change: Change) -> Result<Absorbed> {
        let storage = self.sql();
        let slot: Rc<Cell<Absorbed>> = Rc::default();
        let result = Rc::clone(&slot);
        sql::transaction(&self.state.storage(), move || {
            result.set(book(&storage, &customer_id, &policy, change)?);
            Ok(())
        })?;
        // Set in the same turn as the commit: both are durable or neither.
        self.arm(0).await;
        Ok(slot.take())
    }

    async fn arm(&self, after_ms: i64) {
        if let Err(error) = self.state.storage().set_alarm(after_ms).await {
            console_error!("ledger: the alarm could not be set: {error}");
        }
    }
}

/// The work of [`CustomerLedger::book`], inside its transaction.
fn book(storage: &SqlStorage, customer_id: &str, policy: &Policy, change: Change) -> Result<Absorbed> {
    keep(storage, "customer_id", customer_id)?;
    news::catch_up(storage, policy, customer_id)?;
    let mut absorbed = absorbed(storage)?;
    absorbed.extend(change.absorbed);
    absorbed.sort();
    absorbed.dedup();
    absorbed.retain(|id| id != customer_id);
    keep(storage, "absorbed", &codec::encode(&absorbed)?)?;
    if change.erased {
        keep(storage, "erased", "1")?;
    }
    let events: Vec<String> = change.facts.iter().map(|k| k.fact.source.event_id.clone()).collect();
    for KeyedFact { key, fact } in &change.facts {
        let values: Vec<SqlStorageValue> = vec![key.as_str().into(), codec::encode(fact)?.into()];
        sql::run(storage, "INSERT OR IGNORE INTO facts (key, body) VALUES (?, ?)", values)?;
    }
    let mut keyed = stored_facts(storage)?;
    let erased = setting(storage, "erased")?.is_some();
    if erased {
        keyed = scrubbed(storage, keyed)?;
    }
    let mut view = fold(keyed.into_iter().map(|k| k.fact).collect(), policy);
    // An erased person is not listed any more; what they paid is.
    view.customer.visible &= !erased;
    enter(storage, &rows::rows(&view, policy, customer_id), change.everything)?;
    news::enter(storage, &view, (policy, customer_id), (change.told, change.news))?;
    let mut events = events;
    events.sort();
    events.dedup();
    Ok(Absorbed {
        shown: rows::shown(&view),
        outcomes: events.iter().map(|event| rows::outcome(&view, event)).collect(),
    })
}

/// Takes the person out of the stored facts.
fn scrubbed(storage: &SqlStorage, keyed: Vec<KeyedFact>) -> Result<Vec<KeyedFact>> {
    let (keys, before): (Vec<String>, Vec<Fact>) = keyed.into_iter().map(|k| (k.key, k.fact)).unzip();
    let mut facts = before.clone();
    erase::scrub(&mut facts);
    for ((key, fact), before) in keys.iter().zip(&facts).zip(&before) {
        if fact != before {
            let values: Vec<SqlStorageValue> = vec![codec::encode(fact)?.into(), key.as_str().into()];
            sql::run(storage, "UPDATE facts SET body = ? WHERE key = ?", values)?;
        }
    }
    Ok(keys.into_iter().zip(facts).map(|(key, fact)| KeyedFact { key, fact }).collect())
}

/// Writes the rows that differ from the last fold; with `everything`, all of them count as changed.
fn enter(storage: &SqlStorage, rows: &[Row], everything: bool) -> Result<()> {
    let version = setting(storage, "version")?.and_then(|v| v.parse::<i64>().ok()).unwrap_or(0) + 1;
    let known: Vec<StoredRow> = sql::rows(storage, "SELECT tab, id, body FROM rows", vec![])?;
    let known: std::collections::BTreeMap<(String, String), Option<String>> =
        known.into_iter().map(|row| ((row.tab, row.id), row.body)).collect();
    let put = "INSERT INTO rows (tab, id, body, version, sent) VALUES (?, ?, ?, ?, 0)
        ON CONFLICT (tab, id) DO UPDATE SET body = excluded.body, version = excluded.version, sent = 0";
    let mut changed = false;
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let body = codec::encode(&row.values)?;
        let key = (row.table.name().to_owned(), row.id.clone());
        if everything || known.get(&key).is_none_or(|before| before.as_deref() != Some(body.as_str())) {
            let values: Vec<SqlStorageValue> = vec![
                row.table.name().into(),
                row.id.as_str().into(),
                body.into(),
                SqlStorageValue::try_from_i64(version)?,
            ];
            sql::run(storage, put, values)?;
            changed = true;
        }
        seen.insert(key);
    }
    for ((table, id), body) in &known {
        // A row that is no more stays as a tombstone until D1 has dropped it too.
        if body.is_some() && !seen.contains(&(table.clone(), id.clone())) {
            let values: Vec<SqlStorageValue> = vec![
                table.as_str().into(),
                id.as_str().into(),
                SqlStorageValue::Null,
                SqlStorageValue::try_from_i64(version)?,
            ];
            sql::run(storage, put, values)?;
            changed = true;
        }
    }
    if changed {
        keep(storage, "version", &version.to_string())?;
    }
    Ok(())
}

fn stored_facts(storage: &SqlStorage) -> Result<Vec<KeyedFact>> {
    let stored: Vec<Stored> = sql::rows(storage, "SELECT key, body FROM facts", vec![])?;
    stored.into_iter().map(|s| Ok(KeyedFact { fact: codec::decode(&s.body)?, key: s.key })).collect()
}

fn absorbed(storage: &SqlStorage) -> Result<Vec<String>> {
    setting(storage, "absorbed")?.map_or(Ok(Vec::new()), |text| codec::decode(&text))
}

#[derive(Deserialize)]
struct Setting {
    value: String,
}

fn setting(storage: &SqlStorage, name: &str) -> Result<Option<String>> {
    let found: Vec<Setting> =
        sql::rows(storage, "SELECT value FROM settings WHERE name = ?", vec![name.into()])?;
    Ok(found.into_iter().next().map(|s| s.value))
}

fn keep(storage: &SqlStorage, name: &str, value: &str) -> Result<()> {
    let query = "INSERT INTO settings (name, value) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
    sql::run(storage, query, vec![name.into(), value.into()])
}
