//! What a click, a lead and a delivery of Stripe's cost on the platform, counted on the local runtime, and the tables of
//! ARCHITECTURE.md that say so.
//!
//! `cost/counted.js` stands around the built Worker and counts what is billed. A figure of the tables that is no longer
//! true fails this test, which then prints the tables as they should be. CPU is measured, so it is a magnitude.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::bench::serve::precise_cpu;
use pimms_cli::clock::now_secs;
use pimms_cli::deploy::plan;
use pimms_cli::instance::Instance;
use pimms_cli::project::Project;
use pimms_cli::stripe::{Build, Event, Session};
use serde_json::{Value, json};

use crate::support;

const COUNTED: &str = include_str!("cost/counted.js");
const PAGE: &str = include_str!("../../ARCHITECTURE.md");
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// What is billed, as the table and as `counted.js` names it.
const METERS: [(&str, &str); 9] = [
    ("Worker requests", "requests"),
    ("KV reads", "kvReads"),
    ("KV writes", "kvWrites"),
    ("D1 rows read", "d1Read"),
    ("D1 rows written", "d1Written"),
    ("object requests", "objectRequests"),
    ("object rows read", "objectRead"),
    ("object rows written", "objectWritten"),
    ("queue operations", "queueOperations"),
];
const CPU: &str = "ms of CPU, about";
/// What is counted, in the order of the table's columns, and how many of it one count is.
const OPERATIONS: [(&str, f64); 6] = [
    ("a link made", 1.0),
    ("a click alone", 1.0),
    ("one of 50 clicks", CROWD as f64),
    ("a lead", 1.0),
    ("a delivery", 1.0),
    ("the same again", 1.0),
];
const CROWD: u32 = 50;
/// The columns before those: what, price of a million, free a day, in the price of Workers Paid a month.
const BEFORE: usize = 4;
/// How many crowds fill the database to see how large a click is.
const CROWDS: u32 = 10;
/// How often a batch of clicks reads each click of the workspace's last hour.
const READS_OF_THE_HOUR: f64 = 2.0;
/// How often an operation is counted at most.
const ATTEMPTS: u32 = 5;
/// How many of each are done for their CPU time.
const MANY: u32 = 30;

/// The Worker with its counter.
struct Counted {
    instance: Instance,
    process: Option<u32>,
}

impl Counted {
    fn start() -> Self {
        let mut instance = Instance::start().unwrap();
        support::wrap(&mut instance, COUNTED, |_| ());
        let process = runtime(&instance);
        Self { instance, process }
    }

