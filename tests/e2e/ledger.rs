//! The ledger from outside: merging, parking, accounts, erasure, rebuild. Each test has a workspace of its own.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Charge, Customer, Event, Invoice, Session};
use serde_json::{Value, json};

use crate::support::Workspace;

fn lead(workspace: &Workspace, external_id: &str, click_id: &str) -> Value {
    let body = json!({"externalId": external_id, "clickId": click_id, "eventName": "Sign up",
        "customerName": "Ada Lovelace", "customerEmail": "ada@shop.example"});
    workspace.post("/track/lead", &body)
}

fn net(totals: &Value, link: &str) -> i64 {
    totals["live"]["links"][link]["net"]["usd"].as_i64().unwrap_or(0)
}

#[test]
fn two_customers_found_to_be_one_keep_all_their_money_once() {
    let workspace = Workspace::new("merge");
    let (first, first_click) = workspace.clicked("first");
    let (second, second_click) = workspace.clicked("second");
    let now = now_secs();
    // u1 has a lead and a tracked sale; cus_1 has a click of its own, a paid invoice and a refund.
    lead(&workspace, "u1", &first_click);
    workspace.post(
        "/track/sale",
        &json!({"externalId": "u1", "amount": 300, "invoiceId": "INV_1", "paymentProcessor": "stripe"}),
    );
    workspace.stripe(
        &Event::new("customer.created", Customer::new("cus_1").metadata("pimmsClickId", &second_click))
            .at(now),
    );
    workspace.stripe(
        &Event::new("invoice.paid", Invoice::paid("in_1").customer("cus_1").amount(700, "usd")).at(now + 1),
    );
    workspace.stripe(
        &Event::new(
            "charge.refunded",
            Charge::succeeded("ch_1").customer("cus_1").amount(700, "usd").refunded(200),
        )
        .at(now + 2),
    );
    workspace.settles("/ledger/totals", |t| net(t, &first) == 300 && net(t, &second) == 500);
    assert_eq!(workspace.get("/ledger/totals")["live"]["unattributed"]["sales"], 0);
    // One session names both.
    let session =
        Session::paid("cs_1").amount(4900, "usd").intent("pi_1").customer("cus_1").external_id("u1");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now + 3));
    let totals =
        workspace.settles("/ledger/totals", |t| net(t, &first) + net(t, &second) == 300 + 500 + 4900);
    // Now one customer: everything later than both clicks belongs to the later one.
    assert_eq!(net(&totals, &second), 5700, "{totals}");
    let sales: i64 =
        [&first, &second].iter().filter_map(|l| totals["live"]["links"][*l]["sales"].as_i64()).sum();
    assert_eq!(sales, 3, "{totals}");
    // What still comes for either name is booked on the one.
    workspace.stripe(
        &Event::new("invoice.paid", Invoice::paid("in_2").customer("cus_1").amount(100, "usd")).at(now + 4),
    );
    workspace.settles("/ledger/totals", |t| net(t, &second) == 5800);
}

#[test]
fn a_refund_before_its_sale_is_parked_and_resolved() {
    let workspace = Workspace::new("parked");
    let (link, click) = workspace.clicked("go");
    let now = now_secs();
    let refund = Charge::succeeded("ch_1").intent("pi_1").amount(2000, "usd").refunded(500);
    workspace.stripe(&Event::new("charge.refunded", refund).at(now + 9));
    let parked = workspace.settles("/parked", |rows| rows.as_array().is_some_and(|rows| rows.len() == 1));
    assert_eq!(parked[0]["kind"], "refund", "{parked}");
    let session = Session::paid("cs_1").amount(2000, "usd").intent("pi_1").referred_by_click(&click);
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now));
    workspace.settles("/parked", |rows| rows.as_array().is_some_and(Vec::is_empty));
    workspace.settles("/ledger/totals", |t| net(t, &link) == 1500);
    let log = workspace.get("/stripe/events");
    assert_eq!(log.as_array().map(Vec::len), Some(2), "{log}");
    assert!(log[0]["verdict"].as_str().unwrap().starts_with("sale of 2000 usd"), "{log}");
}

#[test]
fn events_that_cannot_be_used_are_kept_with_the_reason() {
    let workspace = Workspace::new("unusable");
    let session = Session::paid("cs_1").amount(-5, "usd").intent("pi_1");
    let verdict = workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    assert!(verdict.contains("amount_total"), "{verdict}");
    let session = Session::paid("cs_2").amount(5, "zzz").intent("pi_2");
    let verdict = workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    assert!(verdict.contains("currency"), "{verdict}");
    let parked = workspace.get("/parked");
    assert_eq!(parked.as_array().map(Vec::len), Some(2), "{parked}");
    assert_eq!(workspace.get("/ledger/totals")["live"]["unattributed"]["sales"], 0);
}

