//! Secrets and variables of the Worker. README lists every one of them.

use std::cell::OnceCell;

use worker::{Env, Error, Result};

use crate::core::click_id::Keys;
use crate::core::ledger::view::Policy;
use crate::core::mode::Mode;

/// The look-back window of attribution of a workspace that has not chosen one, in days.
const WINDOW_DAYS: i64 = 90;

/// A secret or variable that may be missing; an empty one is missing.
pub(crate) fn optional(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}

/// A secret that must be there; the error names it and nothing else.
pub(crate) fn required(env: &Env, name: &str) -> Result<String> {
    optional(env, name).ok_or_else(|| Error::RustError(format!("the secret {name} is not set")))
}

/// The keys of click ids, from `CLICK_ID_KEYS`.
pub(crate) fn click_id_keys(env: &Env) -> Result<Keys> {
    let setting = required(env, "CLICK_ID_KEYS")?;
    Keys::parse(&setting).map_err(|e| Error::RustError(format!("CLICK_ID_KEYS: {e}")))
}

/// Signing secrets of the platform's own endpoint, from `STRIPE_LIVE_SECRETS` and `STRIPE_TEST_SECRETS`
/// (commas between several).
pub(crate) fn platform_secrets(env: &Env, mode: Mode) -> Vec<String> {
    let name = match mode {
        Mode::Live => "STRIPE_LIVE_SECRETS",
        Mode::Test => "STRIPE_TEST_SECRETS",
    };
    let setting = optional(env, name).unwrap_or_default();
    setting.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

/// How many days a click is kept of a workspace that has not chosen, from `CLICK_RETENTION_DAYS`; its sums are kept for
/// good. Never fewer than a sale may look back: its country and device are those of the click's row.
pub(crate) fn click_retention_days(env: &Env) -> i64 {
    const DEFAULT: i64 = 400;
    const LEAST: i64 = WINDOW_DAYS + 10;
    optional(env, "CLICK_RETENTION_DAYS").and_then(|days| days.parse().ok()).unwrap_or(DEFAULT).max(LEAST)
}

/// Whether this is the local runtime: host override and fault switches are allowed.
pub(crate) fn is_local(env: &Env) -> bool {
    optional(env, "PIMMS_LOCAL").as_deref() == Some("1")
}

/// Whether an answer is told in the log, by `REQUEST_LOG`: `all` (if not set), `errors`, `off`.
pub(crate) fn logs(env: &Env, status: u16) -> bool {
    match optional(env, "REQUEST_LOG").as_deref() {
        Some("off") => false,
        Some("errors") => status >= 400,
        _ => true,
    }
}

/// After how many seconds a webhook that failed is tried again for the first time, from `WEBHOOK_RETRY_SECONDS`.
pub(crate) fn webhook_retry_s(env: &Env) -> i64 {
    const DEFAULT: i64 = 5;
    const MOST: i64 = 3600;
    optional(env, "WEBHOOK_RETRY_SECONDS").and_then(|s| s.parse().ok()).unwrap_or(DEFAULT).clamp(0, MOST)
}

/// What a workspace's figures are made by until it chooses otherwise. The Directory knows what it has chosen: a
/// delivery must not wait for D1.
pub(crate) fn first_policy(workspace_id: &str, mode: Mode) -> Policy {
    Policy { workspace_id: workspace_id.to_owned(), mode, window_days: WINDOW_DAYS }
}

thread_local! {
    static API_HOST: OnceCell<Option<String>> = const { OnceCell::new() };
}

/// The host that serves the API without the prefix `/api`, from `API_HOST`. Read once: redirects ask as well.
pub(crate) fn api_host(env: &Env) -> Option<String> {
    API_HOST.with(|host| host.get_or_init(|| optional(env, "API_HOST")).clone())
}