    /// What was counted, as soon as nothing is under way any more.
    fn settled(&self) -> Value {
        let started = Instant::now();
        loop {
            let found = self.instance.client().get("/_counts").send().unwrap().json();
            if found["isQuiet"] == true {
                return found;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{found}\n{}", self.instance.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What `work` and all that follows from it costs.
    fn count(&self, work: impl FnOnce()) -> Value {
        self.settled();
        self.instance.client().post("/_counts").send().unwrap();
        work();
        self.settled()
    }

    /// Milliseconds of CPU for one of `count` times `work`, storage and the runtime's own included.
    fn cpu(&self, count: u32, work: impl FnOnce()) -> Option<f64> {
        self.settled();
        let before = precise_cpu(self.process?)?;
        work();
        self.settled();
        let took = precise_cpu(self.process?)?.checked_sub(before)?;
        Some(took.as_secs_f64() * 1e3 / f64::from(count))
    }

    fn link(&self, key: &str) {
        let body = json!({"url": "https://shop.example/", "key": key});
        self.instance.api("POST", "/api/links").json(&body).send().unwrap().success().unwrap();
    }

    fn visit(&self, path: &str) -> pimms_cli::http_client::Answer {
        let host = &self.instance.ready().short_domain;
        let request = self.instance.client().get(path).header("x-pimms-host", host);
        request.header("user-agent", AGENT).header("referer", "https://news.example/").send().unwrap()
    }

    /// The click's id.
    fn click(&self, key: &str) -> String {
        let answer = self.visit(&format!("/{key}"));
        answer.header("location").unwrap().split_once("pimms_id=").unwrap().1.to_owned()
    }

    fn crowd(&self, key: &str) {
        let answers = self.visit(&format!("/_crowd?count={CROWD}&of=/{key}")).json();
        assert!(answers.as_array().unwrap().iter().all(|status| *status == 302), "{answers}");
    }

    fn lead(&self, click: &str, name: &str) {
        let body = json!({"clickId": click, "externalId": name, "eventName": "Sign up", "customerName": "Ada",
            "customerEmail": format!("{name}@shop.example")});
        self.instance.api("POST", "/api/track/lead").json(&body).send().unwrap().success().unwrap();
    }

    fn deliver(&self, body: &str) {
        self.instance.webhook(body).unwrap().success().unwrap();
    }
}

/// A checkout that the customer of this name pays after all that was clicked so far.
fn paid(name: &str) -> String {
    let session = Session::paid(&format!("cs_{name}"))
        .amount(4900, "usd")
        .intent(&format!("pi_{name}"))
        .customer(&format!("cus_{name}"))
        .external_id(name);
    Event::new("checkout.session.completed", session).at(now_secs() + 1).body()
}

/// The process of the runtime that has the instance's data open; `None` where there is no `/proc`.
fn runtime(instance: &Instance) -> Option<u32> {
    let state = instance.folder().join("state");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|process: &u32| {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        open.filter_map(|file| fs::read_link(file.path()).ok()).any(|path| path.starts_with(&state))
    })
}

/// What one operation costs, by meter: the least of a few attempts, the first of which is enough if `is_said` holds of it.
///
/// An attempt may carry a note that an isolate repeats twice a minute; the next does not.
fn least(worker: &Counted, series: &str, operation: usize, is_said: impl Fn(&str, f64) -> bool) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; METERS.len()];
    for attempt in 0..ATTEMPTS {
        let name = format!("{series}-{operation}-{attempt}");
        let (mut click, mut body) = (String::new(), String::new());
        // What must have happened before.
        if operation > 0 {
            worker.link(&name);
        }
        if operation > 1 {
            click = worker.click(&name);
        }
        if operation > 3 {
            worker.lead(&click, &name);
            body = paid(&name);
        }
        if operation > 4 {
            worker.deliver(&body);
        }
        let counts = worker.count(|| match operation {
            0 => worker.link(&name),
            1 => drop(worker.click(&name)),
            2 => worker.crowd(&name),
            3 => worker.lead(&click, &name),
            _ => worker.deliver(&body),
        });
        for (least, (_, meter)) in least.iter_mut().zip(METERS) {
            *least = least.min(counts[meter].as_f64().unwrap() / OPERATIONS[operation].1);
        }
        if METERS.iter().zip(&least).all(|((_, meter), least)| is_said(meter, *least)) {
            break;
        }
    }
    least
}

/// What the clicks of the last hour add to.
fn grows(operation: usize, meter: &str) -> bool {
    OPERATIONS[operation].0.contains("click") && meter == "d1Read"
}

/// A count as the table has it: `said` if that is still true.
///
/// How many rows a search touches depends on the neighbours that chance gave an id: one more or less.
fn cell(meter: &str, counted: f64, said: &str) -> String {
    let is_chance = meter.ends_with("Read") && (counted - number(said)).abs() < 2.5;
    if is_chance { said.to_owned() } else { shown(counted) }
}

