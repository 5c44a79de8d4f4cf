//! What a request for a short link is answered: the one decision of the redirect.
//!
//! Plain data in, plain data out. Source: wire contract 2.4 and 2.6–2.8, with the deviations at its head.
//!
//! Invariants (`tests/redirect_properties.rs`): no request panics or is answered 5xx, and a visitor is never
//! sent to a host that the link's owner did not choose.

use crate::core::click::Draft;
use crate::core::click_id::Keys;
use crate::core::cookies::{self, SetCookie};
use crate::core::final_url::Target;
use crate::core::fingerprint::REPEAT_MS;
use crate::core::ids;
use crate::core::link::LinkRecord;
use crate::core::pages::{Notice, Page};
use crate::core::public_suffix;
use crate::core::visit::RequestFacts;

/// How long a click's own cookie lives, in seconds: as long as a repetition is not counted.
const CLICK_COOKIE_S: i64 = REPEAT_MS / 1000;
/// How long the visitor's id lives, in seconds. Source: wire contract 2.7.
const VISITOR_COOKIE_S: i64 = 31_536_000;
/// How long the click id lives on the destination's own domain, in seconds: 90 days.
const ATTRIBUTION_COOKIE_S: i64 = 90 * 86_400;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// 200, 302, 404, 410 or 503.
    pub status: u16,
    /// Where to, when it is a redirect.
    pub location: Option<String>,
    /// What is shown, when it is a page.
    pub page: Option<Page>,
    /// Whether search engines are told not to index the short link.
    pub is_hidden: bool,
    /// `Set-Cookie` values.
    pub cookies: Vec<String>,
    /// The visit to be recorded after the answer.
    pub visit: Option<Draft>,
}

impl Outcome {
    fn page(status: u16, page: Page) -> Self {
        Self { status, location: None, page: Some(page), is_hidden: true, cookies: Vec::new(), visit: None }
    }
}

/// The answer when there is no such link.
#[must_use]
pub fn not_found(accept_language: &str) -> Outcome {
    Outcome::page(404, Notice::NotFound.page(accept_language))
}

/// The answer when no store could say whether there is such a link.
#[must_use]
pub fn unavailable(accept_language: &str) -> Outcome {
    Outcome::page(503, Notice::Unavailable.page(accept_language))
}

/// The answer for a link. Without `keys` a link still redirects, but nothing can be attributed.
#[must_use]
pub fn decide(link: &LinkRecord, facts: &RequestFacts<'_>, keys: Option<&Keys>) -> Outcome {
    if link.disabled_at.is_some_and(|at| at <= facts.now) {
        return not_found(facts.accept_language);
    }
    if link.options.banned {
        return Outcome::page(410, Notice::Banned.page(facts.accept_language));
    }
    if link.expires_at.is_some_and(|at| at <= facts.now) {
        return Outcome::page(410, Notice::Expired.page(facts.accept_language));
    }
    let Some(base) = Target::parse(&link.url) else {
        return not_found(facts.accept_language);
    };
    let target = facts.parameter("redir_url").and_then(|wanted| base.redirected(&wanted)).unwrap_or(base);
    let visitor = Visitor::of(link, facts, keys);
    let click_id = visitor.click_id.as_deref().filter(|_| link.track_conversion);
    let is_untracked = facts.is_untracked();
    let visit = visitor.click_id.clone().filter(|_| visitor.is_new_click && !is_untracked).map(|id| Draft {
        id,
        workspace_id: link.workspace_id.clone(),
        link_id: link.id.clone(),
        visitor: visitor.id.clone(),
        is_known: visitor.is_known,
        url: target.recorded(facts),
        variant: None,
    });
    Outcome {
        status: 302,
        location: Some(target.address(facts, click_id, None)),
        page: None,
        is_hidden: !link.options.do_index,
        cookies: if is_untracked { Vec::new() } else { visitor.cookies(link, facts, &target) },
        visit,
    }
}

/// Who comes, and with which click.
struct Visitor {
    id: String,
    is_known: bool,
    /// `None` when no key is set.
    click_id: Option<String>,
    is_new_click: bool,
}

