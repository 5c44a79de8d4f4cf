//! The native tool of pimms-edge, as a library: `pimms` is a thin binary over it, and the end-to-end tests
//! start the real local runtime with the same code as `cargo run`.
//!
//! One file per command, each with its `Options` and its `run`; the rest is what they share.

pub mod assets;
pub mod bench;
pub mod browser_script;
pub mod clock;
pub mod dashboard;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod failure;
pub mod files;
pub mod http_client;
pub mod identity;
pub mod import;
pub mod instance;
pub mod local_config;
pub mod migrations;
pub mod process;
pub mod progress;
pub mod project;
pub mod random;
pub mod rebuild;
pub mod reconcile;
pub mod reference;
pub mod replay;
pub mod runtime;
pub mod seed;
pub mod setup;
pub mod simulate;
pub mod size;
pub mod stripe;
pub mod stripe_api;
pub mod table;
pub mod target;
pub mod toolchain;
pub mod totals;
pub mod worker_build;
