//! Tags in D1, and which links have them.

use std::collections::HashMap;

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env, Result};

use crate::core::api::link::Tag;
use crate::core::sql::{Bind, Where};
use crate::core::time::Millis;
use crate::edge::d1;

#[derive(Deserialize)]
struct Row {
    link_id: Option<String>,
    id: String,
    name: String,
    color: String,
}

impl Row {
    fn tag(self) -> Tag {
        Tag { id: self.id, name: self.name, color: self.color }
    }
}

/// The tags of some links, each list as assigned.
pub(crate) async fn of_links(env: &Env, link_ids: &[String]) -> Result<HashMap<String, Vec<Tag>>> {
    let mut found: HashMap<String, Vec<Tag>> = HashMap::new();
    if link_ids.is_empty() {
        return Ok(found);
    }
    let query = "SELECT lt.link_id, t.id, t.name, t.color FROM link_tags lt JOIN tags t ON t.id = lt.tag_id \
                 WHERE lt.link_id IN (SELECT value FROM json_each(?1)) ORDER BY lt.position";
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &d1::binds(&[Bind::list(link_ids)])?).await?;
    for row in rows {
        if let Some(link_id) = row.link_id.clone() {
            found.entry(link_id).or_default().push(row.tag());
        }
    }
    Ok(found)
}

/// The workspace's tags with these ids, in the order asked for.
pub(crate) async fn by_ids(env: &Env, workspace_id: &str, ids: &[String]) -> Result<Vec<Tag>> {
    let query = "SELECT NULL AS link_id, t.id, t.name, t.color FROM json_each(?2) wanted \
                 JOIN tags t ON t.id = wanted.value AND t.workspace_id = ?1 ORDER BY wanted.key";
    some(env, query, workspace_id, ids).await
}

/// The workspace's tags with these names, in any case, in the order asked for.
pub(crate) async fn by_names(env: &Env, workspace_id: &str, names: &[String]) -> Result<Vec<Tag>> {
    let query = "SELECT NULL AS link_id, t.id, t.name, t.color FROM json_each(?2) wanted \
                 JOIN tags t ON t.name = wanted.value COLLATE NOCASE AND t.workspace_id = ?1 ORDER BY wanted.key";
    some(env, query, workspace_id, names).await
}

async fn some(env: &Env, query: &str, workspace_id: &str, wanted: &[String]) -> Result<Vec<Tag>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let binds = d1::binds(&[workspace_id.into(), Bind::list(wanted)])?;
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &binds).await?;
    Ok(rows.into_iter().map(Row::tag).collect())
}

/// Statements that make `tags` the tags of a link.
pub(crate) fn assign(db: &D1Database, link_id: &str, tags: &[Tag]) -> Result<[D1PreparedStatement; 2]> {
    let clear = d1::statement(db, "DELETE FROM link_tags WHERE link_id = ?1", &[d1::text(link_id)])?;
    let query = "INSERT OR IGNORE INTO link_tags (link_id, tag_id, position) SELECT ?1, value, key FROM json_each(?2)";
    let ids = Bind::list(tags.iter().map(|tag| tag.id.as_str()));
    let add = d1::statement(db, query, &d1::binds(&[link_id.into(), ids])?)?;
    Ok([clear, add])
}

/// A tag in a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    /// `tag_…`
    pub id: String,
    /// Shown.
    pub name: String,
    /// One of seven.
    pub color: String,
    /// How many links have it.
    pub links: i64,
}

/// Tags, a page of them; `order` is a constant of the route's.
pub(crate) async fn list(
    env: &Env,
    condition: &Where,
    order: &str,
    page: i64,
    size: i64,
) -> Result<Vec<Listed>> {
    let query = format!(
        "SELECT x.id, x.name, x.color, (SELECT COUNT(*) FROM link_tags lt JOIN links l ON l.id = lt.link_id \
         WHERE lt.tag_id = x.id AND l.deleted_at IS NULL) AS links \
         FROM tags x WHERE {} ORDER BY {order}, x.id LIMIT ? OFFSET ?",
        condition.text()
    );
    let offset = page.saturating_sub(1).saturating_mul(size);
    let binds = [condition.binds(), &[size.into(), offset.into()]].concat();
    d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await
}

/// Stores a new tag; a name that is taken is a unique violation.
pub(crate) async fn insert(env: &Env, workspace_id: &str, tag: &Tag, now: Millis) -> Result<()> {
    let query =
        "INSERT INTO tags (id, workspace_id, name, color, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)";
    let binds = [
        tag.id.as_str().into(),
        workspace_id.into(),
        tag.name.as_str().into(),
        tag.color.as_str().into(),
        now.0.into(),
        now.0.into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Stores what a tag has become.
pub(crate) async fn update(env: &Env, workspace_id: &str, tag: &Tag, now: Millis) -> Result<()> {
    let query = "UPDATE tags SET name = ?, color = ?, updated_at = ? WHERE id = ? AND workspace_id = ?";
    let binds = [
        tag.name.as_str().into(),
        tag.color.as_str().into(),
        now.0.into(),
        tag.id.as_str().into(),
        workspace_id.into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Deletes a tag, and takes it off its links.
pub(crate) async fn delete(env: &Env, workspace_id: &str, id: &str) -> Result<()> {
    let db = d1::database(env)?;
    let off =
        "DELETE FROM link_tags WHERE tag_id IN (SELECT id FROM tags WHERE id = ?1 AND workspace_id = ?2)";
    let gone = "DELETE FROM tags WHERE id = ?1 AND workspace_id = ?2";
    let values = [d1::text(id), d1::text(workspace_id)];
    db.batch(vec![d1::statement(&db, off, &values)?, d1::statement(&db, gone, &values)?]).await.map(|_| ())
}
