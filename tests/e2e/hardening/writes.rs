//! What owners of a key and their customers write: where it may lead, what it may change, and how it is shown.

use pimms_cli::identity::Identity;
use serde_json::{Value, json};

use super::operations::{Door, calls, is_civil};
use crate::redirect::{CHROME, get};
use crate::shared;
use crate::support::{Workspace, refused};

const SCRIPTS: [&str; 10] = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://a.example/1",
    "intent://a.example/#Intent;scheme=javascript;end",
];

#[test]
fn no_field_of_a_link_or_domain_leads_to_a_script() {
    let acme = Workspace::new("schemes");
    let link = acme.post("/links", &json!({"url": "https://shop.example/", "key": "x"}));
    let path = format!("/links/{}", link["id"].as_str().unwrap());
    for to in SCRIPTS {
        for body in [
            json!({"url": to}),
            json!({"ios": to}),
            json!({"android": to}),
            json!({"geo": {"FR": to}}),
            json!({"expiredUrl": to, "expiresAt": "2040-01-01"}),
            json!({"image": to}),
            json!({"video": to}),
            json!({"testVariants": [{"url": to, "percentage": 50}, {"url": "https://b.example/", "percentage": 50}]}),
        ] {
            let answer = acme.call("PATCH", &path, Some(&body));
            refused(&answer, 422, "unprocessable_entity");
            let mut made = body.clone();
            if made["url"].is_null() {
                made["url"] = json!("https://shop.example/");
            }
            refused(&acme.call("POST", "/links", Some(&made)), 422, "unprocessable_entity");
        }
        for field in ["notFoundUrl", "expiredUrl", "logo"] {
            let answer = acme.call("PATCH", &format!("/domains/{}", acme.domain), Some(&json!({field: to})));
            refused(&answer, 422, "unprocessable_entity");
        }
    }
    let shown = acme.get(&path);
    assert_eq!(shown["url"], "https://shop.example/");
    assert!(acme.visit("/x").starts_with("https://shop.example/"));
}

#[test]
fn names_that_look_like_others_are_written_as_what_they_are() {
    let acme = Workspace::new("homographs");
    for (destination, host) in [
        ("https://аpple.com/x", "xn--pple-43d.com"),   // Cyrillic а
        ("https://gοοgle.com/x", "xn--ggle-0nda.com"), // Greek ο
        ("https://ⓔxample.com/x", "example.com"),
        ("https://exa\u{ad}mple.com/x", "example.com"), // a soft hyphen
    ] {
        let made = acme.post("/links", &json!({"url": destination}));
        let to = acme.visit(&format!("/{}", made["key"].as_str().unwrap()));
        assert!(to.starts_with(&format!("https://{host}/x")), "{destination} leads to {to}");
    }
    let (slug, shown) = ("аdmin-x.example", "xn--dmin-x-8ve.example");
    let (status, answer) = acme.call("POST", "/domains", Some(&json!({"slug": slug})));
    assert!(status == 422 || answer["slug"] == shown, "{slug}: {status} {answer}");
    for key in ["a\u{202e}b", "a\u{200b}b", "a\0b", "../x", "a b", "a?b", "a#b", "%2e%2e", "__proto__\u{7f}"]
    {
        let (status, answer) =
            acme.call("POST", "/links", Some(&json!({"url": "https://a.example/", "key": key})));
        assert!([403, 422].contains(&status), "{key:?}: {status} {answer}");
    }
    for key in [
        "api",
        "api/links",
        "stripe/webhook",
        ".well-known/x",
        "app",
        "_pimms/health",
        "robots.txt",
        "analytics/x",
    ] {
        let (status, answer) =
            acme.call("POST", "/links", Some(&json!({"url": "https://a.example/", "key": key})));
        assert!([403, 422].contains(&status), "a key that is a route: {key}: {status} {answer}");
    }
}

