//! What the queues gave up on: kept in D1, where somebody can read it, instead of for a few days in a queue.

use worker::{Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, Result, console_error};

use crate::edge::{d1, entropy};

/// How long a letter waits that D1 refused, in seconds.
const RETRY_S: u32 = 600;

/// Whether a queue is one of dead letters, by its name.
pub(crate) fn is_of(queue: &str) -> bool {
    queue.ends_with("-dead")
}

/// Keeps a batch. Keeping one again changes nothing.
pub(crate) async fn consume(batch: &MessageBatch<String>, env: &Env) {
    for message in batch.raw_iter() {
        let body = message.body().as_string().unwrap_or_default();
        match keep(env, &message.id(), &batch.queue(), &body).await {
            Ok(()) => {
                console_error!("alarm: message {} is a dead letter now", message.id());
                message.ack();
            }
            Err(e) => {
                console_error!("alarm: the dead letter {} was not kept: {e}", message.id());
                let delay = QueueRetryOptionsBuilder::new().with_delay_seconds(RETRY_S);
                message.retry_with_options(&delay.build());
            }
        }
    }
}

async fn keep(env: &Env, id: &str, queue: &str, body: &str) -> Result<()> {
    let query =
        "INSERT INTO dead_letters (id, queue, at, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    let values = [d1::text(id), d1::text(queue), d1::int(entropy::now().0)?, d1::text(body)];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}
