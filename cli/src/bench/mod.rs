//! `pimms bench`: how fast the built Worker is on the pinned runtime, measured here and now.

pub mod analytics;
pub mod clicks;
pub mod ingest;
pub mod load;
pub mod redirect;
mod report;
pub mod serve;
pub mod variant;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Options of `pimms bench`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Redirects per second beside a constant answer in JavaScript, and what each costs.
    Redirect(redirect::Options),
    /// What the dashboard's questions cost at different numbers of clicks.
    Analytics(analytics::Options),
    /// Clicks through the redirect and the queue into D1, and whether all of them arrived once.
    Ingest(ingest::Options),
}

/// `pimms bench …`.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.what {
        What::Redirect(options) => redirect::run(options),
        What::Analytics(options) => analytics::run(options),
        What::Ingest(options) => ingest::run(options),
    }
}
