//! Sales and money of reports, held against a count of the test's own over single events: payments, refunds, disputes and
//! what came back, in three currencies, attributed and not, on a real SQLite with this project's tables.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing step ends the test")]

mod sqlite;

use std::collections::BTreeMap;

use pimms_edge::core::analytics::{
    Bounds, Bucket, Event, Filter, Group, Question, Row, Table, Zone, buckets, plan,
};
use pimms_edge::core::attribution::Model;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::money::Currency;
use pimms_edge::core::time::{DAY_MS, Millis};
use pimms_edge::core::validate;
use proptest::prelude::*;
use rusqlite::params;

/// 2030-03-29
const BEGIN: i64 = 1_900_972_800_000;
const DAYS: i64 = 5;

/// Link and country of each click; the last is not stored yet.
const CLICKS: [(&str, &str); 4] =
    [("link_0", "FR"), ("link_1", "US"), ("link_1", "Unknown"), ("link_0", "FR")];
const CURRENCIES: [&str; 3] = ["usd", "gbp", "mnt"];
const KINDS: [&str; 4] = ["sale", "refund", "dispute", "reinstated"];

/// A payment or what became of one.
#[derive(Debug, Clone)]
struct Entry {
    kind: usize,
    at: i64,
    amount: i64,
    currency: usize,
    click: Option<usize>,
    is_live: bool,
}

fn entry() -> impl Strategy<Value = Entry> {
    let click = proptest::option::weighted(0.8, 0..CLICKS.len());
    (0..KINDS.len(), 0..DAYS * 24, 1..10_000_i64, 0..CURRENCIES.len(), click, proptest::bool::weighted(0.9))
        .prop_map(|(kind, hour, amount, currency, click, is_live)| {
            let sign = if matches!(kind, 1 | 2) { -1 } else { 1 };
            Entry { kind, at: BEGIN + hour * 3_600_000, amount: sign * amount, currency, click, is_live }
        })
}

/// Pounds are two dollars each; tugriks have no rate.
fn dollars(currency: &str, amount: i64) -> Option<i64> {
    match currency {
        "usd" => Some(amount),
        "gbp" => Some(amount * 2),
        _ => None,
    }
}

fn database(entries: &[Entry]) -> rusqlite::Connection {
    let db = sqlite::migrated();
    for (n, (link, country)) in CLICKS.iter().enumerate().take(CLICKS.len() - 1) {
        db.execute(
            "INSERT INTO clicks (id, workspace_id, link_id, at, visitor, url, country) VALUES (?1, 'ws_1', ?2, ?3, 'v', 'u', ?4)",
            params![format!("click_{n}"), link, BEGIN - 1, country],
        )
        .unwrap();
    }
    for (n, entry) in entries.iter().enumerate() {
        let click = entry.click.map(|click| format!("click_{click}"));
        let link = entry.click.map(|click| CLICKS.get(click).unwrap().0);
        let mode = if entry.is_live { "live" } else { "test" };
        let (kind, currency) = (KINDS.get(entry.kind).unwrap(), CURRENCIES.get(entry.currency).unwrap());
        if *kind == "sale" {
            db.execute(
                "INSERT INTO sales (id, workspace_id, mode, customer_id, account, reference, at, event_name, amount, \
                 currency, processor, click_id, link_id, clicked_at, rate_day, touches, receipt) VALUES (?1, 'ws_1', ?2, \
                 'k', '', ?1, ?3, 'Sale', ?4, ?5, 'stripe', ?6, ?7, ?8, '2030-03-29', '[]', '{}')",
                params![n, mode, entry.at, entry.amount, currency, click, link, BEGIN - 1],
            )
            .unwrap();
        } else if click.is_some() {
            // Its sale was before the window.
            db.execute(
                "INSERT INTO sales (id, workspace_id, mode, customer_id, account, reference, at, event_name, amount, \
                 currency, processor, click_id, link_id, clicked_at, rate_day, touches, receipt) VALUES (?1, 'ws_1', ?2, \
                 'k', '', ?1, ?3, 'Sale', 1, 'usd', 'stripe', ?4, ?5, ?6, '2030-03-29', '[]', '{}')",
                params![n, mode, BEGIN - 40 * DAY_MS, click, link, BEGIN - 1],
            )
            .unwrap();
        }
        db.execute(
            "INSERT INTO entries (id, workspace_id, mode, customer_id, sale_id, kind, at, amount, currency, rate_day, \
             click_id, link_id) VALUES (?1, 'ws_1', ?2, 'k', ?1, ?3, ?4, ?5, ?6, '2030-03-29', ?7, ?8)",
            params![n, mode, kind, entry.at, entry.amount, currency, click, link],
        )
        .unwrap();
    }
    db
}

