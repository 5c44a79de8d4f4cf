//! API keys, the workspace, rate limits and `Idempotency-Key`.

use std::thread;

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Event, Session};
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused, upkeep};

fn with_key(workspace: &Workspace, key: &str) -> Workspace {
    Workspace { key: key.to_owned(), ..workspace.clone() }
}

#[test]
fn keys_are_made_limited_and_revoked() {
    let acme = Workspace::new("tokens");
    let (status, made) = acme.call("POST", "/tokens", Some(&json!({"name": "ci", "scopes": ["links.read"]})));
    let key = made["token"].as_str().unwrap();
    assert_eq!((status, key.len(), &key[..6]), (201, 30, "pimms_"));
    let reader = with_key(&acme, key);
    assert_eq!(reader.get("/links"), json!([]));
    refused(&reader.call("POST", "/links", Some(&json!({"url": "https://a.co"}))), 403, "forbidden");
    for path in ["/customers", "/tokens", "/analytics", "/stripe", "/events"] {
        refused(&reader.call("GET", path, None), 403, "forbidden");
    }
    refused(
        &acme.call("POST", "/tokens", Some(&json!({"name": "x", "scopes": ["root"]}))),
        422,
        "unprocessable_entity",
    );
    let writer = acme.post("/tokens", &json!({"name": "maker", "scopes": ["tokens.write", "links.read"]}));
    let maker = with_key(&acme, writer["token"].as_str().unwrap());
    refused(
        &maker.call("POST", "/tokens", Some(&json!({"name": "x", "scopes": ["apis.all"]}))),
        403,
        "forbidden",
    );
    let listed = acme.get("/tokens");
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert!(!listed.to_string().contains(key), "a key is shown once");
    assert_eq!(listed[1]["partialKey"], format!("pim...{}", &key[26..]));
    let id = made["id"].as_str().unwrap();
    let other = Workspace::new("tokens-other");
    refused(&other.call("DELETE", &format!("/tokens/{id}"), None), 404, "not_found");
    acme.patch(&format!("/tokens/{id}"), &json!({"expiresAt": "2020-01-01"}));
    refused(&reader.call("GET", "/links", None), 401, "unauthorized");
    acme.call("DELETE", &format!("/tokens/{id}"), None);
    refused(&acme.call("GET", &format!("/tokens/{id}"), None), 404, "not_found");
    refused(&reader.call("GET", "/links", None), 401, "unauthorized");
}

#[test]
fn a_key_has_so_many_requests_a_minute() {
    let acme = Workspace::new("limits");
    let made = acme.post("/tokens", &json!({"name": "slow", "scopes": ["links.read"], "rateLimit": 5}));
    let slow = with_key(&acme, made["token"].as_str().unwrap());
    let answers: Vec<_> = (0..12).map(|_| slow.send("GET", "/links", None)).collect();
    let first = &answers[0];
    assert_eq!((first.status, first.header("x-ratelimit-limit")), (200, Some("5")));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("4"));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "seconds, not a date: {wait}");
    assert!(answers.iter().filter(|answer| answer.status == 200).count() <= 10, "of two minutes at most");
    assert_eq!(acme.send("GET", "/links", None).status, 200, "other keys go on");
    let missing = acme.send("GET", "/links/link_0", None);
    assert!(missing.status == 404 && missing.header("x-ratelimit-limit").is_some());
}

