//! The events of the Worker, a few lines each.

use worker::{Context, Env, MessageBatch, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

use crate::{edge, http};

/// Every HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, ctx: Context) -> Result<Response> {
    http::handle(request, &env, &ctx).await
}

/// Batches of clicks, and of webhook deliveries that wait. Never returns `Err`: the SDK would panic, and redeliver what
/// was acknowledged.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _ctx: Context) -> Result<()> {
    if batch.queue() == edge::webhook_sender::QUEUE {
        edge::webhook_sender::consume(&batch, &env).await;
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
