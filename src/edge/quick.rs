//! The short way of a redirect: what `src/entry.js` calls before it goes the ordinary way.
//!
//! Synchronous, so it can only answer from the isolate's memory: the link, the keys of the day, the pool of
//! randomness. The ordinary way fills all three; a link that KV has is brought by `src/entry.js`.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

use crate::core::alike::{self, Alike};
use crate::core::click::Draft;
use crate::core::key::{self, Asked};
use crate::core::link::LinkRecord;
use crate::core::quick::{self, QuickRequest};
use crate::core::recent::Recent;
use crate::core::redirect::{self, Decision, Lock, Outcome};
use crate::core::time::Millis;
use crate::core::visitor::{Secrets, Visitor};
use crate::core::{domain, site_files};
use crate::edge::held_visits::{self, Held};
use crate::edge::link_memory::{self, Known};
use crate::edge::visitors::{self, Days};
use crate::edge::{click_queue, entropy, kv_links};

/// How many addresses are remembered with what they answer everybody alike; about 1 kB each.
const CAPACITY: usize = 500;

thread_local! {
    /// By address.
    static LEARNED: RefCell<Recent<Rc<Learned>>> = RefCell::new(Recent::new(CAPACITY));
}

/// An address whose link is known, and what was learned from answers to it.
struct Learned {
    link: Rc<LinkRecord>,
    /// What of it.
    asked: Asked,
    /// What [`link_memory::changes`] was.
    changes: u64,
    /// For visitors who bring their id.
    known: OnceCell<Alike>,
    /// For visitors who do not.
    new: OnceCell<Alike>,
}

/// A quick answer, and the visit to be recorded.
struct Answered {
    lines: String,
    draft: Option<Draft>,
}

/// The answer to a plain GET of a link this isolate knows; `undefined`: go the ordinary way. For a link that it
/// does not know, the name under which KV may have it: give what is there to [`quick_found`].
///
/// `request` and the answer: lines, see `core::quick`. `now`: milliseconds since 1970. The visit is recorded by
/// [`held_visits::hold`], once the answer has been made of the lines.
#[wasm_bindgen(js_name = "quickRedirect")]
#[must_use]
pub fn quick_redirect(request: String, now: f64) -> Option<String> {
    if click_queue::is_faulty() || kv_links::is_failing() {
        return None;
    }
    let read = QuickRequest::read(&request, millis(now), entropy::pooled())?;
    let now = read.facts.now;
    // Without these only the ordinary way can answer, and it has them ready afterwards.
    let (secrets, days) = visitors::remembered(now)?;
    let address = QuickRequest::address(&request)?;
    let answered = match learned(address, now) {
        Some(learned) => answer(&learned, &read, &secrets)?,
        None => match found(address, &read)? {
            Ok(learned) => answer(&learned, &read, &secrets)?,
            Err(name) => return Some(name),
        },
    };
    Some(given(answered, request, now, days))
}

/// The same once KV has been asked for the link: `record` is what it has under `name`.
#[wasm_bindgen(js_name = "quickFound")]
#[must_use]
pub fn quick_found(name: String, record: Option<String>, request: String, now: f64) -> Option<String> {
    let Some(record) = record else {
        kv_links::missed(name);
        return None;
    };
    // A record that cannot be read: the ordinary way reads it again, says what is wrong with it and asks D1.
    let link = LinkRecord::from_text(&record).ok()?;
    if kv_links::name(&link.domain, &link.key) != name {
        return None;
    }
    let read = QuickRequest::read(&request, millis(now), entropy::pooled())?;
    let now = read.facts.now;
    let (secrets, days) = visitors::remembered(now)?;
    let asked = key::of_path(read.facts.path)?;
    let link = link_memory::put_at(link, now);
    let outcome = outcome(&link, &asked, &read, &secrets)?;
    let answered = Answered { lines: quick::answer(&outcome)?, draft: outcome.visit };
    Some(given(answered, request, now, days))
}

/// What is remembered of an address.
fn learned(address: &str, now: Millis) -> Option<Rc<Learned>> {
    let learned = LEARNED.with_borrow_mut(|learned| learned.get(address, now))?;
    (learned.changes == link_memory::changes()).then_some(learned)
}

/// The link of an address that is in memory, or the name under which KV may have it. `None`: the ordinary way knows.
fn found(address: &str, read: &QuickRequest<'_>) -> Option<Result<Rc<Learned>, String>> {
    let facts = &read.facts;
    let domain = domain::of_host(facts.authority)?;
    if key::is_route(facts.path)
        || site_files::of_path(facts.path).is_some()
        || site_files::new_link_address(facts.path, "", "").is_some()
    {
        return None;
    }
    let asked = key::of_path(facts.path).filter(|asked| !key::is_unsupported(&asked.key))?;
    match link_memory::get_at(&domain, &asked.key, facts.now) {
        Some(Known::Link(link, until)) => {
            let (known, new) = (OnceCell::new(), OnceCell::new());
            let learned = Rc::new(Learned { link, asked, changes: link_memory::changes(), known, new });
            if alike::is_shared(facts) {
                LEARNED.with_borrow_mut(|all| all.put(address, until, Rc::clone(&learned)));
            }
            Some(Ok(learned))
        }
        Some(Known::Nothing) => None,
        None => Some(Err(kv_links::name(&domain, &asked.key))),
    }
}

/// The answer of what was learned, or else a decision, from which the next is learned.
fn answer(learned: &Learned, read: &QuickRequest<'_>, secrets: &Secrets) -> Option<Answered> {
    let Learned { link, asked, known, new, .. } = learned;
    let visitor = Visitor::of(link, &read.facts, secrets);
    let alike = if visitor.is_known() { known } else { new };
    if let Some((lines, draft)) = alike.get().and_then(|alike| alike.answer(link, &read.facts, &visitor)) {
        return Some(Answered { lines, draft: Some(draft) });
    }
    let outcome = outcome(link, asked, read, secrets)?;
    if alike.get().is_none()
        && let Some(next) = Alike::learn(link, &read.facts, &outcome)
    {
        // Lost if the visitor turned out to be of the other kind, which cannot be.
        drop(alike.set(next));
    }
    Some(Answered { lines: quick::answer(&outcome)?, draft: outcome.visit })
}
fn outcome(
    link: &LinkRecord,
    asked: &Asked,
    read: &QuickRequest<'_>,
    secrets: &Secrets,
) -> Option<Box<Outcome>> {
    if link.options.password.is_some() {
        return None;
    }
    match redirect::decide(link, asked, &read.facts, secrets, Lock::Closed) {
        Decision::Answer(outcome) => Some(outcome),
        Decision::AskDomain(_) => None,
    }
}

/// Hands the lines out, and notes the visit.
fn given(answered: Answered, request: String, at: Millis, days: Rc<Days>) -> String {
    held_visits::give(answered.draft.map(|draft| Held { request, at, draft, days }));
    answered.lines
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and no clock gives more")]
fn millis(now: f64) -> Millis {
    Millis(now as i64)
}
