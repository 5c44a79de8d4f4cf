//! Clicks that a page or an app reports itself: `POST /track/click`, `/track/visit`, `/track/open`.
//!
//! The caller is a stranger's browser: it names a link, and is believed nothing else. Source: wire contract 3.1 to
//! 3.3, with the corrections A5, A8 to A10, A19 and P12 of its section 11.

use serde_json::Value;

use crate::core::click::Draft;
use crate::core::click_id;
use crate::core::cookies::SetCookie;
use crate::core::final_url::Target;
use crate::core::link::LinkRecord;
use crate::core::problem::Problem;
use crate::core::public_suffix;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Text};
use crate::core::visit::RequestFacts;
use crate::core::visitor::{self, Secrets, Visitor};
use crate::core::{domain, key};

/// How long the click id lives on the merchant's domain, in seconds: 90 days.
const CLICK_COOKIE_S: i64 = 90 * 86_400;
/// How long the visitor's id lives there, in seconds.
const VISITOR_COOKIE_S: i64 = 365 * 86_400;
const MAX_URL: usize = 8192;

/// What reports the click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page opened with a partner's name in its address (`?via=…`).
    Click,
    /// A page opened without any.
    Visit,
    /// An app opened through a link.
    Open,
}

impl Kind {
    /// The trigger that the click is stored with.
    #[must_use]
    pub fn trigger(self) -> &'static str {
        match self {
            Self::Click => "link",
            Self::Visit => "pageview",
            Self::Open => "deeplink",
        }
    }
}

/// A report, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What reports it.
    pub kind: Kind,
    /// The link's domain and key, as looked up; `None`: nothing that can be a link.
    pub link: Option<(String, String)>,
    /// The page, without click ids.
    page: Option<Target>,
    /// Where the visitor came from; `None`: not told.
    pub referrer: Option<String>,
    /// The visitor's id, if it is one of ours by its form.
    visitor: Option<String>,
    /// The click that the browser holds.
    held: Option<String>,
    /// Count the click, and give the visitor no id; `None`: the page does not say.
    is_anonymous: Option<bool>,
    /// The click that the browser holds stays, whatever comes later.
    is_first_click: bool,
}

/// What becomes of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What the page keeps; `None`: nothing.
    pub click_id: Option<String>,
    /// The visit to be stored.
    pub draft: Option<Draft>,
}

impl Report {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 when the link is not named or the page is no address; 422 for fields of a wrong type.
    pub fn read(kind: Kind, body: &Value) -> Result<Self, Problem> {
        let fields = &Fields::root(body)?;
        let text = |name: &str, max: usize| -> Result<Option<String>, Problem> {
            Ok(fields.text(name, Text::up_to(max))?.value().filter(|text| !text.is_empty()))
        };
        let missing = |what: &str| Problem::bad_request(format!("{what} is required."));
        let url = text("url", MAX_URL)?;
        let page = url.as_deref().and_then(Target::parse).filter(|page| !page.is_app());
        let link = match kind {
            Kind::Click => {
                let name = text("domain", MAX_URL)?.ok_or_else(|| missing("domain"))?;
                let key = text("key", MAX_URL)?.ok_or_else(|| missing("key"))?;
                link_of(&name, &key)
            }
            Kind::Visit => {
                let name = text("domain", MAX_URL)?.ok_or_else(|| missing("domain"))?;
                url.ok_or_else(|| missing("url"))?;
                let page =
                    page.as_ref().ok_or_else(|| Problem::bad_request("url is no address of a page."))?;
                link_of(&name, page.path())
            }
            Kind::Open => match text("deepLink", MAX_URL)? {
                Some(opened) => {
                    let opened = Target::parse(&opened)
                        .ok_or_else(|| Problem::invalid("invalid_string", "deepLink", "Invalid url"))?;
                    link_of(opened.host().unwrap_or_default(), opened.path())
                }
                None if text("dubDomain", MAX_URL)?.or(text("domain", MAX_URL)?).is_some() => None,
                None => {
                    let text = "deepLink or domain is required";
                    return Err(Problem::invalid("custom", "deepLink", text));
                }
            },
        };
        Ok(Self {
            kind,
            link,
            page: page.map(Target::without_ids),
            referrer: fields.text("referrer", Text::up_to(MAX_URL))?.value(),
            visitor: text("anonymousId", 200)?.filter(|id| visitor::is_visitor_id(id)),
            held: text("clickId", 200)?.filter(|id| is_click_id(id)),
            is_anonymous: fields.boolean("anonymous")?.value(),
            is_first_click: text("model", 50)?.as_deref() == Some("first-click"),
        })
    }

