//! Sending what waits in the outbox, once per message of the queue.
//!
//! A delivery is claimed in D1 before it is sent and given back with its outcome, so of two messages that name it one
//! sends. What is not told in D1 is sent again: a receiver may see a message twice, under the same `webhook-id`.

use futures_util::future::join_all;
use serde::Deserialize;
use worker::web_sys;
use worker::{
    AbortSignal, Env, Fetch, Headers, MessageBatch, MessageExt, Method, QueueRetryOptionsBuilder, Request,
    RequestInit, RequestRedirect, Response, Result, console_error,
};

use crate::core::sql::Bind;
use crate::core::time::Millis;
use crate::core::webhook::{self, MAX_FAILURES, MAX_RESPONSE_BYTES, signature};
use crate::edge::webhook_message::{self, Claimed};
use crate::edge::webhook_outbox::Nudge;
use crate::edge::webhooks::{self, Target};
use crate::edge::{body as answers, codec, d1, entropy, settings};

/// The queue's name, as in wrangler.toml.
pub(crate) const QUEUE: &str = "hooks";

/// How long a receiver may take, answer and all.
const TIMEOUT_MS: u32 = 10_000;
/// An attempt that has not been told the outcome of after this long has none.
const LEASE_MS: i64 = 60_000;
/// How long a message waits when D1 did not answer, in seconds.
const RETRY_S: u32 = 15;
/// A message may come this much before its time.
const EARLY_MS: i64 = 1_000;
/// The longest delay a queue knows, in seconds.
const MAX_DELAY_S: i64 = 12 * 3600;

/// What a receiver said.
pub(crate) struct Reply {
    /// `None`: it did not answer.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there is none.
    pub text: String,
}

