//! The decision table of short links, row by row: what is asked of which link, and what is answered.
//!
//! A row is: what it shows, the link (fields over a plain one), the request, the answer. An answer reads
//! `status address-or-page [shown] [+cookie …] [recorded address]`; `ID` stands for the visit's own click id.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a table that cannot be read fails the test")]

mod destinations;
mod pages;

use pimms_edge::core::click_id::Keys;
use pimms_edge::core::domain::DomainRecord;
use pimms_edge::core::key;
use pimms_edge::core::link::LinkRecord;
use pimms_edge::core::password::UnlockKey;
use pimms_edge::core::redirect::{self, Decision, Lock, Missing, Outcome};
use pimms_edge::core::seal::SealingKey;
use pimms_edge::core::time::Millis;
use pimms_edge::core::visit::RequestFacts;
use pimms_edge::core::visitor::Secrets;

const NOW: i64 = 1_763_000_000_000;
const CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1";
const IPAD: &str = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1";
const PIXEL: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0";
const INSTAGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 329.0.0.27.99 (iPhone14,5; iOS 17_4; en_US)";
const INSTAGRAM_ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 Instagram 329.0.0.27.99 Android";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const FACEBOOK: &str = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)";

const LINK_ID: &str = "link_1K9XG2V3M00000000000000001";
/// The hash of the password `open`.
const PASSWORD: &str =
    r#""password":"pbkdf2$1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#;

fn secrets() -> Secrets {
    Secrets {
        click_ids: Some(Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()),
        unlock: Some(UnlockKey::of(&SealingKey::parse(&"ab".repeat(32)).unwrap())),
    }
}

/// A plain tracked link to acme.com on go.acme.com, changed by the fields of `over` (wire names).
fn link(over: &str) -> LinkRecord {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!(
        r#"{{"v":1,"i":"{LINK_ID}","w":"ws_1","d":"go.acme.com","k":"launch","u":"https://acme.com/","t":true}}"#
    ))
    .unwrap();
    let over: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&format!("{{{over}}}")).unwrap_or_else(|e| panic!("{over}: {e}"));
    fields.extend(over);
    LinkRecord::from_text(&serde_json::Value::Object(fields).to_string()).unwrap()
}

/// A request: `/path?query`, then ` | name=value` of what is not ordinary.
struct Asked {
    path: String,
    query: String,
    facts: Vec<(String, String)>,
}

impl Asked {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(" | ");
        let address = parts.next().unwrap();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let facts =
            parts.map(|part| part.split_once('=').unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned()));
        Self { path: path.to_owned(), query: query.to_owned(), facts: facts.collect() }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn facts<'a>(&'a self, cookie: &'a str) -> RequestFacts<'a> {
        let user_agent = match self.value("ua").unwrap_or("chrome") {
            "chrome" => CHROME,
            "iphone" => IPHONE,
            "ipad" => IPAD,
            "pixel" => PIXEL,
            "firefox" => FIREFOX,
            "instagram" => INSTAGRAM,
            "instagram-android" => INSTAGRAM_ANDROID,
            "googlebot" => GOOGLEBOT,
            "facebook" => FACEBOOK,
            other => other,
        };
        RequestFacts {
            method: self.value("method").unwrap_or("GET"),
            secure: self.value("scheme") != Some("http"),
            host: self.value("host").unwrap_or("go.acme.com"),
            authority: self.value("host").unwrap_or("go.acme.com"),
            path: &self.path,
            query: &self.query,
            now: Millis(NOW),
            ip: "203.0.113.9",
            country: self.value("country").unwrap_or("US"),
            user_agent,
            referer: self.value("referer").unwrap_or(""),
            cookie,
            accept_language: self.value("language").unwrap_or("en"),
            purpose: self.value("purpose").unwrap_or(""),
            no_track: self.value("no-track").is_some(),
            chance: [self.value("chance").map_or(7, |n| n.parse().unwrap()); 40],
        }
    }

    /// The cookie header; `click`, `old-click`, `other-click` and `unlocked` stand for what they say.
    fn cookie(&self, link: &LinkRecord) -> String {
        let keys = secrets().click_ids.unwrap();
        let issue = |workspace, id: &str, at| {
            let bytes = pimms_edge::core::ids::parse_object_id("link_", id).unwrap();
            keys.issue(workspace, bytes, Millis(at), 9).unwrap()
        };
        let name = format!("pimms_id_{}_{}", link.domain, link.key);
        match self.value("cookie") {
            None => String::new(),
            Some("click") => format!("{name}={}", issue("ws_1", LINK_ID, NOW - 1000)),
            Some("old-click") => format!("{name}={}", issue("ws_1", LINK_ID, NOW - 3_600_000)),
            Some("other-links-click") => {
                format!("{name}={}", issue("ws_1", "link_1K9XG2V3M00000000000000002", NOW))
            }
            Some("other-workspaces-click") => format!("{name}={}", issue("ws_2", LINK_ID, NOW)),
            Some("visitor") => "pimms_anonymous_id=anon_aB3dE5fG7hI9jK1l".to_owned(),
            Some("unlocked") => {
                let value = secrets().unlock.unwrap().issue(link, Millis(NOW - 1000));
                format!("pimms_password_{LINK_ID}={value}")
            }
            Some(other) => other.to_owned(),
        }
    }
}

