//! Short-link domains in D1.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::sql::Bind;
use crate::edge::d1;

/// The domain that links of a workspace get when none is named.
pub(crate) async fn primary(env: &Env, workspace_id: &str) -> Result<Option<String>> {
    let query = "SELECT slug FROM domains WHERE workspace_id = ?1 AND archived = 0 \
                 ORDER BY is_primary DESC, created_at LIMIT 1";
    slug(env, query, &[workspace_id.into()]).await
}

/// Whether a domain is the workspace's.
pub(crate) async fn is_owned(env: &Env, workspace_id: &str, domain: &str) -> Result<bool> {
    let query = "SELECT slug FROM domains WHERE workspace_id = ?1 AND slug = ?2";
    Ok(slug(env, query, &[workspace_id.into(), domain.into()]).await?.is_some())
}

/// The first of `hosts` that is a short-link domain, whoever's: a link to it would lead back here.
pub(crate) async fn among(env: &Env, hosts: &[String]) -> Result<Option<String>> {
    if hosts.is_empty() {
        return Ok(None);
    }
    let query = "SELECT slug FROM domains WHERE slug IN (SELECT value FROM json_each(?1)) LIMIT 1";
    slug(env, query, &[Bind::list(hosts)]).await
}

async fn slug(env: &Env, query: &str, binds: &[Bind]) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Row {
        slug: String,
    }
    let row: Option<Row> = d1::first(&d1::database(env)?, query, &d1::binds(binds)?).await?;
    Ok(row.map(|row| row.slug))
}
