//! Short links as browsers meet them: addresses, cookies, pages, and which visits are clicks.

use std::collections::HashSet;

use pimms_cli::http_client::{Answer, Request};
use serde_json::{Value, json};

use crate::shared;
use crate::support::Workspace;

pub const CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1";

/// A visit of one of the workspace's links, as a browser sends it.
fn visit<'a>(of: &Workspace, method: &str, path: &str) -> Request<'a> {
    let request = shared().client().request(method, path).header("x-pimms-host", &of.domain);
    request.cf(json!({"country": "US", "city": "Boston", "colo": "BOS"}))
}

pub fn get(of: &Workspace, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = visit(of, "GET", path);
    if !headers.iter().any(|(name, _)| *name == "user-agent") {
        request = request.header("user-agent", CHROME);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().unwrap()
}

pub fn location(answer: &Answer) -> &str {
    assert!(answer.header("location").is_some(), "{}: {}", answer.status, answer.text());
    answer.header("location").unwrap()
}

pub fn click_id(answer: &Answer) -> String {
    location(answer).split_once("pimms_id=").unwrap().1[..44].to_owned()
}

/// The cookies of an answer as the browser sends them back.
pub fn cookies(answer: &Answer) -> String {
    answer.all_headers("set-cookie").map(|c| c.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

fn make(of: &Workspace, body: &Value) -> String {
    of.post("/links", body)["id"].as_str().unwrap().to_owned()
}

fn clicks(of: &Workspace, id: &str, count: i64) {
    of.settles(&format!("/links/{id}"), |link| link["clicks"] == count);
}

#[test]
fn a_click_goes_to_its_destination_and_is_counted_once() {
    let acme = Workspace::new("redirect-click");
    let id = make(&acme, &json!({"url": "https://shop.example/pricing?plan=pro#top", "key": "launch"}));
    let first = get(&acme, "/Launch?utm_source=news&pimms_id=EVIL", &[]);
    let ours = click_id(&first);
    assert_eq!(first.status, 302);
    assert_eq!(
        location(&first),
        format!("https://shop.example/pricing?plan=pro&pimms_id={ours}&utm_source=news#top")
    );
    assert_eq!(first.header("cache-control"), Some("private, no-store"));
    assert_eq!(first.header("x-powered-by"), Some("pimms-edge"));
    assert_eq!(first.header("x-robots-tag"), Some("googlebot: noindex"));
    assert!(first.body.is_empty());
    clicks(&acme, &id, 1);

    let again = get(&acme, "/launch", &[("cookie", &cookies(&first))]);
    assert_eq!(click_id(&again), ours, "the click of this hour");
    assert_eq!(again.all_headers("set-cookie").count(), 0, "nothing new to keep");
    let stranger = get(&acme, "/launch", &[("user-agent", IPHONE)]);
    assert_ne!(click_id(&stranger), ours);
    clicks(&acme, &id, 2);
}

#[test]
fn nobody_is_handed_anothers_click() {
    let acme = Workspace::new("redirect-strangers");
    let id = make(&acme, &json!({"url": "https://shop.example/", "key": "x"}));
    let one = get(&acme, "/x", &[]);
    let other = get(&acme, "/x", &[]);
    assert_ne!(click_id(&one), click_id(&other), "same address, same browser, still two people");
    // The one who keeps cookies is known by them, not by the address.
    let known = get(&acme, "/x", &[("cookie", "pimms_anonymous_id=anon_aB3dE5fG7hI9jK1l")]);
    assert!(!cookies(&known).contains("pimms_anonymous_id"));
    let forged = format!("pimms_id_{}_x={}", acme.domain, "a".repeat(44));
    let (head, tail) = (&click_id(&one)[..20], &click_id(&one)[21..]);
    let other = if click_id(&one).as_bytes()[20] == b'a' { 'b' } else { 'a' };
    let altered = format!("pimms_id_{}_x={head}{other}{tail}", acme.domain);
    for cookie in [forged, altered] {
        let answer = get(&acme, "/x", &[("cookie", &cookie)]);
        assert!(!cookie.ends_with(&click_id(&answer)), "{cookie}");
    }
    clicks(&acme, &id, 2);
}

#[test]
fn what_is_learned_of_a_link_is_everybodys_own_and_ends_with_a_change() {
    let acme = Workspace::new("redirect-learned");
    let id = make(&acme, &json!({"url": "https://shop.example/a", "key": "again"}));
    let known = "pimms_anonymous_id=anon_aB3dE5fG7hI9jK1l";
    let visitors = ["", "", known, "", known, "", known, ""];
    let visit = |number: usize, cookie: &str, path: &str| {
        get(&acme, path, &[("cookie", cookie), ("user-agent", &format!("{CHROME} number/{number}"))])
    };
    let mut seen = HashSet::new();
    for (number, cookie) in visitors.into_iter().enumerate() {
        let answer = visit(number, cookie, "/again");
        let click = click_id(&answer);
        assert_eq!(location(&answer), format!("https://shop.example/a?pimms_id={click}"));
        let kept: Vec<&str> = answer.all_headers("set-cookie").collect();
        assert_eq!(kept.len(), if cookie.is_empty() { 2 } else { 1 }, "{kept:?}");
        assert!(
            kept[0].starts_with(&format!("pimms_id_{}_again={click}; Path=/again; Expires=", acme.domain))
        );
        let visitor = cookies(&answer).split("pimms_anonymous_id=").nth(1).unwrap_or_default().to_owned();
        assert!(
            seen.insert(click) && (visitor.is_empty() || seen.insert(visitor)),
            "{number}: somebody else's"
        );
        // Back within the hour: the same click.
        let back = get(&acme, "/again", &[("cookie", &cookies(&answer))]);
        assert_eq!(click_id(&back), click_id(&answer));
    }
    // Those without a cookie, and the one who came three times.
    clicks(&acme, &id, 5 + 1);
    let held = visit(20, "", "/again?utm_source=x");
    assert!(location(&held).ends_with("&utm_source=x"), "{}", location(&held));
    acme.patch(&format!("/links/{id}"), &json!({"url": "https://shop.example/b"}));
    assert!(
        location(&visit(21, "", "/again")).starts_with("https://shop.example/b?"),
        "the owner's new address"
    );
    acme.patch(&format!("/links/{id}"), &json!({"ios": "https://shop.example/ios"}));
    let phone = get(&acme, "/again", &[("user-agent", IPHONE)]);
    assert!(location(&phone).starts_with("https://shop.example/ios?"), "{}", location(&phone));
    assert_eq!(acme.call("DELETE", &format!("/links/{id}"), None).0, 200);
    assert_eq!(visit(22, "", "/again").status, 404);
}

#[test]
fn cookies_are_first_party_and_narrow() {
    let acme = Workspace::new("redirect-cookies");
    make(&acme, &json!({"url": "https://unrelated.example/", "key": "été"}));
    let answer = get(&acme, "/%C3%A9t%C3%A9", &[]);
    let own: Vec<&str> = answer.all_headers("set-cookie").collect();
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(own[0].starts_with(&format!("pimms_id_{}_xn--t-9fab=", acme.domain)), "{own:?}");
    assert!(
        own[0].contains("; Path=/%C3%A9t%C3%A9; ") && own[0].ends_with("; HttpOnly; SameSite=Lax"),
        "{own:?}"
    );
    assert!(own[1].starts_with("pimms_anonymous_id=anon_") && own[1].contains("; Path=/; "), "{own:?}");

    // A destination of the same owner gets its own cookie: for 90 days, readable by its script.
    make(&acme, &json!({"url": format!("https://app.{}/welcome", acme.domain), "key": "home"}));
    let answer = get(&acme, "/home", &[]);
    let shared: Vec<&str> = answer.all_headers("set-cookie").filter(|c| c.starts_with("pimms_id=")).collect();
    assert_eq!(shared.len(), 1, "{shared:?}");
    assert!(shared[0].contains(&format!("; Max-Age=7776000; Domain={}; ", acme.domain)), "{shared:?}");
    assert!(!shared[0].contains("HttpOnly") && shared[0].contains(&click_id(&answer)), "{shared:?}");
}

#[test]
fn programs_and_prefetches_are_no_clicks() {
    let acme = Workspace::new("redirect-bots");
    let id = make(&acme, &json!({"url": "https://shop.example/", "key": "x"}));
    for headers in [
        [("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")],
        [("user-agent", "curl/8.5.0")],
        [("sec-purpose", "prefetch;prerender")],
        [("purpose", "prefetch")],
        [("pimms-no-track", "1")],
    ] {
        let answer = get(&acme, "/x", &headers);
        assert_eq!(answer.status, 302, "{headers:?}");
        assert!(location(&answer).starts_with("https://shop.example/"), "{headers:?}");
    }
    assert_eq!(location(&get(&acme, "/x?pimms-no-track=1", &[])), "https://shop.example/");
    let head = visit(&acme, "HEAD", "/x").header("user-agent", CHROME).send().unwrap();
    assert_eq!((head.status, head.body.len()), (302, 0));
    assert_eq!(get(&acme, "/x?bot=1", &[]).status, 302);
    // One real click, stored after them: when it is there, they would be.
    get(&acme, "/x", &[]);
    clicks(&acme, &id, 1);
}

#[test]
fn what_is_no_link_gets_a_page() {
    let acme = Workspace::new("redirect-none");
    make(&acme, &json!({"url": "https://shop.example/", "key": "x"}));
    let page = get(&acme, "/nothing", &[("accept-language", "fr-FR,fr;q=0.9")]);
    assert_eq!((page.status, page.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("<html lang=\"fr\">"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for path in [
        "/%",
        "/%zz",
        "/%FF",
        "/a%00b",
        "/%252525",
        "/a%0d%0ab",
        "/.env",
        "/wrangler.toml",
        "/..%2f",
        "//evil.com",
    ] {
        let answer = get(&acme, path, &[]);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    assert_eq!(visit(&acme, "PUT", "/x").send().unwrap().status, 405);
    assert_eq!(visit(&acme, "POST", "/x").body("password=x").send().unwrap().status, 404);
    let unknown = shared().client().get("/x").header("x-pimms-host", "nobody.example").send().unwrap();
    assert_eq!(unknown.status, 404);
    let www = shared()
        .client()
        .get("/x")
        .header("x-pimms-host", &format!("WWW.{}:443", acme.domain))
        .send()
        .unwrap();
    assert_eq!(www.status, 302, "www. and the port are not part of the domain");
    let scanner = get(&acme, "/wp-login.php", &[]);
    assert_eq!((scanner.status, location(&scanner)), (302, "/?pimms-no-track=1"));
    let robots = get(&acme, "/robots.txt", &[]);
    assert!(robots.text().contains("Sitemap: https://"), "{}", robots.text());
    assert_eq!(get(&acme, "/.well-known/assetlinks.json", &[]).text(), "[]");
    assert_eq!(get(&acme, "/favicon.ico", &[]).status, 404);
    let address = get(&acme, "/https://acme.com/x?y=1", &[]);
    assert_eq!(address.status, 307);
    assert!(location(&address).starts_with("/app/new?link=https%3A%2F%2Facme.com%2Fx%3Fy%3D1&domain="));
}

#[test]
fn countries_and_devices_have_their_own_destinations() {
    let acme = Workspace::new("redirect-targets");
    make(
        &acme,
        &json!({"url": "https://shop.example/", "key": "x", "ios": "https://ios.example/", "geo": {"FR": "https://fr.example/"}}),
    );
    let to = |country: &str, user_agent: &str| {
        let request =
            shared().client().get("/x").header("x-pimms-host", &acme.domain).header("user-agent", user_agent);
        let answer = request.cf(json!({"country": country})).send().unwrap();
        location(&answer).split('?').next().unwrap().to_owned()
    };
    assert_eq!(to("US", CHROME), "https://shop.example/");
    assert_eq!(to("FR", CHROME), "https://fr.example/");
    assert_eq!(to("FR", IPHONE), "https://ios.example/");
    assert_eq!(to("XX", CHROME), "https://shop.example/");
}

#[test]
fn passwords_are_asked_for_checked_and_limited() {
    let acme = Workspace::new("redirect-password");
    make(&acme, &json!({"url": "https://shop.example/", "key": "x", "password": "hunter2é"}));
    let asked = get(&acme, "/x", &[]);
    assert_eq!(asked.status, 200);
    assert!(asked.text().contains("<form method=\"post\">") && !asked.text().contains("shop.example"));
    let post = |password: &str| {
        let form = visit(&acme, "POST", "/x?a=1").header("content-type", "application/x-www-form-urlencoded");
        form.body(format!("password={password}")).send().unwrap()
    };
    let wrong = post("hunter2");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (403, None));
    let right = post("hunter2%C3%A9");
    assert_eq!((right.status, location(&right)), (303, "/x?a=1"));
    assert!(right.header("set-cookie").unwrap().contains("HttpOnly"));
    let opened = get(&acme, "/x?a=1", &[("cookie", &cookies(&right))]);
    assert!(location(&opened).starts_with("https://shop.example/?pimms_id="));
    let by_query = get(&acme, "/x?pw=hunter2%C3%A9", &[]);
    assert!(!location(&by_query).contains("pw="), "{}", location(&by_query));
    // The right ones were taken back, so nine more wrong ones make ten.
    for n in 2..=10 {
        assert_eq!(post("wrong").status, 403, "attempt {n}");
    }
    let paused = post("hunter2%C3%A9");
    assert_eq!((paused.status, paused.header("retry-after")), (429, Some("900")));
    assert_eq!(get(&acme, "/x?pw=hunter2%C3%A9", &[]).status, 429);
    assert_eq!(get(&acme, "/x", &[("cookie", &cookies(&right))]).status, 302, "who knew it needs no attempt");
}

#[test]
fn the_last_click_of_a_limited_link_is_given_once() {
    let acme = Workspace::new("redirect-limit");
    let id = make(&acme, &json!({"url": "https://shop.example/", "key": "x", "maxClicks": 5}));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let visitors: Vec<_> = (0..20)
            .map(|n| {
                let acme = &acme;
                scope.spawn(move || get(acme, "/x", &[("user-agent", &format!("{CHROME} Edg/{n}.0"))]).status)
            })
            .collect();
        visitors.into_iter().map(|visitor| visitor.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 302).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 15, "{statuses:?}");
    clicks(&acme, &id, 5);
    assert_eq!(get(&acme, "/x", &[]).status, 410);
    acme.patch(&format!("/links/{id}"), &json!({"expiredUrl": "https://shop.example/over"}));
    assert_eq!(location(&get(&acme, "/x", &[])), "https://shop.example/over");
}

#[test]
fn a_variant_stays_with_its_visitor() {
    let acme = Workspace::new("redirect-variants");
    let variants = json!([{"url": "https://shop.example/a", "percentage": 50}, {"url": "https://shop.example/b", "percentage": 50}]);
    make(
        &acme,
        &json!({"url": "https://shop.example/", "key": "x", "testVariants": variants, "testCompletedAt": "2099-01-01T00:00:00Z"}),
    );
    let page = |answer: &Answer| location(answer).split('?').next().unwrap().to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let first = get(&acme, "/x", &[]);
        let again = get(&acme, "/x", &[("cookie", &cookies(&first))]);
        assert_eq!(page(&first), page(&again));
        seen.insert(page(&first));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["https://shop.example/a", "https://shop.example/b"]);
}
