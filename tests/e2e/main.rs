//! End to end: the built Worker on the real local runtime (workerd), driven through HTTP only.
//!
//! All tests of this binary share one instance, started by the first that asks; a test that kills or restarts
//! takes one of its own. Whatever happens to this process, the runtime does not outlive it.

#![expect(clippy::unwrap_used, reason = "a failing step ends the test")]

mod health;
mod links;
mod size;
mod stripe_signer;
mod support;

use std::sync::LazyLock;

use pimms_cli::instance::Instance;

static SHARED: LazyLock<Instance> = LazyLock::new(|| Instance::start().unwrap());

/// The instance that all tests share. Make your own links and customers in it; never stop it.
fn shared() -> &'static Instance {
    &SHARED
}
