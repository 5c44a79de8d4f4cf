//! Short-link domains in D1.

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env, Result};

use crate::core::api::domain::Domain;
use crate::core::sql::{Bind, Where};
use crate::core::time::Millis;
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

/// Every domain of a workspace, as many as are looked at.
pub(crate) async fn slugs(env: &Env, workspace_id: &str) -> Result<Vec<String>> {
    let query = "SELECT slug FROM domains WHERE workspace_id = ?1 LIMIT 1000";
    let rows: Vec<Slug> = d1::rows(&d1::database(env)?, query, &[d1::text(workspace_id)]).await?;
    Ok(rows.into_iter().map(|row| row.slug).collect())
}

#[derive(Deserialize)]
struct Slug {
    slug: String,
}

async fn slug(env: &Env, query: &str, binds: &[Bind]) -> Result<Option<String>> {
    let row: Option<Slug> = d1::first(&d1::database(env)?, query, &d1::binds(binds)?).await?;
    Ok(row.map(|row| row.slug))
}

const COLUMNS: &str = "x.id, x.slug, x.is_primary, x.archived, x.verified, x.placeholder, x.expired_url, \
    x.not_found_url, x.logo, x.asset_links, x.apple_app_site_association, x.created_at, x.updated_at";

/// Domains, a page of them: the primary one first.
pub(crate) async fn list(env: &Env, condition: &Where, page: i64, size: i64) -> Result<Vec<Domain>> {
    let query = format!(
        "SELECT {COLUMNS} FROM domains x WHERE {} ORDER BY x.is_primary DESC, x.created_at, x.id LIMIT ? OFFSET ?",
        condition.text()
    );
    let offset = page.saturating_sub(1).saturating_mul(size);
    let binds = [condition.binds(), &[size.into(), offset.into()]].concat();
    d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await
}

/// One domain of the workspace.
pub(crate) async fn find(env: &Env, workspace_id: &str, slug: &str) -> Result<Option<Domain>> {
    let query = format!("SELECT {COLUMNS} FROM domains x WHERE x.slug = ?1 AND x.workspace_id = ?2");
    d1::first(&d1::database(env)?, &query, &[d1::text(slug), d1::text(workspace_id)]).await
}

/// The statement that stores a new domain; the workspace's first one is its primary.
pub(crate) fn insert(db: &D1Database, workspace_id: &str, domain: &Domain) -> Result<D1PreparedStatement> {
    let query = "INSERT INTO domains (id, created_at, workspace_id, is_primary, slug, archived, placeholder, \
                 expired_url, not_found_url, logo, asset_links, apple_app_site_association, updated_at, verified) \
                 SELECT ?1, ?2, ?3, NOT EXISTS (SELECT 1 FROM domains WHERE workspace_id = ?3), \
                 ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0";
    let mut binds: Vec<Bind> =
        vec![domain.id.as_str().into(), domain.created_at.0.into(), workspace_id.into()];
    binds.extend(settings(domain));
    d1::statement(db, query, &d1::binds(&binds)?)
}

/// Statements that store what a domain has become, and move its links along when it got another name.
pub(crate) fn update(
    db: &D1Database,
    workspace_id: &str,
    old_slug: &str,
    domain: &Domain,
) -> Result<Vec<D1PreparedStatement>> {
    let query = "UPDATE domains SET slug = ?, archived = ?, placeholder = ?, expired_url = ?, not_found_url = ?, \
                 logo = ?, asset_links = ?, apple_app_site_association = ?, updated_at = ? \
                 WHERE id = ? AND workspace_id = ?";
    let mut binds = settings(domain);
    binds.extend([domain.id.as_str().into(), workspace_id.into()]);
    let mut statements = vec![d1::statement(db, query, &d1::binds(&binds)?)?];
    if old_slug != domain.slug {
        let query =
            "UPDATE links SET domain = ?1 WHERE domain = ?2 AND workspace_id = ?3 AND deleted_at IS NULL";
        let values = [d1::text(domain.slug.as_str()), d1::text(old_slug), d1::text(workspace_id)];
        statements.push(d1::statement(db, query, &values)?);
    }
    Ok(statements)
}

/// Statements that make a domain the one primary domain.
pub(crate) fn make_primary(db: &D1Database, workspace_id: &str, id: &str) -> Result<D1PreparedStatement> {
    let query = "UPDATE domains SET is_primary = (id = ?1) WHERE workspace_id = ?2";
    d1::statement(db, query, &[d1::text(id), d1::text(workspace_id)])
}

/// Notes that a domain leads here, or does not.
pub(crate) async fn set_verified(env: &Env, id: &str, verified: bool) -> Result<()> {
    let query = "UPDATE domains SET verified = ?2 WHERE id = ?1";
    let values = [d1::text(id), d1::int(i64::from(verified))?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}

/// Keys of a domain's links, at most `limit`.
pub(crate) async fn keys(env: &Env, workspace_id: &str, slug: &str, limit: i64) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        key: String,
    }
    let query =
        "SELECT key FROM links WHERE domain = ?1 AND workspace_id = ?2 AND deleted_at IS NULL LIMIT ?3";
    let values = [d1::text(slug), d1::text(workspace_id), d1::int(limit)?];
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &values).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Deletes a domain with its links. The rows of links stay for the history that names them.
pub(crate) async fn delete(env: &Env, workspace_id: &str, domain: &Domain, now: Millis) -> Result<()> {
    let db = d1::database(env)?;
    let links = "UPDATE links SET deleted_at = ?3, updated_at = ?3 \
                 WHERE domain = ?1 AND workspace_id = ?2 AND deleted_at IS NULL";
    let links_values = [d1::text(domain.slug.as_str()), d1::text(workspace_id), d1::int(now.0)?];
    let gone = "DELETE FROM domains WHERE id = ?1 AND workspace_id = ?2";
    db.batch(vec![
        d1::statement(&db, links, &links_values)?,
        d1::statement(&db, gone, &[d1::text(domain.id.as_str()), d1::text(workspace_id)])?,
        heir(&db, workspace_id)?,
    ])
    .await
    .map(|_| ())
}

/// The statement by which whoever was second becomes the primary one, if none is left.
pub(crate) fn heir(db: &D1Database, workspace_id: &str) -> Result<D1PreparedStatement> {
    let query = "UPDATE domains SET is_primary = 1 WHERE workspace_id = ?1 AND NOT EXISTS \
                 (SELECT 1 FROM domains WHERE workspace_id = ?1 AND is_primary = 1) AND id = \
                 (SELECT id FROM domains WHERE workspace_id = ?1 ORDER BY archived, created_at LIMIT 1)";
    d1::statement(db, query, &[d1::text(workspace_id)])
}

/// The columns an update may write, in the order of both statements.
fn settings(domain: &Domain) -> Vec<Bind> {
    vec![
        domain.slug.as_str().into(),
        domain.archived.into(),
        domain.placeholder.clone().into(),
        domain.expired_url.clone().into(),
        domain.not_found_url.clone().into(),
        domain.logo.clone().into(),
        domain.asset_links.clone().into(),
        domain.apple_app_site_association.clone().into(),
        domain.updated_at.0.into(),
    ]
}
