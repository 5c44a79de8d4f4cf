//! Clicks from the queue into D1.

use worker::{Env, MessageBatch};

/// Stores a batch of clicks.
pub(crate) async fn consume(_batch: &MessageBatch<String>, _env: &Env) {}
