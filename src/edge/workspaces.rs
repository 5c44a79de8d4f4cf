//! Workspaces in D1.

use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Result};

use crate::core::access::partial_key;
use crate::core::api::bootstrap::Bootstrap;
use crate::core::api::token::FIRST_RATE_LIMIT;
use crate::core::api::workspace::{Usage, Workspace};
use crate::core::ids;
use crate::core::time::Millis;
use crate::edge::{allowed_hosts, d1, entropy, keys, links, seal, stripe_settings};

/// What asking for a workspace led to.
pub(crate) enum Made {
    /// It is new.
    Created,
    /// It was there, with everything asked for.
    Known,
    /// Something asked for belongs to another workspace.
    Taken(&'static str),
}

#[derive(Deserialize)]
struct Owners {
    workspace: Option<String>,
    slug: Option<String>,
    domain: Option<String>,
    key: Option<String>,
    link: Option<String>,
}

/// Creates the workspace, its domain, key, secrets and demo link, all or nothing; what is there already stays.
pub(crate) async fn bootstrap(env: &Env, wanted: &Bootstrap, now: Millis) -> Result<Made> {
    let hash = ids::sha256_hex(wanted.api_key.as_bytes());
    let owners = owners(env, wanted, &hash).await?;
    let mine = |owner: &Option<String>| owner.as_ref().is_none_or(|id| *id == wanted.workspace_id);
    if !mine(&owners.slug) {
        return Ok(Made::Taken("slug"));
    }
    if !mine(&owners.domain) {
        return Ok(Made::Taken("domain"));
    }
    if !mine(&owners.key) {
        return Ok(Made::Taken("apiKey"));
    }
    if owners.workspace.is_some() && owners.slug.is_none() {
        return Ok(Made::Taken("workspaceId"));
    }
    let db = d1::database(env)?;
    let text = |value: &str| -> JsValue { d1::text(value) };
    let (id, at) = (wanted.workspace_id.as_str(), d1::int(now.0)?);
    let mut statements = Vec::new();
    if owners.workspace.is_none() {
        let query = "INSERT INTO workspaces (id, slug, name, created_at) VALUES (?1, ?2, ?3, ?4)";
        let values = [text(id), text(&wanted.slug), text(&wanted.name), at.clone()];
        statements.push(d1::statement(&db, query, &values)?);
    }
    if owners.domain.is_none() {
        let query = "INSERT INTO domains (id, slug, workspace_id, is_primary, created_at, updated_at) \
                     SELECT ?1, ?2, ?3, NOT EXISTS (SELECT 1 FROM domains WHERE workspace_id = ?3), ?4, ?4";
        let domain_id = entropy::object_id("dom_")?;
        statements.push(d1::statement(
            &db,
            query,
            &[text(&domain_id), text(&wanted.domain), text(id), at.clone()],
        )?);
    }
    if owners.key.is_none() {
        let query = "INSERT INTO api_keys (id, workspace_id, name, hash, partial, scopes, created_at, rate_limit) \
                     VALUES (?1, ?2, 'First key', ?3, ?4, 'apis.all tokens.write', ?5, ?6)";
        let key_id = entropy::object_id("tok_")?;
        let partial = partial_key(&wanted.api_key);
        let limit = d1::int(FIRST_RATE_LIMIT)?;
        let values = [text(&key_id), text(id), text(&hash), text(&partial), at.clone(), limit];
        statements.push(d1::statement(&db, query, &values)?);
    }
    if owners.workspace.is_none() && !wanted.secrets.is_empty() {
        statements.extend(stripe_settings::replace_secrets(env, &seal::key(env)?, id, &wanted.secrets)?);
    }
    let demo = wanted.demo.as_ref().filter(|_| owners.link.is_none());
    if let Some(demo) = demo {
        let query = "INSERT INTO links (id, workspace_id, domain, key, url, track_conversion, created_at, updated_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6)";
        let link_id = entropy::object_id("link_")?;
        let values = [text(&link_id), text(id), text(&wanted.domain), text(&demo.key), text(&demo.url), at];
        statements.push(d1::statement(&db, query, &values)?);
    }
    if statements.is_empty() {
        return Ok(Made::Known);
    }
    if let Err(e) = db.batch(statements).await {
        return if d1::is_unique_violation(&e) { Ok(Made::Taken("workspace")) } else { Err(e) };
    }
    if let Some(demo) = demo {
        links::refresh(env, &wanted.domain, &demo.key).await?;
    }
    Ok(if owners.workspace.is_none() { Made::Created } else { Made::Known })
}

/// Who has what is asked for; one query, so that it is one moment.
async fn owners(env: &Env, wanted: &Bootstrap, hash: &str) -> Result<Owners> {
    let query = "SELECT (SELECT id FROM workspaces WHERE id = ?1) AS workspace, \
                        (SELECT id FROM workspaces WHERE slug = ?2) AS slug, \
                        (SELECT workspace_id FROM domains WHERE slug = ?3) AS domain, \
                        (SELECT workspace_id FROM api_keys WHERE hash = ?4) AS key, \
                        (SELECT workspace_id FROM links WHERE domain = ?3 AND key = ?5 AND deleted_at IS NULL) AS link";
    let demo = wanted.demo.as_ref().map_or("", |demo| demo.key.as_str());
    let values = [
        d1::text(wanted.workspace_id.as_str()),
        d1::text(wanted.slug.as_str()),
        d1::text(wanted.domain.as_str()),
        d1::text(hash),
        d1::text(demo),
    ];
    let found: Option<Owners> = d1::first(&d1::database(env)?, query, &values).await?;
    Ok(found.unwrap_or(Owners { workspace: None, slug: None, domain: None, key: None, link: None }))
}

/// The workspace of this id.
pub(crate) async fn find(env: &Env, id: &str) -> Result<Option<Workspace>> {
    let query = "SELECT id, slug, name, logo, currency, allowed_hostnames, keeps_addresses, conversion_enabled, \
                 window_days, attribution_model, timezone, click_retention_days, created_at FROM workspaces WHERE id = ?1";
    d1::first(&d1::database(env)?, query, &[d1::text(id)]).await
}

/// What it has.
pub(crate) async fn usage(env: &Env, id: &str) -> Result<Usage> {
    let query = "SELECT (SELECT COUNT(*) FROM links WHERE workspace_id = ?1 AND deleted_at IS NULL) AS links, \
                        (SELECT COALESCE(SUM(clicks), 0) FROM links WHERE workspace_id = ?1) AS clicks, \
                        (SELECT COUNT(*) FROM tags WHERE workspace_id = ?1) AS tags, \
                        (SELECT COUNT(*) FROM folders WHERE workspace_id = ?1) AS folders";
    Ok(d1::first(&d1::database(env)?, query, &[d1::text(id)]).await?.unwrap_or_default())
}

/// Stores what it has become; a slug that is taken is a unique violation.
pub(crate) async fn update(env: &Env, workspace: &Workspace) -> Result<()> {
    let query = "UPDATE workspaces SET slug = ?, name = ?, logo = ?, currency = ?, allowed_hostnames = ?, \
                 keeps_addresses = ?, conversion_enabled = ?, window_days = ?, attribution_model = ?, timezone = ?, \
                 click_retention_days = ? WHERE id = ?";
    let binds = [
        workspace.slug.as_str().into(),
        workspace.name.as_str().into(),
        workspace.logo.clone().into(),
        workspace.currency.as_str().into(),
        workspace.allowed_hostnames.as_str().into(),
        workspace.keeps_addresses.into(),
        workspace.conversion_enabled.into(),
        workspace.window_days.into(),
        workspace.attribution_model.as_str().into(),
        workspace.timezone.clone().into(),
        workspace.click_retention_days.into(),
        workspace.id.as_str().into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await?;
    // Keys carry the defaults of requests.
    keys::forget();
    allowed_hosts::forget(&workspace.id);
    Ok(())
}
