//! Browsers that came back from a checkout with a click ([`crate::core::thank_you`]).
//!
//! Anybody can open a thank-you link with any session id, so an arrival makes no customer and unites none: it waits here,
//! in bounded number and for a month, until Stripe has told of its session, and then goes to whoever that is of.

use serde::Deserialize;
use worker::{Result, SqlStorage, SqlStorageValue};

use super::{Directory, accept, in_transaction};
use crate::core::thank_you::Arrival;
use crate::core::time::Millis;
use crate::edge::{codec, entropy, sql};

/// How long an arrival is kept, in days: as long as Stripe keeps its events.
const KEPT_DAYS: i64 = 30;
/// How many clicks may come to one session's page, and to how many sessions' pages one click.
const MOST: i64 = 20;
/// How many old rows go when one comes.
const PRUNED_AT_ONCE: i32 = 20;

impl Directory {
    /// Keeps an arrival for good; gives the customer whose ledger is to be told of it now.
    pub(super) fn arrived(&self, arrival: &Arrival) -> Result<Option<String>> {
        let storage = self.sql();
        let oldest = entropy::now().plus_days(-KEPT_DAYS);
        let arrival = arrival.clone();
        in_transaction(&self.state, move || {
            prune(&storage, oldest)?;
            if arrival.at < oldest || !keep(&storage, &arrival)? {
                return Ok(None);
            }
            let Some(Known { account, customer_id }) = owner(&storage, &arrival.session_id)? else {
                return Ok(None);
            };
            let is_news = give(&storage, &arrival.session_id, &account, &customer_id)?;
            Ok(Some(customer_id).filter(|_| is_news))
        })
    }
}

/// Hands the arrivals of a session over to its customer; `false`: it has them all.
pub(super) fn give(storage: &SqlStorage, session: &str, account: &str, customer_id: &str) -> Result<bool> {
    #[derive(Deserialize)]
    struct Row {
        body: String,
    }
    let query = "SELECT body FROM arrivals WHERE session = ? AND given = 0";
    let waiting: Vec<Row> = sql::rows(storage, query, vec![session.into()])?;
    for row in &waiting {
        let arrival: Arrival = codec::decode(&row.body)?;
        accept::hand_over(storage, &arrival.fact(account), customer_id)?;
    }
    if !waiting.is_empty() {
        sql::run(storage, "UPDATE arrivals SET given = 1 WHERE session = ?", vec![session.into()])?;
    }
    Ok(!waiting.is_empty())
}

/// Whose a session is.
struct Known {
    account: String,
    customer_id: String,
}

/// Whom Stripe's events say that a session is of, and on which account. `None`: nobody yet, or more than one.
fn owner(storage: &SqlStorage, session: &str) -> Result<Option<Known>> {
    #[derive(Deserialize)]
    struct Row {
        alias: String,
        customer_id: String,
    }
    let query = "SELECT alias, customer_id FROM aliases WHERE payment = ? AND tracked = 0 LIMIT 2";
    let found: Vec<Row> = sql::rows(storage, query, vec![session.into()])?;
    let [row] = found.as_slice() else { return Ok(None) };
    let account = row.alias.split_once('|').map_or("", |(account, _)| account).to_owned();
    Ok(Some(Known { account, customer_id: row.customer_id.clone() }))
}

/// Enters an arrival, or the earlier time of one that is known; `false`: it says nothing new, or there are too many.
fn keep(storage: &SqlStorage, arrival: &Arrival) -> Result<bool> {
    #[derive(Deserialize)]
    struct Found {
        at: Option<i64>,
        most: i64,
    }
    let query = "SELECT (SELECT at FROM arrivals WHERE session = ?1 AND click_id = ?2) AS at,
        MAX((SELECT COUNT(*) FROM arrivals WHERE session = ?1),
            (SELECT COUNT(*) FROM arrivals WHERE click_id = ?2)) AS most";
    let values = vec![arrival.session_id.as_str().into(), arrival.touch.click_id.as_str().into()];
    let found: Vec<Found> = sql::rows(storage, query, values)?;
    let is_new = match found.first() {
        Some(Found { at: Some(at), .. }) => arrival.at.0 < *at,
        Some(Found { at: None, most }) => *most < MOST,
        None => false,
    };
    if is_new {
        let query = "INSERT OR REPLACE INTO arrivals (session, click_id, at, body) VALUES (?, ?, ?, ?)";
        let values: Vec<SqlStorageValue> = vec![
            arrival.session_id.as_str().into(),
            arrival.touch.click_id.as_str().into(),
            SqlStorageValue::try_from_i64(arrival.at.0)?,
            codec::encode(arrival)?.into(),
        ];
        sql::run(storage, query, values)?;
    }
    Ok(is_new)
}

fn prune(storage: &SqlStorage, oldest: Millis) -> Result<()> {
    let query = "DELETE FROM arrivals WHERE rowid IN (SELECT rowid FROM arrivals WHERE at < ? LIMIT ?)";
    sql::run(storage, query, vec![SqlStorageValue::try_from_i64(oldest.0)?, PRUNED_AT_ONCE.into()])
}
