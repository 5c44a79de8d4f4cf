//! What reports know of the clicks that leads and sales came by, held against the clicks themselves, on a real SQLite
//! with this project's tables: rows come in any order, and change.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing step ends the test")]

mod sqlite;

use proptest::prelude::*;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// Something that is written.
#[derive(Debug, Clone)]
enum Step {
    /// A click is stored.
    Click(u8),
    /// A lead comes, or changes, and its click is this one or none.
    Lead(u8, Option<u8>),
    /// The same of a sale, with these clicks on its path.
    Sale(u8, Option<u8>, Vec<u8>),
    /// A customer comes, or changes, and these clicks are on its path.
    Customer(u8, Vec<u8>),
    /// Something of a click is removed.
    Erase(u8),
    /// The projection is dropped.
    Drop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let click = || 0..6_u8;
    let credited = || proptest::option::of(click());
    let step = prop_oneof![
        4 => click().prop_map(Step::Click),
        3 => (0..3_u8, credited()).prop_map(|(id, click)| Step::Lead(id, click)),
        3 => (0..3_u8, credited(), proptest::collection::vec(click(), 0..4))
            .prop_map(|(id, click, touches)| Step::Sale(id, click, touches)),
        2 => (0..3_u8, proptest::collection::vec(click(), 0..4)).prop_map(|(id, path)| Step::Customer(id, path)),
        1 => click().prop_map(Step::Erase),
        1 => Just(Step::Drop),
    ];
    proptest::collection::vec(step, 1..25)
}

fn id(click: u8) -> String {
    format!("click_{click}")
}

/// When it was made.
fn at(click: u8) -> i64 {
    1000 + i64::from(click) / 2
}

fn touches(path: &[u8]) -> Value {
    path.iter().map(|click| json!({"clickId": id(*click), "linkId": "link_1", "at": at(*click)})).collect()
}

fn apply(db: &Connection, step: &Step) {
    match step {
        Step::Click(click) => db
            .execute(
                "INSERT OR IGNORE INTO clicks (id, workspace_id, link_id, at, visitor, url, country, city, referer_url, qr) \
                 VALUES (?1, 'ws_1', 'link_1', ?4, 'v', ?2, 'FR', 'Paris', 'https://a.co/?who=me', ?3)",
                params![id(*click), format!("https://shop.example/{click}"), click % 2, at(*click)],
            )
            .unwrap(),
        Step::Lead(lead, click) => db
            .execute(
                "INSERT INTO leads (id, workspace_id, mode, customer_id, at, event_name, quantity, click_id, clicked_at) \
                 VALUES (?1, 'ws_1', 'live', 'k', 1, 'Lead', 1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET click_id = excluded.click_id, clicked_at = excluded.clicked_at",
                params![lead, click.as_ref().copied().map(id), click.map(at)],
            )
            .unwrap(),
        Step::Sale(sale, click, path) => {
            db.execute(
                "INSERT INTO sales (id, workspace_id, mode, customer_id, account, reference, at, event_name, amount, \
                 currency, processor, click_id, clicked_at, rate_day, touches, receipt) VALUES (?1, 'ws_1', 'live', 'k', '', \
                 ?1, 1, 'Sale', 1, 'usd', 'stripe', ?2, ?4, '2030-01-01', ?3, '{}') ON CONFLICT DO UPDATE \
                 SET click_id = excluded.click_id, clicked_at = excluded.clicked_at, touches = excluded.touches",
                params![sale, click.as_ref().copied().map(id), touches(path).to_string(), click.map(at)],
            )
            .unwrap()
        }
        Step::Customer(customer, path) => db
            .execute(
                "INSERT OR REPLACE INTO customers (id, workspace_id, mode, version, visible, created_at, body) \
                 VALUES (?1, 'ws_1', 'live', 1, 1, 1, ?2)",
                params![customer, json!({"touches": touches(path)}).to_string()],
            )
            .unwrap(),
        Step::Erase(click) => db
            .execute("UPDATE clicks SET referer_url = 'https://a.co/' WHERE id = ?1", params![id(*click)])
            .unwrap(),
        Step::Drop => {
            db.execute_batch("DELETE FROM leads; DELETE FROM sales; DELETE FROM customers").unwrap();
            0
        }
    };
}

/// How many of the clicks that `credits` names are told otherwise than their row says, or not at all.
fn wrong(db: &Connection, credits: &str) -> i64 {
    let properties = [
        "id",
        "continent",
        "country",
        "region",
        "city",
        "device",
        "browser",
        "os",
        "qr",
        "referer",
        "referer_url",
        "source",
        "url",
    ];
    let differs = properties.map(|name| format!("c.{name} IS NOT k.{name}")).join(" OR ");
    let query = format!(
        "SELECT COUNT(*) FROM (SELECT DISTINCT click_id FROM ({credits}) WHERE click_id IS NOT NULL) AS e \
         LEFT JOIN clicks AS c ON c.id = e.click_id LEFT JOIN credited_clicks AS k ON k.click_id = e.click_id \
         WHERE k.click_id IS NULL OR {differs}"
    );
    db.query_row(&query, [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_credited_click_is_told_as_it_is_stored(steps in steps()) {
        let db = sqlite::migrated();
        for step in &steps {
            apply(&db, step);
            for credits in [
                "SELECT click_id FROM leads",
                "SELECT click_id FROM sales",
                "SELECT t.value ->> 'clickId' AS click_id FROM sales AS s, json_each(s.touches) AS t",
                "SELECT t.value ->> 'clickId' AS click_id FROM customers AS k, json_each(k.body, '$.touches') AS t",
            ] {
                prop_assert_eq!(wrong(&db, credits), 0, "{} after {:?}", credits, step);
            }
        }
    }
}
