//! `pimms bench analytics`: what the dashboard's questions cost, and how that grows with the number of clicks.
//!
//! The clicks are loaded straight into the local database file while the runtime is down, by the very statements and
//! from the very rows by which the Worker stores a batch. Summing them, and every query, is the Worker's own work in
//! the real local runtime.

use std::time::{Duration, Instant};

use clap::Args;
use pimms_edge::core::click;
use pimms_edge::core::click_store;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::clicks::{Span, click};
use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files;
use crate::instance::Instance;
use crate::random::Random;
use crate::table::Table;

/// Clicks per statement: the Worker's batches are of this size at most.
const BATCH: u64 = 100;
/// Links that are clicked.
const LINKS: u64 = 200;
/// Days over which clicks are spread, the last of them today.
const DAYS: i64 = 90;

/// The questions of a dashboard that is opened; `LINK` is the most clicked link.
const QUESTIONS: [(&str, &str); 10] = [
    ("totals, 30 days", "event=composite&interval=30d"),
    ("clicks per day, 30 days", "event=composite&groupBy=timeseries&interval=30d"),
    ("clicks per day, 90 days, Paris", "groupBy=timeseries&interval=90d&timezone=Europe/Paris"),
    ("links", "event=composite&groupBy=top_links&interval=30d"),
    ("countries", "event=composite&groupBy=countries&interval=30d"),
    ("cities", "event=composite&groupBy=cities&interval=30d"),
    ("browsers", "event=composite&groupBy=browsers&interval=30d"),
    ("referrers", "event=composite&groupBy=referers&interval=30d"),
    ("UTM sources", "event=composite&groupBy=utm_sources&interval=30d"),
    ("countries of one link", "event=composite&groupBy=countries&interval=30d&linkId=LINK"),
];

/// Options of `pimms bench analytics`.
#[derive(Debug, Args)]
pub struct Options {
    /// Numbers of clicks, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    clicks: Vec<u64>,
    /// How often each question is asked.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// What the clicks are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What was measured at one number of clicks.
#[derive(Debug)]
pub struct Measured {
    /// How many clicks there were.
    pub clicks: u64,
    /// The sorted times of each question, in the order of the list.
    pub times: Vec<Vec<Duration>>,
    /// How long loading and summing took.
    pub loaded_in: Duration,
    /// How long summing took.
    pub summed_in: Duration,
    /// Rows written by summing, per thousand clicks.
    pub sum_rows: f64,
}

/// `pimms bench analytics`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let mut all = Vec::new();
    for clicks in &options.clicks {
        eprintln!("{clicks} clicks …");
        all.push(measure(*clicks, options.rounds, options.seed)?);
    }
    print!("{}", table(&all));
    Ok(())
}

