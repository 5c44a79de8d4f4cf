//! The short way of a redirect: what `src/entry.js` calls before it goes the ordinary way.
//!
//! Synchronous, so it can only answer from the isolate's memory: the link, the keys of the day, the pool of
//! randomness. The ordinary way fills all three; a link that KV has is brought by `src/entry.js`.

use std::rc::Rc;

use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Env, console_error};

use crate::core::click::Visit;
use crate::core::key::{self, Asked};
use crate::core::link::LinkRecord;
use crate::core::quick::{self, QuickRequest};
use crate::core::redirect::{self, Decision, Lock};
use crate::core::time::Millis;
use crate::core::visitor::Secrets;
use crate::core::{domain, site_files};
use crate::edge::link_memory::{self, Known};
use crate::edge::visitors::{self, Days};
use crate::edge::{click_queue, codec, d1_clicks, entropy, kv_links};

/// The answer to a plain GET of a link this isolate knows; `undefined`: go the ordinary way. For a link that it
/// does not know, the name under which KV may have it: give what is there to [`quick_found`].
///
/// `request` and the answer: lines, see `core::quick`. `now`: milliseconds since 1970.
#[wasm_bindgen(js_name = "quickRedirect")]
#[must_use]
pub fn quick_redirect(request: &str, now: f64) -> Option<String> {
    if click_queue::is_faulty() || kv_links::is_failing() {
        return None;
    }
    let request = QuickRequest::read(request, millis(now), entropy::pooled())?;
    let facts = &request.facts;
    let domain = domain::of_host(facts.authority)?;
    if key::is_route(facts.path)
        || site_files::of_path(facts.path).is_some()
        || site_files::new_link_address(facts.path, "", "").is_some()
    {
        return None;
    }
    let asked = key::of_path(facts.path).filter(|asked| !key::is_unsupported(&asked.key))?;
    // Without these only the ordinary way can answer, and it has them ready afterwards.
    let remembered = visitors::remembered(facts.now)?;
    match link_memory::get_at(&domain, &asked.key, facts.now) {
        Some(Known::Link(link)) => decided(&link, &asked, &request, &remembered),
        Some(Known::Nothing) => None,
        None => Some(kv_links::name(&domain, &asked.key)),
    }
}

/// The same once KV has been asked for the link: `record` is what it has under `name`.
#[wasm_bindgen(js_name = "quickFound")]
#[must_use]
pub fn quick_found(name: String, record: Option<String>, request: &str, now: f64) -> Option<String> {
    let Some(record) = record else {
        kv_links::missed(name);
        return None;
    };
    // A record that cannot be read: the ordinary way reads it again, says what is wrong with it and asks D1.
    let link = LinkRecord::from_text(&record).ok()?;
    if kv_links::name(&link.domain, &link.key) != name {
        return None;
    }
    let request = QuickRequest::read(request, millis(now), entropy::pooled())?;
    let asked = key::of_path(request.facts.path)?;
    let link = link_memory::put_at(link, request.facts.now);
    decided(&link, &asked, &request, &visitors::remembered(request.facts.now)?)
}

fn decided(
    link: &LinkRecord,
    asked: &Asked,
    request: &QuickRequest<'_>,
    (secrets, days): &(Rc<Secrets>, Rc<Days>),
) -> Option<String> {
    if link.options.password.is_some() {
        return None;
    }
    let facts = &request.facts;
    let Decision::Answer(mut outcome) = redirect::decide(link, asked, facts, secrets, Lock::Closed) else {
        return None;
    };
    let visit = match outcome.visit.take() {
        None => None,
        Some(draft) => {
            let mut visit = Visit::new(draft, facts, request.place());
            days.mark(&mut visit, facts.ip, facts.user_agent);
            Some(codec::encode(&visit).ok()?)
        }
    };
    quick::answer(&outcome, visit.as_deref())
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and no clock gives more")]
fn millis(now: f64) -> Millis {
    Millis(now as i64)
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
