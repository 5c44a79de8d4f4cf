//! Visits in D1: clicks, and what is no click.
//!
//! The statements are `core::click_store`'s; a batch is one transaction.

use std::cell::Cell;

use serde::Deserialize;
use worker::{Env, Error, Result};

use crate::core::click::{self, Visit};
use crate::core::click_store;
use crate::edge::{codec, d1, webhook_outbox};

thread_local! {
    /// How many rows D1 says that storing clicks has written in this isolate, indexes included.
    static ROWS_WRITTEN: Cell<usize> = const { Cell::new(0) };
}

/// How many rows storing clicks has written in this isolate: for measurements.
pub(crate) fn rows_written() -> usize {
    ROWS_WRITTEN.get()
}

/// Stores visits: new clicks in `clicks`, the others with their reason in `visits`.
///
/// # Errors
/// When D1 fails: nothing was stored then, both statements are one transaction. Try again.
pub(crate) async fn store(env: &Env, visits: Vec<Visit>) -> Result<()> {
    let db = d1::database(env)?;
    let text = d1::text(codec::encode(&click::rows(visits))?.as_str());
    let values = std::slice::from_ref(&text);
    let batch = click_store::statements()
        .iter()
        .map(|text| d1::statement(&db, text, values))
        .collect::<Result<Vec<_>>>()?;
    let answers = db.batch(batch).await.map_err(explain)?;
    webhook_outbox::nudge(env, &webhook_outbox::entered(answers.get(click_store::TOLD))).await;
    for meta in answers.iter().filter_map(|answer| answer.meta().ok().flatten()) {
        ROWS_WRITTEN.set(ROWS_WRITTEN.get().saturating_add(meta.rows_written.unwrap_or(0)));
    }
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
    let (id, at) = visit.as_ref().map(|visit| (visit.id.clone(), visit.at.0)).unwrap_or_default();
    let place = [d1::text(link_id), d1::text(id.as_str()), d1::int(at)?];
    let before = "SELECT clicks, 0 AS is_stored FROM links WHERE id = ?1";
    let after = "SELECT clicks, EXISTS (SELECT 1 FROM clicks AS c WHERE c.workspace_id = links.workspace_id \
                   AND c.at = ?3 AND c.id = ?2) AS is_stored FROM links WHERE id = ?1";
    let mut batch = vec![d1::statement(&db, before, &[d1::text(link_id)])?];
    if let Some(visit) = visit {
        let text = d1::text(codec::encode(&click::rows(vec![visit]))?.as_str());
        let limit = format!("AND (SELECT clicks FROM links WHERE id = r.link_id) < {most}");
        batch.push(d1::statement(&db, &click_store::insert_clicks(&limit), std::slice::from_ref(&text))?);
        // After it, for the limit looks at the counter. The id is of this very visit, so it was not stored before.
        let count = "UPDATE links SET clicks = clicks + 1, last_clicked = MAX(COALESCE(last_clicked, 0), c.at) \
                     FROM clicks AS c WHERE links.id = ?1 \
                       AND c.workspace_id = links.workspace_id AND c.at = ?3 AND c.id = ?2";
        batch.push(d1::statement(&db, count, &place)?);
        let told = [d1::text(id.as_str()), d1::int(at)?];
        batch.push(d1::statement(&db, &click_store::tell_click(), &told)?);
    }
    batch.push(d1::statement(&db, after, &place)?);
    let results = db.batch(batch).await.map_err(explain)?;
    if results.len() > 2 {
        webhook_outbox::nudge(env, &webhook_outbox::entered(results.iter().rev().nth(1))).await;
    }
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

fn explain(error: impl std::fmt::Display) -> Error {
    Error::RustError(format!("D1: {error}"))
}
