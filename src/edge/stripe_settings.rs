//! A workspace's connection to Stripe: signing secrets (sealed) and accounts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Deserialize;
use worker::{D1PreparedStatement, Env, Error, Result, console_warn};

use crate::core::api::stripe::SigningSecret;
use crate::core::mode::Mode;
use crate::core::recent::Recent;
use crate::core::seal::SealingKey;
use crate::core::time::Millis;
use crate::edge::{bindings, codec, d1, entropy, seal};

/// How many workspaces are remembered.
const CAPACITY: usize = 200;
/// Another isolate learns of a change after this long; until then Stripe is told to come again.
const LIFE_MS: i64 = 10_000;

thread_local! {
    static SECRETS: RefCell<Recent<Vec<String>>> = RefCell::new(Recent::new(CAPACITY));
    /// What this isolate has written to KV.
    static COPIES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// A signing secret as settings show it.
#[derive(Debug, Deserialize)]
pub(crate) struct ShownSecret {
    /// Whose events it signs.
    pub mode: Mode,
    /// Its end.
    pub last_four: String,
}

/// The active signing secrets of a workspace and mode, opened.
///
/// A copy is kept in KV, sealed as in D1, so that webhooks are verified while D1 does not answer.
pub(crate) async fn secrets(env: &Env, workspace_id: &str, mode: Mode) -> Result<Vec<String>> {
    let name = context(workspace_id, mode);
    let now = entropy::now();
    if let Some(known) = SECRETS.with_borrow_mut(|secrets| secrets.get(&name, now)) {
        return Ok(known);
    }
    let sealed = match sealed(env, workspace_id, mode).await {
        Ok(sealed) => {
            // Not for workspaces without secrets: an address anybody can make up must not cost a write.
            if !sealed.is_empty() {
                keep_copy(env, &name, &sealed).await;
            }
            sealed
        }
        Err(error) => copy(env, &name).await.ok().flatten().ok_or(error)?,
    };
    let key = seal::key(env)?;
    let opened = sealed
        .iter()
        .map(|sealed| key.open(sealed, &name))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::RustError(format!("signing secret of {name}: {e}")))?;
    let until = Millis(now.0.saturating_add(LIFE_MS));
    SECRETS.with_borrow_mut(|secrets| secrets.put(&name, until, opened.clone()));
    Ok(opened)
}

async fn sealed(env: &Env, workspace_id: &str, mode: Mode) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        sealed: String,
    }
    let query = "SELECT sealed FROM stripe_secrets WHERE workspace_id = ?1 AND mode = ?2 ORDER BY position";
    let values = [d1::text(workspace_id), d1::text(mode.as_str())];
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &values).await?;
    Ok(rows.into_iter().map(|row| row.sealed).collect())
}

/// Writes the copy, if this isolate has not written the same one before. Without it, only an outage is worse.
async fn keep_copy(env: &Env, name: &str, sealed: &[String]) {
    let written = async {
        let text = codec::encode(&sealed)?;
        if COPIES.with_borrow(|copies| copies.get(name) == Some(&text)) {
            return Ok(());
        }
        env.kv(bindings::LINKS)?.put(name, text.as_str())?.execute().await?;
        COPIES.with_borrow_mut(|copies| copies.insert(name.to_owned(), text));
        Ok::<(), Error>(())
    };
    if let Err(error) = written.await {
        console_warn!("the copy of a connection to Stripe could not be kept: {error}");
    }
}

async fn copy(env: &Env, name: &str) -> Result<Option<Vec<String>>> {
    let text = env.kv(bindings::LINKS)?.get(name).text().await?;
    text.map(|text| codec::decode(&text)).transpose()
}

/// The workspace that owned `account` when an event was created: that of the first span which had not ended.
pub(crate) async fn workspace_of_account(env: &Env, account: &str, at: Millis) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Row {
        workspace_id: String,
    }
    let query = "SELECT workspace_id FROM stripe_accounts \
                 WHERE account = ?1 AND (ended_at IS NULL OR ended_at > ?2) ORDER BY connected_at LIMIT 1";
    let row: Option<Row> =
        d1::first(&d1::database(env)?, query, &[d1::text(account), d1::int(at.0)?]).await?;
    Ok(row.map(|row| row.workspace_id))
}

