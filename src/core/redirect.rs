//! What a request for a short link is answered: the one decision of the redirect.
//!
//! Plain data in, plain data out. Source: wire contract 2.4 and 2.6–2.9, with the deviations at its head.
//!
//! Invariants (`tests/redirect_properties.rs`): no request panics or is answered 5xx, and a visitor is never
//! sent to a host that the link's owner did not choose.

use crate::core::click::Draft;
use crate::core::domain::DomainRecord;
use crate::core::final_url::Target;
use crate::core::hand_off::{self, HandOff};
use crate::core::key::{self, Asked};
use crate::core::link::LinkRecord;
use crate::core::pages::{self, Notice, Page, PasswordState};
use crate::core::targeting;
use crate::core::thank_you::{self, Arrival};
use crate::core::visit::RequestFacts;
use crate::core::visitor::{Secrets, Visitor};

/// How long a password may not be tried after too many wrong ones, in seconds.
pub const PASSWORD_PAUSE_S: u32 = 900;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// 200, 301, 302, 303, 307, 403, 404, 410, 429 or 503.
    pub status: u16,
    /// Where to, when it is a redirect.
    pub location: Option<String>,
    /// What is shown, when it is a page.
    pub page: Option<Page>,
    /// Whether search engines are told not to index the short link.
    pub is_hidden: bool,
    /// After how many seconds trying again may help.
    pub retry_after_s: Option<u32>,
    /// `Set-Cookie` values.
    pub cookies: Vec<String>,
    /// The visit to be recorded after the answer.
    pub visit: Option<Draft>,
    /// What the visit of a thank-you link says of a payment, to be told after the answer.
    pub arrival: Option<Box<Arrival>>,
    /// The link's clicks are limited to this: admit the visit first, or answer [`spent`] instead.
    pub max_clicks: Option<u32>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This is the answer.
    Answer(Box<Outcome>),
    /// The answer depends on the domain: load it and ask [`without_link`].
    AskDomain(Missing),
}

/// What a visitor cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There is no such link.
    Link,
    /// There was one.
    Time,
}

/// Whether the link's password was given with this very request, and was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// No, or there is none to give.
    Closed,
    /// Yes.
    Opened,
}

impl Outcome {
    fn page(status: u16, page: Page, is_hidden: bool) -> Self {
        Self { page: Some(page), ..Self::empty(status, is_hidden) }
    }

    fn redirect(status: u16, location: String, is_hidden: bool) -> Self {
        Self { location: Some(location), ..Self::empty(status, is_hidden) }
    }

    fn empty(status: u16, is_hidden: bool) -> Self {
        Self {
            status,
            location: None,
            page: None,
            is_hidden,
            retry_after_s: None,
            cookies: Vec::new(),
            visit: None,
            arrival: None,
            max_clicks: None,
        }
    }
}

impl From<Outcome> for Decision {
    fn from(outcome: Outcome) -> Self {
        Self::Answer(Box::new(outcome))
    }
}

/// The answer for a link. Without secrets a link still redirects, but nothing can be attributed.
#[must_use]
pub fn decide(
    link: &LinkRecord,
    asked: &Asked,
    facts: &RequestFacts<'_>,
    secrets: &Secrets,
    lock: Lock,
) -> Decision {
    let options = &link.options;
    let is_hidden = !options.do_index;
    if link.disabled_at.is_some_and(|at| at <= facts.now) {
        return Decision::AskDomain(Missing::Link);
    }
    let is_open = options.password.is_none() || lock == Lock::Opened || secrets.is_unlocked(link, facts);
    let is_over = link.expires_at.is_some_and(|at| at <= facts.now);
    if asked.inspect && is_open && !options.no_inspect && !options.banned && !is_over && !link.url.is_empty()
    {
        let page = pages::inspect(link, &path_of(link), facts.accept_language);
        return Outcome::page(200, page, is_hidden).into();
    }
    if !is_open {
        let page = pages::password(PasswordState::Asked, facts.accept_language);
        return Outcome::page(200, page, is_hidden).into();
    }
    if options.banned {
        return Outcome::page(410, Notice::Banned.page(facts.accept_language), is_hidden).into();
    }
    if is_over {
        return over(link);
    }
    visit(link, facts, secrets)
}

