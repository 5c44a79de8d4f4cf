//! Outbound webhooks in D1: settings and secrets.

use serde::Deserialize;
use worker::{Env, Error, Result};

use crate::core::api::webhook::{Delivered, Webhook};
use crate::core::seal::SealingKey;
use crate::core::sql::Bind;
use crate::core::time::Millis;
use crate::edge::{d1, entropy, seal};

/// For how long the secret before a rotation signs as well.
const OVERLAP_MS: i64 = 24 * 3_600_000;
/// How many deliveries the log shows.
const LOG_ROWS: i64 = 100;

const COLUMNS: &str = "w.id, w.mode, w.name, w.url, w.last_four, w.triggers, w.all_links, w.failures, w.disabled_at, \
    w.created_at, w.updated_at, \
    (SELECT json_group_array(link_id) FROM webhook_links WHERE webhook_id = w.id) AS link_ids";

const DELIVERED: &str = "d.webhook_id, d.event_id, d.event, w.url, d.body, d.state, d.attempts, d.next_at, d.status, \
    d.response, d.updated_at";

/// A secret, as it is stored.
pub(crate) struct Sealed {
    text: String,
    last_four: String,
}

/// The webhooks of a workspace, newest first.
pub(crate) async fn list(env: &Env, workspace_id: &str) -> Result<Vec<Webhook>> {
    let query = format!(
        "SELECT {COLUMNS} FROM webhooks w WHERE w.workspace_id = ?1 ORDER BY w.created_at DESC, w.id DESC LIMIT 1000"
    );
    d1::rows(&d1::database(env)?, &query, &[d1::text(workspace_id)]).await
}

/// One webhook.
pub(crate) async fn find(env: &Env, workspace_id: &str, id: &str) -> Result<Option<Webhook>> {
    let query = format!("SELECT {COLUMNS} FROM webhooks w WHERE w.id = ?1 AND w.workspace_id = ?2");
    d1::first(&d1::database(env)?, &query, &[d1::text(id), d1::text(workspace_id)]).await
}

/// Seals a secret for its webhook.
pub(crate) fn sealed(env: &Env, id: &str, secret: &str) -> Result<Sealed> {
    let text = seal::key(env)?
        .seal(secret, &context(id), entropy::random()?)
        .map_err(|e| Error::RustError(e.to_string()))?;
    let last_four = secret.get(secret.len().saturating_sub(4)..).unwrap_or_default().to_owned();
    Ok(Sealed { text, last_four })
}

fn context(id: &str) -> String {
    format!("webhook {id}")
}

/// Stores a new webhook.
pub(crate) async fn insert(env: &Env, workspace_id: &str, webhook: &Webhook, secret: &Sealed) -> Result<()> {
    let db = d1::database(env)?;
    let query = "INSERT INTO webhooks (id, workspace_id, mode, name, url, sealed, last_four, triggers, all_links, \
                 created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let binds = [
        webhook.id.as_str().into(),
        workspace_id.into(),
        webhook.mode.as_str().into(),
        webhook.name.as_str().into(),
        webhook.url.as_str().into(),
        secret.text.as_str().into(),
        secret.last_four.as_str().into(),
        webhook.triggers.as_str().into(),
        webhook.all_links.into(),
        webhook.created_at.0.into(),
        webhook.updated_at.0.into(),
    ];
    let mut statements = vec![d1::statement(&db, query, &d1::binds(&binds)?)?];
    statements.extend(links(&db, webhook)?);
    db.batch(statements).await.map(|_| ())
}

/// Stores what a webhook has become.
pub(crate) async fn update(env: &Env, workspace_id: &str, webhook: &Webhook) -> Result<()> {
    let db = d1::database(env)?;
    let query = "UPDATE webhooks SET name = ?, url = ?, triggers = ?, all_links = ?, updated_at = ? \
                 WHERE id = ? AND workspace_id = ?";
    let binds = [
        webhook.name.as_str().into(),
        webhook.url.as_str().into(),
        webhook.triggers.as_str().into(),
        webhook.all_links.into(),
        webhook.updated_at.0.into(),
        webhook.id.as_str().into(),
        workspace_id.into(),
    ];
    let mut statements = vec![d1::statement(&db, query, &d1::binds(&binds)?)?];
    statements.extend(links(&db, webhook)?);
    db.batch(statements).await.map(|_| ())
}

fn links(db: &worker::D1Database, webhook: &Webhook) -> Result<Vec<worker::D1PreparedStatement>> {
    let values = [d1::text(webhook.id.as_str()), d1::text(webhook.link_ids.as_str())];
    Ok(vec![
        d1::statement(
            db,
            "DELETE FROM webhook_links WHERE webhook_id = ?1 AND link_id NOT IN (SELECT value FROM json_each(?2))",
            &values,
        )?,
        d1::statement(
            db,
            "INSERT OR IGNORE INTO webhook_links (webhook_id, link_id) SELECT ?1, value FROM json_each(?2)",
            &values,
        )?,
    ])
}

/// How many of these links the workspace has.
pub(crate) async fn count_links(env: &Env, workspace_id: &str, link_ids: &str) -> Result<usize> {
    #[derive(Deserialize)]
    struct Row {
        n: usize,
    }
    let query = "SELECT COUNT(*) AS n FROM links WHERE workspace_id = ?1 AND deleted_at IS NULL \
                 AND id IN (SELECT value FROM json_each(?2))";
    let values = [d1::text(workspace_id), d1::text(link_ids)];
    let row: Option<Row> = d1::first(&d1::database(env)?, query, &values).await?;
    Ok(row.map_or(0, |row| row.n))
}

