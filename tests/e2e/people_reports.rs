//! `/api/analytics/funnel`, `/cohorts` and `/ltv`, held against the same figures made anew from single events and
//! entries, on histories that a seed tells.

use std::collections::{BTreeMap, BTreeSet};

use pimms_cli::clock::now_secs;
use pimms_cli::random::Random;
use pimms_cli::stripe::{Build, Charge, Event, Session};
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};

const DAY: i64 = 86_400;
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// A history: some visitors click, some of these become leads, some buy, some get money back; others bought long
/// ago without any click. Gives the workspace once everything has arrived, and a `start=&end=` around all of it.
fn history(seed: u64) -> (Workspace, String) {
    let workspace = Workspace::new(&format!("people-{seed}"));
    let mut random = Random::new(seed);
    assert_eq!(workspace.call("PUT", "/fx-rates", Some(&json!({"rates": {"JPY": 150}}))).0, 200);
    for key in ["a", "b", "c"] {
        let url =
            format!("https://shop.example/{key}?utm_campaign={}", if key == "c" { "two" } else { "one" });
        workspace.post("/links", &json!({"url": url, "key": key, "trackConversion": true}));
    }
    let now = now_secs();
    let (mut clicks, mut entries) = (0, 0);
    let mut n = 0;
    // Sells something, and takes part of it back in some cases; gives the number of entries.
    let mut sell = |random: &mut Random, at: i64, customer: &str, click: Option<&str>| -> usize {
        n += 1;
        let (currency, amount) = match random.below(3) {
            0 => ("jpy", random.between(1, 50) * 300),
            _ => ("usd", random.between(1, 99) * 100),
        };
        let session = Session::paid(&format!("cs_{n}")).amount(amount, currency).intent(&format!("pi_{n}"));
        let session = match click {
            Some(click) => session.referred_by_click(click).customer(&format!("cus_{customer}")),
            None => session.customer(&format!("cus_{customer}")).external_id(customer),
        };
        workspace.stripe(&Event::new("checkout.session.completed", session).at(at));
        if !random.chance(30) {
            return 1;
        }
        let back = if currency == "jpy" { 30 } else { amount / 3 };
        let charge =
            Charge::succeeded(&format!("ch_{n}")).intent(&format!("pi_{n}")).amount(amount, currency);
        workspace.stripe(
            &Event::new("charge.refunded", charge.refunded(back)).at(at + random.between(1, 3) * DAY),
        );
        2
    };
    for person in 0..14 {
        let mut last = String::new();
        for _ in 0..=random.below(2) {
            let path = format!("/{}", random.pick(&["a", "b", "c"]).unwrap());
            let country = random.pick(&["FR", "US", "DE"]).unwrap();
            let request = shared().client().get(&path).header("x-pimms-host", &workspace.domain);
            let request = request.cf(json!({"country": country, "continent": "EU", "city": "X"}));
            // The address tells people apart: the same one twice within an hour is one click.
            let request = request.header("user-agent", &format!("{BROWSER} v{clicks}"));
            let answer = request.send().unwrap();
            let location = answer.header("location").unwrap();
            let id = location.split_once("pimms_id=").unwrap().1.split('&').next().unwrap();
            id.clone_into(&mut last);
            clicks += 1;
        }
        let name = format!("p{person}");
        let is_lead = random.chance(60);
        if is_lead {
            let lead = json!({"clickId": last, "externalId": name, "eventName": "Sign up"});
            workspace.post("/track/lead", &lead);
        }
        let buys = random.chance(50);
        for time in 0..random.between(1, 2) * i64::from(buys) {
            let click = if is_lead { None } else { Some(last.as_str()) };
            entries += sell(&mut random, now + 1 + time * 7, &name, click);
        }
    }
    for person in 0..10 {
        for _ in 0..random.between(1, 4) {
            let at = now - random.between(1, 300) * DAY - random.between(0, DAY);
            entries += sell(&mut random, at, &format!("old{person}"), None);
        }
    }
    let iso = |at: i64| Millis(at * 1000).to_iso();
    let span = format!("start={}&end={}", iso(now - 310 * DAY), iso(now + 30 * DAY));
    workspace.settles(&format!("/ledger/entries?limit=1000&{span}"), |rows| {
        rows.as_array().unwrap().len() == entries
    });
    workspace.settles(&format!("/events?event=clicks&limit=1000&{span}"), |rows| {
        rows.as_array().unwrap().len() == clicks
    });
    (workspace, span)
}

