//! `pimms replay`: delivers past Stripe events again, freshly signed.
//!
//! Redelivery never counts twice, so a replay repairs whatever was missed and changes nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::time::{DAY_MS, Millis};
use serde_json::Value;

use crate::failure::{Failure, OrFail};
use crate::progress::Pace;
use crate::stripe_api::{self, StripeApi};
use crate::table::Table;
use crate::target::{Address, Target, text};

/// How often one event is delivered while the instance says that it cannot take it now.
const ATTEMPTS: u32 = 5;

/// Options of `pimms replay`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The first day (2025-11-01) or instant.
    #[arg(long, value_name = "DATE", value_parser = from)]
    pub from: Millis,
    /// The last day or instant, itself included; without it, until now.
    #[arg(long, value_name = "DATE", value_parser = to)]
    pub to: Option<Millis>,
    /// Events, one JSON object a line, instead of Stripe's API (which keeps 30 days).
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How to reach Stripe.
    #[command(flatten)]
    pub stripe: stripe_api::Access,
    /// Where the instance is.
    #[command(flatten)]
    pub address: Address,
}

/// What became of the events of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Delivered.
    pub sent: usize,
    /// Answered 2xx: stored for good.
    pub accepted: usize,
    /// Answered anything else, in the end.
    pub refused: usize,
}

/// The closing account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By event type.
    pub types: BTreeMap<String, Count>,
    /// The refused events: id and what was answered.
    pub refusals: Vec<String>,
}

pub(crate) fn from(text: &str) -> Result<Millis, String> {
    Millis::parse(text).ok_or_else(|| "a day such as 2025-11-01, or an instant of RFC 3339".to_owned())
}

/// A plain day means its end.
pub(crate) fn to(text: &str) -> Result<Millis, String> {
    let instant = from(text)?;
    Ok(if text.contains('T') { instant } else { Millis(instant.0 + DAY_MS - 1) })
}

/// `pimms replay`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::find(&options.address)?;
    let outcome = replay(&target, options)?;
    print!("{}", outcome.table());
    outcome.refusals.iter().for_each(|line| eprintln!("  {line}"));
    match outcome.total().refused {
        0 => Ok(()),
        refused => Err(Failure::new(format!("{refused} events were refused: see above"))),
    }
}

/// Delivers every event in the range.
pub fn replay(target: &Target, options: &Options) -> Result<Outcome, Failure> {
    let (mut outcome, mut pace) = (Outcome::default(), Pace::new());
    let mut deliver = |event: &Value| -> Result<(), Failure> {
        outcome.deliver(target, options, event)?;
        pace.tell(|| outcome.so_far(event));
        Ok(())
    };
    if let Some(file) = &options.file {
        events_of(file)?.try_for_each(|event| deliver(&event?))?;
    } else {
        let api = StripeApi::new(&options.stripe)?;
        api.list("/v1/events", &range(options.from, options.to)).try_for_each(|event| deliver(&event?))?;
    }
    Ok(outcome)
}

/// `created` from and to, as Stripe's lists take it.
pub(crate) fn range(from: Millis, to: Option<Millis>) -> String {
    let until = to.map(|to| format!("&created[lte]={}", to.0.div_euclid(1000))).unwrap_or_default();
    format!("&created[gte]={}{until}", from.0.div_euclid(1000))
}

/// The events of a file, line by line.
pub(crate) fn events_of(file: &Path) -> Result<impl Iterator<Item = Result<Value, Failure>>, Failure> {
    let shown = file.display().to_string();
    let open = File::open(file).or_fail(|| format!("cannot read {shown}"))?;
    let lines = BufReader::new(open).lines().enumerate();
    Ok(lines.filter_map(move |(index, line)| {
        let place = || format!("{shown}, line {}", index + 1);
        match line.or_fail(place) {
            Ok(line) if line.trim().is_empty() => None,
            Ok(line) => Some(serde_json::from_str(&line).or_fail(place)),
            Err(failure) => Some(Err(failure)),
        }
    }))
}

impl Outcome {
    fn deliver(&mut self, target: &Target, options: &Options, event: &Value) -> Result<(), Failure> {
        let created = event.get("created").and_then(Value::as_i64).unwrap_or(0).saturating_mul(1000);
        if created < options.from.0.div_euclid(1000) * 1000 || options.to.is_some_and(|to| created > to.0) {
            return Ok(());
        }
        let mode = Mode::of_livemode(event.get("livemode").and_then(Value::as_bool).unwrap_or(false));
        let body = event.to_string();
        let mut status = target.deliver(mode, &body)?;
        for attempt in 1..ATTEMPTS {
            if status != 429 && status < 500 {
                break;
            }
            sleep(Duration::from_millis(250 << attempt));
            status = target.deliver(mode, &body)?;
        }
        let count = self.types.entry(text(event, "type").to_owned()).or_default();
        count.sent += 1;
        if (200..300).contains(&status) {
            count.accepted += 1;
        } else {
            count.refused += 1;
            self.refusals.push(format!("{} ({}): {status}", text(event, "id"), text(event, "type")));
        }
        Ok(())
    }

    /// How far it is, after this event.
    fn so_far(&self, event: &Value) -> String {
        let Count { sent, refused, .. } = self.total();
        let created = event.get("created").and_then(Value::as_i64).unwrap_or(0);
        format!("{sent} events sent, {refused} refused, at {}", Millis(created.saturating_mul(1000)).to_iso())
    }

    /// All types together.
    #[must_use]
    pub fn total(&self) -> Count {
        self.types.values().fold(Count::default(), |sum, count| Count {
            sent: sum.sent + count.sent,
            accepted: sum.accepted + count.accepted,
            refused: sum.refused + count.refused,
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["Event type", "Sent", "Accepted", "Refused"]);
        let all = ("all".to_owned(), self.total());
        for (name, count) in self.types.iter().chain([(&all.0, &all.1)]) {
            let numbers = [count.sent, count.accepted, count.refused].map(|n| n.to_string());
            table.row([name.clone()].into_iter().chain(numbers));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_day_includes_its_end() {
        assert_eq!(from("2025-11-13").map(Millis::to_iso).as_deref(), Ok("2025-11-13T00:00:00.000Z"));
        assert_eq!(to("2025-11-13").map(Millis::to_iso).as_deref(), Ok("2025-11-13T23:59:59.999Z"));
        assert_eq!(to("2025-11-13T01:00:00Z").map(Millis::to_iso).as_deref(), Ok("2025-11-13T01:00:00.000Z"));
        assert!(from("yesterday").is_err());
    }

    #[test]
    fn ranges_are_in_seconds() {
        assert_eq!(range(Millis(5000), None), "&created[gte]=5");
        assert_eq!(range(Millis(5000), Some(Millis(9999))), "&created[gte]=5&created[lte]=9");
    }
}
