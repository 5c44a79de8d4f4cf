//! Links this isolate used last.
//!
//! A link lives 30 s here, so a change made in another isolate shows after 30 s at most (and KV's own delay).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::core::link::LinkRecord;
use crate::core::recent::Recent;
use crate::core::time::Millis;
use crate::edge::entropy;

/// How many links are held. At about 500 bytes each this is below 1 MB of the isolate's 128.
const CAPACITY: usize = 1_000;
const LIFE_MS: i64 = 30_000;
/// That a link does not exist is believed for less long: people open a link right after they made it.
const NOTHING_MS: i64 = 3_000;

/// What is known of a domain and key.
#[derive(Clone)]
pub(crate) enum Known {
    /// The link, and until when it is believed.
    Link(Rc<LinkRecord>, Millis),
    /// That there is none.
    Nothing,
}

thread_local! {
    static LINKS: RefCell<Recent<Known>> = RefCell::new(Recent::new(CAPACITY));
    /// How often something was forgotten.
    static FORGOTTEN: Cell<u64> = const { Cell::new(0) };
}

/// Another number whenever a link was changed in this isolate: what was derived from a link holds as long as this does,
/// and no longer than the link itself.
pub(crate) fn changes() -> u64 {
    FORGOTTEN.get()
}

/// What is known, if anything is.
pub(crate) fn get(domain: &str, key: &str) -> Option<Known> {
    get_at(domain, key, entropy::now())
}

/// The same at a time that is known already.
pub(crate) fn get_at(domain: &str, key: &str, now: Millis) -> Option<Known> {
    LINKS.with_borrow_mut(|links| links.get(&name(domain, key), now))
}

/// Remembers a link.
pub(crate) fn put(link: LinkRecord) -> Rc<LinkRecord> {
    put_at(link, entropy::now())
}

/// The same at a time that is known already.
pub(crate) fn put_at(link: LinkRecord, now: Millis) -> Rc<LinkRecord> {
    let link = Rc::new(link);
    let until = Millis(now.0.saturating_add(LIFE_MS));
    LINKS.with_borrow_mut(|links| {
        links.put(&name(&link.domain, &link.key), until, Known::Link(Rc::clone(&link), until));
    });
    link
}

/// Remembers for a short while that there is no such link.
pub(crate) fn put_nothing(domain: &str, key: &str) {
    let until = Millis(entropy::now().0.saturating_add(NOTHING_MS));
    LINKS.with_borrow_mut(|links| links.put(&name(domain, key), until, Known::Nothing));
}

/// Forgets what is known of a link.
pub(crate) fn forget(domain: &str, key: &str) {
    FORGOTTEN.set(FORGOTTEN.get().wrapping_add(1));
    LINKS.with_borrow_mut(|links| links.forget(&name(domain, key)));
}

fn name(domain: &str, key: &str) -> String {
    format!("{domain}/{key}")
}