/// Every event and every entry, as lists of the API.
struct Raw {
    events: Vec<Value>,
    entries: Vec<Value>,
}

fn at(row: &Value, name: &str) -> i64 {
    Millis::parse(row[name].as_str().unwrap()).unwrap().0
}

fn text<'a>(row: &'a Value, path: &str) -> &'a str {
    row.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// What an entry is worth in dollars, by hand: 150 yen are 100 cents.
fn dollars(entry: &Value) -> i64 {
    let amount = entry["amount"].as_i64().unwrap();
    if entry["currency"] == "jpy" { amount * 100 / 150 } else { amount }
}

impl Raw {
    fn of(workspace: &Workspace, span: &str) -> Self {
        let list = |path: &str| workspace.get(&format!("{path}&{span}")).as_array().unwrap().clone();
        Self {
            events: list("/events?event=all&limit=1000&sortOrder=asc"),
            entries: list("/ledger/entries?limit=1000"),
        }
    }

    fn kind(&self, word: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |row| row["event"] == word)
    }

    fn money<'a>(&'a self, of: impl Fn(&Value) -> bool + 'a) -> i64 {
        self.entries.iter().filter(|entry| of(entry)).map(dollars).sum()
    }
}

fn four(over: i64, under: i64) -> Value {
    if under == 0 {
        return Value::Null;
    }
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let shown = format!("{:.4}", over as f64 / under as f64);
    shown.into()
}

