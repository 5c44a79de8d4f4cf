//! Finding a short link, and keeping its copies true.
//!
//! D1 holds the truth. KV holds a [`LinkRecord`] per `domain/key`, the isolate's memory holds what it used
//! last. Whoever changes a row of `links` calls [`write_through`], [`refresh`] or [`remove`] afterwards.
//! A copy that cannot be read is a miss with an alarm; a store that fails is passed by.

use std::rc::Rc;

use worker::{Env, Result, console_error};

use crate::core::link::LinkRecord;
use crate::edge::link_memory::{self, Known};
use crate::edge::{d1_links, kv_links};

/// What looking for a link gave.
pub(crate) enum Found {
    /// The link.
    Link(Rc<LinkRecord>),
    /// There is none.
    Nothing,
    /// No store could say.
    Unavailable,
}

/// The link of `domain` and `key` (both normalised): from memory, else KV, else D1.
pub(crate) async fn find(env: &Env, domain: &str, key: &str) -> Found {
    match link_memory::get(domain, key) {
        Some(Known::Link(link, _)) => return Found::Link(link),
        Some(Known::Nothing) => return Found::Nothing,
        None => {}
    }
    match kv_links::read(env, domain, key).await {
        Ok(Some(link)) => return Found::Link(link_memory::put(link)),
        Ok(None) => {}
        Err(e) => console_error!("alarm: KV read of {domain}/{key} failed, asking D1: {e}"),
    }
    match d1_links::read(env, domain, key).await {
        Ok(Some(link)) => {
            if let Err(e) = kv_links::fill(env, &link).await {
                console_error!("alarm: KV fill of {domain}/{key} failed: {e}");
            }
            Found::Link(link_memory::put(link))
        }
        Ok(None) => {
            link_memory::put_nothing(domain, key);
            Found::Nothing
        }
        Err(e) => {
            console_error!("alarm: D1 read of {domain}/{key} failed: {e}");
            Found::Unavailable
        }
    }
}

/// Makes the copies equal to `link`, which is in D1 already.
///
/// # Errors
/// When KV refuses: the caller reports it; the old copy may live on for as long as KV keeps it.
pub(crate) async fn write_through(env: &Env, link: &LinkRecord) -> Result<()> {
    link_memory::forget(&link.domain, &link.key);
    kv_links::write(env, link).await
}

/// Drops the copies of a link that was deleted, or that moved to another domain or key.
///
/// # Errors
/// As [`write_through`].
pub(crate) async fn remove(env: &Env, domain: &str, key: &str) -> Result<()> {
    link_memory::forget(domain, key);
    kv_links::delete(env, domain, key).await
}

/// Reads the row again and makes the copies equal to it, or drops them when it is gone.
///
/// # Errors
/// When D1 or KV fails.
pub(crate) async fn refresh(env: &Env, domain: &str, key: &str) -> Result<()> {
    match d1_links::read(env, domain, key).await? {
        Some(link) => write_through(env, &link).await,
        None => remove(env, domain, key).await,
    }
}
