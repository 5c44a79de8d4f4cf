//! Customers by API: made, changed, erased, and what they did. Each change is a fact of the ledger.

use std::thread;

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Customer, Event, Session};
use serde_json::{Value, json};

use crate::support::{Workspace, refused};

#[test]
fn a_customer_is_made_changed_found_and_erased() {
    let acme = Workspace::new("customer-writes");
    let body = json!({"externalId": "u1", "name": "Ada", "email": "ada@shop.example", "country": "fr",
        "avatar": "https://shop.example/ada.png"});
    let (status, made) = acme.call("POST", "/customers", Some(&body));
    assert_eq!((status, &made["externalId"], &made["name"]), (201, &json!("u1"), &json!("Ada")), "{made}");
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cus_"));
    // Who reads after the answer reads what was written.
    for path in [format!("/customers/{id}"), "/customers/ext_u1".to_owned()] {
        let found = acme.get(&path);
        for name in ["id", "externalId", "name", "email", "avatar", "country", "createdAt"] {
            assert_eq!(found[name], made[name], "{path}: {name}");
        }
    }
    assert_eq!(made["country"], "FR");
    for query in ["?country=FR", "?search=ada@", "?externalId=u1", "?email=ADA@shop.example"] {
        assert_eq!(acme.get(&format!("/customers{query}")).as_array().unwrap().len(), 1, "{query}");
    }
    assert_eq!(acme.get("/customers/count?groupBy=country"), json!([{"country": "FR", "_count": 1}]));
    // Once.
    refused(&acme.call("POST", "/customers", Some(&body)), 409, "conflict");
    assert_eq!(acme.get("/customers/count"), json!(1));

    let changed =
        acme.patch(&format!("/customers/{id}"), &json!({"name": "Ada L.", "email": null, "country": "GB"}));
    assert_eq!(
        (&changed["name"], &changed["email"], &changed["avatar"], &changed["country"]),
        (&json!("Ada L."), &Value::Null, &made["avatar"], &json!("GB"))
    );
    assert_eq!(acme.patch("/customers/ext_u1", &json!({}))["name"], "Ada L.");
    let renamed = acme.patch("/customers/ext_u1", &json!({"externalId": "u2"}));
    assert_eq!((&renamed["id"], &renamed["externalId"]), (&json!(id), &json!("u2")));
    assert_eq!(acme.get("/customers/ext_u1")["id"], id, "an earlier external id still finds it");

    // Another customer's ids are refused and nobody is united.
    let second = acme.post("/customers", &json!({"externalId": "u3", "stripeCustomerId": "cus_S3"}));
    assert_ne!(second["id"], id);
    assert_eq!(second["stripeCustomerId"], "cus_S3");
    for body in [json!({"externalId": "u3"}), json!({"stripeCustomerId": "cus_S3"})] {
        refused(&acme.call("PATCH", &format!("/customers/{id}"), Some(&body)), 409, "conflict");
    }
    assert_eq!(acme.get("/customers/count"), json!(2));

    for (method, path, body) in [
        ("POST", "/customers", json!({})),
        ("POST", "/customers", json!({"externalId": ""})),
        ("POST", "/customers", json!({"externalId": "u9", "email": "x"})),
        ("PATCH", "/customers/ext_u2", json!({"externalId": null})),
        ("PATCH", "/customers/ext_u2", json!({"avatar": "javascript:1"})),
        ("PATCH", "/customers/ext_u2", json!({"country": "UK"})),
    ] {
        refused(&acme.call(method, path, Some(&body)), 422, "unprocessable_entity");
    }
    refused(&acme.call("PATCH", "/customers/cus_0", Some(&json!({"name": "x"}))), 404, "not_found");
    refused(
        &acme.call("PATCH", "/customers/ext_u2?mode=test", Some(&json!({"name": "x"}))),
        404,
        "not_found",
    );
    let other = Workspace::new("customer-writes-other");
    refused(&other.call("PATCH", &format!("/customers/{id}"), Some(&json!({"name": "x"}))), 404, "not_found");
    refused(&other.call("GET", &format!("/customers/{id}/activity"), None), 404, "not_found");
    assert_eq!(other.post("/customers", &json!({"externalId": "u2"}))["externalId"], "u2");

    assert_eq!(acme.call("DELETE", &format!("/customers/{id}"), None), (200, json!({"id": id})));
    acme.settles("/customers/count", |count| *count == json!(1));
    refused(&acme.call("GET", "/customers/ext_u2", None), 404, "not_found");
    // Whoever was erased does not come back, by no name.
    for name in ["u1", "u2"] {
        refused(&acme.call("POST", "/customers", Some(&json!({"externalId": name}))), 409, "conflict");
    }
}

