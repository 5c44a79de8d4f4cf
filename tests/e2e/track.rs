//! `/track/lead` and `/track/sale`, where other trackers lose, double or mix up money. Each test has a workspace of
//! its own.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Customer, Event, Intent, Invoice, Session};
use serde_json::{Value, json};

use crate::support::{Workspace, refused};

fn lead(external_id: &str, click_id: &str) -> Value {
    json!({"externalId": external_id, "clickId": click_id, "eventName": "Sign up"})
}

fn sale(external_id: &str, amount: i64, invoice: &str) -> Value {
    json!({"externalId": external_id, "amount": amount, "invoiceId": invoice, "paymentProcessor": "stripe"})
}

/// Sales and gross US cents of a link.
fn figures(totals: &Value, link: &str) -> (i64, i64) {
    let of = &totals["live"]["links"][link];
    (of["sales"].as_i64().unwrap_or(0), of["gross"]["usd"].as_i64().unwrap_or(0))
}

#[test]
fn an_invoice_id_counts_once_in_a_workspace_and_blocks_no_other() {
    let workspaces = [Workspace::new("inv-a"), Workspace::new("inv-b")];
    for workspace in &workspaces {
        let (link, click) = workspace.clicked("inv");
        workspace.post("/track/lead", &lead("u1", &click));
        let first = workspace.post("/track/sale", &sale("u1", 4900, "INV-1"));
        assert_eq!(first["sale"]["amount"], 4900, "{first}");
        // Sent again it gets the first answer, whatever it says now.
        let again = workspace.post("/track/sale", &sale("u1", 1, "INV-1"));
        assert_eq!(again["sale"], first["sale"]);
        assert_eq!(again["customer"]["externalId"], "u1");
        workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (1, 4900));
    }
}

#[test]
fn a_lead_that_was_refused_can_be_reported_again() {
    let workspace = Workspace::new("again");
    let (link, click) = workspace.clicked("again");
    refused(&workspace.call("POST", "/track/lead", Some(&lead("u1", "0123456789abcdef"))), 404, "not_found");
    workspace.post("/track/lead", &lead("u1", &click));
    workspace.post("/track/sale", &sale("u1", 700, "INV-1"));
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (1, 700));
}

#[test]
fn a_sale_or_an_invoice_right_after_the_lead_finds_its_customer() {
    let workspace = Workspace::new("at-once");
    let (link, click) = workspace.clicked("at-once");
    for number in 1..=10 {
        let user = format!("u{number}");
        let mut body = lead(&user, &click);
        body["mode"] = "async".into();
        workspace.post("/track/lead", &body);
        let answer = workspace.post("/track/sale", &sale(&user, 100, &format!("INV-{number}")));
        assert_eq!(answer["customer"]["externalId"], user.as_str(), "{answer}");
        let invoice = Invoice::paid(&format!("in_{number}"))
            .amount(10, "usd")
            .customer(&format!("cus_{number}"))
            .metadata("pimmsCustomerId", &user);
        workspace.stripe(&Event::new("invoice.paid", invoice).at(now_secs() + 1));
    }
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (20, 1100));
}

#[test]
fn a_click_of_another_workspace_brings_nothing_there_or_here() {
    let (mine, theirs) = (Workspace::new("mine"), Workspace::new("theirs"));
    let (their_link, their_click) = theirs.clicked("foreign");
    refused(&mine.call("POST", "/track/lead", Some(&lead("u1", &their_click))), 404, "not_found");
    let session = Session::paid("cs_foreign").amount(900, "usd").referred_by_click(&their_click);
    mine.stripe(&Event::new("checkout.session.completed", session).at(now_secs() + 1));
    let totals =
        mine.settles("/ledger/totals", |totals| totals["live"]["unattributed"]["gross"]["usd"] == 900);
    assert_eq!(figures(&totals, &their_link), (0, 0));
    assert_eq!(figures(&theirs.get("/ledger/totals"), &their_link), (0, 0));
}