/// CPU of each operation, in milliseconds.
fn times(worker: &Counted) -> Option<Vec<f64>> {
    let names: Vec<String> = (0..MANY).map(|n| format!("cpu-{n}")).collect();
    let links = worker.cpu(MANY, || names.iter().for_each(|name| worker.link(name)))?;
    let mut clicks = Vec::new();
    let alone = worker.cpu(MANY, || clicks.extend(names.iter().map(|name| worker.click(name))))?;
    let crowds = worker.cpu(4 * CROWD, || names.iter().take(4).for_each(|name| worker.crowd(name)))?;
    let leads =
        worker.cpu(MANY, || names.iter().zip(&clicks).for_each(|(name, click)| worker.lead(click, name)))?;
    let bodies: Vec<String> = names.iter().map(|name| paid(name)).collect();
    let deliver = || bodies.iter().for_each(|body| worker.deliver(body));
    let [first, again] = [worker.cpu(MANY, deliver)?, worker.cpu(MANY, deliver)?];
    Some(vec![links, alone, crowds, leads, first, again])
}

/// Rows of the table whose first column is headed `heading`, by that column.
fn table(heading: &str) -> BTreeMap<String, Vec<String>> {
    let start = PAGE.lines().position(|line| line.starts_with(&format!("| {heading} |"))).unwrap();
    let rows = PAGE.lines().skip(start).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()));
    cells.map(Iterator::collect::<Vec<_>>).map(|cells| (cells[0].clone(), cells)).collect()
}

fn number(text: &str) -> f64 {
    text.replace([',', '$'], "").parse().unwrap_or(0.0)
}

/// At most two decimals, thousands apart: `1,234`, `6.02`, `0`.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if fraction.is_empty() { out } else { format!("{out}.{fraction}") }
}

#[test]
fn the_tables_of_costs_are_what_the_runtime_counts() {
    let worker = Counted::start();
    // Makes the tables, and notes that are repeated twice a minute only.
    worker.link("cost-0");
    worker.lead(&worker.click("cost-0"), "cost-0");
    worker.deliver(&paid("cost-0"));
    let page = table("billed");
    let said = |meter: usize, operation: usize| &page[METERS[meter].0][BEFORE + operation];
    let count = |series: &str, operation: usize| {
        least(&worker, series, operation, |meter, counted| {
            let said = said(METERS.iter().position(|(_, name)| *name == meter).unwrap(), operation);
            &cell(meter, counted, said) == said || (series == "later" && grows(operation, meter))
        })
    };
    let counts: Vec<Vec<f64>> = (0..OPERATIONS.len()).map(|operation| count("first", operation)).collect();
    let times = times(&worker);
    let mut expected = BTreeMap::new();
    for (index, (name, meter)) in METERS.into_iter().enumerate() {
        let mut cells = page[name][..BEFORE].to_vec();
        cells.extend(
            counts
                .iter()
                .enumerate()
                .map(|(operation, counts)| cell(meter, counts[index], said(index, operation))),
        );
        expected.insert(name, cells);
    }
    expected.insert(CPU, page[CPU].clone());
    let column = |operation: usize, of: usize| {
        let cell = move |cells: &Vec<String>| (number(&cells[of]), number(&cells[BEFORE + operation]));
        expected.values().map(cell).filter(|(_, count)| *count > 0.0).collect::<Vec<_>>()
    };
    let prices: Vec<f64> = (0..OPERATIONS.len())
        .map(|operation| column(operation, 1).iter().map(|(price, count)| price * count).sum())
        .collect();
    let free = (0..OPERATIONS.len()).map(|operation| {
        let days = column(operation, 2).into_iter().filter(|(free, _)| *free > 0.0);
        days.map(|(free, count)| (free / count).floor()).fold(f64::INFINITY, f64::min)
    });
    let mut sums =
        BTreeMap::from([("**$ a million**", Vec::new()), ("**a day on Workers Free**", Vec::new())]);
    for (name, cells) in &mut sums {
        cells.extend(page[*name][..BEFORE].to_vec());
    }
    sums.get_mut("**$ a million**").unwrap().extend(prices.iter().map(|price| format!("{price:.2}")));
    sums.get_mut("**a day on Workers Free**").unwrap().extend(free.map(shown));
    expected.extend(sums);
    let mut listing = String::new();
    for cells in expected.values() {
        let _ = writeln!(listing, "| {} |", cells.join(" | "));
    }
    for (name, cells) in &expected {
        assert_eq!(&page[*name], cells, "{name}; all as it is today:\n{listing}{times:?}");
    }
    // Another machine, or a busy one, is another measure: of the same order is what can be asked.
    for (operation, took) in times.iter().flatten().enumerate() {
        let about = number(&page[CPU][BEFORE + operation]);
        assert!(*took < 10.0 * about && *took > about / 20.0, "{}: {times:?}", OPERATIONS[operation].0);
    }
    bills(&expected);

    (0..CROWDS).for_each(|n| worker.link(&format!("size-{n}")));
    // Pages are filled one by one: of a few hundred clicks it is a fair measure.
    let size = || worker.settled()["databaseBytes"].as_f64().unwrap();
    let before = size();
    (0..CROWDS).for_each(|n| worker.crowd(&format!("size-{n}")));
    let bytes = (size() - before) / f64::from(CROWDS * CROWD);
    let words: Vec<&str> = PAGE.split_whitespace().collect();
    let size_said = words.windows(4).find(|words| words[1..] == ["bytes", "of", "D1"]).unwrap();
    assert!((bytes / number(size_said[0]) - 1.0).abs() < 0.2, "{} bytes of D1 are {bytes}", size_said[0]);

    // With hundreds of clicks and dozens of customers stored, each costs what it did with none; but who comes again is looked
    // for among the clicks of the last hour, by two statements.
    for (operation, (name, many)) in OPERATIONS.iter().enumerate().filter(|(at, _)| [1, 3, 4].contains(at)) {
        let answer = worker.instance.api("GET", "/api/analytics?interval=24h").send().unwrap().json();
        let clicks = answer["clicks"].as_f64().unwrap();
        assert!(clicks >= f64::from(CROWDS * CROWD), "{clicks}");
        for (index, counted) in count("later", operation).into_iter().enumerate() {
            let (meter, said) = (METERS[index].1, said(index, operation));
            if grows(operation, meter) {
                let most = number(said) + READS_OF_THE_HOUR * (clicks + 100.0) / many;
                assert!(counted < most, "{meter} of {name}: {counted}, at most {most}");
            } else {
                let found = cell(meter, counted, said);
                assert_eq!(&found, said, "{meter} of {name} has grown");
            }
        }
    }
}