/// The answer when an open link is really visited.
fn visit(link: &LinkRecord, facts: &RequestFacts<'_>, secrets: &Secrets) -> Decision {
    let options = &link.options;
    let visitor = Visitor::of(link, facts, secrets);
    let variant = targeting::variant(link, facts);
    let base = variant.as_ref().map_or(link.url.as_str(), |variant| &variant.url);
    let is_thank_you = thank_you::is_thank_you(&link.key);
    let is_hidden = !options.do_index || is_thank_you;

    let answer = |target: Option<&Target>, made: Outcome| -> Decision {
        let draft = visitor.draft(link, target.map_or_else(String::new, |target| target.recorded(facts)));
        let visit =
            draft.map(|draft| Draft { variant: variant.as_ref().map(|variant| variant.number), ..draft });
        // The click that the visitor holds on the shop's domain stays: a purchase's end is none.
        let cookies = visitor.cookies(link, facts, target.filter(|_| !is_thank_you), variant.as_ref());
        Outcome {
            cookies,
            visit: visit.filter(|_| !is_thank_you),
            arrival: Some(link)
                .filter(|_| is_thank_you)
                .and_then(|link| Arrival::of(link, facts, secrets))
                .map(Box::new),
            max_clicks: options.max_clicks.filter(|_| !is_thank_you),
            ..made
        }
        .into()
    };

    if base.is_empty() {
        let page = pages::placeholder(&link.domain, facts.accept_language);
        return answer(None, Outcome::page(200, page, is_hidden));
    }
    let Some(base) = Target::parse(base) else {
        // Not an address that may be visited: an old row, or a rule that was tightened since.
        return Decision::AskDomain(Missing::Link);
    };
    let parameter = if is_thank_you { "pimms_redirect" } else { "redir_url" };
    let redirected = facts.parameter(parameter).and_then(|wanted| base.redirected(&wanted));
    let base = redirected.unwrap_or(base);
    let click_id = visitor.click_id().filter(|_| link.track_conversion);
    // A password is for us alone.
    let hidden = options.password.is_some().then_some("pw");
    let address = |target: &Target| target.address(facts, click_id, hidden);

    if is_thank_you {
        let location = base.with_parameter("pimms_redirected", "1");
        return answer(Some(&base), Outcome::redirect(302, location, true));
    }
    if options.proxy && targeting::is_bot(facts) {
        let page = pages::preview(link, facts.accept_language);
        return answer(Some(&base), Outcome::page(200, page, true));
    }
    let base = hand_off::substack(&base).unwrap_or(base);
    if options.rewrite && !base.is_app() {
        let page = pages::frame(&address(&base), &base, link.title.as_deref(), facts.accept_language);
        return answer(Some(&base), Outcome::page(200, page, is_hidden));
    }
    let target = targeting::special(link, facts).and_then(Target::parse).unwrap_or(base);
    let location = address(&target);
    if target.is_app() && is_hidden {
        let page = pages::deep_link(&hand_off::app_address(&target), facts.accept_language);
        return answer(Some(&target), Outcome::page(200, page, true));
    }
    let hand_off = if is_hidden {
        hand_off::needed(&target, &location, &short_link(link, facts), facts)
    } else {
        None // an indexable link is a plain redirect for everybody
    };
    match hand_off {
        None => {
            let status = if link.key == key::ROOT { 301 } else { 302 };
            answer(Some(&target), Outcome::redirect(status, location, is_hidden))
        }
        Some(HandOff::Direct(outside)) => {
            let page = pages::direct_link(&outside, &location, facts.accept_language);
            answer(Some(&target), Outcome::page(200, page, true))
        }
        Some(HandOff::Universal(outside)) => {
            let page = pages::universal_link(outside.as_deref(), &location, facts.accept_language);
            answer(Some(&target), Outcome::page(200, page, true))
        }
    }
}

