//! The time of this machine, for the tool only: the Worker's rules take theirs as an argument.

use pimms_edge::core::time::Millis;

/// Now.
///
/// A clock before 1970 reads as 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "native code; the ban is for wasm32")]
pub fn now() -> Millis {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Now, in Stripe's unit: whole seconds since the Unix epoch.
#[must_use]
pub fn now_secs() -> i64 {
    now().0 / 1000
}
