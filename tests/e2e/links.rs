//! `/api/links`: made, found, changed, listed, deleted; and what a visitor then gets.

use serde_json::{Value, json};

use crate::support::{Workspace, refused};

fn at<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn a_link_is_made_changed_and_deleted_and_visitors_see_it_at_once() {
    let acme = Workspace::new("links-life");
    let made = acme.post("/links", &json!({"url": "acme.com/x", "key": "Spring/Sale", "utm_source": "news"}));
    assert_eq!(at(&made, "key"), "spring/sale");
    assert_eq!(at(&made, "url"), "https://acme.com/x?utm_source=news");
    assert_eq!(at(&made, "utm_source"), "news");
    assert_eq!(made["shortLink"], format!("https://{}/spring/sale", acme.domain));
    assert_eq!((made["clicks"].as_i64(), made["saleAmount"].as_i64()), (Some(0), Some(0)));
    let id = at(&made, "id");
    assert_eq!(acme.get(&format!("/links/{id}")), made);
    assert_eq!(acme.get(&format!("/links/info?domain={}&key=SPRING/sale", acme.domain)), made);

    assert!(acme.visit("/spring/sale").starts_with("https://acme.com/x?utm_source=news"));
    let changed = acme.patch(&format!("/links/{id}"), &json!({"url": "https://acme.com/y", "key": "summer"}));
    assert_eq!((at(&changed, "url"), changed["utm_source"].is_null()), ("https://acme.com/y", true));
    assert_eq!(acme.visit("/spring/sale"), "404");
    assert!(acme.visit("/summer").starts_with("https://acme.com/y"));

    assert_eq!(acme.call("DELETE", &format!("/links/{id}"), None).1, json!({"id": id}));
    assert_eq!(acme.visit("/summer"), "404");
    refused(&acme.call("GET", &format!("/links/{id}"), None), 404, "not_found");
    let again = acme.post("/links", &json!({"url": "https://acme.com/z", "key": "summer"}));
    assert_ne!(at(&again, "id"), id, "the key is free again, the id is not");
}

#[test]
fn an_external_id_names_a_link() {
    let acme = Workspace::new("links-external");
    let made = acme.post("/links", &json!({"url": "https://acme.com", "externalId": "ext_a/b 1"}));
    assert_eq!(at(&made, "externalId"), "a/b 1");
    assert_eq!(at(&made, "key").len(), 7);
    assert_eq!(acme.get("/links/ext_a%2Fb%201"), made);
    assert_eq!(acme.get("/links/info?externalId=ext_a/b%201"), made);
    refused(
        &acme.call("POST", "/links", Some(&json!({"url": "https://a.co", "externalId": "a/b 1"}))),
        409,
        "conflict",
    );
}

