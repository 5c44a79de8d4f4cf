//! Domains and links that change hands.

use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

fn body(target: &Workspace) -> Value {
    json!({"newWorkspaceId": target.id, "newWorkspaceKey": target.key})
}

#[test]
fn a_domain_moves_with_its_links_and_leaves_its_figures() {
    let (acme, other) = (Workspace::new("transfer-from"), Workspace::new("transfer-to"));
    let slug = format!("moving.{}", acme.domain);
    acme.post("/domains", &json!({"slug": slug, "primary": true}));
    let folder = acme.post("/folders", &json!({"name": "Spring", "accessLevel": "write"}));
    let link = acme.post(
        "/links",
        &json!({"domain": slug, "key": "go", "url": "https://shop.example/", "externalId": "x1",
        "tagNames": [acme.post("/tags", &json!({"name": "ads"}))["name"]], "folderId": folder["id"]}),
    );
    let (id, path) = (link["id"].as_str().unwrap(), format!("/domains/{slug}/transfer"));
    // Who does not act for the other workspace too is told nothing of it.
    for wrong in [
        json!({"newWorkspaceId": other.id}),
        json!({"newWorkspaceId": other.id, "newWorkspaceKey": acme.key}),
        json!({"newWorkspaceId": acme.id, "newWorkspaceKey": other.key}),
        json!({"newWorkspaceId": "ws_0", "newWorkspaceKey": other.key}),
        json!({"newWorkspaceId": other.id, "newWorkspaceKey": "dub_x"}),
    ] {
        refused(&acme.call("POST", &path, Some(&wrong)), 404, "not_found");
    }
    refused(&acme.call("POST", &path, Some(&json!({}))), 422, "unprocessable_entity");
    refused(&other.call("POST", &path, Some(&body(&other))), 404, "not_found");
    // An external id that is taken there stops all of it.
    let taken = other.post("/links", &json!({"url": "https://a.co", "externalId": "x1"}));
    refused(&acme.call("POST", &path, Some(&body(&other))), 409, "conflict");
    assert_eq!(acme.get(&format!("/domains/{slug}"))["primary"], true);
    other.call("DELETE", &format!("/links/{}", taken["id"].as_str().unwrap()), None);

    let before = Workspace { domain: slug.clone(), ..acme.clone() };
    assert!(before.visit("/go").starts_with("https://shop.example/"));
    let moved = acme.post(&path, &body(&other));
    assert_eq!((&moved["slug"], &moved["primary"]), (&json!(slug), &json!(false)), "{moved}");
    refused(&acme.call("GET", &format!("/domains/{slug}"), None), 404, "not_found");
    refused(&acme.call("GET", &format!("/links/{id}"), None), 404, "not_found");
    assert_eq!(acme.get("/domains")[0]["primary"], true, "the heir");
    let found = other.get(&format!("/links/{id}"));
    assert_eq!(
        (&found["shortLink"], &found["tags"], &found["folderId"], &found["externalId"]),
        (&link["shortLink"], &json!([]), &Value::Null, &json!("x1"))
    );
    assert!(before.visit("/go").starts_with("https://shop.example/"), "the short link goes on");
    assert!(
        other.call("PATCH", &format!("/links/{id}"), Some(&json!({"url": "https://new.example/"}))).0 == 200
    );
    refused(
        &acme.call("POST", "/links", Some(&json!({"domain": slug, "url": "https://a.co"}))),
        403,
        "forbidden",
    );
}

#[test]
fn a_link_moves_to_a_domain_of_the_new_workspace_only() {
    let (acme, other) = (Workspace::new("link-from"), Workspace::new("link-to"));
    let link = acme.post(
        "/links",
        &json!({"key": "go", "url": "https://shop.example/", "password": "secret", "publicStats": true}),
    );
    let page = acme.get(&format!("/links/{}/dashboard", link["id"].as_str().unwrap()));
    let page = format!("/api/share/{}", page["id"].as_str().unwrap());
    assert_eq!(shared().client().get(&page).send().unwrap().status, 200);
    let path = format!("/links/{}/transfer", link["id"].as_str().unwrap());
    refused(&acme.call("POST", &path, Some(&body(&other))), 403, "forbidden");
    let mut named = body(&other);
    named["domain"] = json!(acme.domain);
    refused(&acme.call("POST", &path, Some(&named)), 403, "forbidden");
    named["domain"] = json!(other.domain);
    refused(&other.call("POST", &path, Some(&named)), 404, "not_found");
    let taken = other.post("/links", &json!({"key": "go", "url": "https://a.co"}));
    refused(&acme.call("POST", &path, Some(&named)), 409, "conflict");
    other.call("DELETE", &format!("/links/{}", taken["id"].as_str().unwrap()), None);
    let moved = acme.post(&path, &named);
    assert_eq!((&moved["id"], &moved["domain"]), (&link["id"], &json!(other.domain)), "{moved}");
    assert_eq!(other.get("/links")[0]["id"], link["id"]);
    assert_eq!(acme.get("/links"), json!([]));
    refused(&acme.call("POST", &path, Some(&named)), 404, "not_found");
    assert_eq!(other.get("/links")[0]["publicStats"], false);
    assert_eq!(shared().client().get(&page).send().unwrap().status, 404, "its address was the old owner's");
}
