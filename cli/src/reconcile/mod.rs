//! `pimms reconcile`: compares the ledger with Stripe's own charges and invoices.
//!
//! Per day and currency: what Stripe has, what the ledger has, and which payments are missing, extra or
//! differing; one closing number says how many of them nobody can explain.

mod compare;
mod lists;

use std::path::PathBuf;

use clap::Args;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::time::Millis;

use crate::clock;
use crate::failure::Failure;
use crate::stripe_api::{self, StripeApi};
use crate::table::Table;
use crate::target::{Address, Target};
pub use compare::{Comparison, Finding, Kind};

/// Options of `pimms reconcile`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The first day (2025-11-01) or instant.
    #[arg(long, value_name = "DATE", value_parser = crate::replay::from)]
    pub from: Millis,
    /// The last day or instant, itself included; without it, until now.
    #[arg(long, value_name = "DATE", value_parser = crate::replay::to)]
    pub to: Option<Millis>,
    /// Charges, invoices and refunds, one JSON object a line, instead of Stripe's API. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// Compares test mode.
    #[arg(long)]
    pub test: bool,
    /// How to reach Stripe.
    #[command(flatten)]
    pub stripe: stripe_api::Access,
    /// Where the instance is.
    #[command(flatten)]
    pub address: Address,
}

/// `pimms reconcile`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::find(&options.address)?;
    let comparison = reconcile(&target, options)?;
    print!("{}", report(&comparison));
    match comparison.unexplained() {
        0 => Ok(()),
        payments => Err(Failure::new(format!("{payments} payments are unexplained: see above"))),
    }
}

/// Reads both sides and compares them.
pub fn reconcile(target: &Target, options: &Options) -> Result<Comparison, Failure> {
    let to = options.to.unwrap_or_else(clock::now);
    let mode = if options.test { Mode::Test } else { Mode::Live };
    let mut lines = if options.file.is_empty() {
        lists::from_stripe(&StripeApi::new(&options.stripe)?, options.from, to)?
    } else {
        let mut objects = Vec::new();
        for file in &options.file {
            for object in crate::replay::events_of(file)? {
                objects.push(object?);
            }
        }
        lists::of_objects(&objects)
    };
    for (reference, reason) in lists::waiting(target, mode)? {
        for line in lines.iter_mut().filter(|line| line.names.contains(&reference)) {
            line.excuse = Some(format!("the ledger waits: {reason}"));
        }
    }
    lines.extend(lists::from_ledger(target, mode, options.from)?);
    Ok(compare::compare(&lines, options.from, to))
}

fn report(comparison: &Comparison) -> String {
    let mut days =
        Table::new(&["Day", "Currency", "Payments", "Stripe", "Ledger", "Missing", "Extra", "Differing"]);
    for ((day, currency), figures) in &comparison.days {
        let [missing, extra, differing] = figures.found;
        let numbers =
            [figures.stripe_payments.to_string(), figures.stripe.to_string(), figures.ledger.to_string()];
        let found = [missing, extra, differing].map(|n| n.to_string());
        days.row([day.clone(), currency.clone()].into_iter().chain(numbers).chain(found));
    }
    let mut found = Table::new(&["Day", "Currency", "Payment", "Stripe", "Ledger", "What"]);
    for finding in &comparison.findings {
        found.row([
            finding.day.clone(),
            finding.currency.clone(),
            finding.name.clone(),
            finding.stripe.to_string(),
            finding.ledger.to_string(),
            finding.words.clone(),
        ]);
    }
    let found = if found.is_empty() { String::new() } else { format!("\n{found}") };
    format!(
        "{days}{found}\nAmounts in minor units, net of refunds. Unexplained: {}\n",
        comparison.unexplained()
    )
}