#[test]
fn a_returning_buyer_keeps_the_merchants_id_and_is_one_customer() {
    let workspace = Workspace::new("returning");
    let (link, click) = workspace.clicked("returning");
    workspace.post("/track/lead", &lead("u1", &click));
    for (number, at) in [(1, 1), (2, 2)] {
        let session = Session::paid(&format!("cs_{number}"))
            .amount(1000, "usd")
            .intent(&format!("pi_{number}"))
            .customer("cus_1")
            .external_id("u1");
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs() + at));
    }
    // Stripe's id has not taken the place of the merchant's.
    let answer = workspace.post("/track/sale", &sale("u1", 500, "INV-1"));
    assert_eq!(answer["customer"]["externalId"], "u1");
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (3, 2500));
}

#[test]
fn guests_without_an_e_mail_are_nobody_elses_customers() {
    let workspace = Workspace::new("guests");
    let (first, first_click) = workspace.clicked("g1");
    let (second, second_click) = workspace.clicked("g2");
    for (name, click, amount) in [("a", &first_click, 100), ("b", &second_click, 20), ("c", &first_click, 3)]
    {
        let session = Session::paid(&format!("cs_{name}")).amount(amount, "usd").referred_by_click(click);
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs() + 1));
    }
    workspace.settles("/ledger/totals", |totals| {
        figures(totals, &first) == (2, 103) && figures(totals, &second) == (1, 20)
    });
}

#[test]
fn a_customer_without_a_lead_has_the_click_of_its_metadata() {
    let workspace = Workspace::new("no-lead");
    let (link, click) = workspace.clicked("no-lead");
    let customer = Customer::new("cus_1").external_id("u1").click_id(&click);
    workspace.stripe(&Event::new("customer.created", customer).at(now_secs() + 1));
    let session = Session::paid("cs_1").amount(4900, "usd").customer("cus_1").external_id("u1");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs() + 2));
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (1, 4900));
}

#[test]
fn the_intent_of_an_invoice_is_no_sale_of_its_own() {
    let workspace = Workspace::new("intent");
    let (link, click) = workspace.clicked("intent");
    let customer = Customer::new("cus_1").external_id("u1").click_id(&click);
    workspace.stripe(&Event::new("customer.created", customer).at(now_secs() + 1));
    let intent = Intent::succeeded("pi_1").amount(2000, "usd").customer("cus_1");
    workspace.stripe(&Event::new("payment_intent.succeeded", intent).at(now_secs() + 2));
    workspace.settles("/parked", |rows| {
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["reference"] == "pi_1"))
    });
    assert_eq!(figures(&workspace.get("/ledger/totals"), &link), (0, 0), "until an invoice names it");
    let invoice = Invoice::paid("in_1").amount(2000, "usd").customer("cus_1");
    workspace.stripe(&Event::new("invoice.paid", invoice).at(now_secs() + 2));
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (1, 2000));
}

#[test]
fn a_later_lead_adds_a_touchpoint_and_takes_no_earlier_money() {
    let workspace = Workspace::new("touches");
    let (first, first_click) = workspace.clicked("t1");
    workspace.post("/track/lead", &lead("u1", &first_click));
    let paid =
        Session::paid("cs_1").amount(100, "usd").customer("cus_1").external_id("u1").subscription("sub_1");
    workspace.stripe(&Event::new("checkout.session.completed", paid).at(now_secs() + 1));
    // A click after that sale, and a lead by it.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let (second, second_click) = workspace.clicked("t2");
    let mut again = lead("u1", &second_click);
    again["eventName"] = "Demo".into();
    workspace.post("/track/lead", &again);
    let renewal = Invoice::paid("in_2")
        .amount(100, "usd")
        .customer("cus_1")
        .subscription("sub_1", "subscription_cycle");
    workspace.stripe(&Event::new("invoice.paid", renewal).at(now_secs() + 2));
    let one_off = Session::paid("cs_2").amount(7, "usd").customer("cus_1").external_id("u1");
    workspace.stripe(&Event::new("checkout.session.completed", one_off).at(now_secs() + 2));
    workspace.settles("/ledger/totals", |totals| {
        figures(totals, &first) == (2, 200) && figures(totals, &second) == (1, 7)
    });
}

