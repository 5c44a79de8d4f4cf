//! Visits in D1: clicks, and what is no click.
//!
//! One statement each for the whole batch, from one JSON text. What is new in it moves the counters of its links, in
//! the transaction that stores it, so counters are exact however often a batch comes.

use serde::Deserialize;
use worker::{Env, Error, Result};

use crate::core::click::{self, Visit};
use crate::edge::{codec, d1};

/// Columns that both tables have, in this order.
const COLUMNS: &str = "id, workspace_id, link_id, at, visitor, url, ip, continent, country, region, city, latitude, \
                       longitude, edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, \
                       referer, referer_url, source, signals, fingerprint";

/// A visitor that D1 knows from another click on the link, less than an hour away. Both ways in time: the queue
/// does not keep order. D1 runs one statement at a time, so of two batches one sees the other's rows.
const IS_NEW: &str = "NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.link_id = r.link_id AND r.is_known = 1 \
                        AND c.visitor = r.visitor AND c.at > r.at - 3600000 AND c.at < r.at + 3600000) \
                      AND NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.link_id = r.link_id AND r.is_known = 0 \
                        AND r.fingerprint <> '' AND c.fingerprint IN (r.fingerprint, r.fingerprint_before) \
                        AND c.fingerprint <> '' AND c.at > r.at - 3600000 AND c.at < r.at + 3600000)";

/// Stores visits: new clicks in `clicks`, the others with their reason in `visits`.
///
/// # Errors
/// When D1 fails: nothing was stored then, both statements are one transaction. Try again.
pub(crate) async fn store(env: &Env, visits: Vec<Visit>) -> Result<()> {
    let db = d1::database(env)?;
    let text = d1::text(codec::encode(&click::rows(visits))?.as_str());
    let values = std::slice::from_ref(&text);
    let batch = vec![
        d1::statement(&db, &count_clicks(), values)?,
        d1::statement(&db, &insert_clicks(""), values)?,
        d1::statement(&db, &insert_others(), values)?,
    ];
    db.batch(batch).await.map_err(explain)?;
    Ok(())
}

/// Whether a link of limited clicks is open.
pub(crate) enum Admitted {
    /// It is, and the visit is stored as one of its clicks.
    Stored,
    /// It is, and there was no click to store.
    Open,
    /// Its clicks are used up.
    Spent,
}

#[derive(Deserialize)]
struct Counted {
    clicks: i64,
    is_stored: i64,
}

/// Stores a click unless the link has had `most` already, and says whether the visitor may go on.
///
/// One transaction: of two visitors who come for the last click, one gets it.
///
/// # Errors
/// When D1 fails: nothing was stored then.
pub(crate) async fn admit(env: &Env, link_id: &str, most: u32, visit: Option<Visit>) -> Result<Admitted> {
    let db = d1::database(env)?;
    let id = visit.as_ref().map(|visit| visit.id.clone()).unwrap_or_default();
    let before = "SELECT clicks, 0 AS is_stored FROM links WHERE id = ?1";
    let after =
        "SELECT clicks, EXISTS (SELECT 1 FROM clicks WHERE id = ?2) AS is_stored FROM links WHERE id = ?1";
    let mut batch = vec![d1::statement(&db, before, &[d1::text(link_id)])?];
    if let Some(visit) = visit {
        let text = d1::text(codec::encode(&click::rows(vec![visit]))?.as_str());
        let limit = format!("AND (SELECT clicks FROM links WHERE id = r.link_id) < {most}");
        batch.push(d1::statement(&db, &insert_clicks(&limit), std::slice::from_ref(&text))?);
        // After it, for the limit looks at the counter. The id is of this very visit, so it was not stored before.
        let count = "UPDATE links SET clicks = clicks + 1, last_clicked = MAX(COALESCE(last_clicked, 0), c.at) \
                     FROM clicks AS c WHERE links.id = ?1 AND c.id = ?2";
        batch.push(d1::statement(&db, count, &[d1::text(link_id), d1::text(id.as_str())])?);
    }
    batch.push(d1::statement(&db, after, &[d1::text(link_id), d1::text(id.as_str())])?);
    let results = db.batch(batch).await.map_err(explain)?;
    let mut counts = Vec::new();
    for result in [results.first(), results.last()].into_iter().flatten() {
        counts.extend(result.results::<Counted>()?);
    }
    Ok(match counts.as_slice() {
        [_, after] if after.is_stored != 0 => Admitted::Stored,
        [before, _] if before.clicks < i64::from(most) => Admitted::Open,
        _ => Admitted::Spent,
    })
}

/// Those rows of the JSON text ?1 that are clicks, and new ones.
fn new_clicks(condition: &str) -> String {
    let from = rows_of_text();
    format!(
        "{from} WHERE r.verdict = '' AND NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.id = r.id) AND {IS_NEW} {condition}"
    )
}

/// Moves the counters of links by the clicks that [`insert_clicks`] is going to store.
fn count_clicks() -> String {
    let new = new_clicks("");
    format!(
        "UPDATE links SET clicks = clicks + d.n, last_clicked = MAX(COALESCE(last_clicked, 0), d.at) \
         FROM (SELECT r.link_id AS link_id, COUNT(*) AS n, MAX(r.at) AS at {new} GROUP BY 1) AS d \
         WHERE links.id = d.link_id"
    )
}

/// Stores them. Their ids differ from each other and from those that are stored.
fn insert_clicks(condition: &str) -> String {
    let new = new_clicks(condition);
    format!("INSERT INTO clicks ({COLUMNS}) SELECT {COLUMNS} {new}")
}

/// Stores the rest of the batch: what is no click, and what is a repetition of one.
fn insert_others() -> String {
    let from = rows_of_text();
    format!(
        "INSERT OR IGNORE INTO visits ({COLUMNS}, verdict) \
         SELECT {COLUMNS}, CASE r.verdict WHEN '' THEN 'repeat' ELSE r.verdict END {from} \
         WHERE NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.id = r.id)"
    )
}

/// `FROM (SELECT value ->> 'id' AS id, … FROM json_each(?1)) AS r`
fn rows_of_text() -> String {
    let names = COLUMNS.split(", ").chain(["verdict", "is_known", "fingerprint_before"]);
    let list = names.map(|name| format!("value ->> '{name}' AS {name}")).collect::<Vec<_>>().join(", ");
    format!("FROM (SELECT {list} FROM json_each(?1)) AS r")
}

fn explain(error: impl std::fmt::Display) -> Error {
    Error::RustError(format!("D1: {error}"))
}
