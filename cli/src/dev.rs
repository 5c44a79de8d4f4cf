//! `pimms dev`: from a clone to a serving instance, in one go.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::{Failure, OrFail};
use crate::http_client::Client;
use crate::progress::Progress;
use crate::project::{DEFAULT_DATA, Project};
use crate::runtime::{self, Runtime};
use crate::seed::{Ready, seed};
use crate::setup::{self, Prepared};

/// Options of `pimms dev`.
#[derive(Debug, Args)]
pub struct Options {
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Where the state is kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// Deletes the state first. Keys and secrets stay.
    #[arg(long)]
    fresh: bool,
    /// On ready, prints one line of JSON on stdout; all else goes to stderr.
    #[arg(long)]
    json: bool,
}

/// `pimms dev`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let port = options.port;
    if !runtime::port_is_free(port) {
        return Err(Failure::new(format!(
            "port {port} is in use: stop what listens there, or choose another with --port"
        )));
    }
    let project = Project::find()?;
    let progress = Progress::new(setup::STEPS + 2);
    let folder = setup::Options { data: options.data.clone(), fresh: options.fresh };
    let prepared = Prepared::new(&project, &folder, &progress)?;
    let stop = stop_signal()?;

    let mut runtime = progress.step_giving("Runtime", || {
        let runtime = Runtime::start(&project, &prepared.launch(&project, port))?;
        Ok((format!("listening on 127.0.0.1:{port}"), runtime))
    })?;
    progress.step("Demo workspace", || {
        seed(&Client::new(runtime.url()), &prepared.identity)?;
        Ok("ready".into())
    })?;

    let ready = Ready::new(runtime.url(), &prepared.identity).with_sign_in(&Client::new(runtime.url()))?;
    ready.save(&prepared.data)?;
    if options.json {
        println!("{}", ready.json_line()?);
    } else {
        println!(
            "\nReady. Ctrl-C stops it; the state stays in {}.\n\n{}",
            options.data.display(),
            ready.table()
        );
    }
    runtime.speak();
    let ended = serve(&mut runtime, &stop);
    let evidence = runtime.last_lines();
    let _ = fs::remove_file(prepared.data.join("running.json"));
    runtime.stop();
    if ended {
        return Err(Failure::new("the runtime ended by itself: see the lines above").with_evidence(evidence));
    }
    eprintln!("Stopped.");
    Ok(())
}

/// Waits for a signal (`false`) or for the runtime to end by itself (`true`).
fn serve(runtime: &mut Runtime, stop: &AtomicBool) -> bool {
    while !stop.load(Ordering::Relaxed) {
        if runtime.has_ended() {
            return true;
        }
        sleep(Duration::from_millis(100));
    }
    false
}

/// Becomes true on Ctrl-C, SIGTERM, or when the terminal closes.
fn stop_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .or_fail(|| "cannot listen to signals".into())?;
    }
    Ok(stop)
}
