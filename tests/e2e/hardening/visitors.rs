//! What visitors of short links try: to be sent elsewhere, to choose a click id, to break a header, to read files.

use serde_json::json;
use url::Url;

use super::operations::{encoded, is_civil};
use super::raw;
use crate::redirect::{CHROME, click_id, get, location};
use crate::shared;
use crate::support::Workspace;

const ELSEWHERE: [&str; 14] = [
    "https://evil.example/",
    "//evil.example/",
    "https:evil.example",
    r"\\evil.example",
    r"/\evil.example",
    "https://shop.example@evil.example/",
    "https://shop.example.evil.example/",
    "https://evil.example#.shop.example/",
    "https://evil.example?.shop.example/",
    "https://evil.example\\.shop.example/",
    "javascript:alert(1)//shop.example",
    "\tjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://shop.example:8443/",
];

#[test]
fn no_parameter_of_a_visitor_names_a_host() {
    let acme = Workspace::new("open-redirect");
    acme.post("/links", &json!({"url": "https://shop.example/x", "key": "x"}));
    for name in ["redir_url", "url", "next", "redirect", "redirect_url", "return", "dest", "pimms_redirect"] {
        for wanted in ELSEWHERE {
            for query in [encoded(wanted), encoded(&encoded(wanted))] {
                let answer = get(&acme, &format!("/x?{name}={query}"), &[]);
                let to = Url::parse(location(&answer)).unwrap();
                let place = (to.scheme(), to.host_str(), to.port(), to.path());
                assert_eq!(place, ("https", Some("shop.example"), None, "/x"), "{name}={wanted}: {to}");
            }
        }
    }
    for path in [
        "//evil.example",
        "//evil.example/%2e%2e",
        "/%5cevil.example",
        "/https://evil.example",
        "/x/../../evil",
    ] {
        let answer = get(&acme, path, &[]);
        is_civil(path, &answer);
        let own = Url::parse(&format!("https://{}/", acme.domain)).unwrap();
        let to = answer.header("location").map_or_else(|| own.clone(), |to| own.join(to).unwrap());
        assert_eq!(to.host_str(), own.host_str(), "{path}: {answer:?}");
    }
}

#[test]
fn a_click_id_is_never_one_that_the_visitor_chose() {
    let (acme, other) = (Workspace::new("chosen-click"), Workspace::new("chosen-other"));
    let (link, _) = acme.clicked("x");
    let (_, foreign) = other.clicked("x");
    let domain = acme.domain.clone();
    for planted in [foreign.as_str(), "x", &"a".repeat(44), &foreign[..43], "<script>alert(1)</script>"] {
        let shown = encoded(planted);
        for query in [
            format!("pimms_id={shown}"),
            format!("pimms_id={shown}&pimms_id={shown}"),
            format!("client_reference_id=pimms_id_{shown}"),
            format!("dub_id={shown}"),
        ] {
            let answer = get(&acme, &format!("/x?{query}"), &[]);
            let given = click_id(&answer);
            assert_ne!(given, planted, "{query}");
            let to = Url::parse(location(&answer)).unwrap();
            let ids: Vec<String> = to
                .query_pairs()
                .filter(|(name, _)| name == "pimms_id")
                .map(|(_, id)| id.into_owned())
                .collect();
            assert_eq!(ids, [given], "{query}: {to}");
        }
        for cookie in [
            format!("pimms_id={shown}"),
            format!("pimms_id_{domain}_x={shown}"),
            format!("pimms_id_x={shown}; pimms_id_x={shown}; pimms_id={shown}"),
            vec![format!("pimms_id_{domain}_x={shown}"); 100].join("; "),
            format!("pimms_id_{domain}_x={}", "a".repeat(6000)),
            format!("pimms_anonymous_id={shown}{}", "b".repeat(3000)),
        ] {
            let answer = get(&acme, "/x", &[("cookie", &cookie)]);
            is_civil("a planted cookie", &answer);
            let short: String = cookie.chars().take(80).collect();
            assert_ne!(click_id(&answer), planted, "{short}");
            let told = format!("{:?}", answer.headers);
            assert!(!told.contains("<script>") && !told.contains("bbbbbbbb"), "{short}: {told}");
        }
    }
    assert_eq!(acme.get(&format!("/links/{link}"))["leads"], 0);
}