/// The answer when there is no such link, or its time is over and it has no address of its own for that.
///
/// `domain`: what is known of the domain; `None` when it is not registered, or could not be loaded.
#[must_use]
pub fn without_link(missing: Missing, domain: Option<&DomainRecord>, facts: &RequestFacts<'_>) -> Outcome {
    let (status, notice, address) = match missing {
        Missing::Link => (404, Notice::NotFound, domain.and_then(|domain| domain.not_found_url.as_deref())),
        Missing::Time => (410, Notice::Expired, domain.and_then(|domain| domain.expired_url.as_deref())),
    };
    // An address that is itself unknown or expired would lead here for ever.
    let leads_here = |target: &Target| target.is_at(facts.host, facts.path);
    match address.and_then(Target::parse).filter(|target| !target.is_app() && !leads_here(target)) {
        Some(target) => {
            let status = if missing == Missing::Link { 302 } else { 307 };
            Outcome::redirect(status, target.as_str().to_owned(), true)
        }
        None => Outcome::page(status, notice.page(facts.accept_language), true),
    }
}

/// The answer when a link's clicks are used up.
#[must_use]
pub fn spent(link: &LinkRecord) -> Decision {
    over(link)
}

fn over(link: &LinkRecord) -> Decision {
    match link.options.expired_url.as_deref().and_then(Target::parse).filter(|target| !target.is_app()) {
        Some(target) => Outcome::redirect(302, target.as_str().to_owned(), !link.options.do_index).into(),
        None => Decision::AskDomain(Missing::Time),
    }
}

/// The answer when no store could say whether there is such a link.
#[must_use]
pub fn unavailable(accept_language: &str) -> Outcome {
    let page = Notice::Unavailable.page(accept_language);
    Outcome { retry_after_s: Some(60), ..Outcome::page(503, page, true) }
}

/// The answer to keys that only scanners ask for. Source: wire contract 2.2.
#[must_use]
pub fn unsupported() -> Outcome {
    Outcome::redirect(302, "/?pimms-no-track=1".to_owned(), true)
}

/// The answer to a password that was posted.
///
/// Right: back to the short link, with a cookie that opens it. Wrong: the form again.
#[must_use]
pub fn password_answer(
    link: &LinkRecord,
    facts: &RequestFacts<'_>,
    secrets: &Secrets,
    given: Given,
) -> Outcome {
    let form = |status, state| Outcome::page(status, pages::password(state, facts.accept_language), true);
    match given {
        Given::Wrong => form(403, PasswordState::Wrong),
        Given::TooMany => {
            Outcome { retry_after_s: Some(PASSWORD_PAUSE_S), ..form(429, PasswordState::TooMany) }
        }
        Given::Right => {
            let is_plain = facts.query.bytes().all(|b| b.is_ascii_graphic());
            let query =
                if facts.query.is_empty() || !is_plain { String::new() } else { format!("?{}", facts.query) };
            // From the record, not from the request: `//evil.com` is a path as well.
            let location = format!("{}{query}", path_of(link));
            let cookies = secrets.unlock_cookie(link, facts).into_iter().collect();
            Outcome { cookies, ..Outcome::redirect(303, location, true) }
        }
    }
}

/// What became of a password that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It is the link's.
    Right,
    /// It is not.
    Wrong,
    /// It was not looked at.
    TooMany,
}

/// The short link itself, as the visitor's browser knows it.
fn short_link(link: &LinkRecord, facts: &RequestFacts<'_>) -> String {
    let scheme = if facts.secure { "https" } else { "http" };
    format!("{scheme}://{}{}", facts.authority, path_of(link))
}

fn path_of(link: &LinkRecord) -> String {
    // A slash at the start of a stored key would make a host of what follows.
    if link.key == key::ROOT { "/".to_owned() } else { format!("/{}", link.key.trim_start_matches('/')) }
}
