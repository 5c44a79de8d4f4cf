//! The decision table of short links, row by row: what is asked of which link, and what is answered.
//!
//! A row is: what it shows, the link (fields over a plain one), the request, the answer. An answer reads
//! `status address-or-page [shown] [+cookie …] [recorded address]`; `ID` stands for the visit's own click id.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a table that cannot be read fails the test")]

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

#[test]
fn plain_redirects() {
    check(&[
        ("a click", "", "/launch", PLAIN),
        (
            "case of the path",
            "",
            "/Launch",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/Launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("HEAD is answered alike", "", "/launch | method=HEAD", PLAIN),
        ("a prefetch too", "", "/launch | purpose=prefetch", PLAIN),
        ("a bot too", "", "/launch | ua=googlebot", PLAIN),
        ("no user agent", "", "/launch | ua=", PLAIN),
        ("archived links redirect", r#""a":true"#, "/launch", PLAIN),
        (
            "not tracked: no id in the address",
            r#""t":false"#,
            "/launch",
            "302 https://acme.com/ +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "not tracked: the address is untouched",
            r#""t":false,"u":"https://acme.com/?b=%20&c=~&d""#,
            "/launch",
            "302 https://acme.com/?b=%20&c=~&d +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/?b=%20&c=~&d",
        ),
        (
            "tracked: written anew",
            r#""u":"https://acme.com/?b=%20&c=~&d""#,
            "/launch",
            "302 https://acme.com/?b=+&c=%7E&d=&pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?b=%20&c=~&d",
        ),
        (
            "a fragment stays last",
            r#""u":"https://acme.com/#top""#,
            "/launch",
            "302 https://acme.com/?pimms_id=ID#top +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/#top",
        ),
        (
            "another owner's domain: no shared cookie",
            r#""u":"https://shop.example/""#,
            "/launch",
            "302 https://shop.example/?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://shop.example/",
        ),
        (
            "a sub-domain shares it",
            r#""u":"https://www.shop.acme.com/""#,
            "/launch",
            "302 https://www.shop.acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://www.shop.acme.com/",
        ),
        (
            "a public suffix is not shared",
            r#""d":"a.github.io","u":"https://b.github.io/""#,
            "/launch | host=a.github.io",
            "302 https://b.github.io/?pimms_id=ID +pimms_id_a.github.io_launch@/launch +pimms_anonymous_id@/ recorded https://b.github.io/",
        ),
        (
            "the very host needs no Domain",
            r#""d":"localhost","u":"http://localhost:3000/""#,
            "/launch | host=localhost",
            "302 http://localhost:3000/?pimms_id=ID +pimms_id_localhost_launch@/launch +pimms_id@/ +pimms_anonymous_id@/ recorded http://localhost:3000/",
        ),
        (
            "a Unicode host is sent as Punycode",
            r#""u":"https://bücher.example/ü?q=ü""#,
            "/launch",
            "302 https://xn--bcher-kva.example/%C3%BC?q=%C3%BC&pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://xn--bcher-kva.example/%C3%BC?q=%C3%BC",
        ),
        (
            "line breaks in an old row are no header",
            r#""u":"https://acme.com/\r\nset-cookie:x""#,
            "/launch",
            "302 https://acme.com/set-cookie:x?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/set-cookie:x",
        ),
        (
            "multi-segment keys",
            r#""k":"a/b/c""#,
            "/a/b/c",
            "302 https://acme.com/?pimms_id=ID +pimms_id_a/b/c@/a/b/c +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "Unicode keys: the path stays encoded",
            r#""k":"xn--bj0bj06e""#,
            "/%ED%95%9C%EA%B8%80",
            "302 https://acme.com/?pimms_id=ID +pimms_id_xn--bj0bj06e@/%ED%95%9C%EA%B8%80 +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "the root is a 301",
            r#""k":"_root""#,
            "/",
            "301 https://acme.com/?pimms_id=ID +pimms_id__root@/ +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "indexable links are shown to search engines",
            r#""o":{"doIndex":true}"#,
            "/launch",
            "302 https://acme.com/?pimms_id=ID shown +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn links_that_are_not_there() {
    check(&[
        ("disabled", r#""z":1"#, "/launch", "ask domain: no link"),
        ("disabled from now on", &format!(r#""z":{NOW}"#), "/launch", "ask domain: no link"),
        ("disabled later", &format!(r#""z":{}"#, NOW + 1), "/launch", PLAIN),
        ("disabled and inspected", r#""z":1"#, "/launch+", "ask domain: no link"),
        ("disabled and banned", r#""z":1,"o":{"banned":true}"#, "/launch", "ask domain: no link"),
        ("a scheme that runs code", r#""u":"javascript:alert(1)""#, "/launch", "ask domain: no link"),
        ("in capitals", r#""u":"JaVaScRiPt:alert(1)""#, "/launch", "ask domain: no link"),
        ("behind a blank", r#""u":" javascript:alert(1)""#, "/launch", "ask domain: no link"),
        ("data", r#""u":"data:text/html,x""#, "/launch", "ask domain: no link"),
        ("a file", r#""u":"file:///etc/passwd""#, "/launch", "ask domain: no link"),
        ("an intent", r#""u":"intent://x#Intent;end""#, "/launch", "ask domain: no link"),
        ("not an address", r#""u":"acme""#, "/launch", "ask domain: no link"),
        ("no scheme", r#""u":"//acme.com/""#, "/launch", "ask domain: no link"),
    ]);
}

#[test]
fn banned_and_expired() {
    let later = format!(r#""x":{}"#, NOW + 1);
    check(&[
        ("banned", r#""o":{"banned":true}"#, "/launch", "410 \"This link was taken down\""),
        (
            "banned, in French",
            r#""o":{"banned":true}"#,
            "/launch | language=fr",
            "410 \"Ce lien a été retiré\"",
        ),
        (
            "banned, indexable",
            r#""o":{"banned":true,"doIndex":true}"#,
            "/launch",
            "410 \"This link was taken down\" shown",
        ),
        (
            "banned before expired",
            r#""x":1,"o":{"banned":true,"expiredUrl":"https://acme.com/over"}"#,
            "/launch",
            "410 \"This link was taken down\"",
        ),
        ("banned and inspected", r#""o":{"banned":true}"#, "/launch+", "410 \"This link was taken down\""),
        (
            "banned shows bots nothing",
            r#""o":{"banned":true,"proxy":true}"#,
            "/launch | ua=facebook",
            "410 \"This link was taken down\"",
        ),
        ("expired", r#""x":1"#, "/launch", "ask domain: expired"),
        ("expired now", &format!(r#""x":{NOW}"#), "/launch", "ask domain: expired"),
        ("expires later", &later, "/launch", PLAIN),
        (
            "expired, with an address",
            r#""x":1,"o":{"expiredUrl":"https://acme.com/over"}"#,
            "/launch",
            "302 https://acme.com/over",
        ),
        (
            "its query is its own",
            r#""x":1,"o":{"expiredUrl":"https://acme.com/over?a=1"}"#,
            "/launch?b=2",
            "302 https://acme.com/over?a=1",
        ),
        (
            "its address is checked",
            r#""x":1,"o":{"expiredUrl":"javascript:alert(1)"}"#,
            "/launch",
            "ask domain: expired",
        ),
        (
            "an app is no address for that",
            r#""x":1,"o":{"expiredUrl":"mailto:a@b.com"}"#,
            "/launch",
            "ask domain: expired",
        ),
        ("expired and inspected", r#""x":1"#, "/launch+", "ask domain: expired"),
        (
            "expired wins over targeting",
            r#""x":1,"o":{"ios":"https://ios.com/"}"#,
            "/launch | ua=iphone",
            "ask domain: expired",
        ),
        (
            "expired thank-you links are expired",
            r#""x":1,"k":"a/thankyou""#,
            "/a/thankyou",
            "ask domain: expired",
        ),
    ]);
}

#[test]
fn inspecting() {
    check(&[
        ("plus shows the destination", "", "/launch+", "200 \"Where this link leads\""),
        ("encoded", "", "/launch%2B", "200 \"Where this link leads\""),
        ("in French", "", "/launch+ | language=fr-CA", "200 \"Où mène ce lien\""),
        ("bots too", "", "/launch+ | ua=googlebot", "200 \"Where this link leads\""),
        ("indexable", r#""o":{"doIndex":true}"#, "/launch+", "200 \"Where this link leads\" shown"),
        (
            "the owner may object",
            r#""o":{"noInspect":true}"#,
            "/launch+",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch+ +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "a password hides it",
            &format!(r#""o":{{{PASSWORD}}}"#),
            "/launch+",
            "200 \"This link is protected\"",
        ),
        (
            "who knows it sees it",
            &format!(r#""o":{{{PASSWORD}}}"#),
            "/launch+ | cookie=unlocked",
            "200 \"Where this link leads\"",
        ),
        (
            "a root without destination has none to show",
            r#""k":"_root","u":"""#,
            "/+",
            "200 \"go.acme.com\" +pimms_id__root@/+ +pimms_anonymous_id@/ recorded ",
        ),
    ]);
}

#[test]
fn passwords() {
    let locked = format!(r#""o":{{{PASSWORD}}}"#);
    let opened = "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/";
    check(&[
        ("asked for", &locked, "/launch", "200 \"This link is protected\""),
        ("in French", &locked, "/launch | language=fr", "200 \"Ce lien est protégé\""),
        ("bots are asked too", &locked, "/launch | ua=googlebot", "200 \"This link is protected\""),
        (
            "no preview either",
            &format!(r#""n":"Secret","o":{{"proxy":true,{PASSWORD}}}"#),
            "/launch | ua=facebook",
            "200 \"This link is protected\"",
        ),
        (
            "before banned",
            &format!(r#""o":{{"banned":true,{PASSWORD}}}"#),
            "/launch",
            "200 \"This link is protected\"",
        ),
        (
            "before expired",
            &format!(r#""x":1,"o":{{{PASSWORD}}}"#),
            "/launch",
            "200 \"This link is protected\"",
        ),
        ("right in the query", &locked, "/launch?pw=open | password=right", opened),
        (
            "it is not passed on",
            &locked,
            "/launch?pw=open&a=1 | password=right",
            "302 https://acme.com/?pimms_id=ID&a=1 +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("nor when the cookie opened", &locked, "/launch?pw=open | cookie=unlocked", opened),
        ("remembered by a cookie", &locked, "/launch | cookie=unlocked", opened),
        (
            "a cookie that says so is not enough",
            &locked,
            &format!("/launch | cookie=pimms_password_{LINK_ID}=open"),
            "200 \"This link is protected\"",
        ),
        (
            "nor one of long ago",
            &locked,
            &format!("/launch | cookie=pimms_password_{LINK_ID}=1.00"),
            "200 \"This link is protected\"",
        ),
        (
            "an open link passes pw on",
            "",
            "/launch?pw=x",
            "302 https://acme.com/?pimms_id=ID&pw=x +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn click_ids_and_visitors() {
    let known = "302 https://acme.com/?pimms_id=KNOWN +pimms_id@acme.com/ +pimms_anonymous_id@/";
    check(&[
        ("the click of the hour is kept and not recorded again", "", "/launch | cookie=click", known),
        ("an old one is not", "", "/launch | cookie=old-click", PLAIN),
        ("nor another link's", "", "/launch | cookie=other-links-click", PLAIN),
        ("nor another workspace's", "", "/launch | cookie=other-workspaces-click", PLAIN),
        ("nor a made-up one", "", "/launch | cookie=pimms_id_go.acme.com_launch=aB3dE5fG7hI9jK1l", PLAIN),
        ("nor a script", "", "/launch | cookie=pimms_id_go.acme.com_launch=<script>", PLAIN),
        (
            "a known visitor keeps the id",
            "",
            "/launch | cookie=visitor",
            "302 https://acme.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ recorded https://acme.com/",
        ),
        ("a made-up visitor gets a new one", "", "/launch | cookie=pimms_anonymous_id=admin", PLAIN),
        ("not over https: no Secure", "", "/launch | scheme=http", PLAIN),
        ("a visitor's pimms_id is nobody's", "", "/launch?pimms_id=EVIL", PLAIN),
        ("also percent-encoded", "", "/launch?%70imms_id=EVIL", PLAIN),
        ("also in Dub's name", "", "/launch?dub_id=EVIL", PLAIN),
        (
            "also when the link is not tracked",
            r#""t":false"#,
            "/launch?pimms_id=EVIL",
            "302 https://acme.com/ +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "also for Stripe",
            r#""u":"https://buy.stripe.com/x""#,
            "/launch?client_reference_id=pimms_id_EVIL",
            "302 https://buy.stripe.com/x?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/x",
        ),
        ("not recorded by query", "", "/launch?pimms-no-track=1", "302 https://acme.com/"),
        ("not recorded by header", "", "/launch | no-track=1", "302 https://acme.com/"),
        ("not recorded in Dub's name", "", "/launch?dub-no-track=1", "302 https://acme.com/"),
        (
            "not recorded, yet Stripe knows",
            r#""u":"https://buy.stripe.com/x""#,
            "/launch?pimms-no-track=1 | cookie=click",
            "302 https://buy.stripe.com/x?client_reference_id=pimms_id_KNOWN",
        ),
        (
            "an imported link's id does not fit into an id",
            r#""i":"clk3x9abc000008l4f5g6h7i8""#,
            "/launch",
            PLAIN,
        ),
    ]);
}

#[test]
fn destinations_that_want_the_id_elsewhere() {
    check(&[
        (
            "Stripe payment links",
            r#""u":"https://buy.stripe.com/abc?x=1""#,
            "/launch",
            "302 https://buy.stripe.com/abc?x=1&client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/abc?x=1",
        ),
        (
            "test mode too",
            r#""u":"https://buy.stripe.com/test_abc""#,
            "/launch",
            "302 https://buy.stripe.com/test_abc?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com/test_abc",
        ),
        (
            "a look-alike is not Stripe",
            r#""u":"https://buy.stripe.com.evil.com/""#,
            "/launch",
            "302 https://buy.stripe.com.evil.com/?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://buy.stripe.com.evil.com/",
        ),
        (
            "pages that ask for it",
            r#""u":"https://acme.com/?pimms_client_reference_id=1""#,
            "/launch",
            "302 https://acme.com/?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?pimms_client_reference_id=1",
        ),
        (
            "in Dub's name",
            r#""u":"https://acme.com/?dub_client_reference_id=1""#,
            "/launch",
            "302 https://acme.com/?client_reference_id=pimms_id_ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/?dub_client_reference_id=1",
        ),
        (
            "Calendly",
            r#""u":"https://calendly.com/ada""#,
            "/launch?utm_term=x",
            "302 https://calendly.com/ada?utm_term=pimms_id_ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://calendly.com/ada?utm_term=x",
        ),
        (
            "iClosed",
            r#""u":"https://app.iclosed.io/e/ada""#,
            "/launch",
            "302 https://app.iclosed.io/e/ada?utm_term=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://app.iclosed.io/e/ada",
        ),
    ]);
}

#[test]
fn parameters_are_passed_on() {
    let row =
        |address: &str, recorded: &str| format!("{} recorded {recorded}", plain(&format!("302 {address}")));
    let cases = [
        ("one more", "https://acme.com/", "a=1", "https://acme.com/?pimms_id=ID&a=1", "https://acme.com/"),
        (
            "the last of a name wins",
            "https://acme.com/",
            "a=1&a=2",
            "https://acme.com/?pimms_id=ID&a=2",
            "https://acme.com/",
        ),
        (
            "over the destination's own, in its place",
            "https://acme.com/?a=0&b=1",
            "a=9",
            "https://acme.com/?a=9&b=1&pimms_id=ID",
            "https://acme.com/?a=0&b=1",
        ),
        (
            "UTM values are recorded",
            "https://acme.com/",
            "utm_source=x&utm_medium=y&z=1",
            "https://acme.com/?pimms_id=ID&utm_source=x&utm_medium=y&z=1",
            "https://acme.com/?utm_source=x&utm_medium=y",
        ),
        (
            "ref is recorded",
            "https://acme.com/",
            "ref=tw",
            "https://acme.com/?pimms_id=ID&ref=tw",
            "https://acme.com/?ref=tw",
        ),
        (
            "over those of the destination",
            "https://acme.com/?utm_source=old",
            "utm_source=new",
            "https://acme.com/?utm_source=new&pimms_id=ID",
            "https://acme.com/?utm_source=new",
        ),
        ("no value", "https://acme.com/", "flag", "https://acme.com/?pimms_id=ID&flag=", "https://acme.com/"),
        (
            "a blank value",
            "https://acme.com/",
            "a=%20+",
            "https://acme.com/?pimms_id=ID&a=++",
            "https://acme.com/",
        ),
        (
            "line breaks are encoded",
            "https://acme.com/",
            "a=%0d%0aset-cookie:x",
            "https://acme.com/?pimms_id=ID&a=%0D%0Aset-cookie%3Ax",
            "https://acme.com/",
        ),
        (
            "bytes that are no UTF-8",
            "https://acme.com/",
            "a=%FF",
            "https://acme.com/?pimms_id=ID&a=%EF%BF%BD",
            "https://acme.com/",
        ),
        (
            "a QR scan's mark is for us",
            "https://acme.com/",
            "qr=1",
            "https://acme.com/?pimms_id=ID",
            "https://acme.com/",
        ),
        (
            "another qr is not",
            "https://acme.com/",
            "qr=2",
            "https://acme.com/?pimms_id=ID&qr=2",
            "https://acme.com/",
        ),
        (
            "bot is passed on",
            "https://acme.com/",
            "bot=1",
            "https://acme.com/?pimms_id=ID&bot=1",
            "https://acme.com/",
        ),
        ("empty names", "https://acme.com/", "=1&&", "https://acme.com/?pimms_id=ID&=1", "https://acme.com/"),
        (
            "url, next and the like mean nothing",
            "https://acme.com/",
            "url=https://evil.com",
            "https://acme.com/?pimms_id=ID&url=https%3A%2F%2Fevil.com",
            "https://acme.com/",
        ),
    ];
    for (what, url, query, address, recorded) in cases {
        let over = format!(r#""u":"{url}""#);
        assert_eq!(answer(&over, &format!("/launch?{query}")), row(address, recorded), "{what}");
    }
}

#[test]
fn redir_url_stays_with_the_owner() {
    let stays = |query: &str| {
        let found = answer(r#""u":"https://shop.acme.com/x""#, &format!("/launch?redir_url={query}"));
        found.split(' ').nth(1).unwrap().to_owned()
    };
    for (wanted, expected) in [
        ("https://acme.com/other", "https://acme.com/other?pimms_id=ID"),
        ("https%3A%2F%2Fshop.acme.com%2Fother%3Fa%3D1", "https://shop.acme.com/other?a=1&pimms_id=ID"),
        ("blog.acme.com/a", "https://blog.acme.com/a?pimms_id=ID"),
        ("https://evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("//evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("https:evil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("%5C%5Cevil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("/%5Cevil.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://shop.acme.com@evil.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://user:pw@shop.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://acme.com.evil.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://evil.com%23.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://evil.com%3F.acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("http://acme.com/", "https://shop.acme.com/x?pimms_id=ID"),
        ("https://acme.com:8443/", "https://shop.acme.com/x?pimms_id=ID"),
        ("javascript:alert(1)//acme.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("%09javascript:alert(1)", "https://shop.acme.com/x?pimms_id=ID"),
        ("data:text/html,acme.com", "https://shop.acme.com/x?pimms_id=ID"),
        ("", "https://shop.acme.com/x?pimms_id=ID"),
    ] {
        assert_eq!(stays(wanted), expected, "{wanted}");
    }
    let thank_you = |query: &str| answer(r#""k":"a/thankyou""#, &format!("/a/thankyou?{query}"));
    assert!(
        thank_you("pimms_redirect=https://evil.com").starts_with("302 https://acme.com/?pimms_redirected=1 ")
    );
}

#[test]
fn pages_of_the_link() {
    let preview = r#""n":"My title","s":"Text","o":{"proxy":true,"image":"https://i.com/a.png"}"#;
    check(&[
        (
            "bots see the preview",
            preview,
            "/launch | ua=facebook",
            "200 \"My title\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "who says so is one",
            preview,
            "/launch?bot=1",
            "200 \"My title\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        ("people do not", preview, "/launch", PLAIN),
        (
            "a preview is never indexed",
            r#""n":"T","o":{"proxy":true,"doIndex":true}"#,
            "/launch | ua=googlebot",
            "200 \"T\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "without title the domain stands for it",
            r#""o":{"proxy":true}"#,
            "/launch | ua=googlebot",
            "200 \"go.acme.com\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "cloaked",
            r#""o":{"rewrite":true}"#,
            "/launch",
            &format!("{} recorded https://acme.com/", plain("200 frame https://acme.com/?pimms_id=ID")),
        ),
        (
            "cloaked, for bots with a preview",
            r#""n":"T","o":{"rewrite":true,"proxy":true}"#,
            "/launch | ua=facebook",
            "200 \"T\" +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
        (
            "cloaked comes before targeting",
            r#""o":{"rewrite":true,"ios":"https://ios.com/"}"#,
            "/launch | ua=iphone",
            &format!("{} recorded https://acme.com/", plain("200 frame https://acme.com/?pimms_id=ID")),
        ),
        (
            "cloaked script",
            r#""u":"javascript:alert(1)","o":{"rewrite":true}"#,
            "/launch",
            "ask domain: no link",
        ),
        (
            "a root that leads nowhere",
            r#""k":"_root","u":"""#,
            "/",
            "200 \"go.acme.com\" +pimms_id__root@/ +pimms_anonymous_id@/ recorded ",
        ),
        (
            "mail",
            r#""u":"mailto:ada@acme.com?subject=a+b""#,
            "/launch",
            "200 refresh mailto:ada@acme.com?subject=a%20b then mailto:ada@acme.com?subject=a%20b +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded mailto:ada@acme.com?subject=a+b",
        ),
        (
            "telephone",
            r#""u":"tel:+33123""#,
            "/launch?utm_source=x",
            "200 refresh tel:+33123 then tel:+33123 +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded tel:+33123",
        ),
        (
            "Telegram",
            r#""u":"tg://resolve?domain=acme""#,
            "/launch",
            "200 refresh tg://resolve?domain=acme then tg://resolve?domain=acme +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded tg://resolve?domain=acme",
        ),
        (
            "an indexable one is a redirect",
            r#""u":"sms:+33123","o":{"doIndex":true}"#,
            "/launch",
            "302 sms:+33123 shown +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded sms:+33123",
        ),
        (
            "thank you: no click",
            r#""k":"a/thankyou""#,
            "/a/thankyou",
            "302 https://acme.com/?pimms_redirected=1 +pimms_id_a/thankyou@/a/thankyou +pimms_id@acme.com/ +pimms_anonymous_id@/",
        ),
        (
            "thank you: onwards",
            r#""k":"a/thankyou""#,
            "/a/ThankYou?pimms_redirect=https://shop.acme.com/done",
            "302 https://shop.acme.com/done?pimms_redirected=1 +pimms_id_a/thankyou@/a/ThankYou +pimms_id@acme.com/ +pimms_anonymous_id@/",
        ),
        (
            "only at the end of a longer key",
            r#""k":"thankyou""#,
            "/thankyou",
            "302 https://acme.com/?pimms_id=ID +pimms_id_thankyou@/thankyou +pimms_id@acme.com/ +pimms_anonymous_id@/ recorded https://acme.com/",
        ),
    ]);
}

#[test]
fn targeting() {
    let to = |url: &str| {
        format!("302 {url}?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded {url}")
    };
    let all = r#""o":{"ios":"https://ios.com/","android":"https://android.com/","geo":{"FR":"https://fr.com/","US":"https://us.com/"}}"#;
    let rule = |conditions: &str| {
        format!(r#""o":{{"rules":[{{"conditions":[{conditions}],"url":"https://rule.com/"}}]}}"#)
    };
    for (what, over, request, expected) in [
        ("iPhone", all.to_owned(), "/launch | ua=iphone", to("https://ios.com/")),
        ("iPad", all.to_owned(), "/launch | ua=ipad", to("https://ios.com/")),
        ("Android", all.to_owned(), "/launch | ua=pixel", to("https://android.com/")),
        ("Android in an app", all.to_owned(), "/launch | ua=instagram-android", to("https://android.com/")),
        ("device before country", all.to_owned(), "/launch | ua=iphone | country=FR", to("https://ios.com/")),
        ("country", all.to_owned(), "/launch | country=FR", to("https://fr.com/")),
        ("another country", all.to_owned(), "/launch | country=US", to("https://us.com/")),
        ("no entry", all.to_owned(), "/launch | country=DE", PLAIN.to_owned()),
        ("country unknown", all.to_owned(), "/launch | country=", PLAIN.to_owned()),
        ("bots by country too", all.to_owned(), "/launch | ua=googlebot | country=FR", to("https://fr.com/")),
        ("a target that is none", r#""o":{"geo":{"FR":"javascript:alert(1)"}}"#.to_owned(), "/launch | country=FR", PLAIN.to_owned()),
        ("language", rule(r#"{"language":"fr"}"#), "/launch | language=fr-CA,en", to("https://rule.com/")),
        ("another language", rule(r#"{"language":"fr"}"#), "/launch | language=de", PLAIN.to_owned()),
        ("a refused language", rule(r#"{"language":"fr"}"#), "/launch | language=fr;q=0,de", PLAIN.to_owned()),
        ("query", rule(r#"{"query":{"name":"vip","value":"1"}}"#), "/launch?vip=1", "302 https://rule.com/?pimms_id=ID&vip=1 +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://rule.com/".to_owned()),
        ("another value", rule(r#"{"query":{"name":"vip","value":"1"}}"#), "/launch?vip=2", plain("302 https://acme.com/?pimms_id=ID&vip=2") + " recorded https://acme.com/"),
        ("any value", rule(r#"{"query":{"name":"vip"}}"#), "/launch?vip", "302 https://rule.com/?pimms_id=ID&vip= +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://rule.com/".to_owned()),
        ("from a day on", rule(&format!(r#"{{"after":{NOW}}}"#)), "/launch", to("https://rule.com/")),
        ("not yet", rule(&format!(r#"{{"after":{}}}"#, NOW + 1)), "/launch", PLAIN.to_owned()),
        ("until a day", rule(&format!(r#"{{"before":{}}}"#, NOW + 1)), "/launch", to("https://rule.com/")),
        ("no longer", rule(&format!(r#"{{"before":{NOW}}}"#)), "/launch", PLAIN.to_owned()),
        ("a window", rule(&format!(r#"{{"after":{}}},{{"before":{}}}"#, NOW - 1, NOW + 1)), "/launch", to("https://rule.com/")),
        ("browser", rule(r#"{"browser":"firefox"}"#), "/launch | ua=firefox", to("https://rule.com/")),
        ("another browser", rule(r#"{"browser":"firefox"}"#), "/launch", PLAIN.to_owned()),
        ("device", rule(r#"{"device":"tablet"}"#), "/launch | ua=ipad", to("https://rule.com/")),
        ("all of them", rule(r#"{"device":"mobile"},{"country":"FR"}"#), "/launch | ua=pixel | country=FR", to("https://rule.com/")),
        ("not all of them", rule(r#"{"device":"mobile"},{"country":"FR"}"#), "/launch | ua=pixel | country=US", PLAIN.to_owned()),
        ("no condition never holds", rule(""), "/launch", PLAIN.to_owned()),
    ] {
        assert_eq!(answer(&over, request), expected, "{what}: {over} {request}");
    }
}

#[test]
fn variants() {
    let until = NOW + 1;
    let test = format!(
        r#""o":{{"testVariants":[{{"url":"https://acme.com/a","percentage":50}},{{"url":"https://acme.com/b","percentage":50}}],"testCompletedAt":{until}}}"#
    );
    let to = |path: &str, n: u8| {
        format!(
            "302 https://acme.com/{path}?pimms_id=ID +pimms_id_launch@/launch +pimms_id@acme.com/ +pimms_anonymous_id@/ +pimms_test_launch@/launch recorded https://acme.com/{path} variant {n}"
        )
    };
    let over = test.replace(&until.to_string(), &NOW.to_string());
    for (what, over, request, expected) in [
        ("the first", test.as_str(), "/launch | chance=0", to("a", 1)),
        ("the second", test.as_str(), "/launch | chance=6", to("b", 2)),
        (
            "it goes before the link's own country",
            test.as_str(),
            "/launch | chance=0 | country=FR",
            to("a", 1),
        ),
        ("over", over.as_str(), "/launch", PLAIN.to_owned()),
        (
            "a made-up choice is none",
            test.as_str(),
            "/launch | chance=0 | cookie=pimms_test_go.acme.com_launch=https://evil.com",
            to("a", 1),
        ),
    ] {
        assert_eq!(answer(over, request), expected, "{what}");
    }
    let kept = |chance: u8| {
        let link = link(&test);
        let first = Asked::parse("/launch | chance=0");
        let keys = secrets();
        let wanted = key::of_path("/launch").unwrap();
        let Decision::Answer(outcome) =
            redirect::decide(&link, &wanted, &first.facts(""), &keys, Lock::Closed)
        else {
            panic!("a redirect")
        };
        let cookie = outcome.cookies.iter().find(|cookie| cookie.starts_with("pimms_test")).unwrap();
        let pair = cookie.split(';').next().unwrap();
        answer(&test, &format!("/launch | chance={chance} | cookie={pair}"))
    };
    for chance in [0, 6, 120, 255] {
        assert!(kept(chance).starts_with("302 https://acme.com/a?"), "{chance}");
    }
}

#[test]
fn leaving_apps() {
    let new = PLAIN_NEW;
    let rest = format!("{new} recorded https://acme.com/");
    check(&[
        (
            "Instagram on iOS",
            "",
            "/launch | ua=instagram",
            &format!(
                "200 refresh x-safari-https://acme.com/?pimms_id=ID then https://acme.com/?pimms_id=ID{rest}"
            ),
        ),
        ("Instagram on Android", "", "/launch | ua=instagram-android", PLAIN),
        ("Safari", "", "/launch | ua=iphone", PLAIN),
        (
            "Safari from X",
            "",
            "/launch | ua=iphone | referer=https://t.co/abc",
            &format!(
                "200 refresh x-safari-https://acme.com/?pimms_id=ID then https://acme.com/?pimms_id=ID{rest}"
            ),
        ),
        (
            "an indexable link",
            r#""o":{"doIndex":true}"#,
            "/launch | ua=instagram",
            &format!("302 https://acme.com/?pimms_id=ID shown{rest}"),
        ),
        (
            "to X, through the link itself",
            r#""u":"https://x.com/ada""#,
            "/launch | ua=instagram",
            "200 refresh x-safari-https://go.acme.com/launch?universal=true then https://x.com/ada?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://x.com/ada",
        ),
        (
            "once is enough",
            r#""u":"https://x.com/ada""#,
            "/launch?universal=true | ua=instagram",
            "200 refresh https://x.com/ada?pimms_id=ID&universal=true then https://x.com/ada?pimms_id=ID&universal=true +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://x.com/ada",
        ),
        (
            "Substack opens in its app",
            r#""u":"https://ada.substack.com/p/x""#,
            "/launch",
            "302 https://open.substack.com/pub/ada/p/x?pimms_id=ID +pimms_id_launch@/launch +pimms_anonymous_id@/ recorded https://open.substack.com/pub/ada/p/x",
        ),
        (
            "a target for iOS is handed on too",
            r#""o":{"ios":"https://acme.com/ios"}"#,
            "/launch | ua=instagram",
            &format!(
                "200 refresh x-safari-https://acme.com/ios?pimms_id=ID then https://acme.com/ios?pimms_id=ID{new} recorded https://acme.com/ios"
            ),
        ),
    ]);
}

#[test]
fn answers_without_a_link() {
    let domain = |not_found: Option<&str>, expired: Option<&str>| DomainRecord {
        slug: "go.acme.com".to_owned(),
        not_found_url: not_found.map(str::to_owned),
        expired_url: expired.map(str::to_owned),
        ..DomainRecord::default()
    };
    let home = domain(Some("https://acme.com/404?x=1"), Some("https://acme.com/over"));
    for (what, missing, record, request, expected) in [
        ("unknown", Missing::Link, None, "/x", "404 \"This link does not exist\""),
        ("unknown, in French", Missing::Link, None, "/x | language=fr", "404 \"Ce lien n’existe pas\""),
        ("unknown, with an address", Missing::Link, Some(&home), "/x?a=1", "302 https://acme.com/404?x=1"),
        ("expired", Missing::Time, None, "/x", "410 \"This link has expired\""),
        ("expired, in French", Missing::Time, None, "/x | language=fr", "410 \"Ce lien a expiré\""),
        ("expired, with an address", Missing::Time, Some(&home), "/x", "307 https://acme.com/over"),
        (
            "an address that leads here",
            Missing::Link,
            Some(&domain(Some("https://go.acme.com/x?y=1"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        (
            "another page of the domain",
            Missing::Link,
            Some(&domain(Some("https://go.acme.com/home"), None)),
            "/x",
            "302 https://go.acme.com/home",
        ),
        (
            "a script",
            Missing::Link,
            Some(&domain(Some("javascript:alert(1)"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        (
            "an app",
            Missing::Link,
            Some(&domain(Some("tel:1"), None)),
            "/x",
            "404 \"This link does not exist\"",
        ),
        ("nothing set", Missing::Time, Some(&domain(None, None)), "/x", "410 \"This link has expired\""),
    ] {
        let asked = Asked::parse(request);
        assert_eq!(
            summary(&redirect::without_link(missing, record, &asked.facts("")), ""),
            expected,
            "{what}"
        );
    }
    assert_eq!(summary(&redirect::unavailable("en"), ""), "503 \"This link cannot be opened right now\"");
    assert_eq!(summary(&redirect::unsupported(), ""), "302 /?pimms-no-track=1");
}

#[test]
fn posted_passwords() {
    use redirect::Given;
    let link = link(&format!(r#""o":{{{PASSWORD}}}"#));
    let asked = Asked::parse("//evil.com/launch?a=1");
    let post = |given| redirect::password_answer(&link, &asked.facts(""), &secrets(), given);
    let right = post(Given::Right);
    assert_eq!(
        (right.status, right.location.as_deref()),
        (303, Some("/launch?a=1")),
        "never to another host"
    );
    assert_eq!(right.cookies.len(), 1);
    assert!(right.cookies[0].starts_with(&format!("pimms_password_{LINK_ID}=")));
    assert!(right.cookies[0].ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{}", right.cookies[0]);
    assert_eq!(summary(&post(Given::Wrong), ""), "403 \"This link is protected\"");
    let paused = post(Given::TooMany);
    assert_eq!((paused.status, paused.retry_after_s), (429, Some(900)));
}

#[test]
fn without_secrets_a_link_still_redirects() {
    let asked = Asked::parse("/launch");
    let wanted = key::of_path("/launch").unwrap();
    let none = Secrets::default();
    let Decision::Answer(outcome) =
        redirect::decide(&link(""), &wanted, &asked.facts(""), &none, Lock::Closed)
    else {
        panic!("a redirect")
    };
    assert_eq!(summary(&outcome, ""), "302 https://acme.com/ +pimms_anonymous_id@/");
}

#[test]
fn limited_clicks_are_admitted_first() {
    let asked = Asked::parse("/launch");
    let wanted = key::of_path("/launch").unwrap();
    let limited = link(r#""o":{"maxClicks":3}"#);
    let Decision::Answer(outcome) =
        redirect::decide(&limited, &wanted, &asked.facts(""), &secrets(), Lock::Closed)
    else {
        panic!("a redirect")
    };
    assert_eq!(outcome.max_clicks, Some(3));
    assert_eq!(redirect::spent(&limited), Decision::AskDomain(Missing::Time));
    let elsewhere = link(r#""o":{"maxClicks":3,"expiredUrl":"https://acme.com/over"}"#);
    let Decision::Answer(outcome) = redirect::spent(&elsewhere) else { panic!("a redirect") };
    assert_eq!(summary(&outcome, ""), "302 https://acme.com/over");
}
