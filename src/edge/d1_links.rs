//! Links in D1, as redirects need them.

use serde::Deserialize;
use worker::{Env, Result, console_error};

use crate::core::link::{LinkRecord, RECORD_VERSION};
use crate::core::time::Millis;
use crate::edge::{codec, d1};

const FIND: &str = "SELECT id, workspace_id, domain, key, url, track_conversion, archived, expires_at, disabled_at, \
                    title, description, options FROM links WHERE domain = ?1 AND key = ?2 AND deleted_at IS NULL";

#[derive(Deserialize)]
struct Row {
    id: String,
    workspace_id: String,
    domain: String,
    key: String,
    url: String,
    track_conversion: i64,
    archived: i64,
    expires_at: Option<i64>,
    disabled_at: Option<i64>,
    title: Option<String>,
    description: Option<String>,
    options: String,
}

/// The link of `domain` and `key`.
///
/// # Errors
/// When D1 fails, or the row's options cannot be read: without them a password or a ban might be passed over.
pub(crate) async fn read(env: &Env, domain: &str, key: &str) -> Result<Option<LinkRecord>> {
    let db = d1::database(env)?;
    let Some(row) = d1::first::<Row>(&db, FIND, &[d1::text(domain), d1::text(key)]).await? else {
        return Ok(None);
    };
    let options = codec::decode(&row.options)
        .inspect_err(|_| console_error!("alarm: options of link {} are unreadable", row.id))?;
    Ok(Some(LinkRecord {
        version: RECORD_VERSION,
        id: row.id,
        workspace_id: row.workspace_id,
        domain: row.domain,
        key: row.key,
        url: row.url,
        track_conversion: row.track_conversion != 0,
        archived: row.archived != 0,
        expires_at: row.expires_at.map(Millis),
        disabled_at: row.disabled_at.map(Millis),
        title: row.title,
        description: row.description,
        options,
    }))
}
