//! Clicks counted ahead, held against the clicks themselves, on a real SQLite with this project's tables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing step ends the test"
)]

mod sqlite;

use std::collections::BTreeMap;

use pimms_edge::core::analytics::purging::{self, DELETE_VISITS, OLDEST, Oldest, STRETCHES, Stretch};
use pimms_edge::core::analytics::summing::{self, STATES, State, Statement};
use pimms_edge::core::analytics::{
    Bounds, Bucket, Event, Filter, GROUPS, Group, Metrics, Question, Row, Table, Window, Zone, buckets, plan,
    plan_from_rows,
};
use pimms_edge::core::attribution::Model;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::money::Currency;
use pimms_edge::core::sql::Bind;
use pimms_edge::core::time::{DAY_MS, Millis};
use pimms_edge::core::validate;
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

const HOUR: i64 = 3_600_000;
/// 2030-03-29, a Friday: two days before summer time begins in Europe.
const BEGIN: i64 = 1_900_972_800_000;

/// How many rows the tests delete at once.
const PIECE: i64 = 17;

struct Db(Connection);

fn link_of(workspace: &str, n: i64) -> String {
    if workspace == "ws_1" { format!("link_{n}") } else { format!("{workspace}_link_{n}") }
}

/// A small generator with a seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(i64::try_from(words.len()).unwrap())).unwrap()]
    }
}

/// What the test itself remembers of a click.
#[derive(Clone)]
struct Click {
    at: i64,
    link: String,
    country: &'static str,
}

impl Db {
    fn new() -> Self {
        let db = Self(sqlite::migrated());
        for workspace in ["ws_1", "ws_2"] {
            db.0.execute(
                "INSERT INTO workspaces (id, slug, name, created_at) VALUES (?1, ?1, ?1, 0)",
                [workspace],
            )
            .unwrap();
        }
        for (workspace, n) in [
            ("ws_1", 0),
            ("ws_1", 1),
            ("ws_1", 2),
            ("ws_1", 3),
            ("ws_2", 0),
            ("ws_2", 1),
            ("ws_2", 2),
            ("ws_2", 3),
        ] {
            let (link, folder) = (link_of(workspace, n), (n % 2 == 0).then_some("fold_1"));
            db.0.execute(
                "INSERT INTO links (id, workspace_id, domain, key, url, folder_id, base_url, created_at, updated_at) \
                 VALUES (?1, ?5, ?2, ?1, 'https://shop.example/', ?3, ?4, 0, 0)",
                params![link, if n < 2 { "a.example" } else { "b.example" }, folder, format!("https://{n}/"), workspace],
            )
            .unwrap();
            db.0.execute("INSERT INTO link_tags VALUES (?1, 'tag_1', 0)", [link]).unwrap();
        }
        db
    }

    fn click(&self, id: &str, at: i64, random: &mut Random) -> Click {
        self.click_in("ws_1", id, at, random)
    }

    fn click_in(&self, workspace: &str, id: &str, at: i64, random: &mut Random) -> Click {
        // One link is busy and has sums of its own, the others have few clicks a day.
        let link = link_of(workspace, if random.below(2) == 0 { 0 } else { random.below(4) });
        let country = random.of(&["FR", "US", "Unknown", "JP"]);
        let url = format!(
            "https://shop.example/{}",
            random.of(&["", "?utm_source=a&utm_term=x", "?utm_source=b", "p?q=1"])
        );
        self.0
            .execute(
                "INSERT INTO clicks (id, workspace_id, link_id, at, visitor, url, continent, country, region, city, device, \
                 browser, os, qr, referer, referer_url) VALUES (?1, ?13, ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'iOS', ?11, ?12, ?12)",
                params![
                    id, link, at, url, random.of(&["EU", "", "NA"]), country, random.of(&["A", "B \"c\"", "Unknown"]),
                    random.of(&["Paris", "Ville d'Avray", "Unknown"]), random.of(&["Desktop", "Mobile"]),
                    random.of(&["Chrome", "Safari"]), random.below(2),
                    random.of(&["(direct)", "https://n.example/x?y=1", "https://n.example/x?y=2"]), workspace
                ],
            )
            .unwrap();
        Click { at, link, country }
    }

    /// Sums all that is due, as the Worker does: a step is one transaction.
    fn sum_up(&mut self, now: i64) -> usize {
        let mut steps = 0;
        loop {
            let states: Vec<State> = self.rows(STATES, &[Bind::Int(now)]);
            let Some((state, step)) = states
                .into_iter()
                .find_map(|state| summing::due(&state, Millis(now)).map(|step| (state, step)))
            else {
                return steps;
            };
            steps += 1;
            assert!(steps < 1000, "{step:?} is never done");
            self.transact(&summing::statements(&state.workspace_id, step)).unwrap();
        }
    }

