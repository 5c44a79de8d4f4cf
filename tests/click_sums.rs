//! Clicks counted ahead, held against the clicks themselves, on a real SQLite with this project's tables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing step ends the test"
)]

use std::collections::BTreeMap;
use std::fs;

use pimms_edge::core::analytics::summing::{self, OLDEST, Oldest, STATES, State};
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
use rusqlite::types::{ToSql, ToSqlOutput, Value as Sqlite};
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

const HOUR: i64 = 3_600_000;
/// 2030-03-29, a Friday: two days before summer time begins in Europe.
const BEGIN: i64 = 1_900_972_800_000;

struct Db(Connection);

struct Bound<'a>(&'a Bind);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Bind::Text(text) => Sqlite::Text(text.clone()),
            // As D1 binds every number of JavaScript's.
            #[expect(clippy::cast_precision_loss, reason = "instants are exact")]
            Bind::Int(number) => Sqlite::Real(*number as f64),
            Bind::Null => Sqlite::Null,
        }))
    }
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
        let connection = Connection::open_in_memory().unwrap();
        let mut files: Vec<_> =
            fs::read_dir("migrations").unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            connection.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
        }
        let db = Self(connection);
        for workspace in ["ws_1", "ws_2"] {
            db.0.execute(
                "INSERT INTO workspaces (id, slug, name, created_at) VALUES (?1, ?1, ?1, 0)",
                [workspace],
            )
            .unwrap();
        }
        for n in 0..4 {
            let folder = (n % 2 == 0).then_some("fold_1");
            db.0.execute(
                "INSERT INTO links (id, workspace_id, domain, key, url, folder_id, base_url, created_at, updated_at) \
                 VALUES (?1, 'ws_1', ?2, ?1, 'https://shop.example/', ?3, ?4, 0, 0)",
                params![format!("link_{n}"), if n < 2 { "a.example" } else { "b.example" }, folder, format!("https://{n}/")],
            )
            .unwrap();
            db.0.execute("INSERT INTO link_tags VALUES (?1, 'tag_1', 0)", [format!("link_{n}")]).unwrap();
        }
        db
    }

    fn click(&self, id: &str, at: i64, random: &mut Random) -> Click {
        // One link is busy and has sums of its own, the others have few clicks a day.
        let link = format!("link_{}", if random.below(2) == 0 { 0 } else { random.below(4) });
        let country = random.of(&["FR", "US", "Unknown", "JP"]);
        let url = format!(
            "https://shop.example/{}",
            random.of(&["", "?utm_source=a&utm_term=x", "?utm_source=b", "p?q=1"])
        );
        self.0
            .execute(
                "INSERT INTO clicks (id, workspace_id, link_id, at, visitor, url, continent, country, region, city, device, \
                 browser, os, qr, referer, referer_url) VALUES (?1, 'ws_1', ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'iOS', ?11, ?12, ?12)",
                params![
                    id, link, at, url, random.of(&["EU", "", "NA"]), country, random.of(&["A", "B \"c\"", "Unknown"]),
                    random.of(&["Paris", "Ville d'Avray", "Unknown"]), random.of(&["Desktop", "Mobile"]),
                    random.of(&["Chrome", "Safari"]), random.below(2),
                    random.of(&["(direct)", "https://n.example/x?y=1", "https://n.example/x?y=2"])
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
            let transaction = self.0.transaction().unwrap();
            for statement in summing::statements(&state.workspace_id, step) {
                let binds: Vec<Bound<'_>> = statement.binds.iter().map(Bound).collect();
                let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
                transaction
                    .execute(&statement.text, binds.as_slice())
                    .unwrap_or_else(|e| panic!("{e}: {}", statement.text));
            }
            transaction.commit().unwrap();
        }
    }

    fn purge(&self, before: i64) {
        while let Some(Oldest { workspace_id, at }) = self.rows(OLDEST, &[Bind::Int(before)]).pop() {
            for statement in summing::purge(&workspace_id, at) {
                let binds: Vec<Bound<'_>> = statement.binds.iter().map(Bound).collect();
                let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
                self.0.execute(&statement.text, binds.as_slice()).unwrap();
            }
        }
    }

    fn rows<T: serde::de::DeserializeOwned>(&self, text: &str, binds: &[Bind]) -> Vec<T> {
        let mut statement = self.0.prepare(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let binds: Vec<Bound<'_>> = binds.iter().map(Bound).collect();
        let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
        let mut rows = statement.query(binds.as_slice()).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let value = |at: usize| match row.get::<_, Sqlite>(at).unwrap() {
                Sqlite::Text(text) => json!(text),
                Sqlite::Integer(number) => json!(number),
                _ => Value::Null,
            };
            let object: Map<String, Value> =
                names.iter().cloned().enumerate().map(|(at, name)| (name, value(at))).collect();
            found.push(serde_json::from_value(Value::Object(object)).unwrap());
        }
        found
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
    let mut at = BEGIN;
    for n in 0..400 {
        db.click(&format!("c{n}"), at, &mut random);
        at += random.below(HOUR);
    }
    let now = at + 3 * DAY_MS;
    db.sum_up(now);
    db.0.execute(
        "INSERT INTO leads (id, workspace_id, mode, customer_id, at, event_name, quantity, click_id) \
         VALUES ('l', 'ws_1', 'live', 'k', 0, 'Sign up', 1, 'c1')",
        [],
    )
    .unwrap();
    let window = Window {
        start: Millis(BEGIN),
        ..Bounds::parse(&validate::Query::parse(""), "30d").unwrap().window(
            Millis(now),
            Millis(BEGIN),
            &Zone::default(),
        )
    };
    let reports = |db: &Db| -> Vec<_> {
        let groups = GROUPS.iter().filter(|group| group.name != "link_timeseries");
        let all_buckets = buckets(&window, &Zone::default());
        groups
            .flat_map(|group| {
                let buckets: &[Bucket] = if group.is_series { &all_buckets } else { &[] };
                ["", "folderId=fold_1"].map(|filter| {
                    let filter = Filter::parse(&validate::Query::parse(filter)).unwrap();
                    db.report(&question(group, window, buckets, false), &filter, true)
                })
            })
            .collect()
    };
    let before = reports(&db);
    db.purge(BEGIN + 5 * DAY_MS);
    let kept: Vec<Value> = db.rows("SELECT id FROM clicks WHERE at < ?", &[Bind::Int(BEGIN + 5 * DAY_MS)]);
    assert_eq!(kept, [json!({"id": "c1"})], "a click with a lead is kept");
    assert_eq!(reports(&db), before);
    // Of days whose clicks are gone nothing is made anew.
    db.sum_up(now + DAY_MS);
    db.click("later", BEGIN + 6, &mut random);
    db.sum_up(now + DAY_MS);
    let total =
        |db: &Db| db.report(&question(&GROUPS[0], window, &[], false), &Filter::default(), true)[0].1.clicks;
    assert_eq!(total(&db), 401);
}
