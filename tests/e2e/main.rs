//! End to end: the built Worker on the real local runtime (workerd), driven through HTTP only.
//!
//! All tests of this binary share one instance, started by the first that asks; a test that kills or restarts
//! takes one of its own. Whatever happens to this process, the runtime does not outlive it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing step ends the test")]

mod access;
mod analytics;
mod assets;
mod bench;
mod browser;
mod chaos;
mod cost;
mod crowd;
mod customer_writes;
mod customers;
mod dashboard;
mod delivery;
mod deploy;
mod exports;
mod fake_stripe;
mod guides;
mod hardening;
mod health;
mod import;
mod kill;
mod ledger;
mod library;
mod links;
mod money;
mod observed;
mod openapi;
#[path = "../openapi_document/mod.rs"]
mod openapi_document;
mod people_reports;
mod person;
mod public_page;
mod public_tools;
mod reconcile;
mod redirect;
mod redirect_faults;
mod reported;
mod reports;
mod script;
mod sdk;
mod settings;
mod size;
mod story;
mod stream;
mod stripe_signer;
mod support;
mod thank_you;
mod track;
mod transfers;
mod webhook;
mod webhook_receiver;
mod webhooks;

use std::sync::LazyLock;

use pimms_cli::instance::Instance;

static SHARED: LazyLock<Instance> =
    LazyLock::new(|| Instance::start_with(&[("WEBHOOK_RETRY_SECONDS", "0")]).unwrap());

static ROUGH: LazyLock<Instance> = LazyLock::new(|| Instance::start().unwrap());

/// One for requests that end in the middle: what the local runtime's proxy makes of the connection is nothing that other
/// tests should meet.
fn rough() -> &'static Instance {
    &ROUGH
}

/// The instance that all tests share. Make your own links and customers in it; never stop it.
fn shared() -> &'static Instance {
    &SHARED
}