#[test]
fn quantities_and_amounts_are_whole_and_bounded() {
    let workspace = Workspace::new("bounds");
    let (_, click) = workspace.clicked("bounds");
    for (name, value) in
        [("eventQuantity", json!(101)), ("eventQuantity", json!(1.5)), ("eventQuantity", json!(-1))]
    {
        let mut body = lead("u1", &click);
        body[name] = value;
        refused(&workspace.call("POST", "/track/lead", Some(&body)), 422, "unprocessable_entity");
    }
    for amount in
        [json!(-1), json!(1.5), json!("100"), json!(9_007_199_254_740_993_i64), json!(1e308), Value::Null]
    {
        let mut body = sale("u1", 1, "INV-1");
        body["amount"] = amount;
        refused(&workspace.call("POST", "/track/sale", Some(&body)), 422, "unprocessable_entity");
    }
    let mut unknown = sale("u1", 1, "INV-1");
    unknown["currency"] = "zzz".into();
    refused(&workspace.call("POST", "/track/sale", Some(&unknown)), 422, "unprocessable_entity");
}

#[test]
fn a_deferred_lead_keeps_the_click_for_the_lead_that_comes_later() {
    let workspace = Workspace::new("deferred");
    let (link, click) = workspace.clicked("deferred");
    let mut body = lead("u1", &click);
    body["mode"] = "deferred".into();
    assert_eq!(workspace.post("/track/lead", &body)["link"]["id"], link.as_str());
    let customer = workspace.settles("/customers?externalId=u1", |found| found[0]["externalId"] == "u1");
    assert_eq!(customer[0]["externalId"], "u1");
    assert_eq!(workspace.get(&format!("/links/{link}"))["leads"], 0);
    // The lead itself names no click any more.
    let later = workspace.post("/track/lead", &json!({"customerExternalId": "u1", "eventName": "Sign up"}));
    assert_eq!(later["click"]["id"], click.as_str(), "{later}");
    workspace.settles(&format!("/links/{link}"), |link| link["leads"] == 1);
    // Nobody has brought this one.
    let unknown = json!({"customerExternalId": "u2", "eventName": "Sign up"});
    refused(&workspace.call("POST", "/track/lead", Some(&unknown)), 400, "bad_request");
}

#[test]
fn a_direct_sale_brings_its_customer_lead_and_click() {
    let workspace = Workspace::new("direct");
    let (link, click) = workspace.clicked("direct");
    let mut body = json!({"customerExternalId": "u1", "clickId": click, "amount": 4900, "invoiceId": "INV-1",
        "customerName": "Ada", "leadEventName": "Bought at once"});
    let answer = workspace.post("/track/sale", &body);
    assert_eq!(
        (&answer["sale"]["amount"], &answer["customer"]["name"]),
        (&json!(4900), &json!("Ada")),
        "{answer}"
    );
    assert_eq!(workspace.post("/track/sale", &body)["sale"], answer["sale"], "told twice, sold once");
    workspace.settles("/ledger/totals", |totals| figures(totals, &link) == (1, 4900));
    workspace.settles(&format!("/links/{link}"), |link| link["leads"] == 1 && link["sales"] == 1);
    workspace
        .settles("/events?event=leads&interval=all", |events| events[0]["eventName"] == "Bought at once");
    // Without a click and without a customer a sale waits for whoever knows them.
    let nobody = json!({"customerExternalId": "u2", "amount": 1, "paymentProcessor": "stripe"});
    assert_eq!(workspace.post("/track/sale", &nobody)["customer"], Value::Null);
    body["customerExternalId"] = "u3".into();
    body["invoiceId"] = "INV-3".into();
    body["clickId"] = "0123456789abcdef".into();
    refused(&workspace.call("POST", "/track/sale", Some(&body)), 404, "not_found");
}
