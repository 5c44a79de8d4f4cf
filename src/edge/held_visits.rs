//! Visits of quick answers, held for a moment on their way to the queue: a message takes several.
//!
//! What an isolate holds dies with it, so it holds few and not for long. They are held as they came and are written
//! together, when the processor has at hand what that takes; `src/entry.js` says when.

use std::cell::RefCell;
use std::rc::Rc;

use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Env, console_error};

use crate::core::click::{Draft, Visit};
use crate::core::quick::QuickRequest;
use crate::core::time::Millis;
use crate::core::visit::CHANCE_BYTES;
use crate::core::visit_line;
use crate::edge::d1_clicks;
use crate::edge::visitors::Days;

/// How many are held.
const MOST: usize = 50;
/// How long their texts may be together: a message has room for 128 kB, and JSON may take two bytes for one.
const MOST_BYTES: usize = 40_000;
/// They are sent by the request that brought the first. Should that one have been ended, the next that comes sends them.
const LATE_MS: i64 = 1_000;

thread_local! {
    /// Of the answer that is being made.
    static GIVEN: RefCell<Option<Held>> = const { RefCell::new(None) };
    static BATCH: RefCell<Batch> = const { RefCell::new(Batch { held: Vec::new(), bytes: 0 }) };
}

#[derive(Default)]
struct Batch {
    held: Vec<Held>,
    bytes: usize,
}

/// A visit as it came.
pub(crate) struct Held {
    /// Of `core::quick`.
    pub(crate) request: String,
    /// When.
    pub(crate) at: Millis,
    /// What the decision says of it.
    pub(crate) draft: Draft,
    /// The keys of its day.
    pub(crate) days: Rc<Days>,
}

/// Notes what is to be recorded once the answer is made; `None`: nothing.
pub(crate) fn give(held: Option<Held>) {
    GIVEN.set(held);
}

/// Holds the visit of the answer that has just been made. 0: there is nothing to do; 1: it is the first, have
/// [`take`] called in a moment; 2: have it called now.
#[wasm_bindgen(js_name = "holdVisit")]
#[must_use]
pub fn hold() -> u32 {
    let Some(held) = GIVEN.take() else { return 0 };
    let now = held.at.0;
    BATCH.with_borrow_mut(|batch| {
        batch.bytes += held.request.len() + held.draft.url.len();
        batch.held.push(held);
        let first = batch.held.first().map_or(now, |first| first.at.0);
        if batch.held.len() >= MOST || batch.bytes >= MOST_BYTES || now.saturating_sub(first) > LATE_MS {
            2
        } else {
            u32::from(batch.held.len() == 1)
        }
    })
}

/// The queue's message of all that are held, one a line; `undefined`: there are none.
#[wasm_bindgen(js_name = "heldVisits")]
#[must_use]
pub fn take() -> Option<String> {
    let mut text = String::with_capacity(MOST_BYTES);
    for Held { request, at, draft, days } in BATCH.take().held {
        // It was read when it came.
        let Some(read) = QuickRequest::read(&request, at, [0; CHANCE_BYTES]) else { continue };
        let mut visit = Visit::new(draft, &read.facts, read.place());
        days.mark(&mut visit, read.facts.ip, read.facts.user_agent);
        if !text.is_empty() {
            text.push('\n');
        }
        visit_line::write(&mut text, &visit);
    }
    (!text.is_empty()).then_some(text)
}

/// Stores visits that the queue refused: its message, one visit a line.
#[wasm_bindgen(js_name = "keepVisits")]
pub async fn keep_visits(env: Env, message: String, refused: String) {
    let (visits, unreadable) = Visit::all_from_text(&message);
    let ids: Vec<&str> = visits.iter().map(|visit| visit.id.as_str()).collect();
    let ids = ids.join(", ");
    console_error!("alarm: the queue refused clicks {ids}, storing them directly: {refused}");
    if let Some(e) = unreadable {
        console_error!("alarm: a click is lost: {e}");
    }
    if let Err(e) = d1_clicks::store(&env, visits).await {
        console_error!("alarm: clicks {ids} are lost: {e}");
    }
}
