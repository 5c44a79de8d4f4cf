//! The events of the Worker, a few lines each.

use worker::{Context, Env, MessageBatch, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

use crate::{edge, http};

/// Every HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, ctx: Context) -> Result<Response> {
    http::handle(request, &env, &ctx).await
}

/// Batches of clicks, of webhook deliveries that wait, and of what a queue gave up on. Never returns `Err`: the SDK would
/// panic, and redeliver what was acknowledged.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _ctx: Context) -> Result<()> {
    let queue = batch.queue();
    if queue == edge::webhook_sender::QUEUE {
        edge::webhook_sender::consume(&batch, &env).await;
    } else if edge::dead_letters::is_of(&queue) {
        edge::dead_letters::consume(&batch, &env).await;
    } else {
        edge::click_queue::consume(&batch, &env).await;
    }
    Ok(())
}

/// The crons.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _ctx: ScheduleContext) {
    edge::crons::run(&event.cron(), &env).await;
}
