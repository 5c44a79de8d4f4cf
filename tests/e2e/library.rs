//! Tags, folders, domains, upsert and bulk: what keeps many links in order.

use serde_json::{Value, json};

use crate::support::{Workspace, refused};

fn texts(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn tags_are_kept_once_and_sort_links() {
    let acme = Workspace::new("tags");
    let (status, news) = acme.call("POST", "/tags", Some(&json!({"name": "News", "color": "red"})));
    assert_eq!((status, news["color"].as_str()), (201, Some("red")));
    let ads = acme.post("/tags", &json!({"tag": "ads"}));
    refused(&acme.call("POST", "/tags", Some(&json!({"name": "NEWS"}))), 409, "conflict");
    refused(&acme.call("POST", "/tags", Some(&json!({}))), 422, "unprocessable_entity");
    refused(
        &acme.call("POST", "/tags", Some(&json!({"name": "x", "color": "black"}))),
        422,
        "unprocessable_entity",
    );
    let body = json!({"url": "https://a.co", "key": "k1", "tagNames": ["ADS", "news"]});
    let link = acme.post("/links", &body);
    assert_eq!(texts(&link["tags"], "name"), ["ads", "News"], "in the order asked for");
    acme.post("/links", &json!({"url": "https://b.co", "key": "k2", "tagIds": ads["id"]}));
    acme.post("/links", &json!({"url": "https://c.co", "key": "k3"}));
    let id = news["id"].as_str().unwrap();
    for (query, expected) in [
        (format!("tagIds={id}"), vec!["k1"]),
        ("tagNames=ads".to_owned(), vec!["k2", "k1"]),
        (format!("tagIds={id},{}", ads["id"].as_str().unwrap()), vec!["k2", "k1"]),
        ("withTags=true".to_owned(), vec!["k2", "k1"]),
    ] {
        assert_eq!(texts(&acme.get(&format!("/links?{query}")), "key"), expected, "{query}");
    }
    let counted = acme.get("/tags?includeLinksCount=true&sortBy=createdAt");
    assert_eq!((&counted[0]["_count"]["links"], &counted[1]["_count"]["links"]), (&json!(1), &json!(2)));
    assert_eq!(acme.get("/links/count?groupBy=tagId")[0], json!({"tagId": ads["id"], "_count": 2}));
    let renamed = acme.patch(&format!("/tags/{id}"), &json!({"name": "Letters"}));
    assert_eq!((renamed["name"].as_str(), renamed["color"].as_str()), (Some("Letters"), Some("red")));
    assert_eq!(texts(&acme.get("/tags?search=LETT"), "name"), ["Letters"]);
    let other = Workspace::new("tags-other");
    refused(&other.call("DELETE", &format!("/tags/{id}"), None), 404, "not_found");
    acme.call("DELETE", &format!("/tags/{id}"), None);
    assert_eq!(
        texts(
            &acme.get("/links/info?key=k1&domain=DOMAIN".replace("DOMAIN", &acme.domain).as_str())["tags"],
            "name"
        ),
        ["ads"]
    );
    assert_eq!(acme.get("/tags/count"), json!(1));
    let untagged = acme.patch(&format!("/links/{}", link["id"].as_str().unwrap()), &json!({"tagIds": []}));
    assert_eq!(untagged["tags"], json!([]));
}

#[test]
fn folders_hold_links_and_let_them_go() {
    let acme = Workspace::new("folders");
    let (status, folder) =
        acme.call("POST", "/folders", Some(&json!({"name": "Spring", "accessLevel": "write"})));
    assert_eq!((status, &folder["type"], &folder["description"]), (201, &json!("default"), &Value::Null));
    let id = folder["id"].as_str().unwrap();
    refused(&acme.call("POST", "/folders", Some(&json!({"name": "spring"}))), 409, "conflict");
    let link = acme.post("/links", &json!({"url": "https://a.co", "key": "in", "folderId": id}));
    assert_eq!(link["folderId"], id);
    acme.post("/links", &json!({"url": "https://a.co/2", "key": "out"}));
    assert_eq!(texts(&acme.get("/links"), "key"), ["out"]);
    assert_eq!(texts(&acme.get(&format!("/links?folderId={id}")), "key"), ["in"]);
    assert_eq!(texts(&acme.get("/links?search=a.co"), "key"), ["out", "in"]);
    assert_eq!(acme.get("/folders?includeLinkCount=true")[0]["linkCount"], 1);
    assert_eq!(acme.patch(&format!("/folders/{id}"), &json!({"description": "d"}))["description"], "d");
    let other = Workspace::new("folders-other");
    refused(&other.call("GET", &format!("/folders/{id}"), None), 404, "not_found");
    let foreign = json!({"url": "https://a.co", "folderId": id});
    refused(&other.call("POST", "/links", Some(&foreign)), 404, "not_found");
    acme.call("DELETE", &format!("/folders/{id}"), None);
    assert_eq!(acme.get(&format!("/links/{}", link["id"].as_str().unwrap()))["folderId"], Value::Null);
    assert_eq!(acme.get("/folders/count"), json!(0));
}

#[test]
fn utm_templates_keep_what_is_used_again() {
    let acme = Workspace::new("utm");
    let (status, mail) =
        acme.call("POST", "/utm-templates", Some(&json!({"name": "Mail", "utm_source": "news"})));
    assert_eq!(
        (status, &mail["utm_source"], &mail["utm_term"]),
        (201, &json!("news"), &Value::Null),
        "{mail}"
    );
    acme.post("/utm-templates", &json!({"name": "ads", "utm_medium": "cpc"}));
    refused(&acme.call("POST", "/utm-templates", Some(&json!({"name": "MAIL"}))), 409, "conflict");
    refused(&acme.call("POST", "/utm-templates", Some(&json!({}))), 422, "unprocessable_entity");
    assert_eq!(texts(&acme.get("/utm-templates"), "name"), ["ads", "Mail"]);
    assert_eq!(texts(&acme.get("/utm-templates?search=MA"), "name"), ["Mail"]);
    assert_eq!(texts(&acme.get("/utm-templates?pageSize=1&page=2"), "name"), ["Mail"]);
    let path = format!("/utm-templates/{}", mail["id"].as_str().unwrap());
    let changed = acme.patch(&path, &json!({"utm_source": null, "utm_campaign": "spring"}));
    assert_eq!((&changed["utm_source"], &changed["utm_campaign"]), (&Value::Null, &json!("spring")));
    assert_eq!(acme.get(&path), changed);
    refused(&acme.call("PATCH", &path, Some(&json!({"name": "Ads"}))), 409, "conflict");
    let other = Workspace::new("utm-other");
    for (method, body) in [("GET", None), ("PATCH", Some(json!({"name": "x"}))), ("DELETE", None)] {
        refused(&other.call(method, &path, body.as_ref()), 404, "not_found");
    }
    assert_eq!(other.get("/utm-templates"), json!([]));
    assert_eq!(acme.call("DELETE", &path, None).1, json!({"id": mail["id"]}));
    refused(&acme.call("GET", &path, None), 404, "not_found");
    assert_eq!(acme.send("PUT", "/utm-templates", None).status, 405);
}

#[test]
fn domains_are_added_renamed_and_removed_with_their_links() {
    let acme = Workspace::new("domains");
    let slug = format!("second.{}", acme.domain);
    let (status, domain) =
        acme.call("POST", "/domains", Some(&json!({"slug": slug, "placeholder": "https://acme.com"})));
    assert_eq!(
        (status, &domain["primary"], &domain["registeredDomain"]),
        (201, &json!(false), &Value::Null),
        "{domain}"
    );
    let other = Workspace::new("domains-other");
    refused(&other.call("POST", "/domains", Some(&json!({"slug": slug}))), 409, "conflict");
    refused(&other.call("GET", &format!("/domains/{slug}"), None), 404, "not_found");
    refused(&acme.call("POST", "/domains", Some(&json!({"slug": "no dots"}))), 422, "unprocessable_entity");
    acme.post("/links", &json!({"url": "https://acme.com/x", "key": "k", "domain": slug}));
    assert_eq!(texts(&acme.get(&format!("/links?domain={slug}")), "key"), ["k", "_root"]);
    let changed = acme.patch(
        &format!("/domains/{slug}"),
        &json!({"assetLinks": "[]", "notFoundUrl": "https://acme.com/404"}),
    );
    assert_eq!((&changed["assetLinks"], &changed["placeholder"]), (&json!("[]"), &json!("https://acme.com")));
    assert_eq!(acme.patch(&format!("/domains/{slug}"), &json!({"archived": false}))["assetLinks"], "[]");
    let (_, primary) = acme.call("POST", &format!("/domains/{slug}/primary"), None);
    assert_eq!(primary["primary"], true);
    assert_eq!(texts(&acme.get("/domains"), "slug"), [slug.clone(), acme.domain.clone()]);
    assert_eq!(acme.get("/domains")[1]["primary"], false, "there is one primary domain");
    let renamed = format!("third.{}", acme.domain);
    acme.patch(&format!("/domains/{slug}"), &json!({"slug": renamed}));
    assert_eq!(texts(&acme.get(&format!("/links?domain={renamed}")), "key"), ["k", "_root"]);
    refused(&acme.call("GET", &format!("/domains/{slug}"), None), 404, "not_found");
    assert_eq!(acme.call("DELETE", &format!("/domains/{renamed}"), None).1, json!({"slug": renamed}));
    refused(&acme.call("GET", &format!("/links/info?domain={renamed}&key=k"), None), 404, "not_found");
    assert_eq!(acme.get("/domains")[0]["primary"], true, "the heir");
    assert_eq!(acme.get("/domains/count"), json!(1));
}

#[test]
fn an_upsert_finds_what_it_made() {
    let acme = Workspace::new("upsert");
    let body = json!({"url": "https://acme.com/x", "utm_source": "a b", "utm_campaign": "c"});
    let upsert = |body: &Value| {
        let (status, link) = acme.call("PUT", "/links/upsert", Some(body));
        assert_eq!(status, 200, "{link}");
        link
    };
    let first = upsert(&body);
    assert_eq!(upsert(&body), first, "the same link, unchanged");
    let mut titled = body.clone();
    titled["title"] = "T".into();
    let second = upsert(&titled);
    assert_eq!((&second["id"], &second["title"]), (&first["id"], &json!("T")));
    let other = upsert(&json!({"url": "https://acme.com/x", "utm_source": "z"}));
    assert_ne!(other["id"], first["id"]);
    assert_eq!(acme.get("/links/count"), json!(2));
}

#[test]
fn bulk_makes_changes_and_deletes_what_it_can_and_says_what_it_cannot() {
    let acme = Workspace::new("bulk");
    acme.post("/links", &json!({"url": "https://a.co", "key": "taken"}));
    let made = acme.post(
        "/links/bulk",
        &json!([
            {"url": "https://a.co/1", "key": "one", "expiresAt": "2040-01-01", "geo": {"FR": "https://a.fr"}},
            {"url": "https://a.co/2", "key": "taken"},
            {"url": "https://a.co/3", "externalId": "three"},
            {"url": "https://a.co/4", "folderId": "fold_0"}
        ]),
    );
    assert_eq!(made.as_array().unwrap().len(), 4);
    assert_eq!((&made[0]["key"], &made[1]["externalId"]), (&json!("one"), &json!("three")));
    assert_eq!((&made[2]["code"], &made[2]["link"]["key"]), (&json!("conflict"), &json!("taken")));
    assert_eq!(made[3]["code"], "not_found");
    for (body, status, code) in [
        (json!([]), 422, "unprocessable_entity"),
        (json!({"url": "https://a.co"}), 422, "unprocessable_entity"),
        (Value::Array(vec![json!({"url": "https://a.co"}); 101]), 422, "unprocessable_entity"),
        (json!([{"url": 1}]), 422, "unprocessable_entity"),
        (
            json!([{"url": "https://a.co", "key": "x"}, {"url": "https://a.co", "key": "X"}]),
            400,
            "bad_request",
        ),
        (
            json!([{"url": "https://a.co", "externalId": "x"}, {"url": "https://a.co", "externalId": "x"}]),
            400,
            "bad_request",
        ),
    ] {
        refused(&acme.call("POST", "/links/bulk", Some(&body)), status, code);
    }
    let id = made[0]["id"].as_str().unwrap();
    let change = json!({"linkIds": [id, "ext_three", "link_0"], "data": {"title": "T", "clicks": 9, "key": "stolen",
        "url": "https://a.co/new?clicks=5&workspace_id=x"}});
    let changed = acme.patch("/links/bulk", &change);
    assert_eq!(texts(&changed, "title"), ["T", "T", ""]);
    assert_eq!(changed[2], json!({"error": "Link not found", "code": "not_found", "link": {"id": "link_0"}}));
    let one = acme.get(&format!("/links/{id}"));
    assert_eq!((&one["key"], &one["clicks"]), (&json!("one"), &json!(0)), "nothing else moved");
    assert_eq!(
        (&one["geo"]["FR"], one["expiresAt"].is_string()),
        (&json!("https://a.fr"), true),
        "nor was cleared"
    );
    assert_eq!(acme.patch("/links/bulk", &json!({"data": {"title": "x"}})), json!("No links to update"));
    refused(
        &acme.call("PATCH", "/links/bulk", Some(&json!({"linkIds": [id], "data": {"folderId": "fold_0"}}))),
        404,
        "not_found",
    );
    let other = Workspace::new("bulk-other");
    let (_, none) = other.call("DELETE", &format!("/links/bulk?linkIds={id}"), None);
    assert_eq!(none, json!({"deletedCount": 0}));
    let (_, gone) = acme.call("DELETE", &format!("/links/bulk?linkIds={id},ext_three,link_0,{id}"), None);
    assert_eq!(gone, json!({"deletedCount": 2}));
    refused(&acme.call("DELETE", "/links/bulk", None), 400, "bad_request");
    // Free keys.
    assert_eq!(acme.get("/links/random").as_str().map(str::len), Some(7));
    assert_eq!(acme.get("/links/exists?key=free"), json!({"error": null}));
    refused(&acme.call("GET", "/links/exists?key=TAKEN", None), 409, "conflict");
    refused(&acme.call("GET", "/links/exists?key=a%20b", None), 422, "unprocessable_entity");
}
