//! How many requests each key made lately, in this isolate.
//!
//! In the isolate and not in a Durable Object: a limit protects the stores, and asking one more store on every
//! request would cost more than what it guards against. Where the platform runs several isolates a key may make
//! as many times its limit; each of them still holds it.

use std::cell::RefCell;

use crate::core::rate_limit::{Verdict, WINDOW_MS, Window};
use crate::core::recent::Recent;
use crate::core::time::Millis;

/// How many keys are counted; those used longest ago are forgotten first.
const CAPACITY: usize = 5_000;

thread_local! {
    static WINDOWS: RefCell<Recent<Window>> = RefCell::new(Recent::new(CAPACITY));
}

/// Counts a request of whoever `name` is.
pub(crate) fn take(name: &str, limit: i64, now: Millis) -> Verdict {
    WINDOWS.with_borrow_mut(|windows| {
        let mut window = windows.get(name, now).unwrap_or_default();
        let verdict = window.take(now, limit);
        windows.put(name, Millis(now.0.saturating_add(2 * WINDOW_MS)), window);
        verdict
    })
}