#[test]
fn figures_and_owners_are_not_for_callers_to_write() {
    let (acme, other) = (Workspace::new("assignment"), Workspace::new("assignment-other"));
    let link = acme.post("/links", &json!({"url": "https://shop.example/", "key": "x"}));
    let path = format!("/links/{}", link["id"].as_str().unwrap());
    let evil = json!({"id": "link_evil", "workspaceId": other.id, "projectId": other.id, "userId": "evil", "clicks": 1000,
        "leads": 1000, "sales": 1000, "saleAmount": 1000, "createdAt": "1999-01-01", "shortLink": "https://evil.example",
        "__proto__": {"clicks": 1}});
    for method in ["PATCH", "PUT"] {
        let answer = acme.send(method, &path, Some(&evil));
        is_civil(method, &answer);
    }
    let shown = acme.get(&path);
    for name in
        ["id", "workspaceId", "userId", "clicks", "leads", "sales", "saleAmount", "createdAt", "shortLink"]
    {
        assert_eq!(shown[name], link[name], "{name}");
    }
    assert_eq!(other.get("/links"), json!([]));
    let before = acme.get(&format!("/workspaces/{}", acme.id));
    let evil =
        json!({"id": other.id, "slug": before["slug"], "plan": "enterprise", "usage": 0, "role": "owner"});
    is_civil("workspace", &acme.send("PATCH", &format!("/workspaces/{}", acme.id), Some(&evil)));
    assert_eq!(acme.get(&format!("/workspaces/{}", acme.id))["id"], before["id"]);
    let body =
        json!({"externalId": "u", "name": "U", "saleAmount": 5000, "sales": 3, "workspaceId": other.id});
    let made = acme.send("POST", "/customers", Some(&body));
    is_civil("customer", &made);
    assert_eq!(other.get("/customers"), json!([]));
    assert_eq!(acme.get("/ledger/totals")["live"]["unattributed"]["gross"], json!({}), "no money");
}

