//! Thank-you links: a browser comes back from a checkout, names its session, and holds a click.
//!
//! A shop has Stripe send its buyers to `https://short.example/x/thankyou?session_id={CHECKOUT_SESSION_ID}`. Where the
//! short link's host shares the shop's registrable domain, the browser sends the cookie `pimms_id` along, and the click
//! in it becomes that of the payment with that session, and of no other, unless the payment or its customer has one
//! already. Nothing is matched by time, by recency or by address. Source: wire contract 2.10 and 11, A11.

use serde::{Deserialize, Serialize};

use crate::core::cookies;
use crate::core::ids;
use crate::core::ledger::fact::{Body, Fact, PaymentRefs, Source, Touch, TouchVerdict};
use crate::core::link::LinkRecord;
use crate::core::mode::Mode;
use crate::core::time::Millis;
use crate::core::visit::RequestFacts;
use crate::core::visitor::Secrets;

/// The type of what a visit of a thank-you link states.
pub const EVENT: &str = "visit.thankyou";
/// The cookie that holds the visitor's click on the shop's own domain.
const COOKIE: &str = "pimms_id";
/// Parameters that name the session; the first that is there counts.
const PARAMETERS: [&str; 2] = ["session_id", "checkout_session_id"];
/// Stripe's are some 70 characters long.
const MAX_SESSION_ID: usize = 200;

/// Whether a link is one that a shop shows after a purchase; opening it is no click.
#[must_use]
pub fn is_thank_you(key: &str) -> bool {
    key.strip_suffix("thankyou").is_some_and(|before| before.ends_with('/'))
}

/// A browser with a click that came back from a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Of the link.
    pub workspace_id: String,
    /// `cs_…`
    pub session_id: String,
    /// The click that the browser holds: proven, or to be proven by its row.
    pub touch: Touch,
    /// When.
    pub at: Millis,
}

impl Arrival {
    /// What a request for a thank-you link says of a payment. `None`: nothing.
    #[must_use]
    pub fn of(link: &LinkRecord, facts: &RequestFacts<'_>, secrets: &Secrets) -> Option<Self> {
        let held = cookies::find(facts.cookie, COOKIE)?;
        let named = PARAMETERS.iter().find_map(|name| facts.parameter(name))?;
        let session_id = session_id(&named).filter(|_| !facts.is_untracked())?.to_owned();
        let touch = Touch::check(secrets.click_ids.as_ref()?, &link.workspace_id, COOKIE, held);
        let counts = match &touch.verdict {
            // An id that this very link once gave out stands for no click.
            TouchVerdict::Click { link_id, .. } => *link_id != link.id,
            TouchVerdict::Refused(_) => touch.is_foreign(),
        };
        counts.then(|| Self { workspace_id: link.workspace_id.clone(), session_id, touch, at: facts.now })
    }

    /// Where the payment may be: the session's id says it, if it is of a form that does.
    #[must_use]
    pub fn modes(&self) -> &'static [Mode] {
        if self.session_id.starts_with("cs_live_") {
            &[Mode::Live]
        } else if self.session_id.starts_with("cs_test_") {
            &[Mode::Test]
        } else {
            &[Mode::Live, Mode::Test]
        }
    }

    /// What the ledger of the payment's customer is told; the same for every visit of one session with one click at one
    /// time.
    ///
    /// `account`: where the session is known from.
    #[must_use]
    pub fn fact(&self, account: &str) -> Fact {
        let name = format!("{}|{}|{}", self.workspace_id, self.session_id, self.touch.click_id);
        let source = Source {
            event_id: ids::derived_id("visit_", &name),
            event_type: EVENT.to_owned(),
            at: self.at,
            account: account.to_owned(),
        };
        let refs = PaymentRefs { session: Some(self.session_id.clone()), ..PaymentRefs::default() };
        Fact { source, body: Body::ThankYou { refs, touch: self.touch.clone() } }
    }
}

