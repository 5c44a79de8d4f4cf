//! Whatever is asked of whatever link: no panic, no 5xx, and nobody is sent where the owner did not choose.
#![expect(clippy::unwrap_used, reason = "a failing step ends the test")]

use std::collections::BTreeMap;

use pimms_edge::core::alike::Alike;
use pimms_edge::core::click::{self, Place, Visit};
use pimms_edge::core::click_id::Keys;
use pimms_edge::core::domain::{self, DomainRecord};
use pimms_edge::core::key::{self, Asked};
use pimms_edge::core::link::{Condition, LinkRecord, Options, RECORD_VERSION, Rule, Variant};
use pimms_edge::core::password::UnlockKey;
use pimms_edge::core::public_suffix;
use pimms_edge::core::quick;
use pimms_edge::core::redirect::{self, Decision, Lock, Missing, Outcome};
use pimms_edge::core::seal::SealingKey;
use pimms_edge::core::site_files;
use pimms_edge::core::time::Millis;
use pimms_edge::core::visit::RequestFacts;
use pimms_edge::core::visit_line;
use pimms_edge::core::visitor::{Secrets, Visitor};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

/// Any text of up to `most` characters. (A pattern would be parsed anew for every case.)
fn text(most: usize) -> impl Strategy<Value = String> + Clone {
    vec(any::<char>(), 0..=most).prop_map(|chars| chars.into_iter().collect())
}

/// Any visible ASCII.
fn ascii(most: usize) -> impl Strategy<Value = String> + Clone {
    vec(0x20_u8..0x7F, 0..=most).prop_map(|bytes| bytes.into_iter().map(char::from).collect())
}

/// Destinations as owners, importers and attackers may have stored them.
fn destination() -> impl Strategy<Value = String> {
    let known = select(vec![
        "https://acme.com/",
        "https://shop.acme.co.uk/x?y=1#z",
        "https://acme.com/?pimms_client_reference_id=1",
        "https://buy.stripe.com/x",
        "https://calendly.com/x",
        "https://x.com/ada",
        "https://ada.substack.com/p/x",
        "http://localhost:3000/",
        "http://10.0.0.1/",
        "https://bücher.example/ü",
        "https://[::1]:8443/",
        "mailto:a@acme.com?subject=a+b",
        "tel:+331",
        "tg://resolve?domain=x",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>1</script>",
        "file:///etc/passwd",
        "intent://evil.com#Intent;end",
        "//evil.com",
        "https:evil.com",
        "",
    ]);
    prop_oneof![
        6 => known.prop_map(str::to_owned),
        1 => (select(vec!["com", "co.uk", "github.io"]), text(20)).prop_map(|(top, rest)| format!("https://ada.{top}/{rest}")),
        1 => text(40),
    ]
}

fn options() -> impl Strategy<Value = Options> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let condition = prop_oneof![
        select(vec!["fr", "en-US", ""]).prop_map(|tag| Condition::Language(tag.to_owned())),
        Just(Condition::Query { name: "a".to_owned(), value: None }),
        any::<i64>().prop_map(|at| Condition::After(Millis(at))),
        any::<i64>().prop_map(|at| Condition::Before(Millis(at))),
        select(vec!["chrome", "Mobile Safari", "x"]).prop_map(|name| Condition::Browser(name.to_owned())),
        select(vec!["ios", "android", "mobile", "desktop"])
            .prop_map(|name| Condition::Device(name.to_owned())),
        select(vec!["US", "FR", ""]).prop_map(|name| Condition::Country(name.to_owned())),
    ];
    let rule = (vec(condition, 0..3), destination()).prop_map(|(conditions, url)| Rule { conditions, url });
    let variant = (destination(), any::<u8>()).prop_map(|(url, percentage)| Variant { url, percentage });
    let geo = (select(vec!["US", "FR"]), destination()).prop_map(|(country, url)| (country.to_owned(), url));
    let targets =
        (option::of(destination()), option::of(destination()), option::of(destination()), vec(geo, 0..2));
    let tests = (vec(variant, 0..6), option::of(any::<i64>()), option::of(any::<i64>()));
    let rest = (option::weighted(0.1, Just("x".to_owned())), option::of(any::<u32>()), option::of(text(20)));
    (flags, targets, tests, vec(rule, 0..3), rest).prop_map(
        |(
            (proxy, rewrite, do_index, no_inspect, banned),
            (expired_url, ios, android, geo),
            tests,
            rules,
            rest,
        )| Options {
            proxy,
            rewrite,
            do_index,
            no_inspect,
            banned: banned && do_index,
            expired_url,
            ios,
            android,
            geo: geo.into_iter().collect::<BTreeMap<_, _>>(),
            test_variants: tests.0,
            test_started_at: tests.1.map(Millis),
            test_completed_at: tests.2.map(Millis),
            rules,
            password: rest.0,
            max_clicks: rest.1,
            image: rest.2,
            ..Options::default()
        },
    )
}