#[test]
fn of_many_at_once_one_gets_the_external_id() {
    let acme = Workspace::new("customer-race");
    let at_once = |work: &(dyn Fn(usize) -> u16 + Sync)| {
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || work(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        statuses
    };
    let make = |_| acme.call("POST", "/customers", Some(&json!({"externalId": "same"}))).0;
    assert_eq!(at_once(&make), [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(acme.get("/customers/count"), json!(1));
    let ids: Vec<String> = (0..8)
        .map(|n| {
            acme.post("/customers", &json!({"externalId": format!("u{n}")}))["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let rename = |n: usize| {
        let path = format!("/customers/{}", ids[n]);
        acme.call("PATCH", &path, Some(&json!({"externalId": "wanted"}))).0
    };
    assert_eq!(at_once(&rename), [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(acme.get("/customers/count"), json!(9), "nobody was united");
}

#[test]
fn what_the_owner_says_meets_what_stripe_says() {
    let acme = Workspace::new("customer-meets");
    let customer =
        acme.post("/customers", &json!({"externalId": "u1", "stripeCustomerId": "cus_S", "name": "Ada"}));
    let session = Session::paid("cs_1").amount(4900, "usd").customer("cus_S");
    acme.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    let found = acme.settles("/customers/ext_u1", |found| found["saleAmount"] == 4900);
    assert_eq!((&found["id"], &found["name"]), (&customer["id"], &json!("Ada")));
    // A customer that Stripe knows, and no owner yet.
    let event = Event::new("customer.created", Customer::new("cus_T").email("grace@shop.example"));
    acme.stripe(&event.at(now_secs()));
    acme.settles("/customers/count", |count| *count == json!(2));
    let named = acme.post("/customers", &json!({"externalId": "u2", "stripeCustomerId": "cus_T"}));
    assert_eq!(named["email"], "grace@shop.example", "{named}");
    assert_eq!(acme.get("/customers/count"), json!(2));
    // Whom a tracked sale named first is there already.
    acme.post("/track/sale", &json!({"externalId": "u3", "amount": 100, "paymentProcessor": "stripe"}));
    acme.settles("/customers/count", |count| *count == json!(3));
    refused(&acme.call("POST", "/customers", Some(&json!({"externalId": "u3"}))), 409, "conflict");
    // Everything survives a rebuild from the ledgers.
    let before = acme.get("/customers/ext_u2");
    acme.post("/ledger/rebuild", &json!({}));
    acme.settles("/customers/count", |count| *count == json!(3));
    let after = acme.settles("/customers/ext_u2", |found| found["id"].is_string());
    assert_eq!(after["email"], before["email"]);
}

#[test]
fn activity_and_click_history_tell_what_a_customer_did() {
    let acme = Workspace::new("customer-activity");
    let (link, click) = acme.clicked("go");
    acme.post("/track/lead", &json!({"clickId": click, "externalId": "u1", "eventName": "Sign up"}));
    acme.post("/track/sale", &json!({"externalId": "u1", "amount": 4900, "paymentProcessor": "stripe"}));
    let found = acme.settles("/customers/ext_u1/activity", |found| {
        found["events"].as_array().is_some_and(|events| events.len() == 3)
    });
    let kinds: Vec<&str> =
        found["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["sale", "lead", "click"], "{found}");
    assert_eq!((&found["ltv"], &found["link"]["id"]), (&json!(4900), &json!(link)));
    let (lead, sale) = (found["timeToLead"].as_i64().unwrap(), found["timeToSale"].as_i64().unwrap());
    assert!((0..60_000).contains(&lead) && (lead..60_000).contains(&sale), "{lead} {sale}");
    let clicks = acme.get("/customers/ext_u1/click-history");
    assert_eq!(clicks.as_array().unwrap().len(), 1);
    assert_eq!((&clicks[0]["click"]["id"], &clicks[0]["link"]["id"]), (&json!(click), &json!(link)));
    assert_eq!(acme.get("/customers/ext_u1/click-history?page=2"), json!([]));
    let nobody = acme.post("/customers", &json!({"externalId": "u2"}));
    let idle = acme.get(&format!("/customers/{}/activity", nobody["id"].as_str().unwrap()));
    assert_eq!((&idle["events"], &idle["timeToLead"], &idle["ltv"]), (&json!([]), &Value::Null, &json!(0)));
    assert_eq!(acme.get("/customers/ext_u2/click-history"), json!([]));
    refused(&acme.call("GET", "/customers/ext_u3/activity", None), 404, "not_found");
    refused(&acme.call("GET", "/customers/ext_u1/activity?limit=1001", None), 422, "unprocessable_entity");
}
