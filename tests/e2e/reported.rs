//! What pages and apps report themselves, over HTTP: clicks, visits, opened apps, leads and sales by publishable key.

use std::thread;

use pimms_cli::http_client::Answer;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// A POST as a browser sends it from a page, with more headers.
fn report(path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let mut request = shared().client().post(path).body(body.to_string());
    let has_agent = headers.iter().any(|(name, _)| *name == "user-agent");
    for (name, value) in headers.iter().chain((!has_agent).then_some(&("user-agent", BROWSER))) {
        request = request.header(name, value);
    }
    request.send().unwrap()
}

fn click_id(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["clickId"].as_str().unwrap_or_default().to_owned()
}

/// A workspace with a link `anna`: its id.
fn partner(name: &str) -> (Workspace, String) {
    let workspace = Workspace::new(name);
    let body = json!({"domain": workspace.domain, "key": "anna", "url": "https://shop.example/"});
    let link = workspace.post("/links", &body)["id"].as_str().unwrap().to_owned();
    (workspace, link)
}

fn clicks_settle(workspace: &Workspace, link: &str, wanted: i64) {
    workspace.settles(&format!("/links/{link}"), |link| link["clicks"] == wanted);
}

#[test]
fn a_reported_click_is_counted_and_brings_its_lead_and_sale() {
    let (workspace, link) = partner("reported");
    let mut body = json!({"domain": workspace.domain, "key": "Anna", "url": "https://shop.example/?via=anna&utm_source=tw",
        "referrer": "https://blog.example/post", "anonymousId": "anon_0123456789abcdef"});
    let answer = report("/api/track/click", &body, &[("origin", "https://shop.example")]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("set-cookie"), None);
    let id = click_id(&answer);
    // At once: the id proves itself, whether or not the click has been stored.
    let lead = json!({"externalId": "u1", "clickId": id, "eventName": "Sign up"});
    assert_eq!(workspace.post("/track/lead", &lead)["link"]["id"], link.as_str());
    workspace.post("/track/sale", &json!({"externalId": "u1", "amount": 500, "paymentProcessor": "stripe"}));
    workspace.settles("/ledger/totals", |totals| totals["live"]["links"][&link]["gross"]["usd"] == 500);
    // The same visitor within the hour has the same click.
    body["clickId"] = id.as_str().into();
    assert_eq!(click_id(&report("/analytics/track/click", &body, &[])), id);
    body["clickId"] = "0123456789abcdef".into();
    assert_ne!(click_id(&report("/api/track/click", &body, &[])), "0123456789abcdef");
    clicks_settle(&workspace, &link, 1);
    let events = workspace.settles("/events?event=clicks&interval=all", |events| !events[0].is_null());
    let click = &events[0];
    assert_eq!(click["click"]["referer"], "blog.example", "{click}");
    assert_eq!(click["click"]["id"], id.as_str());
}

#[test]
fn who_refuses_an_id_is_counted_without() {
    let (workspace, link) = partner("no-id");
    let body = json!({"domain": workspace.domain, "key": "anna"});
    let answer = report("/api/track/click", &body, &[("sec-gpc", "1"), ("cf-connecting-ip", "203.0.113.7")]);
    assert_eq!(answer.json(), json!({"clickId": null}));
    clicks_settle(&workspace, &link, 1);
    let mut body = body;
    body["anonymous"] = true.into();
    let other =
        [("cf-connecting-ip", "203.0.113.8"), ("user-agent", "Mozilla/5.0 (Macintosh) Safari/605.1.15")];
    assert_eq!(report("/_pimms/track/click", &body, &other).json(), json!({"clickId": null}));
    // Programs and those who are not to be recorded at all are no clicks, and get no id that would lead nowhere.
    for (name, value) in [("user-agent", "Googlebot/2.1"), ("pimms-no-track", "1")] {
        let body = json!({"domain": workspace.domain, "key": "anna"});
        assert_eq!(
            report("/api/track/click", &body, &[(name, value)]).json(),
            json!({"clickId": null}),
            "{value}"
        );
    }
    clicks_settle(&workspace, &link, 2);
}

