//! The outbox: rows of the view into D1.
//!
//! One change of the ledger is one D1 batch, which is one transaction: readers see a sale replaced, never
//! twice and never gone. The `customers` row carries the ledger's version; every other statement runs only
//! while that row is at exactly this version and not merged away, so a late batch changes nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use worker::{D1PreparedStatement, Env, Error, Result, SqlStorage, SqlStorageValue};

use super::{absorbed, news, setting};
use crate::core::ledger::rows::Table;
use crate::edge::{codec, d1, sql, webhook_outbox};

/// Rows in one statement, at most; D1 takes 2 MB for one value.
const ROWS_AT_ONCE: usize = 400;

#[derive(Deserialize)]
struct Outgoing {
    tab: String,
    id: String,
    body: Option<String>,
    version: i64,
}

/// Rows of one table: what is to be there, and which ids are to go.
#[derive(Default)]
struct Batch {
    put: Vec<Value>,
    drop: Vec<String>,
}

/// Sends everything unsent; `true` when something changed meanwhile.
pub(super) async fn send(env: &Env, storage: &SqlStorage) -> Result<bool> {
    if setting(storage, "sealed_to")?.is_some() {
        return Ok(false); // the winner moves the rows
    }
    let query = "SELECT tab, id, body, version FROM rows WHERE sent = 0 ORDER BY tab, id";
    let outgoing: Vec<Outgoing> = sql::rows(storage, query, vec![])?;
    let news = news::waiting(storage)?;
    if outgoing.is_empty() && news.is_empty() {
        return Ok(false);
    }
    let customer_id =
        setting(storage, "customer_id")?.ok_or_else(|| Error::RustError("no customer".into()))?;
    let version = setting(storage, "version")?.and_then(|v| v.parse().ok()).unwrap_or(0);
    let losers = absorbed(storage)?;
    let customer = customer_row(storage, version)?;
    let mut statements = statements(env, &outgoing, &customer, &customer_id, version, &losers)?;
    let is_erased = setting(storage, "erased")?.is_some();
    let [tell, forget, waiting] = news::statements(env, &news, &customer_id, &losers)?;
    // In the same transaction: whoever is told of a sale can read it.
    statements.extend((!news.is_empty()).then_some(tell));
    statements.extend(is_erased.then_some(forget));
    statements.extend((!news.is_empty()).then_some(waiting));
    let results = d1::database(env)?.batch(statements).await?;
    if let Some(failed) = results.iter().find(|result| !result.success()) {
        return Err(Error::RustError(failed.error().unwrap_or_else(|| "a statement failed".into())));
    }
    if !news.is_empty() {
        webhook_outbox::nudge(env, &webhook_outbox::entered(results.last())).await;
    }
    confirm(storage, &outgoing)?;
    news::confirm(storage, &news)?;
    let left: Vec<Outgoing> =
        sql::rows(storage, "SELECT tab, id, body, version FROM rows WHERE sent = 0 LIMIT 1", vec![])?;
    Ok(!left.is_empty())
}

/// The customer's row at this version, whether it changed or not: it guards the others.
fn customer_row(storage: &SqlStorage, version: i64) -> Result<Value> {
    #[derive(Deserialize)]
    struct Body {
        body: String,
    }
    let query = "SELECT body FROM rows WHERE tab = 'customers' AND body IS NOT NULL LIMIT 1";
    let found: Vec<Body> = sql::rows(storage, query, vec![])?;
    let row = found.first().ok_or_else(|| Error::RustError("the ledger has no customer row".into()))?;
    let mut value: Value = codec::decode(&row.body)?;
    if let Value::Object(map) = &mut value {
        map.insert("version".into(), version.into());
    }
    Ok(value)
}