/// The four decimals of two texts, a unit in the last place apart at most: floats round halves as they are stored.
fn near(found: &Value, expected: &Value) -> bool {
    let parsed = |value: &Value| value.as_str().map(|text| text.parse::<f64>().unwrap());
    match (parsed(found), parsed(expected)) {
        (Some(a), Some(b)) => (a - b).abs() < 0.000_15,
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn funnel_is_that_of(
    workspace: &Workspace,
    raw: &Raw,
    span: &str,
    filter: &str,
    holds: &dyn Fn(&Value) -> bool,
) {
    let found = workspace.get(&format!("/analytics/funnel?{span}&{filter}"));
    let clicks: BTreeSet<&str> =
        raw.kind("click").filter(|row| holds(row)).map(|row| text(row, "/click/id")).collect();
    let mut firsts: BTreeMap<&str, &Value> = BTreeMap::new();
    for lead in raw.kind("lead").filter(|row| clicks.contains(text(row, "/click/id"))) {
        firsts.entry(text(lead, "/customer/id")).or_insert(lead);
    }
    let (mut to_lead, mut to_sale) = (Vec::new(), Vec::new());
    for (person, lead) in &firsts {
        let lead_at = at(lead, "timestamp");
        // Stripe tells of whole seconds, which may lie before the click.
        to_lead.push((lead_at - at(&lead["click"], "timestamp")).max(0));
        let sales = raw.kind("sale").filter(|row| text(row, "/customer/id") == *person);
        let next = sales.map(|row| at(row, "timestamp")).filter(|time| *time >= lead_at / 1000 * 1000).min();
        to_sale.extend(next.map(|time| (time - lead_at).max(0)));
    }
    let sold: BTreeSet<&str> = raw
        .kind("sale")
        .filter(|row| clicks.contains(text(row, "/click/id")))
        .map(|row| text(row, "/eventId"))
        .collect();
    let money = raw.money(|entry| sold.contains(text(entry, "/saleId")));
    let count = |n: usize| i64::try_from(n).unwrap();
    let (n, leads, customers) = (count(clicks.len()), count(to_lead.len()), count(to_sale.len()));
    let expected = json!({"clicks": n, "leads": leads, "customers": customers, "sales": sold.len(), "saleAmount": money,
        "currency": "usd", "unconverted": []});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{filter} {name}: {found}");
    }
    for (name, over, under) in [
        ("clickToLeadRate", leads, n),
        ("leadToSaleRate", customers, leads),
        ("clickToSaleRate", customers, n),
        ("epc", money, n),
    ] {
        assert!(near(&found[name], &four(over, under)), "{filter} {name}: {found}");
    }
    for (name, mut spans) in [("timeToLead", to_lead), ("timeToSale", to_sale)] {
        spans.sort_unstable();
        let Some(last) = spans.len().checked_sub(1) else {
            assert_eq!(found[name], json!({"median": null, "mean": null}));
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (median, mean) = (
            (spans[last / 2] + spans[last - last / 2]) as f64 / 2000.0,
            spans.iter().sum::<i64>() as f64 / 1000.0 / spans.len() as f64,
        );
        for (word, exact) in [("median", median), ("mean", mean)] {
            let shown = found[name][word].as_f64().unwrap();
            assert!((shown - exact).abs() <= 0.501, "{filter} {name} {word}: {shown} {exact}");
        }
    }
}

#[test]
fn funnel_and_figures_are_those_of_the_single_events() {
    for seed in [7, 4711] {
        let (workspace, span) = history(seed);
        let raw = Raw::of(&workspace, &span);
        assert!(
            raw.kind("lead").count() > 3 && raw.kind("refund").count() > 1,
            "seed {seed} tells too little"
        );
        funnel_is_that_of(&workspace, &raw, &span, "", &|_| true);
        for country in ["FR", "US", "DE"] {
            let of = |row: &Value| row["click"]["country"] == country;
            funnel_is_that_of(&workspace, &raw, &span, &format!("country={country}"), &of);
        }
        let of = |row: &Value| row["link"]["key"] == "a";
        funnel_is_that_of(&workspace, &raw, &span, &format!("domain={}&key=a", workspace.domain), &of);
        funnel_is_that_of(&workspace, &raw, &span, "utm_campaign=two", &|row| row["link"]["key"] == "c");
        figures_are_those_of(&workspace, &raw, &span);
        worths_are_those_of(&workspace, &raw, &span);
        cohorts_are_those_of(&workspace, &raw, &span);
    }
    let other = Workspace::new("people-none");
    let empty = other.get("/analytics/funnel");
    assert_eq!((&empty["clicks"], &empty["clickToLeadRate"]), (&json!(0), &Value::Null));
    assert_eq!(other.get("/analytics/cohorts")["cohorts"], json!([]));
    assert_eq!(other.get("/analytics/ltv")["rows"], json!([]));
    for path in
        ["funnel?timezone=Mars/Phobos", "ltv?groupBy=moons", "cohorts?interval=2d", "funnel?country=UK"]
    {
        refused(&other.call("GET", &format!("/analytics/{path}"), None), 422, "unprocessable_entity");
    }
    refused(&other.call("GET", "/analytics/funnel?linkId=link_1", None), 404, "not_found");
}

/// What a row is grouped by.
type Key<'a, T> = dyn Fn(&Value) -> T + 'a;

/// `GET /analytics` by link, by country and by month.
fn figures_are_those_of(workspace: &Workspace, raw: &Raw, span: &str) {
    let month = |time: i64| Millis(time).to_iso()[..7].to_owned();
    let sale_of = |entry: &Value| raw.kind("sale").find(|row| row["eventId"] == entry["saleId"]).cloned();
    let by_link: &Key<'_, String> = &|row| text(row, "/link/id").to_owned();
    let by_country: &Key<'_, String> = &|row| match text(row, "/click/country") {
        "" => "Unknown".to_owned(),
        known => known.to_owned(),
    };
    let by_month: &Key<'_, String> = &|row| month(at(row, "timestamp"));
    for (group, field, key) in [
        ("top_links", "id", by_link),
        ("countries", "country", by_country),
        ("timeseries", "start", by_month),
    ] {
        let mut expected: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        for (place, word) in ["click", "lead", "sale"].into_iter().enumerate() {
            for row in raw.kind(word) {
                expected.entry(key(row)).or_default()[place] += 1;
            }
        }
        for entry in &raw.entries {
            let key =
                if group == "timeseries" { month(at(entry, "at")) } else { key(&sale_of(entry).unwrap()) };
            expected.entry(key).or_default()[3] += dollars(entry);
        }
        expected.remove("");
        let found = workspace.get(&format!("/analytics?event=composite&groupBy={group}&{span}"));
        let mut figures: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        for row in found.as_array().unwrap() {
            let name = if group == "timeseries" {
                &text(row, "/start")[..7]
            } else {
                text(row, &format!("/{field}"))
            };
            let of = ["clicks", "leads", "sales", "saleAmount"].map(|metric| row[metric].as_i64().unwrap());
            figures.insert(name.to_owned(), of);
        }
        for all in [&mut expected, &mut figures] {
            all.retain(|_, numbers| *numbers != [0; 4]);
        }
        assert_eq!(figures, expected, "{group}");
    }
}

/// The first sale of every customer.
fn first_sales(raw: &Raw) -> BTreeMap<&str, &Value> {
    let mut firsts = BTreeMap::new();
    for sale in raw.kind("sale") {
        firsts.entry(text(sale, "/customer/id")).or_insert(sale);
    }
    firsts
}

fn worths_are_those_of(workspace: &Workspace, raw: &Raw, span: &str) {
    let firsts = first_sales(raw);
    let campaign = |sale: &Value| match text(sale, "/link/key") {
        "" => Value::Null,
        "c" => "two".into(),
        _ => "one".into(),
    };
    let link = |sale: &Value| sale.pointer("/link/id").cloned().unwrap_or(Value::Null);
    let country = |sale: &Value| sale.pointer("/click/country").cloned().unwrap_or("Unknown".into());
    let keys: [(&str, &str, &Key<'_, Value>); 3] = [
        ("top_links", "link", &link),
        ("utm_campaigns", "utm_campaign", &campaign),
        ("countries", "country", &country),
    ];
    for (group, field, key) in keys {
        let found = workspace.get(&format!("/analytics/ltv?groupBy={group}&{span}"));
        let rows = found["rows"].as_array().unwrap();
        let customers: i64 = rows.iter().filter_map(|row| row["customers"].as_i64()).sum();
        assert_eq!(customers, i64::try_from(firsts.len()).unwrap(), "{group}: {found}");
        for row in rows {
            let people: BTreeSet<&str> =
                firsts.iter().filter(|(_, sale)| key(sale) == row[field]).map(|(id, _)| *id).collect();
            let of = |customer: &str| people.contains(customer);
            let money = raw.money(|entry| of(text(entry, "/customerId")));
            let sales = raw.kind("sale").filter(|row| of(text(row, "/customer/id"))).count();
            assert_eq!(
                (&row["customers"], &row["sales"], &row["saleAmount"]),
                (&json!(people.len()), &json!(sales), &json!(money)),
                "{group} {row}"
            );
            assert!(near(&row["ltv"], &four(money, i64::try_from(people.len()).unwrap())), "{group} {row}");
        }
    }
}

fn cohorts_are_those_of(workspace: &Workspace, raw: &Raw, span: &str) {
    let firsts = first_sales(raw);
    // Fixed offsets: a month of the zone is a month of UTC, put off.
    for (zone, hours) in [("UTC", 0), ("Asia/Tokyo", 9), ("America/Phoenix", -7)] {
        let month = |time: i64| Millis(time + hours * 3_600_000).to_iso()[..7].to_owned();
        let found = workspace.get(&format!("/analytics/cohorts?{span}&timezone={zone}"));
        let cohorts = found["cohorts"].as_array().unwrap();
        let sizes: i64 = cohorts.iter().filter_map(|cohort| cohort["customers"].as_i64()).sum();
        assert_eq!(sizes, i64::try_from(firsts.len()).unwrap(), "{zone}");
        for cohort in cohorts {
            let people: BTreeSet<&str> = firsts
                .iter()
                .filter(|(_, sale)| month(at(sale, "timestamp")) == text(cohort, "/month"))
                .map(|(id, _)| *id)
                .collect();
            assert_eq!(cohort["customers"], people.len(), "{zone} {cohort}");
            let mut sum = 0;
            for row in cohort["months"].as_array().unwrap() {
                let name = text(row, "/month");
                let sales: Vec<&Value> = raw
                    .kind("sale")
                    .filter(|sale| people.contains(text(sale, "/customer/id")))
                    .filter(|sale| month(at(sale, "timestamp")) == name)
                    .collect();
                let active: BTreeSet<&str> = sales.iter().map(|sale| text(sale, "/customer/id")).collect();
                let money = raw.money(|entry| {
                    people.contains(text(entry, "/customerId")) && month(at(entry, "at")) == name
                });
                sum += money;
                assert_eq!(
                    [&row["customers"], &row["sales"], &row["saleAmount"], &row["cumulativeSaleAmount"]],
                    [&json!(active.len()), &json!(sales.len()), &json!(money), &json!(sum)],
                    "{zone} {} {row}",
                    cohort["month"]
                );
            }
            assert_eq!(cohort["saleAmount"], sum, "{zone} {}", cohort["month"]);
        }
    }
}

#[test]
fn months_begin_when_the_zone_says_so() {
    let workspace = Workspace::new("people-months");
    for (n, customer, at) in [
        (1, "a", "2025-03-31T22:30:00Z"),
        (2, "a", "2025-10-31T22:59:59Z"),
        (3, "b", "2025-10-31T23:00:00Z"),
        (4, "b", "2025-11-30T23:30:00Z"),
    ] {
        let session = Session::paid(&format!("cs_{n}")).amount(100 * n, "usd").intent(&format!("pi_{n}"));
        let session = session.customer(&format!("cus_{customer}")).external_id(customer);
        let at = Millis::parse(at).unwrap().0 / 1000;
        workspace.stripe(&Event::new("checkout.session.completed", session).at(at));
    }
    let span = "start=2025-01-15&end=2025-12-31";
    workspace.settles(&format!("/events?event=sales&{span}"), |rows| rows.as_array().unwrap().len() == 4);
    // Month and money of each month that has any, for every cohort.
    let cohorts = |zone: &str| -> Vec<(String, Vec<(String, i64)>)> {
        let found = workspace.get(&format!("/analytics/cohorts?{span}&timezone={zone}"));
        let months = |cohort: &Value| {
            let rows = cohort["months"].as_array().unwrap().iter().filter(|row| row["sales"] != 0);
            rows.map(|row| (text(row, "/start").to_owned(), row["saleAmount"].as_i64().unwrap())).collect()
        };
        let shown = |cohort: &Value| (text(cohort, "/month").to_owned(), months(cohort));
        found["cohorts"].as_array().unwrap().iter().map(shown).collect()
    };
    let expected = |cohorts: &[(&str, &[(&str, i64)])]| -> Vec<(String, Vec<(String, i64)>)> {
        let months = |rows: &[(&str, i64)]| rows.iter().map(|(start, n)| ((*start).to_owned(), *n)).collect();
        cohorts.iter().map(|(month, rows)| ((*month).to_owned(), months(rows))).collect()
    };
    // April begins in summer time, November in winter time.
    let paris: [(&str, &[(&str, i64)]); 2] = [
        ("2025-04", &[("2025-04-01T00:00:00.000+0200", 100), ("2025-10-01T00:00:00.000+0200", 200)]),
        ("2025-11", &[("2025-11-01T00:00:00.000+0100", 300), ("2025-12-01T00:00:00.000+0100", 400)]),
    ];
    let utc: [(&str, &[(&str, i64)]); 2] = [
        ("2025-03", &[("2025-03-01T00:00:00.000+0000", 100), ("2025-10-01T00:00:00.000+0000", 200)]),
        ("2025-10", &[("2025-10-01T00:00:00.000+0000", 300), ("2025-11-01T00:00:00.000+0000", 400)]),
    ];
    assert_eq!(cohorts("Europe/Paris"), expected(&paris));
    assert_eq!(cohorts("UTC"), expected(&utc));
}
