//! `/api/customers` and `/api/sales`: people, their money, and the reason for each figure.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Charge, Event, Session};
use serde_json::{Value, json};

use crate::support::{Workspace, refused};

fn kinds(sale: &Value) -> Vec<&str> {
    let chain = sale["receipt"]["chain"].as_array().unwrap();
    chain.iter().map(|step| step["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_customer_comes_with_leads_sales_refunds_and_receipts() {
    let workspace = Workspace::new("customers");
    let (link, click) = workspace.clicked("go");
    workspace.post(
        "/track/lead",
        &json!({"clickId": click, "externalId": "u/1", "eventName": "Sign up", "customerName": "Ada",
            "customerEmail": "ada@shop.example"}),
    );
    let session =
        Session::paid("cs_1").amount(4900, "usd").intent("pi_1").customer("cus_1").external_id("u/1");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    let refund = Charge::succeeded("ch_1").intent("pi_1").amount(4900, "usd").refunded(900);
    workspace.stripe(&Event::new("charge.refunded", refund).at(now_secs()));
    let customer = workspace.settles("/customers/ext_u%2F1", |customer| {
        customer["refunds"].as_array().is_some_and(|r| r.len() == 1)
    });
    assert_eq!((&customer["name"], &customer["saleAmount"]), (&json!("Ada"), &json!(4000)), "{customer}");
    assert_eq!(customer["stripeCustomerId"], "cus_1");
    assert_eq!(customer["link"]["id"], link.as_str());
    assert_eq!(customer["leads"].as_array().unwrap().len(), 1);
    let sale = &customer["sales"][0];
    assert_eq!(
        (&sale["amount"], &sale["refunded"], &sale["net"], &sale["linkId"]),
        (&json!(4900), &json!(900), &json!(4000), &json!(link))
    );
    assert_eq!(kinds(sale), ["click", "lead", "customer", "sale"]);
    assert!(sale["receipt"]["references"].as_array().unwrap().contains(&json!("pi_1")), "{sale}");
    assert_eq!(sale["receipt"]["model"], "last");
    let id = customer["id"].as_str().unwrap();
    assert_eq!(workspace.get(&format!("/customers/{id}")), customer);
    // The receipt by any name of the payment.
    for name in [sale["id"].as_str().unwrap(), "cs_1", "pi_1", "ch_1"] {
        let found = workspace.get(&format!("/sales/{name}"));
        assert_eq!((&found["id"], &found["customer"]["id"]), (&sale["id"], &json!(id)), "{name}");
        assert_eq!(found["link"]["id"], link.as_str());
        assert_eq!(found["entries"].as_array().unwrap().len(), 2, "{found}");
    }
    // In test mode there is nobody.
    refused(&workspace.call("GET", &format!("/customers/{id}?mode=test"), None), 404, "not_found");
    refused(&workspace.call("GET", "/sales/cs_1?mode=test", None), 404, "not_found");
    // Nor for anybody else.
    let other = Workspace::new("customers-other");
    for path in [format!("/customers/{id}"), "/customers/ext_u%2F1".to_owned(), "/sales/cs_1".to_owned()] {
        refused(&other.call("GET", &path, None), 404, "not_found");
    }
    assert_eq!(other.get("/customers"), json!([]));
}

#[test]
fn an_unattributed_sale_says_why() {
    let workspace = Workspace::new("customers-why");
    let session = Session::paid("cs_1").amount(4900, "usd").intent("pi_1").referred_by_click("null");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    workspace.settles("/analytics?event=sales", |count| count["sales"] == 1);
    let sale = workspace.get("/sales/cs_1");
    assert_eq!((&sale["attributed"], &sale["link"]), (&json!(false), &Value::Null));
    assert_eq!(kinds(&sale), ["customer", "sale"]);
    assert!(!sale["receipt"]["explanation"].as_array().unwrap().is_empty(), "{sale}");
}

#[test]
fn customers_are_filtered_sorted_and_paged() {
    let workspace = Workspace::new("customers-list");
    let (link, click) = workspace.clicked("go");
    for (n, amount) in [(1, 300), (2, 100), (3, 200)] {
        let lead = json!({"clickId": click, "externalId": format!("u{n}"), "eventName": "Sign up",
            "customerEmail": format!("U{n}@shop.example")});
        workspace.post("/track/lead", &lead);
        let sale = json!({"externalId": format!("u{n}"), "amount": amount, "paymentProcessor": "stripe",
            "invoiceId": format!("INV_{n}")});
        workspace.post("/track/sale", &sale);
    }
    workspace.settles("/analytics?event=sales", |count| count["saleAmount"] == 600);
    let ids = |query: &str| -> Vec<String> {
        let found = workspace.get(&format!("/customers{query}"));
        let name = |customer: &Value| customer["externalId"].as_str().unwrap().to_owned();
        found.as_array().unwrap().iter().map(name).collect()
    };
    for (query, expected) in [
        ("?sortBy=saleAmount", vec!["u1", "u3", "u2"]),
        ("?sortBy=saleAmount&sortOrder=asc", vec!["u2", "u3", "u1"]),
        ("?sortBy=saleAmount&pageSize=2&page=2", vec!["u2"]),
        ("?email=u2@SHOP.example", vec!["u2"]),
        ("?externalId=u3", vec!["u3"]),
        ("?search=u1@", vec!["u1"]),
        ("?search=%25", vec![]),
        ("?linkId=link_0", vec![]),
    ] {
        assert_eq!(ids(query), expected, "{query}");
    }
    assert_eq!(ids(&format!("?linkId={link}")).len(), 3);
    let all = ids("");
    let first = workspace.get("/customers")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ids(&format!("?startingAfter={first}")), all[1..]);
    assert_eq!(workspace.get("/customers/count"), json!(3));
    assert_eq!(workspace.get("/customers?sortBy=saleAmount")[0]["saleAmount"], 300);
    refused(&workspace.call("GET", "/customers?startingAfter=cus_0", None), 422, "unprocessable_entity");
    refused(&workspace.call("GET", "/customers?sortBy=name", None), 422, "unprocessable_entity");
}