impl Visitor {
    fn of(link: &LinkRecord, facts: &RequestFacts<'_>, keys: Option<&Keys>) -> Self {
        let brought = cookies::find(facts.cookie, "pimms_anonymous_id").filter(|id| is_visitor_id(id));
        let click_id = keys.and_then(|keys| earlier_click(link, facts, keys));
        let is_new_click = click_id.is_none();
        let (for_click, for_visitor) = facts.chance.split_at(4);
        Self {
            id: brought.map_or_else(|| new_visitor_id(for_visitor), str::to_owned),
            is_known: brought.is_some(),
            click_id: click_id.or_else(|| new_click(link, facts, keys?, for_click)),
            is_new_click,
        }
    }

    fn cookies(&self, link: &LinkRecord, facts: &RequestFacts<'_>, target: &Target) -> Vec<String> {
        let plain = SetCookie {
            name: "",
            value: "",
            path: "/",
            domain: None,
            max_age_s: None,
            http_only: false,
            secure: facts.secure,
        };
        let mut cookies = Vec::with_capacity(3);
        if let Some(click_id) = &self.click_id {
            if self.is_new_click {
                let name = click_cookie_name(link);
                let path = if facts.path.is_empty() { "/" } else { facts.path };
                let (value, max_age_s) = (click_id.as_str(), Some(CLICK_COOKIE_S));
                cookies.extend(
                    SetCookie { name: &name, value, path, max_age_s, http_only: true, ..plain }
                        .to_header(facts.now),
                );
            }
            if link.track_conversion
                && let Some(domain) = shared_domain(facts.host, target)
            {
                let max_age_s = Some(ATTRIBUTION_COOKIE_S);
                cookies.extend(
                    SetCookie { name: "pimms_id", value: click_id, domain, max_age_s, ..plain }
                        .to_header(facts.now),
                );
            }
        }
        if !self.is_known {
            let max_age_s = Some(VISITOR_COOKIE_S);
            cookies.extend(
                SetCookie { name: "pimms_anonymous_id", value: &self.id, max_age_s, ..plain }
                    .to_header(facts.now),
            );
        }
        cookies
    }
}

/// Whether the destination reads cookies of the short link's host, and through which `Domain`.
///
/// `Some(None)`: both are the same host, which needs none.
#[expect(clippy::option_option, reason = "the inner one is the cookie's attribute as it is written")]
fn shared_domain<'a>(host: &'a str, target: &Target) -> Option<Option<&'a str>> {
    let destination = target.host()?;
    match public_suffix::shared(host, destination) {
        Some(domain) => Some(Some(domain)),
        None => (host == destination).then_some(None),
    }
}

/// The click that this visitor's cookie proves, if it is of this link and within the hour.
fn earlier_click(link: &LinkRecord, facts: &RequestFacts<'_>, keys: &Keys) -> Option<String> {
    let text = cookies::find(facts.cookie, &click_cookie_name(link))?;
    let proven = keys.verify(&link.workspace_id, text).ok()?;
    let age = facts.now.0.saturating_sub(proven.at.0);
    (proven.link_id == link.id && age < REPEAT_MS).then(|| text.to_owned())
}

fn new_click(link: &LinkRecord, facts: &RequestFacts<'_>, keys: &Keys, chance: &[u8]) -> Option<String> {
    let Some(bytes) = ids::parse_object_id("link_", &link.id) else {
        // A link whose id another system made does not fit into a click id: this one is proven by its row.
        return Some(base62(facts.chance.get(16..)?));
    };
    let random = chance.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    keys.issue(&link.workspace_id, bytes, facts.now, random)
}

fn click_cookie_name(link: &LinkRecord) -> String {
    format!("pimms_id_{}_{}", link.domain, link.key)
}

fn new_visitor_id(chance: &[u8]) -> String {
    format!("anon_{}", base62(chance))
}

/// 16 base-62 characters of 16 random bytes.
fn base62(chance: &[u8]) -> String {
    // 128 bits, of which 16 digits take 95: no digit is favoured by more than 2^-32.
    let mut number = chance.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let mut text = String::with_capacity(16);
    for _ in 0..16 {
        let digit = usize::try_from(number % 62).ok().and_then(|i| ids::BASE62.get(i)).copied();
        text.push(char::from(digit.unwrap_or(b'0')));
        number /= 62;
    }
    text
}

fn is_visitor_id(text: &str) -> bool {
    text.strip_prefix("anon_")
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}
