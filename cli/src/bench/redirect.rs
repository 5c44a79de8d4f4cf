//! `pimms bench redirect`: redirects per second, beside a constant answer in the same run.
//!
//! Every variant has a runtime process of its own. Rounds go from variant to variant, so that whatever else the
//! machine does hits all of them; a ratio compares two of one round. Nothing counts unless every answer was right
//! and every click that was handed out arrived at the queue.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use super::load::Outcome;
use super::report::{Figures, Report};
use super::serve::{self, Arrived, Server};
use super::variant::{self, Variant};
use crate::failure::Failure;
use crate::files;
use crate::progress::Progress;
use crate::project::Project;
use crate::{size, toolchain, worker_build};

/// How long the queue may take to have everything.
const SETTLES_WITHIN: Duration = Duration::from_secs(5);

/// How many redirects are looked at one by one.
const SINGLE: usize = 1_000;

/// Options of `pimms bench redirect`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many rounds; medians are over these.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Seconds per variant and round.
    #[arg(long, default_value_t = 2.5)]
    pub seconds: f64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// Requests per second while latency is measured.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub rate: u32,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// `pimms bench redirect`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let report = measure(options, &Progress::new(4))?;
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    Ok(())
}

/// Measures every variant.
pub fn measure(options: &Options, progress: &Progress) -> Result<Report, Failure> {
    let seconds = Duration::try_from_secs_f64(options.seconds)
        .map_err(|_| Failure::new("--seconds takes a number of seconds, such as 2.5"))?;
    let project = Project::find()?;
    toolchain::prepare_tests(&project, progress)?;
    worker_build::from_scratch(&project)?;
    let folder = Folder::new(&project)?;
    variant::prepare(&project, &folder.0)?;
    let program = serve::program(&project)?;
    let connections = usize::try_from(options.connections).unwrap_or(1);

    let mut servers = progress.step_giving("Starting the variants", || {
        let start = |variant| {
            Server::start(&program, variant, &folder.0).map(|server| (variant, server, Figures::default()))
        };
        let servers = Variant::ALL.into_iter().map(start).collect::<Result<Vec<_>, Failure>>()?;
        Ok(("ready".into(), servers))
    })?;
    progress.step("Rounds", || {
        // The first is for the optimiser and is not counted.
        for round in 0..=options.rounds {
            for (variant, server, figures) in &mut servers {
                progress.tick();
                let before = server.cpu();
                let outcome = server.full(connections, seconds)?;
                let cpu = server.cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
                let arrived = settle(*variant, server, &outcome)?;
                if round > 0 {
                    figures.add_round(&outcome, &arrived, cpu);
                }
            }
        }
        Ok("done".into())
    })?;
    progress.step("Latency", || {
        for (variant, server, figures) in &mut servers {
            progress.tick();
            let outcome = server.paced(connections.min(4), seconds, options.rate)?;
            settle(*variant, server, &outcome)?;
            figures.set_latencies(outcome.latencies);
        }
        Ok("done".into())
    })?;
    progress.step("CPU of single redirects", || {
        for (variant, server, figures) in &mut servers {
            progress.tick();
            let (outcome, spent) = server.alone(SINGLE)?;
            settle(*variant, server, &outcome)?;
            figures.set_cpu(spent);
        }
        Ok("done".into())
    })?;
    let figures = servers
        .iter_mut()
        .map(|(variant, server, figures)| (*variant, std::mem::take(figures).started_in(server.started_in)))
        .collect();
    Ok(Report::new(options.clone(), figures, size::measure(&project)?))
}

/// Waits until every click of these answers has arrived, and refuses the measurement if anything else did.
fn settle(variant: Variant, server: &Server, outcome: &Outcome) -> Result<Arrived, Failure> {
    let fail =
        |line: String| Failure::new(format!("{}: {line}", variant.name())).with_evidence(server.last_lines());
    let expected: HashSet<&String> = outcome.clicks.iter().collect();
    if expected.len() != outcome.clicks.len() {
        return Err(fail("the same click id was given twice".into()));
    }
    let mut whole = Arrived::default();
    let started = Instant::now();
    loop {
        let mut part = server.arrived()?;
        whole.reads += part.reads;
        whole.others += part.others;
        whole.messages += part.messages;
        whole.clicks.append(&mut part.clicks);
        if whole.clicks.len() >= expected.len() || started.elapsed() > SETTLES_WITHIN {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let arrived: HashSet<&String> = whole.clicks.iter().collect();
    if arrived != expected || whole.clicks.len() != expected.len() {
        return Err(fail(format!(
            "{} clicks were handed out, {} arrived, {} of them different",
            expected.len(),
            whole.clicks.len(),
            arrived.len()
        )));
    }
    if whole.others > 0 {
        return Err(fail(format!("D1 was asked {} times", whole.others)));
    }
    // Not all to the last: a connection that waited while the others went once round finds its link in memory.
    if variant.reads_kv_always() && whole.reads.abs_diff(outcome.answers) * 100 > outcome.answers {
        return Err(fail(format!("{} answers took {} KV reads", outcome.answers, whole.reads)));
    }
    Ok(whole)
}

/// A folder of its own that goes with the value.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(project: &Project) -> Result<Self, Failure> {
        let path = project.scratch().join("bench").join(std::process::id().to_string());
        files::remove_folder(&path)?;
        files::create_folder(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = files::remove_folder(&self.0);
    }
}