    /// Runs statements as one; how many rows the first of them changed.
    fn transact(&mut self, statements: &[Statement]) -> rusqlite::Result<usize> {
        let transaction = self.0.transaction()?;
        let mut changed = Vec::new();
        for statement in statements {
            changed.push(sqlite::execute(&transaction, &statement.text, &statement.binds)?);
        }
        transaction.commit()?;
        Ok(changed[0])
    }

    /// Deletes all that is due at `today`, as the Worker does over many runs: pieces of [`PIECE`] rows, then days.
    fn purge(&mut self, today: i64, default_days: i64) {
        let due = |most: i64| [Bind::Int(today), Bind::Int(default_days), Bind::Int(most)];
        loop {
            let stretches: Vec<Stretch> = self.rows(STRETCHES, &[Bind::Int(PIECE), Bind::Int(1)]);
            let oldest: Vec<Oldest> = self.rows(OLDEST, &due(1));
            if stretches.is_empty() && oldest.is_empty() {
                break;
            }
            for stretch in stretches {
                let deleted = self.transact(&purging::delete(&stretch)).unwrap();
                assert!(i64::try_from(deleted).unwrap() <= PIECE, "{deleted} rows at once");
            }
            for Oldest { workspace_id, at } in oldest {
                self.transact(&purging::give_up(&workspace_id, at)).unwrap();
            }
        }
        self.transact(&[Statement { text: DELETE_VISITS.to_owned(), binds: due(1000).to_vec() }]).unwrap();
    }

    fn rows<T: serde::de::DeserializeOwned>(&self, text: &str, binds: &[Bind]) -> Vec<T> {
        sqlite::rows(&self.0, text, binds)
    }

    /// The rows of a report, from sums or from clicks.
    fn report(
        &self,
        question: &Question<'_>,
        filter: &Filter,
        from_sums: bool,
    ) -> Vec<(Map<String, Value>, Metrics)> {
        let queries = if from_sums { plan(question, filter) } else { plan_from_rows(question, filter) };
        let mut table = Table::new(question.group, question.model);
        for query in queries {
            let rows: Vec<Row> = self.rows(&query.text, &query.binds);
            table.add(query.measure, rows, |_, _, _| None);
        }
        table.rows(Event::Clicks, question.buckets)
    }
}

fn question<'a>(
    group: &'static Group,
    window: Window,
    buckets: &'a [Bucket],
    known_only: bool,
) -> Question<'a> {
    Question {
        workspace_id: "ws_1",
        mode: Mode::Live,
        currency: Currency::USD,
        event: Event::Clicks,
        gross: false,
        model: Model::Last,
        known_only,
        group,
        window,
        buckets,
    }
}

/// Zones whose days begin at every kind of time: UTC, Paris with its change, Kathmandu (+5:45).
fn zones() -> [Zone; 3] {
    let paris = vec![(Millis(0), 60), (Millis(BEGIN + 2 * DAY_MS + HOUR), 120)];
    [Zone::default(), Zone::new(paris), Zone::new(vec![(Millis(0), 345)])]
}