#[test]
fn an_unknown_account_waits_until_it_is_connected_and_a_disconnected_one_keeps_its_past() {
    let workspace = Workspace::new("accounts");
    let now = now_secs();
    let paid = |id: &str, at: i64| {
        let invoice = Invoice::paid(id).customer("cus_1").amount(1000, "usd");
        Event::new("invoice.paid", invoice).account("acct_shop").at(at)
    };
    let verdict = workspace.stripe(&paid("in_1", now - 60));
    assert!(verdict.contains("unknown account acct_shop"), "{verdict}");
    let unattributed = |t: &Value| t["live"]["unattributed"]["gross"]["usd"].as_i64().unwrap_or(0);
    assert_eq!(unattributed(&workspace.get("/ledger/totals")), 0);
    let (status, answer) = workspace.call("PUT", "/stripe", Some(&json!({"accounts": ["acct_shop"]})));
    assert_eq!(status, 200, "{answer}");
    workspace.settles("/ledger/totals", |t| unattributed(t) == 1000);
    workspace.settles("/parked", |rows| rows.as_array().is_some_and(Vec::is_empty));
    // Disconnected now: an event of before is still this workspace's, one of later is nobody's.
    let gone = Event::new("account.application.deauthorized", Customer::new("ca_1"))
        .account("acct_shop")
        .at(now + 60);
    workspace.stripe(&gone);
    workspace.stripe(&paid("in_2", now + 30));
    workspace.settles("/ledger/totals", |t| unattributed(t) == 2000);
    let verdict = workspace.stripe(&paid("in_3", now + 90));
    assert!(verdict.contains("unknown account"), "{verdict}");
}

#[test]
fn an_erased_person_is_gone_and_the_money_is_not() {
    let workspace = Workspace::new("erase");
    let (link, click) = workspace.clicked("go");
    let now = now_secs();
    lead(&workspace, "u1", &click);
    let session = Session::paid("cs_1")
        .amount(2000, "usd")
        .intent("pi_1")
        .customer("cus_1")
        .external_id("u1")
        .subscription("sub_1")
        .email("ada@shop.example");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now));
    workspace.settles("/ledger/totals", |t| net(t, &link) == 2000);
    let (status, answer) = workspace.call("DELETE", "/customers/ext_u1", None);
    assert_eq!(status, 200, "{answer}");
    let renewal = |id: &str, at| {
        Event::new(
            "invoice.paid",
            Invoice::paid(id)
                .customer("cus_1")
                .amount(2000, "usd")
                .subscription("sub_1", "subscription_cycle")
                .email("ada@shop.example"),
        )
        .at(at)
    };
    workspace.stripe(&renewal("in_2", now + 100));
    let totals = workspace.settles("/ledger/totals", |t| net(t, &link) == 4000);
    assert_eq!(totals["live"]["links"][&link]["sales"], 2);
    // Even a repeated call with the person's own id brings nobody back.
    workspace.post(
        "/track/sale",
        &json!({"externalId": "u1", "amount": 50, "invoiceId": "X", "paymentProcessor": "stripe"}),
    );
    workspace.settles("/ledger/totals", |t| net(t, &link) == 4050);
    assert_eq!(workspace.call("DELETE", "/customers/ext_u1", None).0, 404);
    for path in ["/stripe/events", "/parked", "/ledger/totals"] {
        let text = workspace.get(path).to_string();
        assert!(!text.contains("ada") && !text.contains("Ada") && !text.contains("u1\""), "{path}: {text}");
    }
}

#[test]
fn a_rebuilt_projection_is_the_same() {
    let workspace = Workspace::new("rebuild");
    let (link, click) = workspace.clicked("go");
    let now = now_secs();
    lead(&workspace, "u1", &click);
    for number in 0..5 {
        let invoice = Invoice::paid(&format!("in_{number}")).customer("cus_1").amount(100 + number, "usd");
        workspace.stripe(&Event::new("invoice.paid", invoice).at(now + number));
    }
    let session = Session::paid("cs_1").amount(50, "usd").intent("pi_1").customer("cus_1").external_id("u1");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now));
    let is_settled = |t: &Value| net(t, &link) == 560 && t["live"]["links"][&link]["clicks"] == 1;
    let before = workspace.settles("/ledger/totals", is_settled);
    let answer = workspace.post("/ledger/rebuild", &json!({}));
    assert_eq!(answer["customers"], 1, "{answer}");
    workspace.settles("/ledger/totals", |after| *after == before);
}

#[test]
fn entries_are_paged_in_both_orders_and_without_sales() {
    let workspace = Workspace::new("entries-paged");
    let now = now_secs();
    for n in 0..4 {
        let (intent, charge) = (format!("pi_{n}"), format!("ch_{n}"));
        let session = Session::paid(&format!("cs_{n}")).amount(2000, "usd").intent(&intent);
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now - 100 + n));
        // Two of the refunds at one instant.
        let refund = Charge::succeeded(&charge).intent(&intent).amount(2000, "usd").refunded(500 + n);
        workspace.stripe(&Event::new("charge.refunded", refund).at(now - 50 + n / 2));
    }
    let all = workspace
        .settles("/ledger/entries?limit=1000", |rows| rows.as_array().is_some_and(|rows| rows.len() == 8));
    let ids = |rows: &Value, of: fn(&Value) -> bool| -> Vec<Value> {
        rows.as_array().unwrap().iter().filter(|row| of(row)).map(|row| row["id"].clone()).collect()
    };
    let paged = |query: &str| {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = workspace.get(&format!("/ledger/entries?limit=3{query}{after}"));
            let page = ids(&page, |_| true);
            found.extend(page.clone());
            match page.last().filter(|_| page.len() == 3) {
                Some(last) => after = format!("&startingAfter={}", last.as_str().unwrap()),
                None => return found,
            }
        }
    };
    let reversed = |ids: Vec<Value>| ids.into_iter().rev().collect::<Vec<_>>();
    let (every, back) = (ids(&all, |_| true), ids(&all, |row| row["kind"] != "sale"));
    assert_eq!((every.len(), back.len()), (8, 4), "{all}");
    assert_eq!(paged(""), every);
    assert_eq!(paged("&sortOrder=desc"), reversed(every));
    assert_eq!(paged("&withSales=false"), back);
    assert_eq!(paged("&withSales=false&sortOrder=desc"), reversed(back));
}
