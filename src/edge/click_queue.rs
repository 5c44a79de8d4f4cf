//! Visits to the queue, and from the queue into D1.
//!
//! A redirect is answered before any of this. What the queue refuses goes to D1 at once; what neither takes is
//! lost with an alarm: a click is worth less than a redirect.

use std::cell::Cell;

use futures_util::future::join_all;
use worker::{Env, Error, MessageBatch, MessageExt, QueueRetryOptionsBuilder, Result, console_error};

use crate::core::click::Visit;
use crate::core::health;
use crate::edge::{arrivals, bindings, click_sums, codec, d1_clicks, entropy, marks};

/// How long a batch that D1 refused waits before it is tried again, in seconds.
const RETRY_S: u32 = 15;

/// How many visits one transaction stores: D1 takes texts of 2 MB, and a visit has some 5 kB at most.
const AT_ONCE: usize = 200;

thread_local! {
    /// Whether the queue is to fail or to deliver twice, for tests. Only the local runtime can say so.
    static FAILING: Cell<bool> = const { Cell::new(false) };
    static TWICE: Cell<bool> = const { Cell::new(false) };
}

/// Makes the queue refuse from now on, or take messages again.
pub(crate) fn fail(failing: bool) {
    FAILING.set(failing);
}

/// Makes the queue deliver every message twice, as it may do at any time.
pub(crate) fn send_twice(twice: bool) {
    TWICE.set(twice);
}

/// Whether one of those is on.
pub(crate) fn is_faulty() -> bool {
    FAILING.get() || TWICE.get()
}

/// What the cron puts into the queue, followed by the time: no visit, but a sign that somebody takes what is in it.
const PING: &str = "ping ";

/// Asks the consumer for a sign of life; the health table compares when it was asked and when it came.
pub(crate) async fn ping(env: &Env) -> Result<()> {
    marks::note_always(env, health::QUEUE_ASKED, 0).await;
    env.queue(bindings::CLICKS)?.send(format!("{PING}{}", entropy::now().0)).await
}

/// Puts a message into the queue that nobody can read, for tests of what becomes of it.
pub(crate) async fn send_unreadable(env: &Env) -> Result<()> {
    env.queue(bindings::CLICKS)?.send("{").await
}

/// Hands a visit over to be stored.
pub(crate) async fn send(env: &Env, visit: Visit) {
    let refused = match enqueue(env, &visit).await {
        Ok(()) => return,
        Err(refused) => refused,
    };
    console_error!("alarm: the queue refused click {}, storing it directly: {refused}", visit.id);
    let id = visit.id.clone();
    if let Err(e) = d1_clicks::store(env, vec![visit]).await {
        console_error!("alarm: click {id} is lost: {e}");
    }
}

async fn enqueue(env: &Env, visit: &Visit) -> Result<()> {
    put(env, codec::encode(visit)?).await
}

/// Puts a message into the queue.
pub(crate) async fn put(env: &Env, text: String) -> Result<()> {
    if FAILING.get() {
        return Err(Error::RustError("the queue is made to fail".to_owned()));
    }
    let queue = env.queue(bindings::CLICKS)?;
    if TWICE.get() {
        queue.send(text.as_str()).await?;
    }
    queue.send(text).await
}

/// Stores a batch of visits. Storing one again changes nothing, so the whole batch may come again.
pub(crate) async fn consume(batch: &MessageBatch<String>, env: &Env) {
    let (mut messages, mut visits, mut oldest) = (Vec::new(), Vec::new(), None::<i64>);
    let mut arrived = Vec::new();
    for message in batch.raw_iter() {
        let body = message.body().as_string().unwrap_or_default();
        if let Some(at) = body.strip_prefix(PING) {
            oldest = oldest.into_iter().chain(at.parse().ok()).min();
            message.ack();
            continue;
        }
        if let Some(text) = body.strip_prefix(arrivals::MARK) {
            arrived.push((message, text.to_owned()));
            continue;
        }
        let (mut read, unreadable) = Visit::all_from_text(&body);
        visits.append(&mut read);
        if let Some(e) = unreadable {
            // A newer deployment may be able to read it; after its retries the dead-letter queue has it.
            console_error!("alarm: message {} is not all visits: {e}", message.id());
            message.retry();
        } else {
            messages.push(message);
        }
    }
    let count = visits.len();
    let oldest = visits.iter().map(|visit| visit.at.0).chain(oldest).min();
    match store(env, visits).await {
        Ok(()) => {
            messages.iter().for_each(MessageExt::ack);
            if let Some(oldest) = oldest {
                marks::note(env, health::QUEUE_TAKEN, entropy::now().0.saturating_sub(oldest)).await;
            }
            click_sums::in_passing(env).await;
        }
        Err(e) => {
            console_error!("alarm: {count} visits were not stored, trying again in {RETRY_S} s: {e}");
            messages.iter().for_each(later);
        }
    }
    // Afterwards: a click that only its row proves may have come in the same batch.
    join_all(arrived.into_iter().map(|(message, text)| async move {
        let told = match codec::decode(&text) {
            Ok(arrival) => arrivals::tell(env, arrival).await,
            Err(error) => Err(error),
        };
        match told {
            Ok(()) => message.ack(),
            Err(error) => {
                console_error!("alarm: the arrival of message {} is told again: {error}", message.id());
                later(&message);
            }
        }
    }))
    .await;
}

fn later(message: &impl MessageExt) {
    let delay = QueueRetryOptionsBuilder::new().with_delay_seconds(RETRY_S);
    message.retry_with_options(&delay.build());
}

/// Stores visits a few at a time.
async fn store(env: &Env, mut visits: Vec<Visit>) -> Result<()> {
    while !visits.is_empty() {
        let rest = visits.split_off(visits.len().min(AT_ONCE));
        d1_clicks::store(env, visits).await?;
        visits = rest;
    }
    Ok(())
}
