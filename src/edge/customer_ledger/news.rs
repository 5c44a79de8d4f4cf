//! What the world is to be told, kept with the facts: entered in the transaction that folds them, sent with the rows.

use serde::Deserialize;
use worker::{D1PreparedStatement, Env, Result, SqlStorage, SqlStorageValue};

use super::{keep, setting, stored_facts};
use crate::core::ledger::announce::{self, News, Told, ToldMap};
use crate::core::ledger::fold::fold;
use crate::core::ledger::view::{Policy, View};
use crate::edge::{codec, d1, entropy, sql, webhook_outbox};

#[derive(Deserialize)]
struct Row {
    key: String,
    times: i64,
    total: i64,
}

#[derive(Deserialize)]
struct Waiting {
    body: String,
}

/// What was told.
pub(super) fn told(storage: &SqlStorage) -> Result<ToldMap> {
    let rows: Vec<Row> = sql::rows(storage, "SELECT key, times, total FROM told", vec![])?;
    Ok(rows.into_iter().map(|row| (row.key, Told { times: row.times, total: row.total })).collect())
}

/// What is about to be told.
pub(super) fn waiting(storage: &SqlStorage) -> Result<Vec<News>> {
    let rows: Vec<Waiting> = sql::rows(storage, "SELECT body FROM news ORDER BY id", vec![])?;
    rows.iter().map(|row| codec::decode(&row.body)).collect()
}

/// A ledger that is older than this table has told all that it knows, for nobody could have been listening.
pub(super) fn catch_up(storage: &SqlStorage, policy: &Policy, customer_id: &str) -> Result<()> {
    if setting(storage, "tells")?.is_some() {
        return Ok(());
    }
    let facts = stored_facts(storage)?;
    if !facts.is_empty() {
        let view = fold(facts.into_iter().map(|keyed| keyed.fact).collect(), policy);
        let mut all = ToldMap::new();
        drop(announce::announce(&view, policy, customer_id, false, &mut all));
        remember(storage, &ToldMap::new(), &all)?;
    }
    keep(storage, "tells", "1")
}

/// Enters what is new in a view, after what merged customers had told or were about to tell.
pub(super) fn enter(
    storage: &SqlStorage,
    view: &View,
    (policy, customer_id): (&Policy, &str),
    (theirs, inherited): (ToldMap, Vec<News>),
) -> Result<()> {
    let before = told(storage)?;
    let mut now = before.clone();
    announce::unite(&mut now, theirs);
    let is_erased = setting(storage, "erased")?.is_some();
    let fresh = announce::announce(view, policy, customer_id, is_erased, &mut now);
    for news in inherited.iter().chain(&fresh) {
        let values: Vec<SqlStorageValue> = vec![news.id.as_str().into(), codec::encode(news)?.into()];
        sql::run(storage, "INSERT OR IGNORE INTO news (id, body) VALUES (?, ?)", values)?;
    }
    remember(storage, &before, &now)
}

fn remember(storage: &SqlStorage, before: &ToldMap, now: &ToldMap) -> Result<()> {
    let query = "INSERT OR REPLACE INTO told (key, times, total) VALUES (?, ?, ?)";
    for (key, told) in now.iter().filter(|(key, told)| before.get(*key) != Some(*told)) {
        let values: Vec<SqlStorageValue> = vec![
            key.as_str().into(),
            SqlStorageValue::try_from_i64(told.times)?,
            SqlStorageValue::try_from_i64(told.total)?,
        ];
        sql::run(storage, query, values)?;
    }
    Ok(())
}

/// Into D1: what is told; what messages said of an erased person, gone; what waits now.
pub(super) fn statements(
    env: &Env,
    news: &[News],
    customer_id: &str,
    losers: &[String],
) -> Result<[D1PreparedStatement; 3]> {
    let db = d1::database(env)?;
    let [tell, waiting] = webhook_outbox::enter(&db, news, entropy::now())?;
    let mut ids = losers.to_vec();
    ids.push(customer_id.to_owned());
    let query = "UPDATE webhook_deliveries SET body = NULL, response = NULL, updated_at = updated_at + 1, \
                   subject = json_remove(subject, '$.metadata') \
                 WHERE customer_id IN (SELECT value FROM json_each(?1)) \
                 AND (body IS NOT NULL OR state = 'waiting' OR subject LIKE '%\"metadata\"%')";
    let forget = d1::statement(&db, query, &[d1::text(codec::encode(&ids)?.as_str())])?;
    Ok([tell, forget, waiting])
}

/// What D1 has.
pub(super) fn confirm(storage: &SqlStorage, news: &[News]) -> Result<()> {
    for news in news {
        sql::run(storage, "DELETE FROM news WHERE id = ?", vec![news.id.as_str().into()])?;
    }
    Ok(())
}