#[test]
fn the_same_post_twice_is_done_once() {
    let acme = Workspace::new("idempotency");
    let post = |path: &str, body: &Value| {
        let request = shared().client().post(&format!("/api{path}")).bearer(&acme.key);
        request.header("idempotency-key", "order 7").json(body).send().unwrap()
    };
    let body = json!({"url": "https://a.co"});
    refused(
        &(post("/links", &json!({})).status, post("/links", &json!({})).json()),
        422,
        "unprocessable_entity",
    );
    let first = post("/links", &body);
    assert_eq!(first.status, 200, "a refused request leaves the key free: {}", first.text());
    let again = post("/links", &body);
    assert_eq!((again.status, again.body == first.body), (200, true));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(post("/links", &json!({"url": "https://b.co"})).status, 422);
    assert_eq!(post("/tags", &body).status, 422);
    assert_eq!(acme.get("/links/count"), json!(1));
    // At the same moment: one does it, the others are told so or get its answer.
    let crowd = Workspace::new("idempotency-crowd");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let send = || {
            let request = shared().client().post("/api/links").bearer(&crowd.key);
            request
                .header("idempotency-key", "x")
                .json(&json!({"url": "https://a.co"}))
                .send()
                .unwrap()
                .status
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    assert_eq!(crowd.get("/links/count"), json!(1));
}

#[test]
fn a_workspace_shows_and_changes_itself_only() {
    let acme = Workspace::new("workspace");
    let shown = acme.get("/workspaces");
    let id = shown[0]["id"].as_str().unwrap();
    assert_eq!((&shown[0]["currency"], &shown[0]["domains"][0]["primary"]), (&json!("USD"), &json!(true)));
    let changed = acme
        .patch(&format!("/workspaces/{id}"), &json!({"currency": "eur", "allowedHostnames": ["acme.com"]}));
    assert_eq!((&changed["currency"], &changed["allowedHostnames"]), (&json!("EUR"), &json!(["acme.com"])));
    assert_eq!(acme.get("/analytics?event=sales")["currency"], "eur", "reports follow at once");
    let other = Workspace::new("workspace-other");
    refused(&other.call("GET", &format!("/workspaces/{id}"), None), 404, "not_found");
    refused(
        &other.call("PATCH", &format!("/workspaces/{id}"), Some(&json!({"name": "x"}))),
        404,
        "not_found",
    );
    let slug = changed["slug"].clone();
    let mine = other.get("/workspaces")[0]["id"].as_str().unwrap().to_owned();
    refused(
        &other.call("PATCH", &format!("/workspaces/{mine}"), Some(&json!({"slug": slug}))),
        409,
        "conflict",
    );
    refused(
        &acme.call("PATCH", &format!("/workspaces/{id}"), Some(&json!({"currency": "zzz"}))),
        422,
        "unprocessable_entity",
    );
}

#[test]
fn stripe_settings_never_show_a_secret() {
    let acme = Workspace::new("stripe-settings");
    let put = |body: Value| acme.call("PUT", "/stripe", Some(&body));
    let (status, shown) = put(
        json!({"signingSecrets": [{"mode": "test", "secret": "whsec_0123456789"}], "accounts": ["acct_A1"]}),
    );
    assert_eq!(status, 200);
    assert_eq!(shown["signingSecrets"], json!([{"mode": "test", "lastFour": "6789"}]));
    assert!(!acme.get("/stripe").to_string().contains("whsec_"));
    let other = Workspace::new("stripe-settings-other");
    refused(&other.call("PUT", "/stripe", Some(&json!({"accounts": ["acct_A1"]}))), 409, "conflict");
    let many: Vec<Value> =
        (0..5).map(|n| json!({"mode": "live", "secret": format!("whsec_0123456{n}")})).collect();
    refused(&put(json!({ "signingSecrets": many })), 422, "unprocessable_entity");
    put(json!({"accounts": []}));
    assert_eq!(other.call("PUT", "/stripe", Some(&json!({"accounts": ["acct_A1"]}))).0, 200, "free again");
}

#[test]
fn requests_that_do_not_say_do_as_the_workspace_has_chosen() {
    let acme = Workspace::new("workspace-defaults");
    let own = format!("/workspaces/{}", acme.id);
    let shown = acme.get(&own);
    for (name, value) in [
        ("conversionEnabled", json!(true)),
        ("timezone", Value::Null),
        ("attributionWindowDays", json!(90)),
        ("attributionModel", json!("last")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(
        (&shown["clickRetentionDays"], &shown["defaultClickRetentionDays"]),
        (&Value::Null, &json!(400))
    );
    let tracks = |body: Value| acme.post("/links", &body)["trackConversion"].clone();
    assert_eq!(tracks(json!({"url": "https://a.co/1"})), true);
    acme.patch(
        &own,
        &json!({"conversionEnabled": false, "timezone": "Asia/Tokyo", "attributionModel": "linear"}),
    );
    assert_eq!(tracks(json!({"url": "https://a.co/2"})), false);
    assert_eq!(tracks(json!({"url": "https://a.co/3", "trackConversion": true})), true);
    let many = acme.post("/links/bulk", &json!([{"url": "https://a.co/4"}]));
    assert_eq!(many[0]["trackConversion"], false);
    let (_, upserted) = acme.call("PUT", "/links/upsert", Some(&json!({"url": "https://a.co/5"})));
    assert_eq!(upserted["trackConversion"], false);
    let first = |query: &str| {
        acme.get(&format!("/analytics?groupBy=timeseries{query}"))[0]["start"].as_str().unwrap().to_owned()
    };
    assert!(first("").ends_with("+0900"), "{}", first(""));
    assert!(!first("&timezone=Europe/Paris").ends_with("+0900"));
    let who = acme.get("/session");
    assert_eq!(
        (&who["timezone"], &who["attributionModel"], &who["conversionEnabled"]),
        (&json!("Asia/Tokyo"), &json!("linear"), &json!(false))
    );
    for days in [json!(1), json!(3650), Value::Null] {
        assert_eq!(acme.patch(&own, &json!({ "clickRetentionDays": days }))["clickRetentionDays"], days);
    }
    for body in [
        json!({"timezone": "Mars/Olympus"}),
        json!({"attributionWindowDays": 400}),
        json!({"clickRetentionDays": 0}),
    ] {
        refused(&acme.call("PATCH", &own, Some(&body)), 422, "unprocessable_entity");
    }
    assert_eq!(acme.patch(&own, &json!({"timezone": null}))["timezone"], Value::Null);
    assert!(!first("").ends_with("+0900"));
}

#[test]
fn a_workspace_keeps_clicks_as_long_as_it_has_chosen() {
    let (brief, patient) = (Workspace::new("retention-brief"), Workspace::new("retention-patient"));
    for workspace in [&brief, &patient] {
        let (_, click) = workspace.clicked("go");
        workspace.click("go", 127);
        workspace.click("go", 128);
        workspace.post("/track/lead", &json!({"clickId": click, "externalId": "u1", "eventName": "Sign up"}));
        workspace.settles("/analytics?event=clicks&interval=all", |found| found["clicks"] == 3);
        workspace.settles("/analytics?event=leads&interval=all", |found| found["leads"] == 1);
    }
    brief.patch(&format!("/workspaces/{}", brief.id), &json!({"clickRetentionDays": 1}));
    // A run gives the day up, the next deletes its rows.
    for _ in 0..2 {
        upkeep(now_secs() * 1000 + 4 * 86_400_000, true);
    }
    // Of hours that are gone there are whole ones only.
    let tomorrow = Millis((now_secs() / 86_400 + 1) * 86_400_000).to_iso();
    for (workspace, rows) in [(&brief, 1), (&patient, 3)] {
        let kept = workspace.get("/events?event=clicks&interval=all");
        assert_eq!(kept.as_array().map(Vec::len), Some(rows), "the click with a lead stays: {kept}");
        let counted = |group: &str| {
            workspace.get(&format!("/analytics?event=clicks&start=2024-01-01&end={tomorrow}&groupBy={group}"))
        };
        assert_eq!(counted("count")["clicks"], 3);
        assert_eq!(
            (&counted("browsers")[0]["clicks"], &counted("top_links")[0]["clicks"]),
            (&json!(3), &json!(3))
        );
        assert_eq!(workspace.get("/links")[0]["clicks"], 3);
    }
}

#[test]
fn another_look_back_window_attributes_every_sale_anew() {
    let acme = Workspace::new("workspace-window");
    let (link, click) = acme.clicked("go");
    acme.post("/track/lead", &json!({"clickId": click, "externalId": "u1", "eventName": "Sign up"}));
    // Paid five days after the click.
    let paid = |id: &str| {
        let session = Session::paid(&format!("cs_{id}")).amount(4900, "usd").intent(&format!("pi_{id}"));
        let event = Event::new("checkout.session.completed", session.external_id("u1"));
        acme.stripe(&event.at(now_secs() + 5 * 86_400));
    };
    let link_of = |sale: &str, expected: &Value| {
        acme.settles(&format!("/sales/{sale}"), |sale| sale["linkId"] == *expected);
    };
    let choose = |days: i64| {
        let shown = acme.patch(&format!("/workspaces/{}", acme.id), &json!({"attributionWindowDays": days}));
        assert_eq!(shown["attributionWindowDays"], days);
    };
    paid("1");
    acme.settles("/links/count", |_| acme.call("GET", "/sales/cs_1", None).0 == 200);
    link_of("cs_1", &json!(link));
    choose(3);
    link_of("cs_1", &Value::Null);
    let sale = acme.get("/sales/cs_1");
    assert!(sale["receipt"]["explanation"][0].as_str().unwrap().contains("within 3 days"), "{sale}");
    // Later deliveries, which know nothing of it, go by it as well; and so does a rebuild.
    paid("2");
    acme.settles("/links/count", |_| acme.call("GET", "/sales/cs_2", None).0 == 200);
    link_of("cs_2", &Value::Null);
    acme.post("/ledger/rebuild", &json!({}));
    acme.settles("/ledger/entries", |entries| entries.as_array().is_some_and(|all| all.len() == 2));
    assert_eq!(acme.get("/sales/cs_1")["linkId"], Value::Null);
    choose(30);
    for sale in ["cs_1", "cs_2"] {
        link_of(sale, &json!(link));
    }
}
