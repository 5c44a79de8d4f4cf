//! Who comes again within the hour is not counted again: batches of visits, stored as the Worker stores them, on a real
//! SQLite with this project's tables, held against a list that is looked through from one end to the other.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing step ends the test")]

mod sqlite;

use std::collections::BTreeSet;

use pimms_edge::core::click::{Place, Row, Signals, VISIT_VERSION, Visit, rows};
use pimms_edge::core::click_store;
use pimms_edge::core::time::Millis;
use proptest::prelude::*;
use rusqlite::Connection;

const HOUR: i64 = 3_600_000;

/// A visit of one of a few visitors, whose addresses several share, to one of a few links of two workspaces.
fn visit() -> impl Strategy<Value = Visit> {
    let who = (0..5_u8, any::<bool>(), 0..3_u8, 0..4_u8);
    (0..3_u8, 0..12_i64, 0..60_u32, who).prop_map(
        |(link, quarter, extra, (visitor, is_known, day, address))| {
            let text = |what: &str, number: u8| format!("{what}_{number}");
            // Nobody's address is known of the fourth.
            let hash = |day: u8| if address == 3 { String::new() } else { format!("{day}-{address}") };
            Visit {
                version: VISIT_VERSION,
                id: format!("{link}{visitor}{is_known}{day}{address}{quarter:02}{extra:02}"),
                workspace_id: if link == 2 { "ws_2".to_owned() } else { "ws_1".to_owned() },
                link_id: text("link", link),
                at: Millis(1_900_972_800_000 + quarter * HOUR / 4 + i64::from(extra / 58)),
                visitor: text("anon", visitor),
                is_known,
                url: "https://shop.example/".to_owned(),
                ip: String::new(),
                place: Place::default(),
                user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0"
                    .to_owned(),
                referer: String::new(),
                is_qr: false,
                signals: Signals { method: "GET".to_owned(), ..Signals::default() },
                fingerprint: hash(day),
                fingerprint_before: if day == 0 { String::new() } else { hash(day - 1) },
            }
        },
    )
}

fn database() -> Connection {
    let connection = sqlite::migrated();
    connection
        .execute_batch(
            "INSERT INTO workspaces (id, slug, name, created_at) VALUES ('ws_1', '1', '1', 0), ('ws_2', '2', '2', 0);
             INSERT INTO links (id, workspace_id, domain, key, url, created_at, updated_at) VALUES
               ('link_0', 'ws_1', 'a', '0', 'u', 0, 0), ('link_1', 'ws_1', 'a', '1', 'u', 0, 0),
               ('link_2', 'ws_2', 'a', '2', 'u', 0, 0);",
        )
        .unwrap();
    connection
}

/// Whether `row` is by the visitor of `click`, on its link, within the hour.
fn repeats(row: &Row, click: &Row) -> bool {
    let same = match row.is_known {
        1 => row.visitor == click.visitor,
        _ => {
            !click.fingerprint.is_empty()
                && [&row.fingerprint, &row.fingerprint_before].contains(&&click.fingerprint)
        }
    };
    same && row.link_id == click.link_id && (row.at.0 - click.at.0).abs() < HOUR
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_visitor_counts_once_an_hour_and_link(
        batches in proptest::collection::vec(proptest::collection::vec(visit(), 1..12), 1..8),
        again in any::<bool>(),
    ) {
        let mut db = database();
        let mut clicks: Vec<Row> = Vec::new();
        for batch in &batches {
            let batch = rows(batch.clone());
            let is_new = |row: &&Row| {
                row.verdict.is_empty() && !clicks.iter().any(|click| click.id == row.id || repeats(row, click))
            };
            let new: Vec<Row> = batch.iter().filter(is_new).cloned().collect();
            clicks.extend(new);
            let text = serde_json::to_string(&batch).unwrap();
            // A queue may deliver twice.
            for _ in 0..=u8::from(again) {
                let transaction = db.transaction().unwrap();
                for statement in click_store::statements() {
                    transaction.prepare(&statement).unwrap().query([&text]).unwrap().next().unwrap();
                }
                transaction.commit().unwrap();
            }
            let mut statement = db.prepare("SELECT id FROM clicks").unwrap();
            let stored: BTreeSet<String> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let expected: BTreeSet<String> = clicks.iter().map(|click| click.id.clone()).collect();
            prop_assert_eq!(&stored, &expected);
            let counted: i64 = db.query_row("SELECT SUM(clicks) FROM links", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(usize::try_from(counted).unwrap(), expected.len());
            let kept: i64 = db
                .query_row("SELECT COUNT(*) FROM visits WHERE id IN (SELECT id FROM clicks)", [], |row| row.get(0))
                .unwrap();
            prop_assert_eq!(kept, 0, "a visit is one thing");
        }
    }
}