/// What a month costs on Workers Paid: beyond what is in its price, every click alone and every delivery a new one.
fn bills(costs: &BTreeMap<&str, Vec<String>>) {
    let page = table("a month");
    let months: Vec<_> = page.values().filter(|cells| cells[0].ends_with('×')).collect();
    assert_eq!(months.len(), 3);
    let toml = fs::read_to_string(Project::find().unwrap().path("wrangler.toml")).unwrap();
    let config = Value::Object(plan::production(&toml).unwrap());
    let consumers = config["queues"]["consumers"].as_array().unwrap();
    let clicks = consumers.iter().find(|consumer| consumer["queue"] == "clicks").unwrap();
    let seconds = clicks["max_batch_timeout"].as_f64().unwrap();
    for month in months {
        let mut bill = 5.0;
        // One workspace, clicks spread evenly over 730 hours, batches as far apart as production has them.
        let clicks = number(&month[1]);
        let of_the_hour = clicks.min(730.0 * 3600.0 / seconds) * READS_OF_THE_HOUR * clicks / 730.0;
        for (meter, cells) in costs {
            let count = |operation: usize| number(&cells[BEFORE + operation]);
            let used =
                number(&month[1]) * count(1) + number(&month[2]) * count(3) + number(&month[3]) * count(4);
            let used = if *meter == "D1 rows read" { used + of_the_hour } else { used };
            bill += (used - number(&cells[3])).max(0.0) / 1e6 * number(&cells[1]);
        }
        assert_eq!(month[4], format!("${}", shown(bill.ceil())), "{}", month[0]);
    }
}