    /// A report that names no link, only the click that the page was opened with: the answer keeps it.
    ///
    /// # Errors
    /// As [`Report::read`]; 400 when there is no click id.
    pub fn read_held(body: &Value) -> Result<Self, Problem> {
        let mut body = body.clone();
        if let Value::Object(fields) = &mut body {
            fields.insert("domain".into(), "held".into());
            fields.insert("key".into(), key::ROOT.into());
        }
        let report = Self::read(Kind::Click, &body)?;
        if report.held.is_none() {
            return Err(Problem::bad_request("clickId is required."));
        }
        Ok(Self { link: None, ..report })
    }

    /// Whether the visitor is to get no id. A page that says so knows about consent; otherwise the browser's `Sec-GPC`
    /// decides, which is `header`.
    #[must_use]
    pub fn is_anonymous(&self, header: Option<&str>) -> bool {
        self.is_anonymous.unwrap_or_else(|| header.is_some_and(|value| value.trim() == "1"))
    }

    /// The page's query, without its `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        self.page.as_ref().map_or("", Target::query)
    }

    /// The click that the browser holds.
    #[must_use]
    pub fn held(&self) -> Option<&str> {
        self.held.as_deref()
    }

    /// The visit of `link`, and what the page is told. `facts.query` is the page's.
    #[must_use]
    pub fn record(
        &self,
        link: &LinkRecord,
        facts: &RequestFacts<'_>,
        secrets: &Secrets,
        is_anonymous: bool,
    ) -> Recorded {
        let (brought, held) =
            if is_anonymous { (None, None) } else { (self.visitor.as_deref(), self.held.as_deref()) };
        let visitor = Visitor::reported(link, facts, secrets, brought, held);
        let destination = Target::parse(&link.url);
        let page = self.page.as_ref().or(destination.as_ref());
        let draft = visitor.draft(link, page.map_or_else(String::new, |page| page.recorded(facts)));
        let click_id = visitor.click_id().filter(|_| !is_anonymous && !facts.is_untracked());
        Recorded { click_id: click_id.map(str::to_owned), draft }
    }

    /// The cookies of the merchant's own site, when it is that site which is asked: the page's `Origin` says so.
    #[must_use]
    pub fn cookies(
        &self,
        host: &str,
        secure: bool,
        origin: &str,
        click_id: &str,
        now: Millis,
    ) -> Vec<String> {
        let click_id = self.held().filter(|_| self.is_first_click).unwrap_or(click_id);
        let from = Target::parse(origin);
        let from = from.as_ref().and_then(Target::host).unwrap_or_default();
        if from.is_empty() || !public_suffix::is_same_site(host, from) {
            return Vec::new();
        }
        let cookie = SetCookie {
            name: "pimms_id",
            value: click_id,
            path: "/",
            domain: public_suffix::registrable(host),
            max_age_s: Some(CLICK_COOKIE_S),
            http_only: false,
            secure,
        };
        let visitor = self.visitor.as_deref().map(|value| SetCookie {
            name: "pimms_anonymous_id",
            value,
            max_age_s: Some(VISITOR_COOKIE_S),
            ..cookie
        });
        [Some(cookie), visitor].into_iter().flatten().filter_map(|cookie| cookie.to_header(now)).collect()
    }
}

