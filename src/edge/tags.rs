//! Tags in D1, and which links have them.

use std::collections::HashMap;

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env, Result};

use crate::core::api::link::Tag;
use crate::core::sql::Bind;
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