#[test]
fn texts_of_a_link_are_text_in_its_pages() {
    let acme = Workspace::new("xss");
    let evil = r#""><img src=x onerror=alert(1)><script>alert(1)</script>'"#;
    for (key, more) in [
        (
            "preview",
            json!({"proxy": true, "title": evil, "description": evil, "image": "https://a.example/i.png?\"><script>"}),
        ),
        ("cloak", json!({"rewrite": true, "title": evil})),
        ("locked", json!({"password": "secret", "title": evil, "description": evil})),
    ] {
        let mut body = json!({"key": key, "url": "https://shop.example/?\"><script>alert(1)</script>"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        acme.post("/links", &body);
        let agent = if key == "preview" { "facebookexternalhit/1.1" } else { CHROME };
        let answer = get(
            &acme,
            &format!("/{key}?x=%22%3E%3Cscript%3Ealert(2)%3C/script%3E"),
            &[("user-agent", agent)],
        );
        is_civil(key, &answer);
        let html = answer.text();
        assert_eq!(answer.status, 200, "{key}: {html}");
        assert!(!html.contains("<img src=x") && !html.contains("<script>alert"), "{key}: {html}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src 'unsafe"),
            "{key}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{key}");
    }
    let answer = acme.send("GET", "/links", None);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn no_page_of_another_origin_reads_an_answer() {
    let acme = Workspace::new("cors");
    for call in calls().iter().filter(|call| call.door == Door::Key && call.method == "GET") {
        for origin in ["https://evil.example", "null"] {
            let query: Vec<_> = call.required.iter().map(|name| (name.clone(), "x".to_owned())).collect();
            let fill = |place: &str| if place.starts_with("event") { "clicks" } else { "none" }.to_owned();
            let answer =
                call.request(fill, &query, None).bearer(&acme.key).header("origin", origin).send().unwrap();
            assert_eq!(answer.header("access-control-allow-origin"), None, "{} from {origin}", call.id);
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{} from {origin}", call.id);
        }
    }
    for call in calls().iter().filter(|call| call.door != Door::Key) {
        let request = shared().client().request("OPTIONS", &call.address(|_| "x".to_owned(), &[]));
        let answer = request.header("origin", "https://evil.example").send().unwrap();
        is_civil(&call.id, &answer);
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{}", call.id);
        assert_ne!(answer.header("access-control-allow-origin"), Some("https://evil.example"), "{}", call.id);
    }
}

#[test]
fn the_first_workspace_is_for_the_holder_of_the_token() {
    let identity = Identity::generate().unwrap();
    let body = json!({"workspaceId": identity.workspace_id, "name": "evil", "slug": "evil-bootstrap", "domain": "evil-bootstrap.example",
        "apiKey": identity.api_key, "signingSecrets": []});
    let token = Identity::load_or_create(shared().folder()).unwrap().bootstrap_token;
    let nothing = shared().client().post("/_pimms/nothing-here").json(&body).send().unwrap();
    assert_eq!(nothing.status, 404);
    let flipped = token.to_lowercase();
    for wrong in ["", "x", &token[..token.len() - 1], &format!("{token}x"), &flipped, "' OR '1'='1"] {
        let answer = shared().client().post("/_pimms/bootstrap").bearer(wrong).json(&body).send().unwrap();
        assert_eq!((answer.status, answer.body), (404, nothing.body.clone()), "{wrong:?}");
    }
    let key = format!("Bearer {}", identity.api_key);
    let answer = shared().client().get("/api/links").header("authorization", &key).send().unwrap();
    assert_eq!(answer.status, 401, "nothing was made");
    // With the token: of many at once one makes it, and a second owner of the same name is refused.
    let made: Vec<Value> = std::thread::scope(|scope| {
        let send = || shared().client().post("/_pimms/bootstrap").bearer(&token).json(&body).send().unwrap();
        let threads: Vec<_> = (0..5).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().json()).collect()
    });
    assert_eq!(made.iter().filter(|answer| answer["created"] == true).count(), 1, "{made:?}");
    let mut second = body.clone();
    let another = Identity::generate().unwrap();
    second["workspaceId"] = json!(another.workspace_id);
    second["apiKey"] = json!(another.api_key);
    let answer = shared().client().post("/_pimms/bootstrap").bearer(&token).json(&second).send().unwrap();
    assert_eq!(answer.status, 409, "{}", answer.text());
}

#[test]
fn the_log_keeps_no_secret_and_no_line_of_a_visitor() {
    let acme = Workspace::new("logs");
    let email = "logged-person@shop.example";
    let (_, click) = acme.clicked("x");
    acme.post(
        "/track/lead",
        &json!({"clickId": click, "eventName": "x", "externalId": "u", "customerEmail": email}),
    );
    acme.call(
        "PUT",
        "/stripe",
        Some(&json!({"signingSecrets": [{"mode": "live", "secret": "whsec_loggedsecret0123456789"}]})),
    );
    let line = "forged\r\n[error] alarm: forged line";
    for (name, value) in
        [("stripe-signature", "t=1,v1=loggedsignature"), ("cookie", "pimms_session=loggedcookie")]
    {
        let path = format!("/stripe/webhook/{}", acme.id);
        shared().client().post(&path).header(name, value).body(line).send().unwrap();
        shared().client().get("/api/links").header(name, value).bearer("pimms_loggedkey").send().unwrap();
    }
    for path in
        ["/api/links/%0d%0a[error]%20alarm:%20forged%20line", "/x?pw=loggedpassword", "/%0aforged%20line"]
    {
        get(&acme, path, &[("user-agent", "UA forged line")]);
        acme.send("GET", path, None);
    }
    let log = std::fs::read_to_string(shared().folder().join("runtime.log")).unwrap();
    let identity = Identity::load_or_create(shared().folder()).unwrap();
    for secret in [
        acme.key.as_str(),
        &acme.secret,
        email,
        "whsec_loggedsecret",
        "loggedsignature",
        "loggedcookie",
        "pimms_loggedkey",
        "loggedpassword",
        &identity.bootstrap_token,
        &identity.encryption_key,
        &identity.click_id_keys,
        &identity.webhook_secret,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(!log.lines().any(|line| line.trim_start().starts_with("[error] alarm: forged")), "a forged line");
}