/// Whether the pages of a host may report to a workspace. `allowed`: JSON array of host names, `*.` in front for
/// sub-domains; empty: any.
///
/// The page is told by `Referer`, or by `Origin` when there is none.
#[must_use]
pub fn is_allowed(allowed: &str, referer: &str, origin: &str) -> bool {
    let allowed: Vec<String> = serde_json::from_str(allowed).unwrap_or_default();
    if allowed.is_empty() {
        return true;
    }
    let page = Target::parse(if referer.is_empty() { origin } else { referer });
    let Some(host) = page.as_ref().and_then(Target::host) else { return false };
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    allowed.iter().any(|entry| match entry.strip_prefix("*.") {
        Some(parent) => {
            host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }
        None => bare(host) == bare(entry),
    })
}

/// Whether a link takes reports: not while it leads nowhere.
#[must_use]
pub fn is_open(link: &LinkRecord, now: Millis) -> bool {
    let is_past = |at: Option<Millis>| at.is_some_and(|at| at <= now);
    !link.options.banned && !is_past(link.disabled_at) && !is_past(link.expires_at)
}

fn link_of(name: &str, path: &str) -> Option<(String, String)> {
    let name = domain::of_host(name)?;
    let wanted = key::of_path(path)?;
    (!key::is_unsupported(&wanted.key)).then_some((name, wanted.key))
}

