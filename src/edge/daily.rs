//! What the daily cron does.

use worker::{Env, ScheduledEvent, console_error, console_log};

use crate::edge::fx;

/// Runs the daily work. Each part fails alone.
pub(crate) async fn run(_event: &ScheduledEvent, env: &Env) {
    match fx::refresh(env).await {
        Ok(Some((day, rates))) => console_log!("{rates} exchange rates of {day} are stored"),
        Ok(None) => {}
        Err(e) => console_error!("exchange rates were not refreshed, the stored ones stay: {e}"),
    }
}
