//! Handing domains and links to another workspace, in D1. Each is one batch: all of it or nothing.
//!
//! Clicks, leads and sales stay where they were booked; from then on a click belongs to the new workspace.

use worker::{D1Database, D1PreparedStatement, Env, Result};

use crate::core::sql::Bind;
use crate::core::time::Millis;
use crate::edge::{d1, domains};

/// From one workspace to another, at what time.
pub(crate) struct Move<'a> {
    /// `ws_…`
    pub from: &'a str,
    /// `ws_…`
    pub to: &'a str,
    /// Now.
    pub at: Millis,
}

const DOMAIN: &str = "UPDATE domains SET workspace_id = ?1, updated_at = ?2, is_primary = NOT EXISTS \
    (SELECT 1 FROM domains WHERE workspace_id = ?1) WHERE id = ?3 AND workspace_id = ?4";
// Tags, folders and webhooks are the workspace's own, and whom it gave the address of a public page.
const TAGS_OF_DOMAIN: &str = "DELETE FROM link_tags WHERE link_id IN \
    (SELECT id FROM links WHERE domain = ?1 AND workspace_id = ?2 AND deleted_at IS NULL)";
const LINKS_OF_DOMAIN: &str = "UPDATE links SET workspace_id = ?1, updated_at = ?2, folder_id = NULL, \
    options = json_remove(options, '$.webhookIds', '$.publicStats', '$.publicPage') \
    WHERE domain = ?3 AND workspace_id = ?4 AND deleted_at IS NULL";
const TAGS_OF_LINK: &str = "DELETE FROM link_tags WHERE link_id IN \
    (SELECT id FROM links WHERE id = ?1 AND workspace_id = ?2 AND deleted_at IS NULL)";
const LINK: &str = "UPDATE links SET workspace_id = ?1, updated_at = ?2, folder_id = NULL, domain = ?5, \
    options = json_remove(options, '$.webhookIds', '$.publicStats', '$.publicPage') \
    WHERE id = ?3 AND workspace_id = ?4 AND deleted_at IS NULL";

/// Hands over a domain and all its links; an external id that is taken there is a unique violation.
pub(crate) async fn domain(env: &Env, moved: &Move<'_>, id: &str, slug: &str) -> Result<()> {
    let db = d1::database(env)?;
    let given = |name: &str| [moved.to.into(), moved.at.0.into(), name.into(), moved.from.into()];
    db.batch(vec![
        statement(&db, DOMAIN, &given(id))?,
        domains::heir(&db, moved.from)?,
        statement(&db, TAGS_OF_DOMAIN, &[slug.into(), moved.from.into()])?,
        statement(&db, LINKS_OF_DOMAIN, &given(slug))?,
    ])
    .await
    .map(|_| ())
}

/// Hands over one link, which is served on `domain` from then on; a key or external id that is taken there is a
/// unique violation.
pub(crate) async fn link(env: &Env, moved: &Move<'_>, id: &str, domain: &str) -> Result<()> {
    let db = d1::database(env)?;
    let given = [moved.to.into(), moved.at.0.into(), id.into(), moved.from.into(), domain.into()];
    db.batch(vec![
        statement(&db, TAGS_OF_LINK, &[id.into(), moved.from.into()])?,
        statement(&db, LINK, &given)?,
    ])
    .await
    .map(|_| ())
}

fn statement(db: &D1Database, query: &str, binds: &[Bind]) -> Result<D1PreparedStatement> {
    d1::statement(db, query, &d1::binds(binds)?)
}