fn link() -> impl Strategy<Value = LinkRecord> {
    let names = (
        prop_oneof![Just("link_1K9XG2V3M00000000000000001".to_owned()), text(30)],
        select(vec!["go.acme.com", "localhost", "a.github.io"]),
        prop_oneof![
            Just("launch".to_owned()),
            Just("_root".to_owned()),
            Just("a/thankyou".to_owned()),
            vec(select(vec!['a', 'z', '/', '.', '-']), 1..12).prop_map(|chars| chars.into_iter().collect())
        ],
    );
    let times = (option::weighted(0.1, any::<i64>()), option::weighted(0.1, any::<i64>()));
    (names, destination(), any::<bool>(), times, option::of(text(20)), options()).prop_map(
        |((id, domain, key), url, track_conversion, (expires_at, disabled_at), title, options)| LinkRecord {
            version: RECORD_VERSION,
            id,
            workspace_id: "ws_1".to_owned(),
            domain: domain.to_owned(),
            key,
            url,
            track_conversion,
            archived: false,
            expires_at: expires_at.map(Millis),
            disabled_at: disabled_at.map(Millis),
            description: title.clone(),
            title,
            options,
        },
    )
}

/// A request as plain texts, some of them hostile.
#[derive(Debug, Clone)]
struct Request {
    texts: [String; 8],
    method: &'static str,
    host: &'static str,
    now: i64,
    chance: [u8; 40],
    flags: [bool; 2],
}