/// The accounts a workspace has connected now.
pub(crate) async fn accounts(env: &Env, workspace_id: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        account: String,
    }
    let query = "SELECT account FROM stripe_accounts WHERE workspace_id = ?1 AND ended_at IS NULL \
                 ORDER BY connected_at, account";
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &[d1::text(workspace_id)]).await?;
    Ok(rows.into_iter().map(|row| row.account).collect())
}

/// Ends the span of a connected account.
pub(crate) async fn disconnect(env: &Env, account: &str, at: Millis) -> Result<()> {
    let query = "UPDATE stripe_accounts SET ended_at = ?2 WHERE account = ?1 AND ended_at IS NULL";
    d1::statement(&d1::database(env)?, query, &[d1::text(account), d1::int(at.0)?])?.run().await?;
    Ok(())
}

/// The secrets as they may be shown.
pub(crate) async fn shown(env: &Env, workspace_id: &str) -> Result<Vec<ShownSecret>> {
    let query = "SELECT mode, last_four FROM stripe_secrets WHERE workspace_id = ?1 ORDER BY mode, position";
    d1::rows(&d1::database(env)?, query, &[d1::text(workspace_id)]).await
}

/// Statements that replace the secrets of a workspace.
pub(crate) fn replace_secrets(
    env: &Env,
    key: &SealingKey,
    workspace_id: &str,
    secrets: &[SigningSecret],
) -> Result<Vec<D1PreparedStatement>> {
    let db = d1::database(env)?;
    let mut statements = vec![d1::statement(
        &db,
        "DELETE FROM stripe_secrets WHERE workspace_id = ?1",
        &[d1::text(workspace_id)],
    )?];
    for (position, new) in (0_i64..).zip(secrets) {
        let sealed = key
            .seal(&new.secret, &context(workspace_id, new.mode), entropy::random()?)
            .map_err(|e| Error::RustError(e.to_string()))?;
        let last_four = new.secret.get(new.secret.len().saturating_sub(4)..).unwrap_or_default();
        statements.push(d1::statement(
            &db,
            "INSERT INTO stripe_secrets (workspace_id, mode, position, sealed, last_four) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                d1::text(workspace_id),
                d1::text(new.mode.as_str()),
                d1::int(position)?,
                d1::text(sealed.as_str()),
                d1::text(last_four),
            ],
        )?);
    }
    Ok(statements)
}

/// Statements that make `wanted` the connected accounts of a workspace, from `now` on.
pub(crate) fn replace_accounts(
    env: &Env,
    workspace_id: &str,
    connected: &[String],
    wanted: &[String],
    now: Millis,
) -> Result<Vec<D1PreparedStatement>> {
    let db = d1::database(env)?;
    let mut statements = Vec::new();
    for gone in connected.iter().filter(|account| !wanted.contains(account)) {
        let query = "UPDATE stripe_accounts SET ended_at = ?3 WHERE account = ?1 AND workspace_id = ?2 AND ended_at IS NULL";
        let values = [d1::text(gone.as_str()), d1::text(workspace_id), d1::int(now.0)?];
        statements.push(d1::statement(&db, query, &values)?);
    }
    for new in wanted.iter().filter(|account| !connected.contains(account)) {
        // Held by somebody else: the unique index on open spans refuses, and the whole batch with it.
        let query = "INSERT INTO stripe_accounts (account, workspace_id, connected_at) VALUES (?1, ?2, ?3)";
        let values = [d1::text(new.as_str()), d1::text(workspace_id), d1::int(now.0)?];
        statements.push(d1::statement(&db, query, &values)?);
    }
    Ok(statements)
}

/// Forgets the secrets of a workspace; after a change.
pub(crate) fn forget(workspace_id: &str) {
    SECRETS.with_borrow_mut(|secrets| {
        for mode in [Mode::Live, Mode::Test] {
            secrets.forget(&context(workspace_id, mode));
        }
    });
}

/// What a sealed secret is bound to.
fn context(workspace_id: &str, mode: Mode) -> String {
    format!("stripe {workspace_id} {}", mode.as_str())
}
