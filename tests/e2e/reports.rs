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

/// The number of rows and the sum of their money.
fn listed(workspace: &Workspace, path: &str) -> (usize, i64) {
    let rows = workspace.get(path);
    assert!(rows.is_array(), "{path}: {rows}");
    let rows = rows.as_array().unwrap();
    (rows.len(), rows.iter().filter_map(|row| row["saleAmount"].as_i64()).sum())
}

#[test]
fn old_paths_and_further_groupings_say_the_same() {
    let (workspace, links, _) = three_touches("paths");
    let now = now_secs() + 1;
    paid(&workspace, 1, 700, "usd", now);
    let end = format!("end={}", Millis((now + 60) * 1000).to_iso());
    workspace.settles(&format!("/analytics?event=sales&{end}"), |count| count["saleAmount"] == 700);
    workspace.settles("/analytics?event=composite", |count| count["clicks"] == 3 && count["leads"] == 3);
    for (path, query) in [
        ("sales/countries", "event=sales&groupBy=countries"),
        ("sales/timeseries", "event=sales&groupBy=timeseries"),
        ("leads/top_links", "event=leads&groupBy=top_links"),
        ("browsers", "event=clicks&groupBy=browsers"),
        ("sales", "event=sales"),
        // The path wins over the query.
        ("leads/devices?event=sales&groupBy=os", "event=leads&groupBy=devices"),
    ] {
        let joint = if path.contains('?') { "&" } else { "?" };
        let by_path = workspace.get(&format!("/analytics/{path}{joint}{end}"));
        assert_eq!(by_path, workspace.get(&format!("/analytics?{query}&{end}")), "{path}");
    }
    assert_eq!(workspace.get(&format!("/analytics/clicks?{end}")), json!(3));
    // Every grouping of the contract answers a list whose money is the count's.
    for group in [
        "timeseries",
        "continents",
        "countries",
        "regions",
        "cities",
        "devices",
        "browsers",
        "os",
        "triggers",
        "referers",
        "referer_urls",
        "top_links",
        "top_urls",
    ] {
        let path = format!("/analytics?event=composite&groupBy={group}&{end}");
        assert_eq!(listed(&workspace, &path).1, 700, "{group}");
    }
    // No link of these has UTM values.
    for group in
        ["utm_sources", "utm_mediums", "utm_campaigns", "utm_terms", "utm_contents", "utm_combinations"]
    {
        let path = format!("/analytics?event=composite&groupBy={group}&{end}");
        assert_eq!(listed(&workspace, &path), (0, 0), "{group}");
    }
    let series = format!("/analytics?event=composite&groupBy=link_timeseries&interval=7d&{end}");
    assert_eq!(listed(&workspace, &series), (3 * 7, 700));
    let other = Workspace::new("paths-other");
    assert_eq!(other.get(&format!("/analytics?event=composite&{end}"))["clicks"], 0);
    refused(&other.call("GET", &format!("/analytics?linkId={}", links[0]), None), 404, "not_found");
    refused(&other.call("GET", &format!("/events?linkId={}", links[0]), None), 404, "not_found");
    refused(&other.call("GET", &format!("/analytics?domain={}", workspace.domain), None), 404, "not_found");
    for path in ["/analytics/moon", "/analytics/clicks/moon"] {
        refused(&workspace.call("GET", path, None), 404, "not_found");
    }
    let anonymous = crate::shared().client().get("/api/analytics").send().unwrap();
    assert_eq!(anonymous.status, 401);
}

#[test]
fn the_stream_of_sales_is_ordered_by_their_own_time() {
    let workspace = Workspace::new("stream");
    let rates = json!({"rates": {"JPY": 150}});
    assert_eq!(workspace.call("PUT", "/fx-rates", Some(&rates)).0, 200);
    let now = now_secs();
    // Told out of order; three of them in the same second.
    let told =
        [(1, 100, "usd", 9), (2, 3000, "jpy", 2), (3, 300, "usd", 2), (4, 400, "usd", 2), (5, 500, "usd", 0)];
    for (n, amount, currency, days_ago) in told {
        let session = Session::paid(&format!("cs_{n}")).amount(amount, currency).intent(&format!("pi_{n}"));
        let event = Event::new("checkout.session.completed", session.customer(&format!("cus_{n}")));
        workspace.stripe(&event.at(now - days_ago * DAY));
    }
    let amounts = |query: &str| -> Vec<i64> {
        let rows = workspace.get(&format!("/events?event=sales&{query}"));
        rows.as_array().unwrap().iter().map(|row| row["saleAmount"].as_i64().unwrap()).collect()
    };
    workspace.settles("/events?event=sales&interval=30d", |rows| rows.as_array().unwrap().len() == 5);
    let all = amounts("interval=30d");
    assert_eq!((all[0], all[4]), (500, 100), "{all:?}");
    let mut same_second = all[1..4].to_vec();
    same_second.sort_unstable();
    assert_eq!(same_second, [300, 400, 2000], "3000 yen are 20 dollars");
    assert_eq!(amounts(""), [500], "the last day unless asked for more");
    assert_eq!(amounts("interval=7d").len(), 4);
    let (start, end) = (Millis((now - 10 * DAY) * 1000).to_iso(), Millis((now - 8 * DAY) * 1000).to_iso());
    assert_eq!(amounts(&format!("start={start}&end={end}")), [100]);
    // Pages of one order, also where times are equal.
    let pages: Vec<i64> =
        (1..=5).flat_map(|page| amounts(&format!("interval=30d&limit=1&page={page}"))).collect();
    assert_eq!(pages, all);
    assert_eq!(amounts("interval=30d&limit=1&page=6"), [0; 0]);
    let mut ascending = amounts("interval=30d&sortOrder=asc");
    ascending.reverse();
    assert_eq!(ascending, all);
    assert_eq!(amounts("interval=30d&mode=test"), [0; 0]);
    let yen = workspace.get("/events?event=sales&interval=30d");
    let yen = yen.as_array().unwrap().iter().find(|row| row["sale"]["currency"] == "jpy").unwrap();
    assert_eq!(
        (&yen["sale"]["amount"], &yen["link"], &yen["click"]),
        (&json!(3000), &Value::Null, &Value::Null)
    );
}
