//! `pimms rebuild`: drops the read model of the workspace and has the ledgers make it anew.
//!
//! The ledgers are the truth, so nothing can be lost; every entry is read before and afterwards and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use pimms_edge::core::mode::Mode;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::table::Table;
use crate::target::{Address, Target, text};

/// How often the totals are read while the ledgers are at work.
const PAUSE: Duration = Duration::from_millis(250);

/// Totals that have not changed for this long are complete, whatever they were before.
const QUIET_FOR: Duration = Duration::from_secs(10);

/// Entries in one answer.
const PAGE: usize = 1000;

/// Options of `pimms rebuild`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where the instance is.
    #[command(flatten)]
    pub address: Address,
}

/// Every entry of the read model, by mode and id.
pub type Entries = BTreeMap<(String, String), Value>;

/// What was there before and what is there now.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Before.
    pub before: Entries,
    /// Afterwards.
    pub after: Entries,
    /// How many customers were asked.
    pub customers: i64,
    /// How long it took until nothing changed any more.
    pub took: Duration,
}

/// `pimms rebuild`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::find(&options.address)?;
    let outcome = rebuild(&target)?;
    print!("{}", outcome.table());
    let seconds = outcome.took.as_secs_f64();
    if outcome.before == outcome.after {
        println!(
            "{} customers, {seconds:.1} s. The read model is identical to the one before.",
            outcome.customers
        );
    } else {
        let changed = outcome.changed();
        println!(
            "{} customers, {seconds:.1} s. {changed} entries are not what they were before:",
            outcome.customers
        );
        println!("the read model was not what the ledgers say, and now is.");
    }
    Ok(())
}

/// Rebuilds, waits until it is done, and reads both states.
pub fn rebuild(target: &Target) -> Result<Outcome, Failure> {
    let before = entries(target)?;
    let wanted = target.totals()?;
    let started = Instant::now();
    let answer = target.post("/api/ledger/rebuild", &json!({}))?;
    let mut seen = target.totals()?;
    let mut changed_at = Instant::now();
    while seen != wanted && changed_at.elapsed() < QUIET_FOR {
        sleep(PAUSE);
        let now = target.totals()?;
        if now != seen {
            changed_at = Instant::now();
            seen = now;
        }
    }
    let took = started.elapsed();
    let customers = answer.get("customers").and_then(Value::as_i64).unwrap_or(0);
    Ok(Outcome { before, after: entries(target)?, customers, took })
}

/// Every entry of both modes.
pub fn entries(target: &Target) -> Result<Entries, Failure> {
    let mut all = Entries::new();
    for mode in [Mode::Live, Mode::Test].map(Mode::as_str) {
        let mut after = String::new();
        loop {
            let page = target.get(&format!("/api/ledger/entries?mode={mode}&limit={PAGE}{after}"))?;
            let page = page.as_array().cloned().unwrap_or_default();
            let full = page.len() == PAGE;
            after =
                page.last().map(|last| format!("&startingAfter={}", text(last, "id"))).unwrap_or_default();
            all.extend(page.into_iter().map(|row| ((mode.to_owned(), text(&row, "id").to_owned()), row)));
            if !full {
                break;
            }
        }
    }
    Ok(all)
}

impl Outcome {
    /// How many entries came, went or changed.
    #[must_use]
    pub fn changed(&self) -> usize {
        let ids: BTreeSet<_> = self.before.keys().chain(self.after.keys()).collect();
        ids.into_iter().filter(|id| self.before.get(*id) != self.after.get(*id)).count()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["Mode", "Rows", "Before", "After"]);
        for mode in [Mode::Live, Mode::Test].map(Mode::as_str) {
            for (name, kind) in [("sales", Some("sale")), ("entries", None)] {
                let count = |entries: &Entries| {
                    let rows = entries.iter().filter(|((of, _), _)| of == mode);
                    rows.filter(|(_, row)| kind.is_none_or(|kind| text(row, "kind") == kind))
                        .count()
                        .to_string()
                };
                table.row([mode.to_owned(), name.to_owned(), count(&self.before), count(&self.after)]);
            }
        }
        table
    }
}
