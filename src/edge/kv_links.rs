//! Link records in KV.

use std::cell::{Cell, RefCell};

use worker::{Env, Error, KvStore, Result, console_error};

use crate::core::link::LinkRecord;
use crate::edge::{bindings, codec};

/// How long a location may answer from its own cache, in seconds: the least that KV accepts.
const CACHE_TTL_S: u64 = 30;
/// A record filled in from D1 by a reader may be older than a change made meanwhile, so it does not stay.
const FILL_TTL_S: u64 = 300;

thread_local! {
    /// Whether KV is to fail, for tests of what happens then. Only the local runtime can say so.
    static FAILING: Cell<bool> = const { Cell::new(false) };
    /// What KV was just found not to have, by the short way of a redirect.
    static MISSED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes every access to KV fail from now on, or work again.
pub(crate) fn fail(failing: bool) {
    FAILING.set(failing);
}

/// Whether that is on.
pub(crate) fn is_failing() -> bool {
    FAILING.get()
}

/// KV was just asked for this name and has nothing: the next [`read`] need not ask again. Should another request
/// come first, D1 is asked where KV would have done, or KV once more.
pub(crate) fn missed(name: String) {
    MISSED.set(Some(name));
}

/// The record, if there is a readable one.
///
/// # Errors
/// When KV fails. An unreadable record is `None` and an alarm.
pub(crate) async fn read(env: &Env, domain: &str, key: &str) -> Result<Option<LinkRecord>> {
    let name = name(domain, key);
    if MISSED.take().is_some_and(|missed| missed == name) {
        return Ok(None);
    }
    let text = store(env)?.get(&name).cache_ttl(CACHE_TTL_S).text().await;
    let Some(text) = text.map_err(explain)? else { return Ok(None) };
    Ok(LinkRecord::from_text(&text)
        .inspect_err(|e| console_error!("alarm: KV record of {domain}/{key} is unreadable, asking D1: {e}"))
        .ok())
}

/// Writes a record that is the newest there is.
pub(crate) async fn write(env: &Env, link: &LinkRecord) -> Result<()> {
    let put = store(env)?.put(&name(&link.domain, &link.key), codec::encode(link)?).map_err(explain)?;
    put.execute().await.map_err(explain)
}

/// Writes a record that a reader found in D1.
pub(crate) async fn fill(env: &Env, link: &LinkRecord) -> Result<()> {
    let put = store(env)?.put(&name(&link.domain, &link.key), codec::encode(link)?).map_err(explain)?;
    put.expiration_ttl(FILL_TTL_S).execute().await.map_err(explain)
}

/// Deletes a record.
pub(crate) async fn delete(env: &Env, domain: &str, key: &str) -> Result<()> {
    store(env)?.delete(&name(domain, key)).await.map_err(explain)
}

fn store(env: &Env) -> Result<KvStore> {
    if FAILING.get() {
        return Err(explain("made to fail"));
    }
    env.kv(bindings::LINKS)
}

/// The prefix leaves room for records of other things beside links. `src/entry.js` knows it as well.
pub(crate) fn name(domain: &str, key: &str) -> String {
    format!("link:{domain}/{key}")
}

fn explain(error: impl std::fmt::Display) -> Error {
    Error::RustError(format!("KV: {error}"))
}