/// The form of a click id, ours or another system's.
fn is_click_id(text: &str) -> bool {
    (8..=click_id::LENGTH.max(64)).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::click_id::Keys;
    use crate::core::ids;
    use crate::core::link::{Options, RECORD_VERSION};
    use crate::core::visit::tests::VISIT;

    fn secrets() -> Secrets {
        Secrets { click_ids: Some(Keys::parse(&format!("1:{}", "k".repeat(32))).unwrap()), unlock: None }
    }

    fn link() -> LinkRecord {
        LinkRecord {
            version: RECORD_VERSION,
            id: ids::object_id("link_", [7; 16]),
            workspace_id: "ws_1".into(),
            domain: "go.acme.com".into(),
            key: "anna".into(),
            url: "https://acme.com/".into(),
            track_conversion: true,
            archived: false,
            expires_at: None,
            disabled_at: None,
            title: None,
            description: None,
            options: Options::default(),
        }
    }

    fn read(kind: Kind, body: &Value) -> Result<Report, String> {
        Report::read(kind, body).map_err(|problem| format!("{:?} {}", problem.code, problem.message))
    }

    #[test]
    fn the_link_is_found_whatever_its_spelling() {
        for (kind, body, domain, key) in [
            (Kind::Click, json!({"domain": "go.acme.com", "key": "anna"}), "go.acme.com", "anna"),
            (Kind::Click, json!({"domain": "WWW.Go.acme.com", "key": "Anna"}), "go.acme.com", "anna"),
            (Kind::Click, json!({"domain": "a.co", "key": "%ED%95%9C"}), "a.co", "xn--6q8b"),
            (
                Kind::Visit,
                json!({"domain": "acme.com", "url": "https://x.io/Pricing/?a"}),
                "acme.com",
                "pricing",
            ),
            (Kind::Visit, json!({"domain": "acme.com", "url": "https://x.io"}), "acme.com", "_root"),
            (Kind::Open, json!({"deepLink": "https://go.acme.com/anna?x=1"}), "go.acme.com", "anna"),
        ] {
            let link = read(kind, &body).unwrap().link;
            assert_eq!(link, Some((domain.to_owned(), key.to_owned())), "{body}");
        }
        for (kind, body) in [
            (Kind::Click, json!({"domain": "a b", "key": "anna"})),
            (Kind::Click, json!({"domain": "a.co", "key": "x.php"})),
            (Kind::Click, json!({"domain": "a.co", "key": "%"})),
            (Kind::Open, json!({"dubDomain": "a.co"})),
        ] {
            assert_eq!(read(kind, &body).unwrap().link, None, "{body}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (kind, body, message) in [
            (Kind::Click, json!({}), "BadRequest domain is required."),
            (Kind::Click, json!({"domain": "a.co"}), "BadRequest key is required."),
            (Kind::Click, json!({"domain": "a.co", "key": ""}), "BadRequest key is required."),
            (Kind::Visit, json!({"domain": "a.co"}), "BadRequest url is required."),
            (Kind::Visit, json!({"domain": "a.co", "url": "::"}), "BadRequest url is no address of a page."),
            (
                Kind::Visit,
                json!({"domain": "a.co", "url": "javascript:1"}),
                "BadRequest url is no address of a page.",
            ),
            (Kind::Open, json!({}), "Unprocessable custom: deepLink: deepLink or domain is required"),
            (Kind::Open, json!({"deepLink": "x"}), "Unprocessable invalid_string: deepLink: Invalid url"),
        ] {
            assert_eq!(read(kind, &body).unwrap_err(), message, "{body}");
        }
        assert!(
            read(Kind::Click, &json!({"domain": 1, "key": "x"})).unwrap_err().starts_with("Unprocessable")
        );
        assert!(read(Kind::Click, &json!([])).is_err());
    }

    #[test]
    fn a_visitor_keeps_id_and_click_and_gives_no_false_ones() {
        let (link, secrets) = (link(), secrets());
        let visitor = "anon_0123456789abcdef";
        let report = |extra: Value| {
            let mut body = json!({"domain": "go.acme.com", "key": "anna",
                "url": "https://shop.io/p?via=anna&pimms_id=x&utm_source=tw"});
            for (name, value) in extra.as_object().unwrap() {
                body[name.as_str()] = value.clone();
            }
            read(Kind::Click, &body).unwrap()
        };
        let query = "via=anna&utm_source=tw";
        let facts = RequestFacts { query, ..VISIT };
        let first = report(json!({"anonymousId": visitor}));
        assert_eq!(first.query(), query);
        let recorded = first.record(&link, &facts, &secrets, false);
        let draft = recorded.draft.unwrap();
        assert_eq!((draft.visitor.as_str(), draft.is_known), (visitor, true));
        assert_eq!(draft.url, "https://shop.io/p?via=anna&utm_source=tw");
        assert_eq!(Some(&draft.id), recorded.click_id.as_ref());
        // The click of before, within the hour: no second one.
        let again = report(json!({"anonymousId": visitor, "clickId": draft.id}))
            .record(&link, &facts, &secrets, false);
        assert_eq!((again.draft, again.click_id), (None, recorded.click_id));
        for forged in ["x".repeat(44), "12345678".to_owned(), "<script>alert(1)".to_owned()] {
            let made = report(json!({"clickId": forged})).record(&link, &facts, &secrets, false);
            assert_ne!(made.click_id, Some(forged));
            assert!(made.draft.is_some_and(|draft| !draft.is_known));
        }
        let odd = report(json!({"anonymousId": "anon_<script>"})).record(&link, &facts, &secrets, false);
        assert!(odd.draft.is_some_and(|draft| !draft.is_known && draft.visitor != "anon_<script>"));
    }

    #[test]
    fn who_wants_no_id_is_counted_and_gets_none() {
        let body = json!({"domain": "go.acme.com", "key": "anna", "anonymousId": "anon_0123456789abcdef"});
        let report = read(Kind::Click, &body).unwrap();
        for (said, header, anonymous) in [
            (None, None, false),
            (None, Some("1"), true),
            (None, Some("0"), false),
            (Some(true), None, true),
            (Some(false), Some("1"), false),
        ] {
            let report = Report { is_anonymous: said, ..report.clone() };
            assert_eq!(report.is_anonymous(header), anonymous, "{said:?} {header:?}");
        }
        let recorded = report.record(&link(), &VISIT, &secrets(), true);
        assert_eq!(recorded.click_id, None);
        assert!(
            recorded.draft.is_some_and(|draft| draft.visitor != "anon_0123456789abcdef" && !draft.is_known)
        );
        let untracked = RequestFacts { query: "pimms-no-track", ..VISIT };
        let recorded = report.record(&link(), &untracked, &secrets(), false);
        assert_eq!(recorded, Recorded { click_id: None, draft: None });
    }

    #[test]
    fn pages_of_other_hosts_are_refused() {
        let some = r#"["acme.com", "*.shop.io", "localhost"]"#;
        for (referer, origin, allowed) in [
            ("https://acme.com/x", "", true),
            ("https://www.acme.com/x", "", true),
            ("", "https://acme.com", true),
            ("https://a.shop.io/", "", true),
            ("https://a.b.shop.io/", "", true),
            ("http://localhost:3000/", "", true),
            ("https://shop.io/", "", false),
            ("https://evilshop.io/", "", false),
            ("https://sub.acme.com/", "", false),
            ("https://evilacme.com/", "", false),
            ("https://acme.com.evil.io/", "", false),
            ("https://evil.io/?acme.com", "https://acme.com", false),
            ("not a url", "", false),
            ("", "null", false),
            ("", "", false),
        ] {
            assert_eq!(is_allowed(some, referer, origin), allowed, "{referer} {origin}");
        }
        assert!(is_allowed("[]", "", "") && is_allowed("", "", ""));
    }

    #[test]
    fn cookies_are_set_on_the_merchants_own_site_only() {
        let body = json!({"clickId": "0123456789abcdef", "anonymousId": "anon_0123456789abcdef"});
        let report = Report::read_held(&body).unwrap();
        assert!(Report::read_held(&json!({"clickId": "<x>"})).is_err());
        let set =
            |host: &str, origin: &str| report.cookies(host, true, origin, "0123456789abcdef", Millis(0));
        let set_on_shop = set("www.shop.co.uk", "https://www.shop.co.uk");
        assert_eq!(set_on_shop.len(), 2);
        assert!(
            set_on_shop[0].starts_with("pimms_id=0123456789abcdef; Path=/; Expires="),
            "{}",
            set_on_shop[0]
        );
        assert!(set_on_shop[0].ends_with("; Max-Age=7776000; Domain=shop.co.uk; Secure; SameSite=Lax"));
        assert!(set_on_shop[1].starts_with("pimms_anonymous_id=anon_"));
        assert!(!set("localhost", "http://localhost:8787")[0].contains("Domain"));
        for (host, origin) in [("shop.com", "https://evil.com"), ("shop.com", "null"), ("shop.com", "")] {
            assert!(set(host, origin).is_empty(), "{origin}");
        }
        // The first click stays.
        let body = json!({"clickId": "0123456789abcdef", "model": "first-click"});
        let first = Report::read_held(&body).unwrap();
        let kept = first.cookies("shop.com", true, "https://shop.com", "another-click-id", Millis(0));
        assert!(kept[0].starts_with("pimms_id=0123456789abcdef; "), "{}", kept[0]);
    }

    #[test]
    fn closed_links_take_no_reports() {
        assert!(is_open(&link(), Millis(5)));
        let past = Some(Millis(5));
        let banned = Options { banned: true, ..Options::default() };
        for closed in [
            LinkRecord { disabled_at: past, ..link() },
            LinkRecord { expires_at: past, ..link() },
            LinkRecord { options: banned, ..link() },
        ] {
            assert!(!is_open(&closed, Millis(5)));
        }
        assert!(is_open(&LinkRecord { expires_at: Some(Millis(6)), ..link() }, Millis(5)));
    }
}