/// Sales, money in dollars, and what has no rate, by currency.
type Sum = (i64, i64, BTreeMap<String, i64>);

/// What the test itself adds up; what is nowhere left out.
fn counted(entries: &[Entry], gross: bool, key: impl Fn(&Entry) -> Option<String>) -> BTreeMap<String, Sum> {
    let mut all: BTreeMap<String, Sum> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.is_live) {
        let is_sale = entry.kind == 0;
        let Some(key) = key(entry).filter(|_| is_sale || !gross) else { continue };
        let (sales, money, rest) = all.entry(key).or_default();
        *sales += i64::from(is_sale);
        let currency = *CURRENCIES.get(entry.currency).unwrap();
        match dollars(currency, entry.amount) {
            Some(amount) => *money += amount,
            None => *rest.entry(currency.to_owned()).or_default() += entry.amount,
        }
    }
    // A currency whose movements cancel out is not worth a word.
    for (_, _, rest) in all.values_mut() {
        rest.retain(|_, amount| *amount != 0);
    }
    all.retain(|_, sum| *sum != Sum::default());
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn reports_of_money_are_sums_of_single_entries(
        entries in proptest::collection::vec(entry(), 0..40),
        gross in any::<bool>(),
        link in proptest::option::of(0..2_usize),
    ) {
        let db = database(&entries);
        let link = link.map(|link| format!("link_{link}"));
        let span = format!("start={}&end={}", Millis(BEGIN).to_iso(), Millis(BEGIN + DAYS * DAY_MS - 1).to_iso());
        let zone = Zone::default();
        let window = Bounds::parse(&validate::Query::parse(&span), "30d").unwrap().window(Millis(BEGIN + 9 * DAY_MS), Millis(0), &zone);
        let days = buckets(&window, &zone);
        let of_link = |entry: &Entry| entry.click.map(|click| CLICKS.get(click).unwrap().0.to_owned());
        let mut filter = Filter::default();
        filter.link_id.clone_from(&link);
        let is_meant = |entry: &Entry| link.is_none() || of_link(entry) == link;
        // The last click is not stored: its payments have a link and no country.
        let country = |entry: &Entry| entry.click.filter(|click| *click < 3).map_or("Unknown", |click| CLICKS.get(click).unwrap().1);
        for name in ["count", "countries", "top_links", "timeseries"] {
            let group = Group::find(name).unwrap();
            let shown: &[Bucket] = if group.is_series { &days } else { &[] };
            let question = Question {
                workspace_id: "ws_1",
                mode: Mode::Live,
                currency: Currency::USD,
                event: Event::Sales,
                gross,
                model: Model::Last,
                known_only: false,
                group,
                window,
                buckets: shown,
            };
            let mut table = Table::new(group, Model::Last);
            for query in plan(&question, &filter) {
                let rows: Vec<Row> = sqlite::rows(&db, &query.text, &query.binds);
                table.add(query.measure, rows, |from, _, amount| dollars(from.as_str(), amount));
            }
            let expected = counted(&entries, gross, |entry| {
                is_meant(entry).then_some(())?;
                Some(match name {
                    "count" => String::new(),
                    "countries" => country(entry).to_owned(),
                    "top_links" => of_link(entry)?,
                    _ => Millis(entry.at - entry.at.rem_euclid(DAY_MS)).to_iso()[..10].to_owned(),
                })
            });
            let mut found: BTreeMap<String, Sum> = BTreeMap::new();
            let rows = if name == "count" { vec![(serde_json::Map::new(), table.count())] } else { table.rows(Event::Sales, shown) };
            for (row, metrics) in rows {
                let key = match name {
                    "count" => String::new(),
                    "countries" => row["country"].as_str().unwrap().to_owned(),
                    "top_links" => row["link"].as_str().unwrap().to_owned(),
                    _ => row["start"].as_str().unwrap()[..10].to_owned(),
                };
                let rest = metrics.money.rest().into_iter().map(|(currency, amount)| (currency.as_str().to_owned(), amount));
                found.insert(key, (metrics.sales, metrics.money.amount, rest.filter(|(_, amount)| *amount != 0).collect()));
            }
            found.retain(|_, sum| *sum != Sum::default());
            prop_assert_eq!(found, expected, "{}, gross {}, of {:?}", name, gross, link);
        }
    }
}
