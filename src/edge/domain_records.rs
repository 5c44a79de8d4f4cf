//! Domains as redirects need them: from the isolate's memory, else D1.
//!
//! Only asked for when there is no link to follow, so KV is not worth it.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::domain::DomainRecord;
use crate::core::recent::Recent;
use crate::core::time::Millis;
use crate::edge::{d1, entropy};

const CAPACITY: usize = 200;
const LIFE_MS: i64 = 30_000;
const FIND: &str = "SELECT slug, not_found_url, expired_url, asset_links, apple_app_site_association \
                    FROM domains WHERE slug = ?1";

#[derive(Deserialize)]
struct Row {
    slug: String,
    not_found_url: Option<String>,
    expired_url: Option<String>,
    asset_links: Option<String>,
    apple_app_site_association: Option<String>,
}

thread_local! {
    static DOMAINS: RefCell<Recent<Option<Rc<DomainRecord>>>> = RefCell::new(Recent::new(CAPACITY));
}

/// The domain, if it is registered.
///
/// # Errors
/// When D1 fails.
pub(crate) async fn find(env: &Env, slug: &str) -> Result<Option<Rc<DomainRecord>>> {
    if let Some(known) = DOMAINS.with_borrow_mut(|domains| domains.get(slug, entropy::now())) {
        return Ok(known);
    }
    let row: Option<Row> = d1::first(&d1::database(env)?, FIND, &[d1::text(slug)]).await?;
    let record = row.map(|row| {
        Rc::new(DomainRecord {
            slug: row.slug,
            not_found_url: row.not_found_url,
            expired_url: row.expired_url,
            asset_links: row.asset_links,
            apple_app_site_association: row.apple_app_site_association,
        })
    });
    let until = Millis(entropy::now().0.saturating_add(LIFE_MS));
    DOMAINS.with_borrow_mut(|domains| domains.put(slug, until, record.clone()));
    Ok(record)
}

/// Forgets a domain of this isolate's memory; after a change to it.
pub(crate) fn forget(slug: &str) {
    DOMAINS.with_borrow_mut(|domains| domains.forget(slug));
}