/// The id of a checkout session: `cs_…`, `cs_live_…`, `cs_test_…`.
fn session_id(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("cs_")?;
    let rest = rest.strip_prefix("live_").or_else(|| rest.strip_prefix("test_")).unwrap_or(rest);
    let is_plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_plain && text.len() <= MAX_SESSION_ID).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::click_id::Keys;
    use crate::core::visit::tests::VISIT;

    const WORKSPACE: &str = "ws_1";

    fn secrets() -> Secrets {
        let click_ids = Keys::parse("1:0123456789abcdef0123456789abcdef").ok();
        Secrets { click_ids, ..Secrets::default() }
    }

    fn click(workspace: &str, link: u8) -> String {
        secrets().click_ids.unwrap().issue(workspace, [link; 16], Millis(VISIT.now.0 - 1000), 5).unwrap()
    }

    fn link() -> LinkRecord {
        let id = ids::object_id("link_", [9; 16]);
        let text = format!(
            r#"{{"v":1,"i":"{id}","w":"{WORKSPACE}","d":"go.acme.com","k":"x/thankyou","u":"https://acme.com/"}}"#
        );
        LinkRecord::from_text(&text).unwrap()
    }

    #[test]
    fn sessions_are_read_as_stripe_writes_them() {
        for (text, expected) in [
            ("cs_1", true),
            ("cs_live_a1B2", true),
            ("cs_test_a1B2", true),
            ("cs_", false),
            ("cs_live_", false),
            ("cs_test_a_b", false),
            ("cs_a-b", false),
            ("pi_1", false),
            ("", false),
            ("{CHECKOUT_SESSION_ID}", false),
            ("cs_live_é", false),
            (&format!("cs_{}", "a".repeat(198)), false),
        ] {
            assert_eq!(session_id(text), expected.then_some(text), "{text}");
        }
    }

    #[test]
    fn keys_end_in_thankyou() {
        for (key, expected) in
            [("x/thankyou", true), ("a/b/thankyou", true), ("thankyou", false), ("x/thankyou/y", false)]
        {
            assert_eq!(is_thank_you(key), expected, "{key}");
        }
    }

    #[test]
    fn only_a_click_of_the_workspace_and_a_session_arrive() {
        let (good, other, own) = (click(WORKSPACE, 1), click("ws_2", 1), click(WORKSPACE, 9));
        let mut forged = good.clone();
        forged.replace_range(20..21, if &good[20..21] == "a" { "b" } else { "a" });
        let arrives = |cookie: &str, query: &str| {
            Arrival::of(&link(), &RequestFacts { query, cookie, ..VISIT }, &secrets())
        };
        let holding = |id: &str| format!("a=1; pimms_id={id}");
        for (cookie, query, expected) in [
            (holding(&good), "session_id=cs_live_1", Some("cs_live_1")),
            (holding(&good), "checkout_session_id=cs_test_1", Some("cs_test_1")),
            (holding(&good), "a=b&session_id=cs_1&checkout_session_id=cs_2", Some("cs_1")),
            (holding("aB3dE5fG7hI9jK1l"), "session_id=cs_1", Some("cs_1")),
            (holding(&good), "session_id=pi_1", None),
            (holding(&good), "", None),
            (holding(&good), "session_id=cs_1&pimms-no-track=1", None),
            (holding(&forged), "session_id=cs_1", None),
            (holding(&other), "session_id=cs_1", None),
            (holding(&own), "session_id=cs_1", None),
            (holding(""), "session_id=cs_1", None),
            (String::new(), "session_id=cs_1", None),
            (format!("pimms_id_go_x={good}"), "session_id=cs_1", None),
        ] {
            let found = arrives(&cookie, query);
            let session = found.as_ref().map(|arrival| arrival.session_id.as_str());
            assert_eq!(session, expected, "{cookie} {query}");
        }
        assert!(
            Arrival::of(
                &link(),
                &RequestFacts { cookie: &holding(&good), query: "session_id=cs_1", ..VISIT },
                &Secrets::default()
            )
            .is_none(),
            "no key, no proof"
        );
    }

    #[test]
    fn the_id_says_the_mode_where_it_can() {
        let touch = Touch::check(&secrets().click_ids.unwrap(), WORKSPACE, "pimms_id", &click(WORKSPACE, 1));
        for (session_id, modes) in [
            ("cs_live_1", &[Mode::Live][..]),
            ("cs_test_1", &[Mode::Test]),
            ("cs_1", &[Mode::Live, Mode::Test]),
        ] {
            let arrival = Arrival {
                workspace_id: WORKSPACE.to_owned(),
                session_id: session_id.to_owned(),
                touch: touch.clone(),
                at: VISIT.now,
            };
            assert_eq!(arrival.modes(), modes);
            assert_eq!(arrival.fact("").key(), arrival.clone().fact("").key());
            assert_ne!(arrival.fact("").key(), arrival.fact("acct_1").key());
        }
    }
}
