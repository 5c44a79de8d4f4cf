//! `pimms bench ingest`: clicks through the redirect, the queue and into D1, on the real local runtime, and whether each
//! of them arrived once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::instance::Instance;

/// How long the last click may take from the redirect to D1.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);
const PAGE: usize = 1_000;
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// Options of `pimms bench ingest`.
#[derive(Debug, Args)]
pub struct Options {
    /// How many clicks.
    #[arg(long, default_value_t = 10_000)]
    clicks: u64,
    /// How many visitors click at the same time.
    #[arg(long, default_value_t = 16)]
    visitors: usize,
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    clicks: u64,
    redirected_in: Duration,
    stored_in: Duration,
    /// Clicks that are not in D1.
    pub lost: usize,
    /// Rows of D1 beyond one per click.
    pub duplicated: usize,
    rows_written: u64,
}

/// `pimms bench ingest`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let measured = measure(options.clicks, options.visitors)?;
    print!("{}", measured.table());
    if measured.lost + measured.duplicated > 0 {
        return Err(Failure::new("clicks were lost or stored twice"));
    }
    Ok(())
}

/// Clicks as often as asked, waits until all is stored, and compares.
pub fn measure(clicks: u64, visitors: usize) -> Result<Measured, Failure> {
    let instance = Instance::start()?;
    for n in 0..10 {
        let link = json!({"url": "https://shop.example/", "key": format!("ingest-{n}")});
        instance.api("POST", "/api/links").json(&link).send()?.success()?;
    }
    let started = Instant::now();
    let sent = click_all(&instance, clicks, visitors)?;
    let redirected_in = started.elapsed();
    while count(&instance)? < clicks && started.elapsed() < redirected_in + SETTLES_WITHIN {
        thread::sleep(Duration::from_millis(20));
    }
    let stored_in = started.elapsed();
    let stored = stored(&instance)?;
    let unique: BTreeSet<&String> = stored.iter().collect();
    let lost = sent.iter().filter(|id| !unique.contains(id)).count();
    let counted = usize::try_from(count(&instance)?).unwrap_or(usize::MAX);
    let duplicated = stored.len().max(counted).saturating_sub(sent.len());
    // As if a day had gone by, so that the rows of sums are written too.
    let tomorrow = json!({"now": crate::clock::now().plus_days(2).0});
    let answer = instance.client().post("/_pimms/upkeep").json(&tomorrow).send()?.success()?.json();
    let rows_written = answer.get("rowsWritten").and_then(Value::as_u64).unwrap_or(0);
    Ok(Measured { clicks, redirected_in, stored_in, lost, duplicated, rows_written })
}

/// The ids of clicks by visitors who are all different.
fn click_all(instance: &Instance, clicks: u64, visitors: usize) -> Result<BTreeSet<String>, Failure> {
    let (next, ids) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        let one = || -> Result<(), Failure> {
            let client = instance.client().clone();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= clicks {
                    return Ok(());
                }
                let address = format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255);
                let request = client.get(&format!("/ingest-{}", n % 10)).header("user-agent", AGENT);
                let answer = request.header("cf-connecting-ip", &address).send()?;
                let id = answer.header("location").and_then(|location| location.split_once("pimms_id="));
                let id = id.ok_or_else(|| Failure::new(format!("a click was answered {}", answer.status)))?.1;
                let id = id.split('&').next().unwrap_or(id).to_owned();
                ids.lock().map_err(|_| Failure::new("another visitor failed"))?.insert(id);
            }
        };
        let all: Vec<_> = (0..visitors).map(|_| scope.spawn(one)).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| Failure::new("a visitor failed"))?)
    })?;
    ids.into_inner().map_err(|_| Failure::new("a visitor failed"))
}

fn count(instance: &Instance) -> Result<u64, Failure> {
    let answer = instance.api("GET", "/api/analytics?interval=24h").send()?.success()?.json();
    Ok(answer.get("clicks").and_then(Value::as_u64).unwrap_or(0))
}

/// The ids of all clicks of the day.
fn stored(instance: &Instance) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for page in 1.. {
        let path = format!("/api/events?event=clicks&interval=24h&limit={PAGE}&page={page}");
        let answer = instance.api("GET", &path).send()?.success()?.json();
        let rows = answer.as_array().cloned().unwrap_or_default();
        let ids = rows.iter().filter_map(|row| row.pointer("/click/id")?.as_str());
        all.extend(ids.map(str::to_owned));
        if rows.len() < PAGE {
            break;
        }
    }
    Ok(all)
}

impl Measured {
    fn table(&self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "rates are shown")]
        let (clicks, rows) = (self.clicks as f64, self.rows_written as f64);
        let per_second = |took: Duration| clicks / took.as_secs_f64().max(1e-9);
        format!(
            "{} clicks: {:.0}/s redirected, {:.0}/s into D1; lost {}, duplicated {}; {:.2} rows written per click, \
             indexes and sums included\n",
            self.clicks,
            per_second(self.redirected_in),
            per_second(self.stored_in),
            self.lost,
            self.duplicated,
            rows / clicks.max(1.0)
        )
    }
}