#[test]
fn visits_and_opened_apps_find_their_link_by_its_address() {
    let (workspace, link) = partner("visits");
    let visit = |url: &str| {
        let body = json!({"domain": workspace.domain, "url": url});
        let answer = report("/api/track/visit", &body, &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["clickId"].is_string()
    };
    assert!(visit("https://shop.example/anna?x=1"));
    assert!(!visit("https://shop.example/nothing"));
    let opened =
        report("/api/track/open", &json!({"deepLink": format!("https://{}/anna", workspace.domain)}), &[]);
    let opened = opened.json();
    assert!(opened["clickId"].is_string());
    assert_eq!((&opened["link"]["id"], &opened["link"]["key"]), (&json!(link), &json!("anna")));
    let unknown = report("/api/track/open", &json!({"dubDomain": workspace.domain}), &[]);
    assert_eq!(unknown.json(), json!({"clickId": null, "link": null}));
    let gone = report("/api/track/open", &json!({"deepLink": "https://nowhere.example/x"}), &[]);
    refused(&(gone.status, gone.json()), 404, "not_found");
}

#[test]
fn what_is_no_report_is_refused_so_that_a_page_can_read_it() {
    let (workspace, _) = partner("refused");
    let domain = workspace.domain.as_str();
    for (path, body, status, code) in [
        ("/api/track/click", "{}".to_owned(), 400, "bad_request"),
        ("/api/track/click", "not json".to_owned(), 400, "bad_request"),
        ("/api/track/click", String::new(), 400, "bad_request"),
        ("/api/track/click", json!({"domain": domain, "key": "nobody"}).to_string(), 404, "not_found"),
        ("/api/track/click", json!({"domain": domain, "key": 7}).to_string(), 422, "unprocessable_entity"),
        ("/api/track/visit", json!({"domain": domain, "url": "::"}).to_string(), 400, "bad_request"),
        ("/api/track/open", "{}".to_owned(), 422, "unprocessable_entity"),
        ("/_pimms/track/keep", "{}".to_owned(), 400, "bad_request"),
        ("/api/track/click", format!("\"{}\"", "x".repeat(40_000)), 413, "payload_too_large"),
        ("/api/track/lead/client", "{}".to_owned(), 401, "unauthorized"),
    ] {
        let answer = shared().client().post(path).body(body).send().unwrap();
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        refused(&(answer.status, answer.json()), status, code);
    }
    let preflight = shared().client().request("OPTIONS", "/api/track/sale/client").send().unwrap();
    assert_eq!((preflight.status, preflight.text().as_ref()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("Content-Type, Authorization"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert_eq!(preflight.header("access-control-allow-credentials"), None);
    let got = shared().client().get("/api/track/click").send().unwrap();
    refused(&(got.status, got.json()), 405, "method_not_allowed");
    // With the secret key there is no permission to any page.
    let secret =
        shared().client().post("/api/track/lead").bearer(&workspace.key).json(&json!({})).send().unwrap();
    assert_eq!(secret.header("access-control-allow-origin"), None);
}

#[test]
fn pages_of_hosts_that_are_not_allowed_report_nothing() {
    let (workspace, link) = partner("hosts");
    let body = json!({"domain": workspace.domain, "key": "anna"});
    workspace.patch(
        &format!("/workspaces/{}", workspace.id),
        &json!({"allowedHostnames": ["shop.example", "*.shop.example"]}),
    );
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("referer", "https://evil.example/?shop.example", 403),
        ("referer", "%%%", 403),
        ("x-nothing", "", 403),
        ("origin", "https://a.shop.example", 200),
        ("referer", "https://www.shop.example/x", 200),
    ] {
        let answer = report("/api/track/click", &body, &[(header, value), ("cf-connecting-ip", value)]);
        assert_eq!(answer.status, status, "{value}: {}", answer.text());
        assert!(!answer.text().contains("shop.example"), "the list is nobody's business");
    }
    workspace.settles(&format!("/links/{link}"), |link| link["clicks"].as_i64() >= Some(1));
}

#[test]
fn a_flood_from_one_address_is_slowed_down_and_no_other() {
    // What says nothing counts like everything else, and costs no store anything.
    let from = |address: &str| report("/api/track/click", &json!({}), &[("cf-connecting-ip", address)]);
    let refusals = thread::scope(|scope| {
        let flood = || (0..100).map(|_| from("203.0.113.99")).find(|answer| answer.status != 400);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(flood)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let answer = refusals.first().unwrap();
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    refused(&(answer.status, answer.json()), 429, "rate_limit_exceeded");
    assert_eq!(from("203.0.113.98").status, 400);
}

#[test]
fn a_publishable_key_reports_leads_and_sales_and_does_nothing_else() {
    let (workspace, link) = partner("publishable");
    let tokens = workspace.post("/tokens", &json!({"name": "page", "publishable": true}));
    let key = tokens["token"].as_str().unwrap();
    assert!(key.starts_with("pimms_pk_"), "{tokens}");
    let id = tokens["id"].as_str().unwrap();
    assert_eq!(
        workspace.patch(&format!("/tokens/{id}"), &json!({"scopes": ["apis.all"]}))["scopes"],
        json!(["publishable"])
    );
    let call = |path: &str, key: &str, body: &Value| {
        let answer = shared()
            .client()
            .post(&format!("/api{path}"))
            .bearer(key)
            .header("origin", "https://shop.example")
            .json(body)
            .send()
            .unwrap();
        (answer.status, answer.json())
    };
    let click =
        click_id(&report("/api/track/click", &json!({"domain": workspace.domain, "key": "anna"}), &[]));
    let lead = json!({"clickId": click, "eventName": "Sign up", "customerExternalId": "u1"});
    let (status, answer) = call("/track/lead/client", key, &lead);
    assert_eq!((status, &answer["customer"]["externalId"]), (200, &json!("u1")), "{answer}");
    let sale = json!({"customerExternalId": "u1", "amount": 900, "invoiceId": "A-1"});
    let (status, answer) = call("/track/sale/client", key, &sale);
    assert_eq!((status, &answer["sale"]["amount"]), (200, &json!(900)), "{answer}");
    assert_eq!(call("/track/sale/client", key, &sale).1["sale"]["amount"], 900, "the same sale");
    workspace.settles("/ledger/totals", |totals| totals["live"]["links"][&link]["gross"]["usd"] == 900);
    refused(&call("/track/lead/client", &workspace.key, &lead), 400, "bad_request");
    refused(&call("/track/lead/client", "pimms_pk_0000000000000000000000", &lead), 401, "unauthorized");
    refused(&call("/track/lead", key, &lead), 403, "forbidden");
    refused(&call("/links", key, &json!({"url": "https://a.co"})), 403, "forbidden");
    workspace
        .patch(&format!("/workspaces/{}", workspace.id), &json!({"allowedHostnames": ["other.example"]}));
    refused(&call("/track/lead/client", key, &lead), 403, "forbidden");
}

#[test]
fn on_the_merchants_own_site_the_answer_sets_the_cookies() {
    let (workspace, _) = partner("own-site");
    let body = json!({"domain": workspace.domain, "key": "anna", "anonymousId": "anon_0123456789abcdef"});
    let own = |path: &str, body: &Value, host: &str, origin: &str| {
        report(path, body, &[("x-pimms-host", host), ("origin", origin)])
    };
    let answer = own("/_pimms/track/click", &body, "www.shop.co.uk", "http://www.shop.co.uk");
    let id = click_id(&answer);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains(&format!("pimms_id={id}; Path=/; ")), "{cookie}");
    assert!(cookie.contains("Max-Age=7776000; Domain=shop.co.uk; SameSite=Lax"), "{cookie}");
    let kept = own("/_pimms/track/keep", &json!({"clickId": id}), "shop.example", "https://www.shop.example");
    assert_eq!(click_id(&kept), id);
    assert!(kept.header("set-cookie").unwrap().contains("Domain=shop.example"));
    for (path, host, origin) in [
        ("/_pimms/track/click", "www.shop.co.uk", "https://www.other.co.uk"),
        ("/_pimms/track/click", "www.shop.co.uk", "null"),
        ("/api/track/click", "www.shop.co.uk", "http://www.shop.co.uk"),
    ] {
        assert_eq!(own(path, &body, host, origin).header("set-cookie"), None, "{path} {origin}");
    }
}