/// Loads clicks into an instance of its own, sums them, checks the totals and asks every question.
pub fn measure(clicks: u64, rounds: usize, seed: u64) -> Result<Measured, Failure> {
    let mut instance = Instance::start()?;
    let links = make_links(&instance)?;
    let now = clock::now();
    let span = Span { from: now.plus_days(-DAYS), to: now };
    instance.stop();
    let started = Instant::now();
    load(&instance, &links, span, clicks, seed)?;
    let loaded_in = started.elapsed();
    instance.restart()?;
    let started = Instant::now();
    let rows = sum_up(&instance)?;
    let summed_in = started.elapsed();
    let path = |query: &str| {
        let query = query.replace("LINK", links.first().map_or("", String::as_str));
        format!("/api/analytics?{query}")
    };
    // Before anything is timed: nothing is missing and nothing counted twice.
    let from = span.from.to_iso();
    let total = ask(&instance, &path(&format!("start={from}")))?;
    if total.get("clicks").and_then(Value::as_u64) != Some(clicks) {
        return Err(Failure::new(format!("{clicks} clicks were loaded and the report says {total}")));
    }
    let by_country = ask(&instance, &path(&format!("groupBy=triggers&start={from}")))?;
    let sum: u64 = rows_of(&by_country).filter_map(|row| row.get("clicks")?.as_u64()).sum();
    if sum != clicks {
        return Err(Failure::new(format!("{clicks} clicks were loaded and their groups add up to {sum}")));
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::with_capacity(rounds); QUESTIONS.len()];
    for round in 0..=rounds {
        for ((_, query), times) in QUESTIONS.iter().zip(&mut times) {
            let started = Instant::now();
            ask(&instance, &path(query))?;
            // The first round fills caches.
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    for times in &mut times {
        times.sort_unstable();
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio is shown")]
    let sum_rows = rows as f64 * 1000.0 / clicks.max(1) as f64;
    Ok(Measured { clicks, times, loaded_in, summed_in, sum_rows })
}

fn rows_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.as_array().into_iter().flatten()
}

fn ask(instance: &Instance, path: &str) -> Result<Value, Failure> {
    Ok(instance.api("GET", path).send()?.success()?.json())
}

/// Links with keys of their own; their ids, the most clicked first.
fn make_links(instance: &Instance) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for from in (0..LINKS).step_by(100) {
        let links: Vec<Value> = (from..(from + 100).min(LINKS))
            .map(|n| json!({"url": format!("https://shop.example/{n}"), "key": format!("bench-{n}")}))
            .collect();
        let made = instance.api("POST", "/api/links/bulk").json(&links).send()?.success()?.json();
        ids.extend(rows_of(&made).filter_map(|link| Some(link.get("id")?.as_str()?.to_owned())));
    }
    if ids.len() as u64 == LINKS { Ok(ids) } else { Err(Failure::new("the links could not be made")) }
}

/// Stores the clicks by the Worker's own statements.
fn load(instance: &Instance, links: &[String], span: Span, clicks: u64, seed: u64) -> Result<(), Failure> {
    let folder = instance.folder().join("state/v3/d1/miniflare-D1DatabaseObject");
    let database = files::all_files(&[folder])?
        .into_iter()
        .find(|path| {
            path.extension().is_some_and(|extension| extension == "sqlite")
                && path.file_stem().is_some_and(|stem| stem != "metadata")
        })
        .ok_or_else(|| Failure::new("the local database was not found"))?;
    let failed = || "the clicks could not be loaded".to_owned();
    let mut connection = Connection::open(database).or_fail(failed)?;
    let mut random = Random::new(seed);
    let mut n = 0;
    let transaction = connection.transaction().or_fail(failed)?;
    while n < clicks {
        let batch: Vec<_> = (n..(n + BATCH).min(clicks))
            .map(|n| click(&mut random, &instance.ready().workspace_id, links, span, n, clicks))
            .collect();
        n += batch.len() as u64;
        let text = serde_json::to_string(&click::rows(batch)).or_fail(failed)?;
        for statement in click_store::statements() {
            transaction.prepare_cached(&statement).and_then(|mut it| it.execute([&text])).or_fail(failed)?;
        }
    }
    transaction.execute_batch(CONVERSIONS).or_fail(failed)?;
    transaction.commit().or_fail(failed)
}

/// One click in a hundred becomes a lead, one in two hundred a sale. Which click of all it is stands in its id.
const CONVERSIONS: &str = "\
    INSERT INTO leads (id, workspace_id, mode, customer_id, at, event_name, quantity, click_id, link_id, clicked_at) \
    SELECT 'lead_' || substr(id, 2, 8), workspace_id, 'live', 'cus_' || substr(id, 2, 8), at + 60000, 'Sign up', 1, id, \
      link_id, at FROM clicks WHERE CAST(substr(id, 2, 8) AS INTEGER) % 100 = 0; \
    INSERT INTO sales (id, workspace_id, mode, customer_id, account, reference, at, event_name, amount, currency, \
      processor, click_id, link_id, clicked_at, rate_day, touches, receipt) \
    SELECT 'sale_' || substr(id, 2, 8), workspace_id, 'live', 'cus_' || substr(id, 2, 8), '', 'in_' || substr(id, 2, 8), \
      at + 120000, 'Purchase', 4900, 'usd', 'stripe', id, link_id, at, '', '[]', '{}' \
    FROM clicks WHERE CAST(substr(id, 2, 8) AS INTEGER) % 200 = 0; \
    INSERT INTO entries (id, workspace_id, mode, customer_id, sale_id, kind, at, amount, currency, rate_day, click_id, link_id) \
    SELECT 'e' || id, workspace_id, mode, customer_id, id, 'sale', at, amount, currency, '', click_id, link_id FROM sales;";

/// Has the Worker sum all that is due; gives the rows that it wrote.
pub(super) fn sum_up(instance: &Instance) -> Result<u64, Failure> {
    loop {
        let answer = instance.client().post("/_pimms/upkeep").json(&json!({})).send()?.success()?.json();

        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        if number("steps") < 10 {
            return Ok(number("rowsWritten"));
        }
    }
}

/// The figures as a table, with the growth from the last but one number of clicks to the last.
#[must_use]
pub fn table(all: &[Measured]) -> String {
    let mut columns = vec!["question".to_owned()];
    for measured in all {
        columns.extend([format!("{} p50 ms", measured.clicks), "p99 ms".to_owned()]);
    }
    columns.push("growth".to_owned());
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    let at = |times: &[Duration], percent: usize| {
        let index = times.len().saturating_sub(1) * percent / 100;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    for (n, (name, _)) in QUESTIONS.iter().enumerate() {
        let times = |measured: &Measured| measured.times.get(n).cloned().unwrap_or_default();
        let mut row = vec![(*name).to_owned()];
        for measured in all {
            let times = times(measured);
            row.extend([format!("{:.1}", at(&times, 50)), format!("{:.1}", at(&times, 99))]);
        }
        let medians: Vec<f64> = all.iter().map(|measured| at(&times(measured), 50)).collect();
        row.push(match medians.as_slice() {
            [.., before, last] if *before > 0.0 => format!("{:.2}", last / before),
            _ => String::new(),
        });
        table.row(row);
    }
    let costs = all.iter().map(|measured| {
        format!(
            "{} clicks: loaded in {:.1} s, summed in {:.1} s, {:.0} rows of sums written per 1,000 clicks\n",
            measured.clicks,
            measured.loaded_in.as_secs_f64(),
            measured.summed_in.as_secs_f64(),
            measured.sum_rows
        )
    });
    format!("{table}\n{}", costs.collect::<String>())
}