fn statements(
    env: &Env,
    outgoing: &[Outgoing],
    customer: &Value,
    customer_id: &str,
    version: i64,
    losers: &[String],
) -> Result<Vec<D1PreparedStatement>> {
    let db = d1::database(env)?;
    let guard = "EXISTS (SELECT 1 FROM customers WHERE id = ?1 AND version = ?2 AND merged_into IS NULL)";
    let bound = |extra: &str| -> Result<Vec<worker::wasm_bindgen::JsValue>> {
        Ok(vec![d1::text(customer_id), d1::int(version)?, d1::text(extra)])
    };
    let mut statements = Vec::new();
    let columns = Table::Customers.columns();
    let updates: Vec<String> = columns
        .iter()
        .filter(|c| !matches!(**c, "id" | "merged_into"))
        .map(|c| format!("{c} = excluded.{c}"))
        .collect();
    let query = format!(
        "INSERT INTO customers ({}) SELECT {} FROM json_each(?1) WHERE TRUE
         ON CONFLICT (id) DO UPDATE SET {}
         WHERE excluded.version > customers.version AND customers.merged_into IS NULL",
        columns.join(", "),
        extracts(columns),
        updates.join(", ")
    );
    let customer = codec::encode(&vec![customer])?;
    statements.push(d1::statement(&db, &query, &[d1::text(customer.as_str())])?);
    if !losers.is_empty() {
        let gone = codec::encode(&losers)?;
        for table in Table::GUARDED {
            let query = format!(
                "DELETE FROM {} WHERE customer_id IN (SELECT value FROM json_each(?3)) AND {guard}",
                table.name()
            );
            statements.push(d1::statement(&db, &query, &bound(&gone)?)?);
        }
        // A row for every loser, known or not, so that a late batch of its own finds it merged away.
        let query = format!(
            "INSERT INTO customers (id, workspace_id, mode, version, merged_into, visible, created_at, body)
             SELECT l.value, c.workspace_id, c.mode, 0, ?1, 0, c.created_at, '{{}}'
             FROM json_each(?3) l JOIN customers c ON c.id = ?1 WHERE {guard}
             ON CONFLICT (id) DO UPDATE SET merged_into = excluded.merged_into, visible = 0, external_id = NULL,
               name = NULL, email = NULL, avatar = NULL, body = '{{}}'"
        );
        statements.push(d1::statement(&db, &query, &bound(&gone)?)?);
    }
    for (table, batch) in batches(outgoing)? {
        for ids in batch.drop.chunks(ROWS_AT_ONCE) {
            let query = format!(
                "DELETE FROM {} WHERE id IN (SELECT value FROM json_each(?3)) AND {guard}",
                table.name()
            );
            statements.push(d1::statement(&db, &query, &bound(&codec::encode(&ids)?)?)?);
        }
        for rows in batch.put.chunks(ROWS_AT_ONCE) {
            let columns = table.columns();
            let query = format!(
                "INSERT OR REPLACE INTO {} ({}) SELECT {} FROM json_each(?3) WHERE {guard}",
                table.name(),
                columns.join(", "),
                extracts(columns)
            );
            statements.push(d1::statement(&db, &query, &bound(&codec::encode(&rows)?)?)?);
        }
    }
    Ok(statements)
}

/// `json_extract(value, '$.id'), …`
fn extracts(columns: &[&str]) -> String {
    columns.iter().map(|c| format!("json_extract(json_each.value, '$.{c}')")).collect::<Vec<_>>().join(", ")
}

fn batches(outgoing: &[Outgoing]) -> Result<BTreeMap<Table, Batch>> {
    let mut batches: BTreeMap<Table, Batch> = BTreeMap::new();
    for row in outgoing {
        let Some(table) = Table::parse(&row.tab).filter(|t| *t != Table::Customers) else { continue };
        let batch = batches.entry(table).or_default();
        match &row.body {
            Some(body) => batch.put.push(codec::decode(body)?),
            None => batch.drop.push(row.id.clone()),
        }
    }
    Ok(batches)
}

/// Marks as sent what is unchanged since; tombstones are done with.
fn confirm(storage: &SqlStorage, outgoing: &[Outgoing]) -> Result<()> {
    for row in outgoing {
        let values = || -> Result<Vec<SqlStorageValue>> {
            let version = SqlStorageValue::try_from_i64(row.version)?;
            Ok(vec![row.tab.as_str().into(), row.id.as_str().into(), version])
        };
        let query = if row.body.is_some() {
            "UPDATE rows SET sent = 1 WHERE tab = ? AND id = ? AND version = ?"
        } else {
            "DELETE FROM rows WHERE tab = ? AND id = ? AND version = ? AND body IS NULL"
        };
        sql::run(storage, query, values()?)?;
    }
    Ok(())
}

/// How many rows D1 has not confirmed; a sealed ledger sends none.
pub(super) fn unsent(storage: &SqlStorage) -> Result<i64> {
    #[derive(Deserialize)]
    struct Count {
        n: i64,
    }
    let query = "SELECT COUNT(*) AS n FROM rows WHERE sent = 0
        AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'sealed_to')";
    let counted: Vec<Count> = sql::rows(storage, query, vec![])?;
    Ok(counted.first().map_or(0, |count| count.n))
}
