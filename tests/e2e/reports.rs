//! `/api/analytics` by other attribution models, by event time, and with money whose click nobody knows.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Build, Charge, Event, Session};
use pimms_edge::core::mode::Mode;
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use crate::support::{Workspace, refused};

const DAY: i64 = 86_400;

/// What each link of the list has: sales and money, in the order of `links`.
fn of_links(workspace: &Workspace, query: &str, links: &[String]) -> Vec<(i64, i64)> {
    let rows = workspace.get(&format!("/analytics?event=sales&groupBy=top_links&{query}"));
    let rows = rows.as_array().unwrap();
    let of = |id: &String| {
        let row = rows.iter().find(|row| row["id"] == **id);
        row.map_or((0, 0), |row| (row["sales"].as_i64().unwrap(), row["saleAmount"].as_i64().unwrap()))
    };
    links.iter().map(of).collect()
}

/// A visitor of three links, who becomes a customer.
fn three_touches(name: &str) -> (Workspace, Vec<String>, String) {
    let workspace = Workspace::new(name);
    let (mut links, mut last) = (Vec::new(), String::new());
    for key in ["one", "two", "three"] {
        let (link, click) = workspace.clicked(key);
        workspace.post(
            "/track/lead",
            &json!({"externalId": "ada", "clickId": click, "eventName": format!("Saw {key}")}),
        );
        links.push(link);
        last = click;
    }
    (workspace, links, last)
}

fn paid(workspace: &Workspace, n: u32, amount: i64, currency: &str, at: i64) {
    let session = Session::paid(&format!("cs_{n}"))
        .amount(amount, currency)
        .intent(&format!("pi_{n}"))
        .customer("cus_ada")
        .external_id("ada");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(at));
}

#[test]
fn every_model_shares_the_same_money_exactly() {
    let (workspace, links, click) = three_touches("models");
    let rates = json!({"rates": {"JPY": 150}});
    assert_eq!(workspace.call("PUT", "/fx-rates", Some(&rates)).0, 200);
    let now = now_secs() + 1;
    paid(&workspace, 1, 4900, "usd", now);
    paid(&workspace, 2, 3000, "jpy", now);
    let refund = Charge::succeeded("ch_1").intent("pi_1").amount(4900, "usd").refunded(1000);
    workspace.stripe(&Event::new("charge.refunded", refund).at(now + 1));
    // 3000 yen at 150 are 20 dollars.
    let end = Millis((now + 60) * 1000).to_iso();
    let path = format!("/analytics?event=sales&interval=7d&end={end}");
    workspace.settles(&path, |count| count["saleAmount"] == 4900 + 2000 - 1000);
    for (model, expected) in [
        ("last", [(0, 0), (0, 0), (2, 5900)]),
        ("first", [(2, 5900), (0, 0), (0, 0)]),
        // 4900 and 2000 less 1000: 1633 + 667 - 333 … the odd cent of each goes to the latest.
        ("linear", [(0, 1633 + 666 - 333), (0, 1633 + 667 - 333), (2, 1634 + 667 - 334)]),
        ("position", [(0, 1960 + 800 - 400), (0, 980 + 400 - 200), (2, 1960 + 800 - 400)]),
    ] {
        let query = format!("model={model}&end={end}");
        assert_eq!(of_links(&workspace, &query, &links), expected, "{model}");
    }
    for model in ["last", "first", "linear", "position", "decay"] {
        for gross in [false, true] {
            let query = format!("model={model}&end={end}{}", if gross { "&saleType=gross" } else { "" });
            let count = workspace.get(&format!("/analytics?event=sales&{query}"));
            let expected = if gross { 6900 } else { 5900 };
            assert_eq!((&count["sales"], &count["saleAmount"]), (&json!(2), &json!(expected)), "{query}");
            let shares = of_links(&workspace, &query, &links);
            assert_eq!(shares.iter().map(|(_, amount)| amount).sum::<i64>(), expected, "{query}: {shares:?}");
            assert_eq!(shares.iter().map(|(sales, _)| sales).sum::<i64>(), 2, "{query}: {shares:?}");
            let series =
                workspace.get(&format!("/analytics?event=composite&groupBy=timeseries&interval=7d&{query}"));
            let sum: i64 =
                series.as_array().unwrap().iter().filter_map(|row| row["saleAmount"].as_i64()).sum();
            assert_eq!(sum, expected, "{query}");
        }
    }
    // A filter takes its part of the shares; it does not share anew.
    let count = workspace.get(&format!("/analytics?event=sales&model=linear&linkId={}&end={end}", links[0]));
    assert_eq!(count["saleAmount"], 1966, "{count}");
    // The same people in test mode are others.
    let known = json!({"externalId": "ada", "clickId": click, "eventName": "Sign up"});
    workspace.post("/track/lead?mode=test", &known);
    let sale = json!({"externalId": "ada", "amount": 999, "invoiceId": "T1", "paymentProcessor": "stripe"});
    workspace.post("/track/sale?mode=test", &sale);
    let test = |count: &Value| count["sales"] == 1 && count["saleAmount"] == 999;
    workspace.settles("/analytics?event=sales&mode=test&model=linear", test);
    assert_eq!(workspace.get(&path)["saleAmount"], 5900);
    for (query, message) in [
        ("model=best", "invalid_enum_value: model: "),
        ("saleType=new", "invalid_enum_value: saleType: "),
        ("interval=2d", "invalid_enum_value: interval: "),
        ("groupBy=moon", "invalid_enum_value: groupBy: "),
        ("timezone=Mars/Phobos", "custom: timezone: "),
        ("start=2009-12-31", "invalid_date: start: "),
    ] {
        let answer = workspace.call("GET", &format!("/analytics?event=sales&{query}"), None);
        refused(&answer, 422, "unprocessable_entity");
        assert!(answer.1["error"]["message"].as_str().unwrap().starts_with(message), "{}", answer.1);
    }
}

