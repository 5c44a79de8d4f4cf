//! What the crons do.

use worker::{Env, console_error, console_log};

use crate::core::health;
use crate::edge::{click_queue, click_sums, entropy, fx, marks, webhook_outbox};

/// The cron that runs once a day; the other runs every hour. As in wrangler.toml.
const DAILY: &str = "0 5 * * *";

/// Runs the work of a cron. Each part fails alone.
pub(crate) async fn run(cron: &str, env: &Env) {
    if let Err(e) = click_sums::run(env).await {
        console_error!("clicks were not summed, the next run tries again: {e}");
    }
    if let Err(e) = webhook_outbox::sweep(env, entropy::now()).await {
        console_error!("deliveries of webhooks were not looked through, the next run tries again: {e}");
    }
    if let Err(e) = click_queue::ping(env).await {
        console_error!("alarm: the queue takes no message: {e}");
    }
    if let Err(e) = click_sums::purge(env, entropy::now()).await {
        console_error!("old clicks were not deleted, the next run tries again: {e}");
    }
    marks::note_always(env, health::CRON, 0).await;
    if cron != DAILY {
        return;
    }
    match fx::refresh(env).await {
        Ok(Some((day, rates))) => console_log!("{rates} exchange rates of {day} are stored"),
        Ok(None) => {}
        Err(e) => console_error!("exchange rates were not refreshed, the stored ones stay: {e}"),
    }
    if let Err(e) = webhook_outbox::purge(env, entropy::now()).await {
        console_error!("old deliveries of webhooks were not deleted, the next run tries again: {e}");
    }
}