#[test]
fn what_is_refused_is_refused_with_its_reason() {
    let acme = Workspace::new("links-refused");
    let other = Workspace::new("links-other");
    let taken = acme.post("/links", &json!({"url": "https://acme.com", "key": "taken"}));
    for (body, status, code, message) in [
        (json!({"key": "x"}), 422, "unprocessable_entity", "invalid_type: url: url is required"),
        (json!({"url": ""}), 422, "unprocessable_entity", "invalid_type: url: url is required"),
        (json!({"url": "javascript:alert(1)"}), 422, "unprocessable_entity", "custom: url: Invalid URL"),
        (json!({"url": "https://u:p@acme.com"}), 422, "unprocessable_entity", "custom: url: Invalid URL"),
        (
            json!({"url": format!("https://{}/loop", acme.domain)}),
            422,
            "unprocessable_entity",
            "custom: url: A dest",
        ),
        (
            json!({"url": "https://a.co", "ios": format!("https://{}", other.domain)}),
            422,
            "unprocessable_entity",
            "cu",
        ),
        (json!({"url": "https://a.co", "domain": other.domain}), 403, "forbidden", "The domain"),
        (json!({"url": "https://a.co", "domain": "nobody.example"}), 403, "forbidden", "The domain"),
        (
            json!({"url": "https://a.co", "key": "a b"}),
            422,
            "unprocessable_entity",
            "custom: key: Key contains",
        ),
        (json!({"url": "https://a.co", "key": "api/x"}), 403, "forbidden", "This key is reserved"),
        (json!({"url": "https://a.co", "key": "TAKEN"}), 409, "conflict", "The short link"),
        (
            json!({"url": "https://a.co", "tagNames": ["none"]}),
            422,
            "unprocessable_entity",
            "custom: tagNames: Unknown",
        ),
        (json!({"url": "https://a.co", "folderId": "fold_1"}), 404, "not_found", "Folder not found."),
    ] {
        let answer = acme.call("POST", "/links", Some(&body));
        refused(&answer, status, code);
        assert!(at(&answer.1["error"], "message").starts_with(message), "{body}: {}", answer.1);
    }
    // A link of another workspace is not there, whatever one tries.
    let path = format!("/links/{}", at(&taken, "id"));
    for method in ["GET", "PATCH", "DELETE"] {
        refused(&other.call(method, &path, Some(&json!({"url": "https://evil.example"}))), 404, "not_found");
    }
    refused(
        &other.call("GET", &format!("/links/info?domain={}&key=taken", acme.domain), None),
        404,
        "not_found",
    );
    refused(&other.call("GET", &format!("/links?domain={}", acme.domain), None), 404, "not_found");
    refused(&acme.call("GET", "/links/info", None), 400, "bad_request");
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let acme = Workspace::new("links-list");
    for (n, source) in (1..=5).zip(["a", "b", "a", "b", "a"]) {
        let body = json!({"url": format!("https://acme.com/{n}"), "key": format!("k{n}"), "utm_source": source,
            "utm_medium": if n < 4 { "early" } else { "late" }, "archived": n == 5});
        acme.post("/links", &body);
    }
    let keys = |query: &str| -> Vec<String> {
        let list = acme.get(&format!("/links{query}"));
        list.as_array().unwrap().iter().map(|link| at(link, "key").to_owned()).collect()
    };
    for (query, expected) in [
        ("", vec!["k4", "k3", "k2", "k1"]),
        ("?showArchived=true", vec!["k5", "k4", "k3", "k2", "k1"]),
        ("?sortOrder=asc", vec!["k1", "k2", "k3", "k4"]),
        ("?pageSize=3", vec!["k4", "k3", "k2"]),
        ("?pageSize=3&page=2", vec!["k1"]),
        ("?utm_source=a", vec!["k3", "k1"]),
        ("?utm_source=a&utm_medium=late&showArchived=true", vec!["k5"]),
        ("?utm_source=a,b&utm_medium=late", vec!["k4"]),
        ("?search=ACME.com/2", vec!["k2"]),
        ("?search=%25", vec![]),
        ("?url=https://acme.com/3", vec!["k3"]),
        ("?sortBy=utm_source&sortOrder=asc", vec!["k1", "k3", "k2", "k4"]),
        ("?sortBy=saleAmount", vec!["k4", "k3", "k2", "k1"]),
        ("?linkIds=' OR 1=1 --", vec![]),
    ] {
        assert_eq!(keys(&query.replace(' ', "%20")), expected, "{query}");
    }
    // Cursors walk the same list in both directions.
    let all = acme.get("/links");
    let id = |n: usize| at(&all[n], "id").to_owned();
    assert_eq!(keys(&format!("?startingAfter={}&pageSize=2", id(0))), ["k3", "k2"]);
    assert_eq!(keys(&format!("?endingBefore={}&pageSize=2", id(3))), ["k3", "k2"]);
    assert_eq!(keys(&format!("?sortBy=saleAmount&startingAfter={}", id(2))), ["k1"]);
    for query in
        ["?startingAfter=link_0", "?page=0", "?page=1.5", "?page=1001", "?pageSize=101", "?sortBy=id;"]
    {
        refused(&acme.call("GET", &format!("/links{query}"), None), 422, "unprocessable_entity");
    }
    assert_eq!(acme.get("/links/count"), json!(4));
    assert_eq!(
        acme.get("/links/count?groupBy=utm_source"),
        json!([{"utm_source": "a", "_count": 2}, {"utm_source": "b", "_count": 2}])
    );
}

#[test]
fn keys_say_who_may_do_what() {
    let acme = Workspace::new("links-keys");
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer".to_owned()), 401),
        (Some("Bearer pimms_wrongwrongwrongwrongwron".to_owned()), 401),
        (Some(format!("Bearer {}", acme.key.to_uppercase())), 401),
        (Some(format!("Bearer {}x", acme.key)), 401),
        (Some(format!("Bearer {}", "x".repeat(8000))), 401),
        (Some(format!("Basic {}", acme.key)), 400),
        (Some(acme.key.clone()), 400),
    ] {
        let client = crate::shared().client();
        let mut request = client.get("/api/links");
        if let Some(header) = &authorization {
            request = request.header("authorization", header);
        }
        let answer = request.send().unwrap();
        assert_eq!(answer.status, status, "{authorization:?}");
        if status == 401 {
            let expected =
                json!({"error": {"code": "unauthorized", "message": "Missing or invalid API key."}});
            assert_eq!(answer.json(), expected);
        }
    }
    refused(&acme.call("DELETE", "/links", None), 405, "method_not_allowed");
}
