//! API keys in D1, for settings. Looking one up for a request is in [`super::keys`].

use worker::{Env, Result};

use crate::core::api::token::Token;
use crate::edge::{d1, keys};

const COLUMNS: &str = "id, name, partial, scopes, rate_limit, created_at, last_used, expires_at";

/// The keys of a workspace, newest first.
pub(crate) async fn list(env: &Env, workspace_id: &str) -> Result<Vec<Token>> {
    let query = format!(
        "SELECT {COLUMNS} FROM api_keys WHERE workspace_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1000"
    );
    d1::rows(&d1::database(env)?, &query, &[d1::text(workspace_id)]).await
}

/// One key.
pub(crate) async fn find(env: &Env, workspace_id: &str, id: &str) -> Result<Option<Token>> {
    let query = format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?1 AND workspace_id = ?2");
    d1::first(&d1::database(env)?, &query, &[d1::text(id), d1::text(workspace_id)]).await
}

/// Stores a new key by its hash.
pub(crate) async fn insert(env: &Env, workspace_id: &str, token: &Token, hash: &str) -> Result<()> {
    let query = "INSERT INTO api_keys (id, workspace_id, name, hash, partial, scopes, rate_limit, created_at, \
                 expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let binds = [
        token.id.as_str().into(),
        workspace_id.into(),
        token.name.as_str().into(),
        hash.into(),
        token.partial.as_str().into(),
        token.scopes.as_str().into(),
        token.rate_limit.into(),
        token.created_at.0.into(),
        token.expires_at.map(|at| at.0).into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Stores what a key has become.
pub(crate) async fn update(env: &Env, workspace_id: &str, token: &Token) -> Result<()> {
    let query = "UPDATE api_keys SET name = ?, scopes = ?, rate_limit = ?, expires_at = ? \
                 WHERE id = ? AND workspace_id = ?";
    let binds = [
        token.name.as_str().into(),
        token.scopes.as_str().into(),
        token.rate_limit.into(),
        token.expires_at.map(|at| at.0).into(),
        token.id.as_str().into(),
        workspace_id.into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await?;
    keys::forget();
    Ok(())
}

/// Revokes a key.
pub(crate) async fn delete(env: &Env, workspace_id: &str, id: &str) -> Result<()> {
    let query = "DELETE FROM api_keys WHERE id = ?1 AND workspace_id = ?2";
    d1::statement(&d1::database(env)?, query, &[d1::text(id), d1::text(workspace_id)])?.run().await?;
    keys::forget();
    Ok(())
}
