//! Every operation that wants a key: without one, with one that is none, with a revoked one, with one that may not.

use serde_json::{Value, json};

use super::operations::{Call, Door, calls, is_civil};
use super::raw;
use crate::shared;
use crate::support::Workspace;

/// Something for every place of a path.
fn any(place: &str) -> String {
    if place.starts_with("event") { "clicks".to_owned() } else { "none".to_owned() }
}

fn send(call: &Call, header: Option<&str>) -> (u16, Value) {
    let query: Vec<_> = call.required.iter().map(|name| (name.clone(), "free".to_owned())).collect();
    let mut request = call.request(any, &query, call.body.as_ref());
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    let answer = request.send().unwrap();
    is_civil(&call.id, &answer);
    (answer.status, answer.json())
}

fn make(of: &Workspace, scope: &str) -> (String, String) {
    let made = of.post("/tokens", &json!({"name": scope, "scopes": [scope]}));
    (made["id"].as_str().unwrap().to_owned(), format!("Bearer {}", made["token"].as_str().unwrap()))
}

#[test]
fn no_operation_answers_without_a_key_that_may() {
    let acme = Workspace::new("doors");
    let (id, revoked) = make(&acme, "apis.all");
    let (status, _) = acme.call("DELETE", &format!("/tokens/{id}"), None);
    assert_eq!(status, 200);
    // One scope that opens nearly nothing, and another for what it opens.
    let (_, tokens_only) = make(&acme, "tokens.write");
    let (_, leads_only) = make(&acme, "lead.write");
    let refusal = json!({"error": {"code": "unauthorized", "message": "Missing or invalid API key."}});
    let mut count = 0;
    for call in calls().iter().filter(|call| call.door != Door::Open) {
        let mut rows =
            vec![("no key", None), ("an empty key", Some("Bearer ")), ("Bearer alone", Some("Bearer"))];
        if call.door == Door::Key {
            rows.extend([
                ("a revoked key", Some(revoked.as_str())),
                ("no key of ours", Some("Bearer pimms_x")),
            ]);
        } else {
            rows.push(("a publishable key of nobody", Some("Bearer pimms_pk_nobody")));
        }
        for (what, header) in rows {
            assert_eq!(send(call, header), (401, refusal.clone()), "{} with {what}", call.id);
            count += 1;
        }
        if call.door == Door::Key {
            let weak = if call.resource() == "tokens" { &leads_only } else { &tokens_only };
            let (status, answer) = send(call, Some(weak));
            assert_eq!(status, 403, "{} with a key that may not: {answer}", call.id);
            assert!(
                answer["error"]["message"].as_str().unwrap().contains("does not have the permission"),
                "{}: {answer}",
                call.id
            );
        } else {
            let secret = format!("Bearer {}", acme.key);
            assert_eq!(send(call, Some(&secret)).0, 400, "{}: a secret key has no place in a page", call.id);
        }
    }
    assert!(count > 300, "{count}");
    assert_eq!(acme.get("/links"), json!([]), "nothing was made");
}

#[test]
fn headers_that_are_no_key_are_refused() {
    let acme = Workspace::new("malformed");
    let key = acme.key.clone();
    let flipped: String = key
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let long = format!("Bearer {}", "x".repeat(30_000));
    for (what, header) in [
        ("Basic", format!("Basic {key}")),
        ("no scheme", key.clone()),
        ("one character less", format!("Bearer {}", &key[..key.len() - 1])),
        ("one character more", format!("Bearer {key}x")),
        ("another case", format!("Bearer {flipped}")),
        ("SQL", "Bearer ' OR '1'='1".to_owned()),
        ("a pattern", "Bearer %".to_owned()),
        ("two keys", format!("Bearer {key}, Bearer {key}")),
        ("30,000 characters", long),
    ] {
        let answer = shared().client().get("/api/links").header("authorization", &header).send().unwrap();
        is_civil(what, &answer);
        assert!([400, 401, 431].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    }
    for key in [&b"k\xc3\xa9"[..], b"\xff\xfe", b"\x01"] {
        let request = [
            b"GET /api/links HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ",
            key,
            b"\r\n\r\n",
        ];
        let answer = raw::send(&request.concat());
        assert!([400, 401].contains(&raw::status(&answer)), "bytes above 0x7f: {answer}");
    }
    for name in ["apiKey", "key", "token", "access_token", "authorization"] {
        let path = format!("/api/links?{name}={key}");
        assert_eq!(shared().client().get(&path).send().unwrap().status, 401, "a key in the address: {name}");
    }
    assert_eq!(acme.get("/links"), json!([]), "the next request");
}
