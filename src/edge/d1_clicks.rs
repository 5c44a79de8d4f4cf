//! Visits in D1: clicks, and what is no click.
//!
//! One statement each for the whole batch, from one JSON text. A trigger moves the link's counter with each new
//! row of `clicks`, in the same transaction, so counters are exact however often a batch comes.

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
    let rows = codec::encode(&click::rows(visits))?;
    let db = d1::database(env)?;
    let select = select_list();
    let from = format!("FROM (SELECT {select} FROM json_each(?1)) AS r");
    let clicks = format!(
        "INSERT OR IGNORE INTO clicks ({COLUMNS}) SELECT {COLUMNS} {from} WHERE r.verdict = '' AND {IS_NEW}"
    );
    // What is left of the batch now is no click, or is a click that was stored before.
    let others = format!(
        "INSERT OR IGNORE INTO visits ({COLUMNS}, verdict) \
         SELECT {COLUMNS}, CASE r.verdict WHEN '' THEN 'repeat' ELSE r.verdict END {from} \
         WHERE NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.id = r.id)"
    );
    let text = d1::text(rows.as_str());
    let values = std::slice::from_ref(&text);
    let batch = vec![d1::statement(&db, &clicks, values)?, d1::statement(&db, &others, values)?];
    db.batch(batch).await.map_err(|e| Error::RustError(format!("D1: {e}")))?;
    Ok(())
}

/// `value ->> 'id' AS id, …`
fn select_list() -> String {
    let names = COLUMNS.split(", ").chain(["verdict", "is_known", "fingerprint_before"]);
    names.map(|name| format!("value ->> '{name}' AS {name}")).collect::<Vec<_>>().join(", ")
}