/// Switches a webhook on again, with no failures counted.
pub(crate) async fn enable(env: &Env, workspace_id: &str, id: &str, now: Millis) -> Result<()> {
    let query = "UPDATE webhooks SET disabled_at = NULL, failures = 0, updated_at = ?3 \
                 WHERE id = ?1 AND workspace_id = ?2";
    let values = [d1::text(id), d1::text(workspace_id), d1::int(now.0)?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}

/// Gives a webhook another secret; the old one signs as well for a day.
pub(crate) async fn rotate(
    env: &Env,
    workspace_id: &str,
    id: &str,
    secret: &Sealed,
    now: Millis,
) -> Result<()> {
    let query = "UPDATE webhooks SET previous = sealed, previous_until = ?5, sealed = ?3, last_four = ?4, \
                 updated_at = ?6 WHERE id = ?1 AND workspace_id = ?2";
    let values = [
        d1::text(id),
        d1::text(workspace_id),
        d1::text(secret.text.as_str()),
        d1::text(secret.last_four.as_str()),
        d1::int(now.0.saturating_add(OVERLAP_MS))?,
        d1::int(now.0)?,
    ];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}

/// Deletes a webhook with its log.
pub(crate) async fn delete(env: &Env, workspace_id: &str, id: &str) -> Result<()> {
    let db = d1::database(env)?;
    let values = [d1::text(id), d1::text(workspace_id)];
    let mine = "(SELECT id FROM webhooks WHERE id = ?1 AND workspace_id = ?2)";
    let mut statements = Vec::new();
    for table in ["webhook_deliveries", "webhook_links"] {
        let query = format!("DELETE FROM {table} WHERE webhook_id IN {mine}");
        statements.push(d1::statement(&db, &query, &values)?);
    }
    let query = "DELETE FROM webhooks WHERE id = ?1 AND workspace_id = ?2";
    statements.push(d1::statement(&db, query, &values)?);
    db.batch(statements).await.map(|_| ())
}

/// The latest deliveries, newest first; of one state, or of all.
pub(crate) async fn log(
    env: &Env,
    workspace_id: &str,
    id: &str,
    state: Option<&str>,
) -> Result<Vec<Delivered>> {
    let query = format!(
        "SELECT {DELIVERED} FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id \
         WHERE d.webhook_id = ?1 AND d.workspace_id = ?2 AND (?3 IS NULL OR d.state = ?3) \
         ORDER BY d.created_at DESC, d.event_id LIMIT {LOG_ROWS}"
    );
    let values = [d1::text(id), d1::text(workspace_id), d1::text(state)];
    d1::rows(&d1::database(env)?, &query, &values).await
}

/// One delivery.
pub(crate) async fn delivery(
    env: &Env,
    workspace_id: &str,
    id: &str,
    event_id: &str,
) -> Result<Option<Delivered>> {
    let query = format!(
        "SELECT {DELIVERED} FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id \
         WHERE d.webhook_id = ?1 AND d.workspace_id = ?2 AND d.event_id = ?3"
    );
    let values = [d1::text(id), d1::text(workspace_id), d1::text(event_id)];
    d1::first(&d1::database(env)?, &query, &values).await
}

/// Lets a delivery be tried again, from the first attempt.
pub(crate) async fn again(
    env: &Env,
    workspace_id: &str,
    id: &str,
    event_id: &str,
    now: Millis,
) -> Result<()> {
    let query = "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = ?, updated_at = ? \
                 WHERE webhook_id = ? AND workspace_id = ? AND event_id = ?";
    let binds: [Bind; 5] = [now.0.into(), now.0.into(), id.into(), workspace_id.into(), event_id.into()];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Where a webhook goes and what it signs with.
pub(crate) struct Target {
    /// The address.
    pub url: String,
    /// Whether nothing is to be sent.
    pub is_disabled: bool,
    /// The secret, then the one before it while that still signs.
    pub secrets: Vec<String>,
}

/// Reads it; `None` when the webhook is gone.
pub(crate) async fn target(env: &Env, id: &str, now: Millis) -> Result<Option<Target>> {
    #[derive(Deserialize)]
    struct Row {
        url: String,
        sealed: String,
        previous: Option<String>,
        previous_until: Option<Millis>,
        disabled_at: Option<Millis>,
    }
    let query = "SELECT url, sealed, previous, previous_until, disabled_at FROM webhooks WHERE id = ?1";
    let Some(row) = d1::first::<Row>(&d1::database(env)?, query, &[d1::text(id)]).await? else {
        return Ok(None);
    };
    let key = seal::key(env)?;
    let mut secrets = vec![open(&key, &row.sealed, id)?];
    if let Some(previous) = row.previous.filter(|_| row.previous_until.is_some_and(|until| until > now)) {
        secrets.push(open(&key, &previous, id)?);
    }
    Ok(Some(Target { url: row.url, is_disabled: row.disabled_at.is_some(), secrets }))
}

fn open(key: &SealingKey, sealed: &str, id: &str) -> Result<String> {
    key.open(sealed, &context(id)).map_err(|e| Error::RustError(format!("secret of webhook {id}: {e}")))
}
