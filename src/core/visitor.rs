//! Who comes, with which click, and what their browser keeps.
//!
//! A visitor keeps the click of the last hour by a cookie that proves itself; nobody is ever handed another
//! visitor's click. Source: wire contract 2.7 and 2.8, and 11.2 A1–A5.

use crate::core::click::Draft;
use crate::core::click_id::Keys;
use crate::core::cookies::{self, SetCookie};
use crate::core::final_url::Target;
use crate::core::fingerprint::REPEAT_MS;
use crate::core::ids;
use crate::core::link::LinkRecord;
use crate::core::password::UnlockKey;
use crate::core::public_suffix;
use crate::core::targeting::{self, Chosen};
use crate::core::visit::RequestFacts;

/// How long a click's own cookie lives, in seconds: as long as a repetition is not counted.
const CLICK_COOKIE_S: i64 = REPEAT_MS / 1000;
/// How long the visitor's id lives, in seconds. Source: wire contract 2.7.
const VISITOR_COOKIE_S: i64 = 31_536_000;
/// How long the click id lives on the destination's own domain, in seconds: 90 days.
const ATTRIBUTION_COOKIE_S: i64 = 90 * 86_400;

/// What signs ids and cookies. Any may be missing: a redirect does without.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Click ids.
    pub click_ids: Option<Keys>,
    /// Cookies of unlocked links.
    pub unlock: Option<UnlockKey>,
}

impl Secrets {
    /// Whether the visitor's browser shows that it knew the link's password.
    #[must_use]
    pub fn is_unlocked(&self, link: &LinkRecord, facts: &RequestFacts<'_>) -> bool {
        let cookie = cookies::find(facts.cookie, &unlock_cookie_name(link));
        match (cookie, &self.unlock) {
            (Some(value), Some(key)) => key.verifies(link, value, facts.now),
            _ => false,
        }
    }

    /// The cookie that keeps a link open for this browser.
    #[must_use]
    pub fn unlock_cookie(&self, link: &LinkRecord, facts: &RequestFacts<'_>) -> Option<String> {
        let value = self.unlock.as_ref()?.issue(link, facts.now);
        let name = unlock_cookie_name(link);
        SetCookie { name: &name, value: &value, http_only: true, ..plain(facts) }.to_header(facts.now)
    }
}

/// Who comes, and with which click.
pub struct Visitor {
    id: String,
    is_known: bool,
    /// `None` when no key is set.
    click_id: Option<String>,
    is_new_click: bool,
    is_untracked: bool,
}

impl Visitor {
    /// Reads what the browser brought; makes what is missing.
    #[must_use]
    pub fn of(link: &LinkRecord, facts: &RequestFacts<'_>, secrets: &Secrets) -> Self {
        let brought = cookies::find(facts.cookie, "pimms_anonymous_id").filter(|id| is_visitor_id(id));
        let held = if facts.cookie.is_empty() {
            None
        } else {
            cookies::find(facts.cookie, &click_cookie_name(link))
        };
        Self::reported(link, facts, secrets, brought, held)
    }

    /// The same, of what a page says that the browser holds: the visitor's id and a click.
    #[must_use]
    pub fn reported(
        link: &LinkRecord,
        facts: &RequestFacts<'_>,
        secrets: &Secrets,
        brought: Option<&str>,
        held: Option<&str>,
    ) -> Self {
        let keys = secrets.click_ids.as_ref();
        let click_id = keys.and_then(|keys| earlier_click(link, facts, keys, held?));
        let is_new_click = click_id.is_none();
        let (for_click, for_visitor) = facts.chance.split_at(4);
        Self {
            id: brought.map_or_else(|| new_visitor_id(for_visitor), str::to_owned),
            is_known: brought.is_some(),
            click_id: click_id.or_else(|| new_click(link, facts, keys?, for_click)),
            is_new_click,
            is_untracked: facts.is_untracked(),
        }
    }

    /// The click id of this visit.
    #[must_use]
    pub fn click_id(&self) -> Option<&str> {
        self.click_id.as_deref()
    }

    /// The visitor's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the browser brought that id.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// The visit to be recorded; `None` when it is the click of before, or must not be recorded.
    #[must_use]
    pub fn draft(&self, link: &LinkRecord, url: String) -> Option<Draft> {
        let id = self.click_id.clone().filter(|_| self.is_new_click && !self.is_untracked)?;
        Some(Draft {
            id,
            workspace_id: link.workspace_id.clone(),
            link_id: link.id.clone(),
            visitor: self.id.clone(),
            is_known: self.is_known,
            url,
            variant: None,
        })
    }

