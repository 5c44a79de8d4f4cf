//! `pimms`: reads the arguments, runs one command, and says in one line why it failed.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pimms_cli::failure::Failure;
use pimms_cli::{
    bench, deploy, dev, doctor, import, rebuild, reconcile, replay, setup, simulate, size, worker_build,
};

/// Runs pimms-edge on this machine. Without a command it is `pimms dev`.
#[derive(Debug, Parser)]
#[command(name = "pimms", version, about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: dev::Options,
}

/// One variant per command, one file per variant.
#[derive(Debug, Subcommand)]
enum Command {
    /// Builds everything and serves on 127.0.0.1 (the default).
    Dev(dev::Options),
    /// Does all that `dev` does except to go on serving; afterwards `npx wrangler dev` works too.
    Setup(setup::Options),
    /// Builds the Worker, if anything changed.
    Build(worker_build::Options),
    /// Prints the size of the built Worker.
    Size(size::Options),
    /// Says whether an instance and this machine are well, and what to do about what is not.
    Doctor(doctor::Options),
    /// Brings the Worker, and all it needs, to Cloudflare; run again, it changes only what has changed.
    Deploy(deploy::Options),
    /// Measures how fast the built Worker is here.
    Bench(bench::Options),
    /// Plays a whole story, from a click to a disputed renewal, and checks what it adds up to.
    Simulate(simulate::Options),
    /// Delivers past Stripe events again, freshly signed.
    Replay(replay::Options),
    /// Brings links over from a CSV file, or from an API of the shape of Dub's or PiMMs's.
    Import(import::Options),
    /// Drops the read model and has the ledgers make it anew.
    Rebuild(rebuild::Options),
    /// Compares the ledger with Stripe's charges and invoices.
    Reconcile(reconcile::Options),
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command.unwrap_or(Command::Dev(arguments.dev)) {
        Command::Dev(options) => dev::run(&options),
        Command::Setup(options) => setup::run(&options),
        Command::Build(options) => worker_build::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Deploy(options) => deploy::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Import(options) => import::run(&options),
        Command::Rebuild(options) => rebuild::run(&options),
        Command::Reconcile(options) => reconcile::run(&options),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{}", failure.evidence());
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn every_command_can_be_asked() {
        Arguments::command().debug_assert();
    }
}