impl Request {
    fn facts(&self) -> RequestFacts<'_> {
        let [path, query, user_agent, referer, cookie, accept_language, purpose, country] = &self.texts;
        RequestFacts {
            method: self.method,
            secure: self.flags[0],
            host: self.host,
            authority: self.host,
            path,
            query,
            now: Millis(self.now),
            ip: "203.0.113.9",
            country,
            user_agent,
            referer,
            cookie,
            accept_language,
            purpose,
            no_track: self.flags[1],
            chance: self.chance,
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let path = prop_oneof![
        Just("/launch".to_owned()),
        Just("/launch+".to_owned()),
        Just("//evil.com".to_owned()),
        Just("/%0d%0aset-cookie:x".to_owned()),
        ascii(30).prop_map(|rest| format!("/{rest}")),
        text(30),
    ];
    let evil = select(vec![
        "redir_url=https://evil.com",
        "redir_url=//evil.com",
        "redir_url=https:evil.com",
        "redir_url=%5C%5Cevil.com",
        "redir_url=https://acme.com@evil.com",
        "redir_url=https://evil.com%23.acme.com",
        "redir_url=javascript:alert(1)",
        "redir_url=https://www.acme.com/other",
        "pimms_redirect=https://evil.com",
        "pimms_id=EVIL&client_reference_id=EVIL",
        "universal=true&qr=1&bot=1",
        "a=%0d%0aset-cookie:x&b=%FF%00",
        "pimms-no-track=1",
        "pw=x",
    ]);
    let query = prop_oneof![
        Just(String::new()),
        vec(evil, 1..4).prop_map(|parts| parts.join("&")),
        ascii(60),
        text(40),
    ];
    let user_agent = prop_oneof![
        select(vec![
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 329",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) Version/17.4.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; U; Android; en-us; wv) AppleWebKit/533.1 (KHTML, like Gecko) Mobile",
            "Mozilla/5.0 (Mobile; Nokia; rv:48.0) Gecko/48.0 KAIOS/2.5",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
            "facebookexternalhit/1.1",
        ])
        .prop_map(str::to_owned),
        text(30),
    ];
    let cookie = prop_oneof![
        Just(String::new()),
        Just(
            "pimms_id_go.acme.com_launch=EVIL; pimms_anonymous_id=EVIL; pimms_test_go.acme.com_launch=EVIL"
                .to_owned()
        ),
        (ascii(50), ascii(50))
            .prop_map(|(a, b)| format!("pimms_id_go.acme.com_launch={a}; pimms_anonymous_id=anon_{b}")),
        text(40),
    ];
    let texts = (
        path,
        query,
        user_agent,
        prop_oneof![Just(String::new()), Just("https://t.co/x".to_owned()), text(20)],
        cookie,
        prop_oneof![Just("fr".to_owned()), text(20)],
        prop_oneof![4 => Just(String::new()), 1 => text(20)],
        prop_oneof![Just("US".to_owned()), Just("FR".to_owned()), text(20)],
    )
        .prop_map(<[String; 8]>::from);
    let now = prop_oneof![4 => Just(1_763_000_000_000_i64), 1 => any::<i64>()];
    let host = select(vec!["go.acme.com", "localhost", "a.github.io", "[::1]"]);
    (
        texts,
        select(vec!["GET", "HEAD", "POST"]),
        host,
        now,
        any::<[u8; 32]>(),
        any::<[u8; 8]>(),
        any::<[bool; 2]>(),
    )
        .prop_map(|(texts, method, host, now, chance, more, flags)| {
            let chance = [chance.as_slice(), &more].concat().try_into().unwrap();
            Request { texts, method, host, now, chance, flags }
        })
}

fn secrets() -> Secrets {
    Secrets {
        click_ids: Some(Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()),
        unlock: Some(UnlockKey::of(&SealingKey::parse(&"ab".repeat(32)).unwrap())),
    }
}

/// Every destination that the owner of the link chose.
fn chosen(link: &LinkRecord) -> Vec<Url> {
    let options = &link.options;
    let texts =
        [Some(&link.url), options.expired_url.as_ref(), options.ios.as_ref(), options.android.as_ref()];
    let texts = texts.into_iter().flatten().chain(options.geo.values());
    let texts = texts.chain(options.test_variants.iter().map(|variant| &variant.url));
    let texts = texts.chain(options.rules.iter().map(|rule| &rule.url));
    texts.filter_map(|text| Url::parse(text).ok()).collect()
}

/// Whether an address that the visitor is sent to is one of those, or the short link itself.
fn is_chosen(address: &str, link: &LinkRecord, facts: &RequestFacts<'_>) -> bool {
    // Addresses that open a browser from an app carry the web address after their own scheme.
    let address = address.strip_prefix("x-safari-").unwrap_or(address);
    let address = match address.strip_prefix("googlechrome://").or_else(|| address.strip_prefix("intent://"))
    {
        Some(rest) => format!("https://{}", rest.split("#Intent").next().unwrap()),
        None => address.to_owned(),
    };
    if address.starts_with('/') {
        return !address.starts_with("//") && !address.starts_with("/\\");
    }
    let Ok(url) = Url::parse(&address) else { return false };
    let host = url.host_str().unwrap_or_default();
    let is_web = matches!(url.scheme(), "http" | "https");
    if is_web && host == facts.host {
        return true;
    }
    let apps = ["mailto", "sms", "tel", "tg", "whatsapp", "xmpp"];
    chosen(link).iter().any(|wanted| {
        let wanted_host = wanted.host_str().unwrap_or_default();
        let bare = wanted_host.strip_prefix("www.").unwrap_or(wanted_host);
        let is_substack = wanted_host.ends_with(".substack.com") && host == "open.substack.com";
        if is_web {
            matches!(wanted.scheme(), "http" | "https")
                && (public_suffix::is_same_site(host, wanted_host) || host == bare || is_substack)
        } else {
            apps.contains(&url.scheme()) && wanted.scheme() == url.scheme() && wanted.path() == url.path()
        }
    })
}

/// Every address in an answer that a browser would follow, by itself or by a click.
fn addresses(outcome: &Outcome) -> Vec<String> {
    let mut found: Vec<String> = outcome.location.iter().cloned().collect();
    if let Some(page) = &outcome.page {
        for before in ["content=\"0;url=", "<iframe src=\"", "href=\""] {
            for rest in page.html.split(before).skip(1) {
                let text = rest.split('"').next().unwrap();
                let text = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<");
                found.push(text.replace("&gt;", ">").replace("&amp;", "&"));
            }
        }
    }
    found
}

fn is_header_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn check(outcome: &Outcome, link: &LinkRecord, facts: &RequestFacts<'_>) -> Result<(), TestCaseError> {
    prop_assert!(outcome.status < 500, "{}", outcome.status);
    prop_assert!(outcome.location.is_some() != outcome.page.is_some());
    for address in addresses(outcome) {
        prop_assert!(is_chosen(&address, link, facts), "sent to {address}");
    }
    for text in outcome.cookies.iter().chain(&outcome.location) {
        prop_assert!(is_header_safe(text), "{text:?}");
    }
    if let Some(page) = &outcome.page {
        prop_assert!(!page.html.contains("<script>alert") && is_header_safe(&page.policy));
        prop_assert!(page.html.matches("<script").count() <= 1);
    }
    if let Some(location) = &outcome.location {
        prop_assert!(!location.contains("EVIL"), "a visitor's id in {location}");
    }
    if let Some(draft) = &outcome.visit {
        prop_assert!(!facts.is_untracked());
        prop_assert!(
            outcome.location.as_deref() != Some(draft.url.as_str()) || !draft.url.contains(&draft.id)
        );
        let visit = Visit::new(draft.clone(), facts, Place::default());
        let text = serde_json::to_string(&visit).unwrap();
        prop_assert_eq!(Visit::from_text(&text), Ok(visit.clone()));
        let mut by_hand = String::new();
        visit_line::write(&mut by_hand, &visit);
        prop_assert_eq!(by_hand, text);
        let rows = click::rows(vec![visit.clone(), visit]);
        prop_assert_eq!(rows.len(), 1);
    }
    Ok(())
}

/// Options of which one is as it was at most: of links with many there is nothing to learn.
fn with_one(options: &Options, kept: usize) -> Options {
    let plain = Options { do_index: options.do_index, banned: options.banned, ..Options::default() };
    let all = options.clone();
    match kept {
        0 => Options { proxy: all.proxy, ..plain },
        1 => Options { rewrite: all.rewrite, ..plain },
        2 => Options { ios: all.ios, ..plain },
        3 => Options { android: all.android, ..plain },
        4 => Options { geo: all.geo, ..plain },
        5 => Options { test_variants: all.test_variants, test_completed_at: Some(Millis(i64::MAX)), ..plain },
        6 => Options { rules: all.rules, ..plain },
        7 => Options { max_clicks: all.max_clicks, ..plain },
        8 => Options { expired_url: all.expired_url, ..plain },
        9 => Options { password: all.password, ..plain },
        10 => all,
        _ => plain,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_breaks_or_steers_a_redirect(link in link(), request in request(), unlocked: bool, inspect: bool) {
        let facts = request.facts();
        let asked = Asked { key: link.key.clone(), inspect };
        let lock = if unlocked { Lock::Opened } else { Lock::Closed };
        match redirect::decide(&link, &asked, &facts, &secrets(), lock) {
            Decision::Answer(outcome) => check(&outcome, &link, &facts)?,
            Decision::AskDomain(missing) => {
                let outcome = redirect::without_link(missing, None, &facts);
                prop_assert!(matches!(outcome.status, 404 | 410) && outcome.location.is_none());
            }
        }
        if let Decision::Answer(outcome) = redirect::spent(&link) {
            check(&outcome, &link, &facts)?;
        }
        for given in [redirect::Given::Right, redirect::Given::Wrong, redirect::Given::TooMany] {
            let outcome = redirect::password_answer(&link, &facts, &secrets(), given);
            prop_assert!(outcome.status < 500);
            for address in addresses(&outcome) {
                prop_assert!(is_chosen(&address, &link, &facts), "{address}");
                prop_assert!(outcome.page.is_some() || is_header_safe(&address));
            }
        }
    }

    /// What one answer teaches of a link is what would be decided for everybody who asks for the same.
    #[test]
    fn what_is_learned_from_one_visitor_is_what_the_next_would_get(
        link in link(), kept in 0..20_usize, first in request(), others in vec(request(), 1..4)
    ) {
        let link = LinkRecord { options: with_one(&link.options, kept), ..link };
        let asked = Asked { key: link.key.clone(), inspect: false };
        // Only such requests go the short way.
        let first = Request { method: "GET", flags: [first.flags[0], false], ..first };
        let facts = RequestFacts { purpose: "", ..first.facts() };
        let Decision::Answer(outcome) = redirect::decide(&link, &asked, &facts, &secrets(), Lock::Closed) else { return Ok(()) };
        let Some(alike) = Alike::learn(&link, &facts, &outcome) else { return Ok(()) };
        for other in others {
            let facts = RequestFacts {
                method: "GET", purpose: "", no_track: false, secure: facts.secure, host: facts.host,
                authority: facts.authority, path: facts.path, query: facts.query, ..other.facts()
            };
            let visitor = Visitor::of(&link, &facts, &secrets());
            let Some((lines, draft)) = alike.answer(&link, &facts, &visitor) else { continue };
            let Decision::Answer(decided) = redirect::decide(&link, &asked, &facts, &secrets(), Lock::Closed) else {
                return Err(TestCaseError::fail("nothing is decided"));
            };
            prop_assert_eq!(quick::answer(&decided), Some(lines));
            prop_assert_eq!(decided.visit, Some(draft));
        }
    }

    #[test]
    fn no_path_or_host_breaks_the_way_to_a_link(path in text(24), host in text(24), bytes in ascii(40), url in destination()) {
        for path in [path.as_str(), bytes.as_str(), &format!("/{bytes}")] {
            if let Some(asked) = key::of_path(path) {
                prop_assert!(asked.key.len() <= key::MAX_ASCII && is_header_safe(&asked.key));
                // What is looked up is what would be stored.
                if let Ok(stored) = key::parse_new(&asked.key) {
                    prop_assert_eq!(&stored, &asked.key);
                }
            }
            let _ = site_files::of_path(path);
            if let Some(address) = site_files::new_link_address(path, "a=1", "a.com") {
                prop_assert!(address.starts_with("/app/new?link="));
                prop_assert!(is_header_safe(&address));
            }
        }
        if let Some(domain) = domain::of_host(&host) {
            prop_assert!(is_header_safe(&domain));
        }
        let _ = domain::without_port(&host);
        let _ = public_suffix::registrable(&host);
        let record = DomainRecord { not_found_url: Some(url.clone()), expired_url: Some(url), ..DomainRecord::default() };
        let request = RequestFacts { path: &path, host: &host, ..REQUEST };
        for missing in [Missing::Link, Missing::Time] {
            let outcome = redirect::without_link(missing, Some(&record), &request);
            if let Some(location) = &outcome.location {
                prop_assert!(location.starts_with("https://") || location.starts_with("http://"), "{location}");
                prop_assert!(is_header_safe(location));
            }
        }
    }
}

const REQUEST: RequestFacts<'static> = RequestFacts {
    method: "GET",
    secure: true,
    host: "go.acme.com",
    authority: "go.acme.com",
    path: "/",
    query: "",
    now: Millis(1_763_000_000_000),
    ip: "",
    country: "",
    user_agent: "",
    referer: "",
    cookie: "",
    accept_language: "",
    purpose: "",
    no_track: false,
    chance: [0; 40],
};