impl Reply {
    fn accepts(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Says that it wants no more of this.
    fn refuses(&self) -> bool {
        self.status == Some(410)
    }
}

/// Sends a batch of deliveries, each on its own.
pub(crate) async fn consume(batch: &MessageBatch<String>, env: &Env) {
    let work = batch.raw_iter().map(|message| async move {
        let text = message.body().as_string().unwrap_or_default();
        let nudge: Nudge = match codec::decode(&text) {
            Ok(nudge) => nudge,
            Err(e) => {
                console_error!("alarm: message {} names no delivery: {e}", message.id());
                return message.ack();
            }
        };
        let delay_s = match deliver(env, &nudge).await {
            Ok(None) => return message.ack(),
            Ok(Some(seconds)) => seconds,
            Err(e) => {
                console_error!("delivery {} of {}: {e}", nudge.event_id, nudge.webhook_id);
                RETRY_S
            }
        };
        let delay = QueueRetryOptionsBuilder::new().with_delay_seconds(delay_s);
        message.retry_with_options(&delay.build());
    });
    join_all(work).await;
}

/// Tries a delivery if it is due. Gives after how many seconds to try again.
async fn deliver(env: &Env, nudge: &Nudge) -> Result<Option<u32>> {
    let now = entropy::now();
    let Some(claimed) = claim(env, nudge, now).await? else { return waits(env, nudge, now).await };
    let Some(target) = webhooks::target(env, &nudge.webhook_id, now).await? else { return Ok(None) };
    if target.is_disabled {
        let reply = Reply { status: None, text: "The webhook is disabled.".to_owned() };
        finish(env, nudge, &claimed, &reply, None, false).await?;
        return Ok(None);
    }
    let body = webhook_message::body(env, &nudge.event_id, &claimed).await?;
    let message_id = webhook::message_id(&nudge.webhook_id, &nudge.event_id);
    let reply = send(env, &target, &message_id, &body).await;
    let claimed = Claimed { body: Some(body), ..claimed };
    if reply.accepts() {
        succeed(env, nudge, &claimed, &reply).await?;
        return Ok(None);
    }
    let [chance] = entropy::random::<1>()?;
    let wait_s = webhook::retry_after_s(claimed.attempts, settings::webhook_retry_s(env), chance);
    let wait_s = wait_s.filter(|_| !reply.refuses());
    finish(env, nudge, &claimed, &reply, wait_s, true).await?;
    Ok(wait_s.map(seconds))
}

fn seconds(wait_s: i64) -> u32 {
    u32::try_from(wait_s.clamp(0, MAX_DELAY_S)).unwrap_or(RETRY_S)
}

/// Takes a delivery that waits and is due; until its outcome is known it is due again after [`LEASE_MS`].
async fn claim(env: &Env, nudge: &Nudge, now: Millis) -> Result<Option<Claimed>> {
    let query = "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = ?4, updated_at = ?3 \
                 WHERE webhook_id = ?1 AND event_id = ?2 AND state = 'waiting' AND next_at <= ?5 \
                 RETURNING workspace_id, mode, event, subject, body, attempts, created_at, updated_at";
    let values = [
        d1::text(nudge.webhook_id.as_str()),
        d1::text(nudge.event_id.as_str()),
        d1::int(now.0)?,
        d1::int(now.0.saturating_add(LEASE_MS))?,
        d1::int(now.0.saturating_add(EARLY_MS))?,
    ];
    d1::first(&d1::database(env)?, query, &values).await
}

/// After how many seconds a delivery that could not be claimed is due, if it is not done with.
async fn waits(env: &Env, nudge: &Nudge, now: Millis) -> Result<Option<u32>> {
    #[derive(Deserialize)]
    struct Row {
        next_at: i64,
    }
    let query = "SELECT next_at FROM webhook_deliveries WHERE webhook_id = ?1 AND event_id = ?2 AND state = 'waiting'";
    let values = [d1::text(nudge.webhook_id.as_str()), d1::text(nudge.event_id.as_str())];
    let row: Option<Row> = d1::first(&d1::database(env)?, query, &values).await?;
    Ok(row.map(|row| seconds(row.next_at.saturating_sub(now.0) / 1000 + 1)))
}

async fn succeed(env: &Env, nudge: &Nudge, claimed: &Claimed, reply: &Reply) -> Result<()> {
    let db = d1::database(env)?;
    let reset = "UPDATE webhooks SET failures = 0 WHERE id = ?1 AND failures <> 0";
    let statements = vec![
        outcome(env, nudge, claimed, reply, ("delivered", 0, 0))?,
        d1::statement(&db, reset, &[d1::text(nudge.webhook_id.as_str())])?,
    ];
    db.batch(statements).await.map(|_| ())
}

/// Puts a delivery back until `wait_s` from now, or aside for good. An event that is put aside counts once; so many of
/// them in a row disable the webhook.
async fn finish(
    env: &Env,
    nudge: &Nudge,
    claimed: &Claimed,
    reply: &Reply,
    wait_s: Option<i64>,
    counts: bool,
) -> Result<()> {
    let db = d1::database(env)?;
    let now = entropy::now();
    if let Some(wait_s) = wait_s {
        let next_at = now.0.saturating_add(wait_s.saturating_mul(1000));
        return outcome(env, nudge, claimed, reply, ("waiting", next_at, 0))?.run().await.map(|_| ());
    }
    let mut statements = Vec::new();
    if counts {
        let query = "UPDATE webhooks SET failures = failures + 1, disabled_at = CASE WHEN failures + 1 >= ?3 \
                     THEN COALESCE(disabled_at, ?4) ELSE disabled_at END WHERE id = ?1 AND EXISTS \
                     (SELECT 1 FROM webhook_deliveries WHERE webhook_id = ?1 AND event_id = ?2 AND counted = 0)";
        let values = [
            d1::text(nudge.webhook_id.as_str()),
            d1::text(nudge.event_id.as_str()),
            d1::int(MAX_FAILURES)?,
            d1::int(now.0)?,
        ];
        statements.push(d1::statement(&db, query, &values)?);
    }
    statements.push(outcome(env, nudge, claimed, reply, ("dead", 0, i64::from(counts)))?);
    db.batch(statements).await.map(|_| ())
}

/// The statement that writes down what came of an attempt. A person who was forgotten while it was under way stays
/// forgotten: whoever empties a row moves `updated_at`.
fn outcome(
    env: &Env,
    nudge: &Nudge,
    claimed: &Claimed,
    reply: &Reply,
    (state, next_at, counted): (&str, i64, i64),
) -> Result<worker::D1PreparedStatement> {
    let query = "UPDATE webhook_deliveries SET state = ?, next_at = ?, status = ?, \
                 response = CASE WHEN updated_at = ? THEN ? END, body = CASE WHEN updated_at = ? THEN ? END, \
                 updated_at = ?, counted = MAX(counted, ?) WHERE webhook_id = ? AND event_id = ?";
    let claimed_at = Bind::Int(claimed.updated_at);
    let binds: [Bind; 11] = [
        state.into(),
        next_at.into(),
        reply.status.map(i64::from).into(),
        claimed_at.clone(),
        reply.text.as_str().into(),
        claimed_at,
        claimed.body.clone().into(),
        entropy::now().0.into(),
        counted.into(),
        nudge.webhook_id.as_str().into(),
        nudge.event_id.as_str().into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)
}

/// Posts a message, signed in every form. Redirects are not followed.
pub(crate) async fn send(env: &Env, target: &Target, message_id: &str, body: &str) -> Reply {
    // The address was allowed when it was given; a rule may have become stricter since.
    let Some(url) = webhook::address(&target.url, settings::is_local(env)) else {
        return Reply { status: None, text: "The address is not allowed.".to_owned() };
    };
    match post(url.as_str(), &target.secrets, message_id, body).await {
        Ok(mut response) => {
            let status = Some(response.status_code());
            let text = match status {
                Some(204) => Ok(String::new()),
                _ => answers::beginning(&mut response, MAX_RESPONSE_BYTES).await,
            };
            let text = text.unwrap_or_else(|e| format!("The answer broke off: {e}"));
            Reply { status, text }
        }
        Err(e) => {
            let text: String = e.to_string().chars().take(200).collect();
            Reply { status: None, text: format!("No answer: {text}") }
        }
    }
}

async fn post(url: &str, secrets: &[String], message_id: &str, body: &str) -> Result<Response> {
    let timestamp_s = entropy::now().0.div_euclid(1000);
    let newest = secrets.first().map(String::as_str).unwrap_or_default();
    let plain = signature::plain(newest, body);
    let standard: Vec<String> =
        secrets.iter().map(|secret| signature::standard(secret, message_id, timestamp_s, body)).collect();
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("user-agent", "pimms-edge (webhook)")?;
    headers.set("Pimms-Signature", &plain)?;
    headers.set("Dub-Signature", &plain)?;
    headers.set("webhook-id", message_id)?;
    headers.set("webhook-timestamp", &timestamp_s.to_string())?;
    headers.set("webhook-signature", &standard.join(" "))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body.into()))
        .with_redirect(RequestRedirect::Manual);
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    Fetch::Request(Request::new_with_init(url, &init)?).send_with_signal(&signal).await
}