    /// What the browser shall keep. Nothing when the visitor asked not to be recorded.
    #[must_use]
    pub fn cookies(
        &self,
        link: &LinkRecord,
        facts: &RequestFacts<'_>,
        target: Option<&Target>,
        variant: Option<&Chosen>,
    ) -> Vec<String> {
        if self.is_untracked {
            return Vec::new();
        }
        let plain = plain(facts);
        let path = if facts.path.is_empty() { "/" } else { facts.path };
        let mut cookies = Vec::with_capacity(4);
        if let Some(click_id) = &self.click_id {
            if self.is_new_click {
                let name = click_cookie_name(link);
                let (value, max_age_s, http_only) = (click_id.as_str(), Some(CLICK_COOKIE_S), true);
                let cookie = SetCookie { name: &name, value, path, max_age_s, http_only, ..plain };
                cookies.extend(cookie.to_header(facts.now));
            }
            if link.track_conversion
                && let Some(domain) = target.and_then(|target| shared_domain(facts.host, target))
            {
                let max_age_s = Some(ATTRIBUTION_COOKIE_S);
                let cookie = SetCookie { name: "pimms_id", value: click_id, domain, max_age_s, ..plain };
                cookies.extend(cookie.to_header(facts.now));
            }
        }
        if !self.is_known {
            let (value, max_age_s) = (self.id.as_str(), Some(VISITOR_COOKIE_S));
            let cookie = SetCookie { name: "pimms_anonymous_id", value, max_age_s, ..plain };
            cookies.extend(cookie.to_header(facts.now));
        }
        if let Some(variant) = variant {
            let name = targeting::variant_cookie_name(link);
            let (value, max_age_s) = (variant.mark.as_str(), Some(targeting::VARIANT_COOKIE_S));
            let cookie = SetCookie { name: &name, value, path, max_age_s, http_only: true, ..plain };
            cookies.extend(cookie.to_header(facts.now));
        }
        cookies
    }
}

fn plain<'a>(facts: &RequestFacts<'_>) -> SetCookie<'a> {
    SetCookie {
        name: "",
        value: "",
        path: "/",
        domain: None,
        max_age_s: None,
        http_only: false,
        secure: facts.secure,
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

/// The click that this visitor holds, if it proves itself, is of this link and within the hour.
fn earlier_click(link: &LinkRecord, facts: &RequestFacts<'_>, keys: &Keys, text: &str) -> Option<String> {
    let proven = keys.verify(&link.workspace_id, text).ok()?;
    let age = facts.now.0.saturating_sub(proven.at.0);
    (proven.link_id == link.id && age < REPEAT_MS).then(|| text.to_owned())
}

fn new_click(link: &LinkRecord, facts: &RequestFacts<'_>, keys: &Keys, chance: &[u8]) -> Option<String> {
    let Some(bytes) = ids::parse_object_id("link_", &link.id) else {
        // A link whose id another system made does not fit into a click id: this one is proven by its row.
        return Some(base62(facts.chance.get(24..)?));
    };
    let random = chance.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    keys.issue(&link.workspace_id, bytes, facts.now, random)
}

fn click_cookie_name(link: &LinkRecord) -> String {
    format!("pimms_id_{}_{}", link.domain, link.key)
}

fn unlock_cookie_name(link: &LinkRecord) -> String {
    format!("pimms_password_{}", link.id)
}

/// `anon_` and 16 base-62 characters.
fn new_visitor_id(chance: &[u8]) -> String {
    format!("anon_{}", base62(chance))
}

/// 16 base-62 characters of 16 random bytes.
fn base62(chance: &[u8]) -> String {
    // Five digits at a time: long division is what takes the time here.
    const FIVE_DIGITS: u128 = 62_u128.pow(5);
    // 128 bits, of which 16 digits take 95: no digit is favoured by more than 2^-32.
    let mut number = chance.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let mut text = String::with_capacity(16);
    for digits in [5, 5, 5, 1] {
        let mut five = u64::try_from(number % FIVE_DIGITS).unwrap_or(0);
        number /= FIVE_DIGITS;
        for _ in 0..digits {
            let digit = usize::try_from(five % 62).ok().and_then(|i| ids::BASE62.get(i)).copied();
            text.push(char::from(digit.unwrap_or(b'0')));
            five /= 62;
        }
    }
    text
}

/// Whether a text has the form of a visitor's id.
#[must_use]
pub fn is_visitor_id(text: &str) -> bool {
    text.strip_prefix("anon_")
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}