#[test]
fn sums_tell_the_same_as_clicks() {
    let filters = [
        "",
        "linkId=link_1",
        "domain=a.example",
        "folderId=fold_1&domain=b.example",
        "tagIds=tag_1&linkId=link_0",
    ];
    for seed in 1..=12 {
        let (mut db, mut random) = (Db::new(), Random(seed));
        let mut clicks: Vec<Click> = Vec::new();
        let mut now = BEGIN + random.below(DAY_MS);
        for round in 0..8 {
            for n in 0..40 {
                // Most come as they happen, some a long time after.
                let late = if random.below(8) == 0 { random.below(2 * DAY_MS) } else { random.below(HOUR) };
                clicks.push(db.click(&format!("c{round}-{n}"), (now - late).max(BEGIN), &mut random));
                now += random.below(HOUR / 2);
            }
            if random.below(3) > 0 {
                db.sum_up(now);
            }
            for query in filters {
                let zone = &zones()[usize::try_from(random.below(3)).unwrap()];
                let start = BEGIN + random.below(now - BEGIN);
                let start = if random.below(2) == 0 { start } else { start - start % HOUR };
                let spans = [
                    format!(
                        "start={}&end={}",
                        Millis(start).to_iso(),
                        Millis(start + random.below(3 * DAY_MS)).to_iso()
                    ),
                    random.of(&["interval=24h", "interval=7d", "interval=mtd", "interval=all"]).to_owned(),
                ];
                let mut filter = Filter::parse(&validate::Query::parse(query)).unwrap();
                filter.link_id = query.split("linkId=").nth(1).map(str::to_owned);
                for span in spans {
                    let bounds = Bounds::parse(&validate::Query::parse(&span), "30d").unwrap();
                    let window = bounds.window(Millis(now), Millis(BEGIN), zone);
                    let all_buckets = buckets(&window, zone);
                    for group in &GROUPS {
                        let buckets: &[Bucket] = if group.is_series { &all_buckets } else { &[] };
                        let question = question(group, window, buckets, random.below(2) == 0);
                        let case = format!("seed {seed}, round {round}: {} {span} {query}", group.name);
                        let from_sums = db.report(&question, &filter, true);
                        assert_eq!(from_sums, db.report(&question, &filter, false), "{case}");
                        if query.is_empty() {
                            recount(&clicks, group, &window, &all_buckets, &from_sums, &case);
                        }
                    }
                }
            }
        }
        assert!(db.sum_up(now + 2 * DAY_MS) > 0);
        assert_eq!(db.sum_up(now + 2 * DAY_MS), 0, "what is summed is done");
        let left: Vec<Value> = db.rows("SELECT id FROM late_clicks", &[]);
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The same figures from the test's own list, without SQL.
fn recount(
    clicks: &[Click],
    group: &Group,
    window: &Window,
    buckets: &[Bucket],
    rows: &[(Map<String, Value>, Metrics)],
    case: &str,
) {
    let within: Vec<&Click> =
        clicks.iter().filter(|click| click.at >= window.start.0 && click.at <= window.end.0).collect();
    let counted = |key: fn(&Click) -> String| {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for click in &within {
            *counts.entry(key(click)).or_default() += 1;
        }
        counts
    };
    let shown = |name: &str| -> BTreeMap<String, i64> {
        rows.iter().map(|(row, metrics)| (row[name].as_str().unwrap().to_owned(), metrics.clicks)).collect()
    };
    match group.name {
        "count" => {
            let found = rows.first().map_or(0, |(_, metrics)| metrics.clicks);
            assert_eq!(found, i64::try_from(within.len()).unwrap(), "{case}");
        }
        "top_links" => assert_eq!(shown("link"), counted(|click| click.link.clone()), "{case}"),
        "countries" => {
            let mut expected = counted(|click| click.country.to_owned());
            let mut found = shown("country");
            found.remove("Unknown");
            expected.remove("Unknown");
            assert_eq!(found, expected, "{case}");
        }
        "timeseries" => {
            let found: Vec<i64> = rows.iter().map(|(_, metrics)| metrics.clicks).collect();
            let inside = |bucket: &Bucket| {
                within.iter().filter(|click| click.at >= bucket.start.0 && click.at < bucket.end.0).count()
            };
            let expected: Vec<i64> =
                buckets.iter().map(|bucket| i64::try_from(inside(bucket)).unwrap()).collect();
            assert_eq!(found, expected, "{case}");
        }
        _ => {}
    }
}

#[test]
fn clicks_that_are_deleted_stay_counted() {
    let (mut db, mut random) = (Db::new(), Random(7));
    // The first keeps them for two days, the second for longer than the instance would.
    for (workspace, days) in [("ws_1", 2), ("ws_2", 9)] {
        let query = "UPDATE workspaces SET click_retention_days = ?2 WHERE id = ?1";
        db.0.execute(query, params![workspace, days]).unwrap();
    }
    let mut at = BEGIN;
    for n in 0..400 {
        let workspace = if n % 2 == 0 { "ws_1" } else { "ws_2" };
        db.click_in(workspace, &format!("c{n}"), at, &mut random);
        db.0.execute(
            "INSERT INTO visits SELECT id, workspace_id, link_id, at, 'bot', visitor, url, ip, continent, country, region, city, \
             latitude, longitude, edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, \
             referer, referer_url, source, signals, fingerprint FROM clicks WHERE id = ?1",
            [format!("c{n}")],
        )
        .unwrap();
        at += random.below(HOUR);
    }
    let now = at + 3 * DAY_MS;
    db.sum_up(now);
    for (id, workspace, click) in [("l", "ws_1", "c2"), ("m", "ws_2", "c1")] {
        db.0.execute(
            "INSERT INTO leads (id, workspace_id, mode, customer_id, at, event_name, quantity, click_id) \
             VALUES (?1, ?2, 'live', 'k', 0, 'Sign up', 1, ?3)",
            [id, workspace, click],
        )
        .unwrap();
    }
    let window = Window {
        start: Millis(BEGIN),
        ..Bounds::parse(&validate::Query::parse(""), "30d").unwrap().window(
            Millis(now),
            Millis(BEGIN),
            &Zone::default(),
        )
    };
    let all_buckets = buckets(&window, &Zone::default());
    let reports = |db: &Db| -> Vec<_> {
        let cases = GROUPS.iter().filter(|group| group.name != "link_timeseries").flat_map(|group| {
            ["ws_1", "ws_2"]
                .into_iter()
                .flat_map(move |id| ["", "folderId=fold_1"].map(|filter| (group, id, filter)))
        });
        cases
            .map(|(group, workspace_id, filter)| {
                let buckets: &[Bucket] = if group.is_series { &all_buckets } else { &[] };
                let filter = Filter::parse(&validate::Query::parse(filter)).unwrap();
                let question = Question { workspace_id, ..question(group, window, buckets, false) };
                db.report(&question, &filter, true)
            })
            .collect()
    };
    let kept = |db: &Db, table: &str, workspace: &str, before: i64| -> Vec<Value> {
        let query = format!("SELECT id FROM {table} WHERE workspace_id = ?1 AND at < ?2 ORDER BY at");
        let rows: Vec<Value> = db.rows(&query, &[workspace.into(), Bind::Int(before)]);
        rows.into_iter().map(|row| row["id"].clone()).collect()
    };
    let before = reports(&db);
    let today = now - now.rem_euclid(DAY_MS);
    for (later, kept_days) in [(0, [2, 9]), (4, [2, 9])] {
        let today = today + later * DAY_MS;
        db.purge(today, 5);
        for ((workspace, lead), days) in [("ws_1", "c2"), ("ws_2", "c1")].into_iter().zip(kept_days) {
            let end = today - days * DAY_MS;
            assert!(later == 0 || end > BEGIN, "the case is one");
            let expected: Vec<Value> = if end > BEGIN { vec![json!(lead)] } else { Vec::new() };
            assert_eq!(
                kept(&db, "clicks", workspace, end),
                expected,
                "{workspace}: a click with a lead is kept"
            );
            assert!(kept(&db, "visits", workspace, end).is_empty(), "{workspace}");
            let rest = kept(&db, "visits", workspace, i64::MAX);
            assert_eq!(
                kept(&db, "clicks", workspace, i64::MAX).len(),
                rest.len() + expected.len(),
                "{workspace}"
            );
        }
        assert_eq!(reports(&db), before, "{later} days later");
    }
    assert!(
        !kept(&db, "clicks", "ws_2", i64::MAX).is_empty() && kept(&db, "clicks", "ws_1", i64::MAX).len() == 1
    );
}

#[test]
fn days_that_are_given_up_are_summed_no_more() {
    let (mut db, mut random) = (Db::new(), Random(3));
    for n in 0..60 {
        db.click(&format!("c{n}"), BEGIN + n * HOUR, &mut random);
    }
    let now = BEGIN + 6 * DAY_MS;
    db.sum_up(now);
    let total = |db: &Db| {
        let bounds = Bounds::parse(&validate::Query::parse("interval=all"), "30d").unwrap();
        let window = bounds.window(Millis(now), Millis(BEGIN), &Zone::default());
        db.report(&question(&GROUPS[0], window, &[], false), &Filter::default(), true)[0].1.clicks
    };
    // Who has looked before, and comes after, sums nothing of what is left.
    let stale = summing::statements("ws_1", summing::Step::Day(BEGIN));
    db.transact(&purging::give_up("ws_1", BEGIN)).unwrap();
    assert!(db.transact(&stale).is_err() && db.transact(&purging::give_up("ws_1", BEGIN)).is_err());
    // A click that comes between that and the end of the rows, or after both, is counted and stays.
    db.click("between", BEGIN + 5, &mut random);
    db.purge(now, 2);
    db.click("later", BEGIN + 6, &mut random);
    db.sum_up(now);
    db.purge(now, 2);
    assert!(db.transact(&stale).is_err());
    assert_eq!(total(&db), 62);
    let left: Vec<Value> = db.rows("SELECT id FROM clicks ORDER BY at", &[]);
    assert_eq!(left, [json!({"id": "between"}), json!({"id": "later"})]);
}