#[test]
fn forged_and_foreign_click_ids_bring_no_credit() {
    let (acme, other) = (Workspace::new("forged"), Workspace::new("forged-other"));
    let (link, real) = acme.clicked("x");
    let (_, foreign) = other.clicked("x");
    let swapped: String = real
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let last = if real.ends_with('0') { "1" } else { "0" };
    for (what, id) in [
        ("of another workspace", foreign),
        ("another case", swapped),
        ("another last character", format!("{}{last}", &real[..43])),
        ("one character more", format!("{real}0")),
        ("one character less", real[..43].to_owned()),
        ("the prefix twice", format!("pimms_id_pimms_id_{real}")),
        ("percent-encoded", format!("%{:02X}{}", real.as_bytes()[0], &real[1..])),
        ("random", "k3J9xQ2mB7vL5nR8".to_owned()),
        ("zeroes", "0".repeat(44)),
        ("SQL", "' OR '1'='1".to_owned()),
        ("4,000 characters", real.repeat(90)),
    ] {
        let body = json!({"clickId": id, "eventName": "x", "externalId": format!("forger {what}")});
        let answer = acme.send("POST", "/track/lead", Some(&body));
        is_civil(what, &answer);
        assert!([404, 422].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    }
    let shown = acme.get(&format!("/links/{link}"));
    assert_eq!((&shown["leads"], &shown["sales"]), (&json!(0), &json!(0)), "{shown}");
    assert_eq!(acme.get("/customers/count"), 0);
    let body = json!({"clickId": real, "eventName": "x", "externalId": "honest"});
    assert_eq!(acme.call("POST", "/track/lead", Some(&body)).0, 200, "the next, honest one");
}

/// A request to the workspace's domain, byte by byte.
fn bytes(domain: &str, path: &[u8], headers: &[&[u8]]) -> String {
    let mut request =
        [b"GET ", path, b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-pimms-host: ", domain.as_bytes()]
            .concat();
    request.extend_from_slice(format!("\r\nuser-agent: {CHROME}").as_bytes());
    for header in headers {
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(header);
    }
    request.extend_from_slice(b"\r\n\r\n");
    raw::send(&request)
}

#[test]
fn nothing_of_a_visitor_breaks_a_header() {
    let acme = Workspace::new("header-injection");
    acme.post("/links", &json!({"url": "https://shop.example/", "key": "x"}));
    let injected = "%0d%0aset-cookie:%20evil=1%0d%0ax-evil:%201";
    let paths: [&[u8]; 12] = [
        format!("/x?a={injected}").into_bytes().leak(),
        format!("/x?utm_source={injected}").into_bytes().leak(),
        format!("/{injected}").into_bytes().leak(),
        format!("/x{injected}").into_bytes().leak(),
        b"/x?a=%00",
        b"/%00",
        b"/x?a=%c0%af%ff%fe",
        b"/%c0%ae%c0%ae/etc",
        b"/x?a=\xff\xfe",
        b"/\xc3\xa9",
        b"/x?\xe2\x80\xae=\xe2\x80\xae",
        b"/x?a=%E5%98%8A%E5%98%8Dset-cookie:evil=1",
    ];
    for path in paths {
        let answer = bytes(&acme.domain, path, &[]);
        let what = String::from_utf8_lossy(path).into_owned();
        assert!((200..500).contains(&raw::status(&answer)), "{what}: {answer}");
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(!head.contains("\r\nx-evil") && !head.contains("\r\nset-cookie: evil"), "{what}: {answer}");
        assert!(head.bytes().all(|b| b.is_ascii()), "{what}: a header that is no ASCII: {answer}");
    }
    let languages = format!("accept-language: {}", "fr;q=0.1,".repeat(3000));
    let referer = format!("referer: https://a.example/{}", "x".repeat(9000));
    let odd: [&[u8]; 10] = [
        b"referer: javascript:alert(1)",
        referer.as_bytes(),
        b"referer: \xff\xfe",
        b"x-forwarded-for: 1.2.3.4, <script>, ::::, 999.999.999.999",
        b"cf-connecting-ip: not an address",
        languages.as_bytes(),
        b"accept-language: \xff",
        b"cookie: \xff=\xfe; =; ;;;",
        b"purpose: prefetch",
        b"x-forwarded-host: evil.example\r\nx-forwarded-proto: gopher\r\nforwarded: host=evil.example",
    ];
    for header in odd {
        let answer = bytes(&acme.domain, b"/x", &[header]);
        let what: String = String::from_utf8_lossy(header).chars().take(60).collect();
        assert_eq!(raw::status(&answer), 302, "{what}: {answer}");
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(head.contains("location: https://shop.example/?"), "{what}: {answer}");
        assert!(!head.contains("evil"), "{what}: {answer}");
    }
    assert!(acme.visit("/x").starts_with("https://shop.example/"), "the next request");
}

#[test]
fn hosts_that_nobody_registered_serve_no_link() {
    let acme = Workspace::new("hosts");
    acme.post("/links", &json!({"url": "https://shop.example/", "key": "only-here"}));
    let with = |host: &str| {
        let request = shared().client().get("/only-here").header("x-pimms-host", host);
        request.header("x-forwarded-host", &acme.domain).header("user-agent", CHROME).send().unwrap()
    };
    assert_eq!(with(&acme.domain).status, 302);
    let similar = acme.domain.replacen('h', "һ", 1); // Cyrillic
    for host in
        ["evil.example", "", "..", "[", "a b", "evil.example:99999", "xn--", &"a".repeat(300), &similar]
    {
        if host.is_ascii() && !host.is_empty() {
            let answer = with(host);
            is_civil(host, &answer);
            assert_eq!(answer.status, 404, "{host}: {}", answer.text());
            assert!(!answer.text().contains("evil"), "{host} stands in the page");
        } else {
            let header = format!("x-forwarded-host: {host}");
            let answer = bytes("nobody.example", b"/only-here", &[header.as_bytes()]);
            assert_eq!(raw::status(&answer), 404, "{host}: {answer}");
        }
    }
}

#[test]
fn files_of_the_project_are_nobodys_business() {
    let acme = Workspace::new("files");
    for path in [
        "/.env",
        "/.dev.vars",
        "/.git/config",
        "/.git/HEAD",
        "/wrangler.toml",
        "/Cargo.toml",
        "/package.json",
        "/index_bg.wasm",
        "/index.js",
        "/entry.js",
        "/build/index_bg.wasm",
        "/__scheduled",
        "/.pimms/instance.json",
        "/migrations/0001_init.sql",
        "/app/../.env",
        "/app/%2e%2e/.env",
        "/api/../.env",
        "/analytics/%2e%2e/%2e%2e/.env",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/_pimms/",
        "/_pimms/faults",
        "/server-status",
        "/.well-known/../.env",
        "/.aws/credentials",
        "/debug/pprof",
    ] {
        for host in [acme.domain.as_str(), "localhost"] {
            let answer = raw::send(
                format!(
                    "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-pimms-host: {host}\r\n\r\n"
                )
                .as_bytes(),
            );
            let status = raw::status(&answer);
            assert!([400, 404, 405].contains(&status), "{path} of {host}: {answer}");
            for inside in ["KEYS=", "[core]", "compatibility_date", "root:", "\0asm", "CREATE TABLE"] {
                assert!(!answer.contains(inside), "{path} of {host}: {answer}");
            }
        }
    }
}

#[test]
fn a_key_that_is_not_there_tells_no_more_than_another() {
    let acme = Workspace::new("enumeration");
    let made = acme.post("/links", &json!({"url": "https://shop.example/"}));
    let key = made["key"].as_str().unwrap();
    assert!(key.len() >= 7 && key.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}: random, and not short");
    let page = |key: &str| {
        let answer = get(&acme, &format!("/{key}"), &[]);
        assert_eq!(answer.status, 404, "{key}");
        answer.text().replace(key, "")
    };
    let nothing = page("neverever");
    for key in ["aaaaaaa", "aaaaaab", "zzzzzzz", &key[..key.len() - 1], "archived", "admin"] {
        assert_eq!(page(key), nothing, "{key}");
    }
    // A deleted link is as one that never was.
    acme.call("DELETE", &format!("/links/{}", made["id"].as_str().unwrap()), None);
    assert_eq!(page(key), nothing);
}