/// The rows of a series that have sales: day and money.
fn days(workspace: &Workspace, query: &str) -> Vec<(String, i64, i64)> {
    let rows = workspace.get(&format!("/analytics?event=sales&groupBy=timeseries&{query}"));
    let rows = rows.as_array().unwrap().iter().filter(|row| row["sales"] != 0 || row["saleAmount"] != 0);
    let row = |row: &Value| {
        let start = row["start"].as_str().unwrap().to_owned();
        (start, row["sales"].as_i64().unwrap(), row["saleAmount"].as_i64().unwrap())
    };
    rows.map(row).collect()
}

#[test]
fn a_sale_counts_in_the_day_it_was_made_and_its_refund_in_its_own() {
    let workspace = Workspace::new("event-time");
    // Noon, so that the day is the same in every zone asked for.
    let noon = |days_ago: i64| (now_secs() / DAY - days_ago) * DAY + DAY / 2;
    let sold = |n: u32, amount: i64, at: i64, mode: Mode| {
        let session = Session::paid(&format!("cs_{n}")).amount(amount, "usd").intent(&format!("pi_{n}"));
        Event::new("checkout.session.completed", session.customer("cus_1")).mode(mode).at(at)
    };
    workspace.stripe(&sold(1, 4900, noon(5), Mode::Live));
    workspace.stripe(&sold(2, 100, noon(3), Mode::Live));
    let refund = Charge::succeeded("ch_1").intent("pi_1").amount(4900, "usd").refunded(900);
    workspace.stripe(&Event::new("charge.refunded", refund).at(noon(2)));
    workspace.settles("/analytics?event=sales", |count| count["saleAmount"] == 4100);
    for (zone, offset) in [("UTC", "+0000"), ("Asia/Kolkata", "+0530")] {
        let label = |days_ago: i64| format!("{}T00:00:00.000{offset}", Millis(noon(days_ago) * 1000).day());
        let found = days(&workspace, &format!("interval=7d&timezone={zone}"));
        assert_eq!(found, [(label(5), 1, 4900), (label(3), 1, 100), (label(2), 0, -900)], "{zone}");
    }
    let gross = days(&workspace, "interval=7d&saleType=gross");
    assert_eq!(gross.iter().map(|(_, _, amount)| *amount).collect::<Vec<_>>(), [4900, 100]);
    // Nothing of it is in the last day, nor in test mode; and all of it is money without a click.
    assert_eq!(workspace.get("/analytics?event=sales&interval=24h")["sales"], 0);
    assert_eq!(workspace.get("/analytics?event=sales&mode=test")["sales"], 0);
    for (group, field) in [("countries", "country"), ("devices", "device"), ("referers", "referer")] {
        let rows = workspace.get(&format!("/analytics?event=sales&groupBy={group}"));
        let found: Vec<(&str, i64)> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row[field].as_str().unwrap(), row["saleAmount"].as_i64().unwrap()))
            .collect();
        assert_eq!(found, [("Unknown", 4100)], "{group}");
    }
}
