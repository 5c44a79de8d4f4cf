//! What the daily cron does.

use worker::{Env, ScheduledEvent};

/// Runs the daily work.
pub(crate) async fn run(_event: &ScheduledEvent, _env: &Env) {}
