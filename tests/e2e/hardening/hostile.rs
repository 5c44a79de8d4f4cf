//! Bodies, parameters and ids that nobody honest sends, for every operation that takes one.

use serde_json::{Value, json};

use super::operations::{Call, Door, calls, encoded, is_civil};
use crate::support::Workspace;
use crate::{rough, shared};

/// Bodies that are no JSON object, whatever the operation.
fn unreadable(example: &str) -> Vec<(&'static str, Vec<u8>)> {
    let nested = |open: &str, close: &str, depth: usize| [open.repeat(depth), close.repeat(depth)].concat();
    vec![
        ("cut off", example.as_bytes()[..example.len() / 2].to_vec()),
        ("two documents", [example, example].concat().into_bytes()),
        ("not UTF-8", [b"{\"name\":\"", &[0xff, 0xfe][..], b"\"}"].concat()),
        ("an overlong slash", [b"{\"name\":\"", &[0xc0, 0xaf][..], b"\"}"].concat()),
        ("a byte order mark", [&[0xef, 0xbb, 0xbf], example.as_bytes()].concat()),
        ("a bare NUL", [example.as_bytes(), &[0]].concat()),
        ("a lone surrogate", br#"{"name":"\ud800"}"#.to_vec()),
        ("20,000 lists", nested("[", "]", 20_000).into_bytes()),
        ("5,000 objects", nested("{\"a\":", "}", 5_000).into_bytes()),
        ("a number alone", b"7".to_vec()),
        ("a text alone", b"\"x\"".to_vec()),
        ("infinity", b"{\"name\":1e999}".to_vec()),
    ]
}

fn send(call: &Call, key: &str, body: Vec<u8>) -> (u16, Value) {
    let request = call.request(|_| "none".to_owned(), &[], None).bearer(key);
    let answer = request.header("content-type", "application/json").body(body).send().unwrap();
    is_civil(&call.id, &answer);
    (answer.status, answer.json())
}

#[test]
fn no_operation_takes_a_body_that_is_no_json() {
    let acme = Workspace::new("bodies");
    let mut count = 0;
    for call in calls().iter().filter(|call| call.body.is_some() && call.base == "/api") {
        let example = call.body.as_ref().unwrap().to_string();
        for (what, body) in unreadable(&example) {
            let (status, answer) = send(call, &acme.key, body);
            assert!((400..500).contains(&status), "{}: {what}: {status} {answer}", call.id);
            count += 1;
        }
        let address = call.address(|_| "none".to_owned(), &[]);
        let request = rough().client().request(&call.method, &address).bearer(&rough().ready().api_key);
        let answer = request.header("content-type", "application/json").body(vec![b' '; 1_100_000]).send();
        let (status, answer) = answer.map(|answer| (answer.status, answer.json())).unwrap();
        assert!((400..500).contains(&status), "{}: too large: {status} {answer}", call.id);
        if call.door == Door::Key && call.places().is_empty() {
            assert_eq!(status, 413, "{}: {answer}", call.id);
        }
    }
    assert!(count > 300, "{count}");
    assert_eq!(acme.get("/links"), json!([]), "nothing was made, and the next request works");
}

#[test]
fn a_key_that_comes_twice_means_one_thing_or_nothing() {
    let acme = Workspace::new("twice");
    for (path, body, wanted) in [
        ("/links", r#"{"url":"https://a.example/","key":"one","key":"two"}"#, "key"),
        ("/track/sale", r#"{"externalId":"u","amount":1,"amount":100000}"#, "amount"),
    ] {
        let request = shared().client().post(&format!("/api{path}")).bearer(&acme.key);
        let answer = request.header("content-type", "application/json").body(body).send().unwrap();
        is_civil(path, &answer);
        assert!((400..500).contains(&answer.status), "{path}: {wanted} twice: {}", answer.text());
    }
    assert_eq!(acme.get("/links"), json!([]));
    assert_eq!(acme.get("/ledger/totals")["live"]["unattributed"]["gross"], json!({}), "no money");
}

/// Texts that break what is glued together instead of bound.
const TEXTS: [&str; 16] = [
    "' OR '1'='1",
    "'; DROP TABLE links; --",
    "\" union select hash from keys --",
    "(select 1)",
    "%",
    "_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%",
    "../../links",
    "..%2f..%2flinks",
    "__proto__",
    "constructor",
    "\0",
    "\r\nset-cookie: x=1",
    "\u{202e}gnp",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "{{7*7}}",
];

#[test]
fn no_parameter_reaches_a_statement_a_header_or_a_page_as_it_is() {
    let acme = Workspace::new("parameters");
    acme.post("/links", &json!({"url": "https://a.example/", "key": "there"}));
    let mut count = 0;
    for call in calls().iter().filter(|call| call.method == "GET" && call.door == Door::Key) {
        let names = call.query.iter().map(|name| (name.as_str(), name.clone()));
        // One request for each parameter: each has its own way through the code, the texts take turns.
        let names: Vec<_> = names.chain([("a[__proto__]", String::new())]).collect();
        for (place, (name, _)) in names.iter().enumerate() {
            for turn in 0..2 {
                let text = TEXTS[(place * 2 + turn + call.id.len()) % TEXTS.len()];
                let query = [((*name).to_owned(), text.to_owned())];
                let fill =
                    |place: &str| if place.starts_with("event") { "clicks" } else { "none" }.to_owned();
                let answer = call.request(fill, &query, None).bearer(&acme.key).send().unwrap();
                is_civil(&format!("{} {name}={text:?}", call.id), &answer);
                assert!(answer.header("set-cookie").is_none(), "{} {name}={text:?}", call.id);
                count += 1;
            }
        }
    }
    assert!(count > 800, "{count}");
    assert_eq!(acme.get("/links")[0]["key"], "there");
}

#[test]
fn no_id_reaches_a_statement_a_header_or_a_page_as_it_is() {
    let acme = Workspace::new("ids");
    for call in calls().iter().filter(|call| call.is_about_one() && call.door == Door::Key) {
        let long = "x".repeat(5000);
        for text in TEXTS.iter().chain([&long.as_str(), &"\u{1f517}"]) {
            let request = call.request(|_| (*text).to_owned(), &[], call.body.as_ref()).bearer(&acme.key);
            let answer = request.send().unwrap();
            let what = format!("{} of {}", call.id, encoded(&text.chars().take(40).collect::<String>()));
            is_civil(&what, &answer);
            assert!(answer.status >= 400, "{what}: {} {}", answer.status, answer.text());
        }
    }
    assert_eq!(acme.get("/links"), json!([]));
}
