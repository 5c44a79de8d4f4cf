//! The short way of a redirect: what `src/entry.js` calls before it goes the ordinary way.
//!
//! Synchronous, so it can only answer from the isolate's memory: the link, the keys of the day, the pool of
//! randomness. The ordinary way fills all three.

use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Env, console_error};

use crate::core::click::Visit;
use crate::core::quick::{self, QuickRequest};
use crate::core::redirect::{self, Decision, Lock};
use crate::core::time::Millis;
use crate::core::{domain, key, site_files};
use crate::edge::link_memory::{self, Known};
use crate::edge::{click_queue, codec, d1_clicks, entropy, visitors};

/// The answer to a plain GET of a link this isolate knows; `undefined`: go the ordinary way.
///
/// `request` and the answer: lines, see `core::quick`. `now`: milliseconds since 1970.
#[wasm_bindgen(js_name = "quickRedirect")]
#[must_use]
pub fn quick_redirect(request: &str, now: f64) -> Option<String> {
    if click_queue::is_faulty() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and no clock gives more")]
    let now = Millis(now as i64);
    let request = QuickRequest::read(request, now, entropy::pooled())?;
    let facts = &request.facts;
    let domain = domain::of_host(facts.authority)?;
    if key::is_route(facts.path)
        || site_files::of_path(facts.path).is_some()
        || site_files::new_link_address(facts.path, "", "").is_some()
    {
        return None;
    }
    let asked = key::of_path(facts.path).filter(|asked| !key::is_unsupported(&asked.key))?;
    let Known::Link(link) = link_memory::get_at(&domain, &asked.key, now)? else { return None };
    if link.options.password.is_some() {
        return None;
    }
    let (secrets, days) = visitors::remembered(now)?;
    let Decision::Answer(mut outcome) = redirect::decide(&link, &asked, facts, &secrets, Lock::Closed) else {
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

/// Stores a visit that the queue refused.
#[wasm_bindgen(js_name = "keepVisit")]
pub async fn keep_visit(env: Env, visit: String, refused: String) {
    match Visit::from_text(&visit) {
        Ok(visit) => {
            console_error!("alarm: the queue refused click {}, storing it directly: {refused}", visit.id);
            let id = visit.id.clone();
            if let Err(e) = d1_clicks::store(&env, vec![visit]).await {
                console_error!("alarm: click {id} is lost: {e}");
            }
        }
        Err(e) => console_error!("alarm: a click is lost: {e}"),
    }
}