/// What the row's answer says, as text.
fn answer(over: &str, request: &str) -> String {
    let link = link(over);
    let asked = Asked::parse(request);
    let cookie = asked.cookie(&link);
    let facts = asked.facts(&cookie);
    let wanted = key::of_path(facts.path).unwrap();
    let lock = if asked.value("password").is_some() { Lock::Opened } else { Lock::Closed };
    match redirect::decide(&link, &wanted, &facts, &secrets(), lock) {
        Decision::Answer(outcome) => summary(&outcome, &cookie),
        Decision::AskDomain(Missing::Link) => "ask domain: no link".to_owned(),
        Decision::AskDomain(Missing::Time) => "ask domain: expired".to_owned(),
    }
}

fn summary(outcome: &Outcome, cookie: &str) -> String {
    let mut text = outcome.status.to_string();
    if let Some(location) = &outcome.location {
        text = format!("{text} {location}");
    }
    if let Some(page) = &outcome.page {
        text = format!("{text} {}", page_name(&page.html));
    }
    if !outcome.is_hidden {
        text.push_str(" shown");
    }
    for cookie in &outcome.cookies {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(attributes.ends_with("SameSite=Lax"), "{cookie}");
        let name = pair.split_once('=').unwrap().0.replace("go.acme.com_", "");
        let path = attributes.split_once("Path=").unwrap().1.split(';').next().unwrap();
        let domain = attributes.split_once("Domain=").map(|(_, rest)| rest.split(';').next().unwrap());
        text = format!("{text} +{name}@{}{path}", domain.unwrap_or_default());
    }
    if let Some(visit) = &outcome.visit {
        let variant = visit.variant.map(|n| format!(" variant {n}")).unwrap_or_default();
        text = format!("{text} recorded {}{variant}", visit.url);
        text = text.replace(&visit.id, "ID");
    }
    for part in cookie.split(['=', ';', ' ']).filter(|part| part.len() == 44) {
        text = text.replace(part, "KNOWN");
    }
    text
}

fn page_name(html: &str) -> String {
    let attribute = |before: &str| {
        let rest = html.split_once(before)?.1;
        Some(rest.split('"').next()?.replace("&amp;", "&"))
    };
    if let Some(url) = attribute("http-equiv=\"refresh\" content=\"0;url=") {
        return format!("refresh {url} then {}", attribute("id=\"go\" href=\"").unwrap());
    }
    if let Some(url) = attribute("<iframe src=\"") {
        return format!("frame {url}");
    }
    let title = html.split_once("<title>").unwrap().1.split("</title>").next().unwrap();
    format!("\"{title}\"")
}

fn check(rows: &[(&str, &str, &str, &str)]) {
    for (what, over, request, expected) in rows {
        assert_eq!(answer(over, request), *expected, "{what}: {over} {request}");
    }
}

/// The answer of a plain click on the plain link, from `recorded` on and before.
const PLAIN: &str = "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/";
const PLAIN_NEW: &str = " +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/";

fn plain(address: &str) -> String {
    format!("{address}{PLAIN_NEW}")
}
