//! The dashboard: its sessions over HTTP, its pages in a real browser.

use std::process::Command;

use pimms_cli::http_client::Answer;
use pimms_cli::identity::Identity;
use pimms_cli::project::Project;
use pimms_edge::core::seal::SealingKey;
use pimms_edge::core::session::Kind;
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

/// A request that a browser of the dashboard's own origin could make.
fn send(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    let client = shared().client();
    let mut request = client.request(method, &format!("/api{path}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    request.send().unwrap()
}

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Signs in with a key; the cookie as a browser sends it back.
fn signed_in(key: &str) -> String {
    let answer = send("POST", "/session", &[OWN], Some(&json!({"apiKey": key})));
    assert_eq!(answer.status, 200, "{}", answer.text());
    cookie(&answer)
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn outcome(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json())
}

#[test]
fn a_key_becomes_a_session_and_ends_it() {
    let acme = Workspace::new("session");
    let answer = send("POST", "/session", &[OWN], Some(&json!({"apiKey": acme.key})));
    let set = answer.header("set-cookie").unwrap();
    for part in ["pimms_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!answer.text().contains(&acme.key), "the key is not repeated");
    let cookie = cookie(&answer);
    let who = send("GET", "/session", &[("cookie", &cookie)], None);
    assert_eq!(
        (who.status, who.json()["workspaceId"].as_str()),
        (200, Some(acme.id.as_str())),
        "{}",
        who.text()
    );
    assert!(who.json()["permissions"].as_array().unwrap().iter().any(|name| name == "links.write"));
    // The same permissions as the key, in the same workspace.
    let link = json!({"domain": acme.domain, "key": "by-session", "url": "https://shop.example/"});
    let made = send("POST", "/links", &[("cookie", &cookie), OWN], Some(&link));
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(made.header("x-ratelimit-limit").is_some(), "a session is limited as its key is");
    let out = send("DELETE", "/session", &[("cookie", &cookie), OWN], None);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"), "{}", out.text());
}

#[test]
fn revoking_the_key_ends_its_sessions() {
    let acme = Workspace::new("session-revoked");
    let token = acme.post("/tokens", &json!({"name": "Marketing", "scopes": ["links.read"]}));
    let cookie = signed_in(token["token"].as_str().unwrap());
    let own = [("cookie", cookie.as_str()), OWN];
    assert_eq!(send("GET", "/links", &own, None).status, 200);
    refused(&outcome(&send("GET", "/tags", &own, None)), 403, "forbidden");
    assert_eq!(acme.call("DELETE", &format!("/tokens/{}", token["id"].as_str().unwrap()), None).0, 200);
    refused(&outcome(&send("GET", "/links", &own, None)), 401, "unauthorized");
}

#[test]
fn other_sites_cannot_use_a_session() {
    let acme = Workspace::new("session-csrf");
    let session = signed_in(&acme.key);
    let link = json!({"domain": acme.domain, "key": "forged", "url": "https://evil.example/"});
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("x-pimms-dashboard", "1")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://evil.example"), ("x-pimms-dashboard", "1")],
        vec![("origin", "null"), OWN],
        // What a form can send without being asked first: JSON that calls itself text.
        vec![("origin", "https://evil.example"), ("content-type", "text/plain")],
        vec![("sec-fetch-site", "cross-site"), ("content-type", "text/plain;charset=UTF-8")],
    ] {
        let headers = [headers, vec![("cookie", session.as_str())]].concat();
        for (method, path, body) in [
            ("POST", "/links", Some(&link)),
            ("DELETE", "/session", None),
            ("DELETE", "/session/all", None),
            ("POST", "/session/link", None),
            ("DELETE", "/links/bulk?linkIds=x", None),
        ] {
            refused(&outcome(&send(method, path, &headers, body)), 403, "forbidden");
        }
        // Nor may they sign a visitor in to a workspace of theirs.
        let sign_in = json!({"apiKey": acme.key});
        let answer = send("POST", "/session", &headers, Some(&sign_in));
        refused(&outcome(&answer), 403, "forbidden");
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(acme.get("/links/count"), 0);
    // A client without fetch metadata names itself.
    let named = [("cookie", session.as_str()), ("x-pimms-dashboard", "1")];
    assert_eq!(send("POST", "/links", &named, Some(&link)).status, 200);
    // No page of another origin reads an answer, and none is told that it may send the header.
    let answer = send("GET", "/links", &[("cookie", &session), ("origin", "https://evil.example")], None);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn a_session_is_never_one_that_was_brought_along() {
    let (acme, evil) = (Workspace::new("session-fixed"), Workspace::new("session-fixing"));
    let planted = signed_in(&evil.key);
    let answer = send("POST", "/session", &[OWN, ("cookie", &planted)], Some(&json!({"apiKey": acme.key})));
    let given = cookie(&answer);
    assert_ne!(given, planted);
    assert_ne!(given, signed_in(&acme.key), "two sessions of one key differ");
    let who =
        |cookie: &str| send("GET", "/session", &[("cookie", cookie)], None).json()["workspaceId"].clone();
    assert_eq!((who(&given), who(&planted)), (json!(acme.id), Value::Null), "the planted one is over");
    // A Bearer key wins over a cookie, also when it is wrong.
    let both = [("cookie", given.as_str()), ("authorization", "Bearer pimms_wrong"), OWN];
    refused(&outcome(&send("GET", "/session", &both, None)), 401, "unauthorized");
}

fn is_signed_in(cookie: &str) -> bool {
    let answer = send("GET", "/session", &[("cookie", cookie)], None);
    assert!([200, 401].contains(&answer.status), "{}", answer.text());
    answer.status == 200
}

#[test]
fn a_stolen_session_is_worth_nothing_after_signing_out() {
    let acme = Workspace::new("session-theft");
    let (stolen, other) = (signed_in(&acme.key), signed_in(&acme.key));
    let own = [("cookie", stolen.as_str()), OWN];
    assert_eq!(send("GET", "/links", &own, None).status, 200);
    assert_eq!(send("DELETE", "/session", &own, None).status, 200);
    for (method, path) in [("GET", "/links"), ("GET", "/session"), ("DELETE", "/session/all")] {
        refused(&outcome(&send(method, path, &own, None)), 401, "unauthorized");
    }
    assert!(is_signed_in(&other), "only this one was ended");
    // Signing out again, and without a session, is no error: the browser is to forget it in any case.
    for headers in [vec![own[0], OWN], vec![OWN]] {
        let answer = send("DELETE", "/session", &headers, None);
        assert!(answer.status == 200 && answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    }
    // Who takes a cookie along to the next sign-in gets a new one, and the old one ends.
    let next = send("POST", "/session", &[("cookie", &other), OWN], Some(&json!({"apiKey": acme.key})));
    assert!(is_signed_in(&cookie(&next)) && !is_signed_in(&other));
    // A refused sign-in ends nothing.
    let wrong = [("cookie", next.header("set-cookie").unwrap().split(';').next().unwrap()), OWN];
    let refusal = send("POST", "/session", &wrong, Some(&json!({"apiKey": "pimms_wrong"})));
    refused(&outcome(&refusal), 401, "unauthorized");
    assert!(is_signed_in(&cookie(&next)));
}

#[test]
fn signing_out_everywhere_ends_the_keys_sessions_and_no_others() {
    let (acme, other) = (Workspace::new("session-everywhere"), Workspace::new("session-elsewhere"));
    let second = acme.post("/tokens", &json!({"name": "Second", "scopes": ["apis.all"]}));
    let of_second = signed_in(second["token"].as_str().unwrap());
    let of_other = signed_in(&other.key);
    let mine = [signed_in(&acme.key), signed_in(&acme.key), signed_in(&acme.key)];
    let answer = send("DELETE", "/session/all", &[("cookie", &mine[1]), OWN], None);
    assert!(answer.status == 200 && answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(mine.each_ref().map(|one| is_signed_in(one)), [false; 3]);
    assert!(is_signed_in(&of_second) && is_signed_in(&of_other));
    assert_eq!(acme.send("GET", "/links", None).status, 200, "the key itself holds");
    // With the key: also when no browser is at hand.
    let again = signed_in(&acme.key);
    assert_eq!(acme.send("DELETE", "/session/all", None).status, 200);
    assert!(!is_signed_in(&again) && is_signed_in(&of_second));
}

#[test]
fn ended_forged_and_borrowed_sessions_are_refused() {
    let acme = Workspace::new("session-ended");
    let cookie = signed_in(&acme.key);
    let who = send("GET", "/session", &[("cookie", &cookie)], None).json();
    let key_id = who["keyId"].as_str().unwrap();
    let identity = Identity::load_or_create(shared().folder()).unwrap();
    let secret = SealingKey::parse(&identity.encryption_key).unwrap();
    let now = pimms_cli::clock::now();
    let ago = Millis(now.0 - Kind::Session.life_ms());
    let other = SealingKey::parse(&"ab".repeat(32)).unwrap();
    for (what, token, status) in [
        ("our own", cookie.trim_start_matches("pimms_session=").to_owned(), 200),
        ("well signed, never given", Kind::Session.sign(&secret, key_id, "n", now), 401),
        ("ended", Kind::Session.sign(&secret, key_id, "n", ago), 401),
        ("of another secret", Kind::Session.sign(&other, key_id, "n", now), 401),
        ("a sign-in link", Kind::SignIn.sign(&secret, key_id, "n", now), 401),
        ("of no key", Kind::Session.sign(&secret, "tok_nobody", "n", now), 401),
        (
            "of the key's hash",
            Kind::Session.sign(&secret, &pimms_edge::core::ids::sha256_hex(b""), "n", now),
            401,
        ),
        ("empty", String::new(), 401),
    ] {
        let header = format!("pimms_session={token}");
        let answer = send("GET", "/session", &[("cookie", &header)], None);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
}

#[test]
fn what_signs_in_is_given_anew_each_time() {
    let acme = Workspace::new("session-idempotent");
    let bearer = format!("Bearer {}", acme.key);
    let link = || {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "link")];
        let answer = send("POST", "/session/link", &headers, Some(&json!({})));
        assert_eq!(answer.header("idempotent-replayed"), None);
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    assert_ne!(link(), link(), "a link that was kept could sign in whoever asks again");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "session"), OWN];
    let answer = send("POST", "/session", &headers, Some(&json!({"apiKey": acme.key})));
    assert!(cookie(&answer).starts_with("pimms_session=tok_"), "{}", answer.text());
}

#[test]
fn a_sign_in_link_works_once() {
    let acme = Workspace::new("session-link");
    let token = acme.post("/session/link", &json!({}))["token"].as_str().unwrap().to_owned();
    let body = json!({"token": token});
    let answer = send("POST", "/session", &[OWN], Some(&body));
    let session = cookie(&answer);
    assert_eq!(answer.json()["workspaceId"], json!(acme.id));
    for _ in 0..2 {
        let again = send("POST", "/session", &[OWN], Some(&body));
        refused(&outcome(&again), 401, "unauthorized");
        assert_eq!(again.header("set-cookie"), None);
    }
    // A session cannot make itself longer by one.
    refused(&outcome(&send("POST", "/session/link", &[("cookie", &session), OWN], None)), 403, "forbidden");
    let key_id = answer.json()["keyId"].as_str().unwrap().to_owned();
    let identity = Identity::load_or_create(shared().folder()).unwrap();
    let secret = SealingKey::parse(&identity.encryption_key).unwrap();
    let old = Millis(pimms_cli::clock::now().0 - Kind::SignIn.life_ms());
    let late = json!({"token": Kind::SignIn.sign(&secret, &key_id, "n", old)});
    refused(&outcome(&send("POST", "/session", &[OWN], Some(&late))), 401, "unauthorized");
}

/// Runs a test of `tests/dashboard` in a real browser; it must take more than `least` steps. What it told.
fn in_browser(script: &str, least: usize, arguments: &[&str]) {
    let output = Command::new("node")
        .arg(Project::find().unwrap().path("tests/dashboard").join(script))
        .arg(&shared().ready().url)
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}\n{}", shared().log());
    println!("{script}: {told}");
    let steps: usize = told.split(' ').next().unwrap().parse().unwrap();
    assert!(steps > least, "{told}");
}

#[test]
fn a_marketer_tours_the_dashboard_in_a_browser() {
    let acme = Workspace::new("dashboard");
    let token = acme.post("/session/link", &json!({}))["token"].as_str().unwrap().to_owned();
    let link = format!("{}/app#sign-in={token}", shared().ready().url);
    in_browser("tour.mjs", 30, &[&acme.key, &link, &acme.domain, &acme.id, &acme.secret]);
}

#[test]
fn links_are_imported_and_lists_exported_in_a_browser() {
    let acme = Workspace::new("dashboard-data");
    in_browser("transfer.mjs", 20, &[&acme.key, &acme.domain]);
}

#[test]
fn the_keyboard_is_enough() {
    let acme = Workspace::new("dashboard-keyboard");
    in_browser("keyboard.mjs", 80, &[&acme.key, &acme.domain]);
}

#[test]
fn the_dashboards_types_hold() {
    let project = Project::find().unwrap();
    let output =
        Command::new(project.node_program("tsc")).arg("-p").arg(project.path("dashboard")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
