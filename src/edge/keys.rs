//! API keys in D1, and the isolate's short memory of them.
//!
//! A revoked key or an ended session stops at once in the isolate that revoked it, and within [`LIFE_MS`] everywhere else.

use std::cell::RefCell;

use serde::Deserialize;
use worker::{Context, Env, Result, console_error};

use crate::core::money::Currency;
use crate::core::recent::Recent;
use crate::core::session;
use crate::core::time::Millis;
use crate::edge::d1;

/// How many keys are remembered.
const CAPACITY: usize = 500;
const LIFE_MS: i64 = 30_000;

/// A key that exists.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeyRow {
    /// Its id.
    pub id: String,
    /// Its workspace.
    pub workspace_id: String,
    /// Space-separated.
    pub scopes: String,
    /// Requests a minute.
    pub rate_limit: i64,
    /// The workspace's currency of reports.
    pub currency: Currency,
    /// Its zone of reports.
    pub timezone: Option<String>,
    /// Its model of reports.
    pub attribution_model: String,
    /// 1: its links track conversions unless they say otherwise.
    pub conversion_enabled: i64,
    /// From then on it is refused.
    pub expires_at: Option<Millis>,
}

thread_local! {
    static KEYS: RefCell<Recent<KeyRow>> = RefCell::new(Recent::new(CAPACITY));
}

/// The key with this SHA-256, in hex, or with this id, or behind the session of this name: none can be taken for
/// another. Only what exists is remembered, so guesses cannot push it out.
pub(crate) async fn find(env: &Env, ctx: &Context, name: &str, now: Millis) -> Result<Option<KeyRow>> {
    if let Some(row) = KEYS.with_borrow_mut(|keys| keys.get(name, now)) {
        return Ok(Some(row));
    }
    let condition = if session::is_name(name) {
        "k.id = (SELECT key_id FROM dashboard_sessions WHERE hash = ?1)"
    } else {
        "k.hash = ?1 OR k.id = ?1"
    };
    let query = format!(
        "SELECT k.id, k.workspace_id, k.scopes, k.rate_limit, k.expires_at, w.currency, w.timezone, \
                w.attribution_model, w.conversion_enabled \
         FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id WHERE {condition}"
    );
    let row: Option<KeyRow> = d1::first(&d1::database(env)?, &query, &[d1::text(name)]).await?;
    if let Some(row) = &row {
        let until = Millis(now.0.saturating_add(LIFE_MS));
        KEYS.with_borrow_mut(|keys| keys.put(name, until, row.clone()));
        ctx.wait_until(note_use(env.clone(), row.id.clone(), now));
    }
    Ok(row)
}

/// Forgets one name; after a session has ended.
pub(crate) fn forget_one(name: &str) {
    KEYS.with_borrow_mut(|keys| keys.forget(name));
}

/// Forgets every key of this isolate's memory; after a change to one.
pub(crate) fn forget() {
    KEYS.with_borrow_mut(|keys| *keys = Recent::new(CAPACITY));
}

/// `lastUsed`, at most once per key and memory life.
async fn note_use(env: Env, id: String, now: Millis) {
    let written = async {
        let query = "UPDATE api_keys SET last_used = ?2 WHERE id = ?1";
        d1::statement(&d1::database(&env)?, query, &[d1::text(id.as_str()), d1::int(now.0)?])?.run().await
    };
    if let Err(e) = written.await {
        console_error!("last use of key {id} was not noted: {e}");
    }
}
