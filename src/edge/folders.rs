//! Folders in D1.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::api::labels::Folder;
use crate::core::sql::Where;
use crate::edge::d1;

/// Whether the workspace has this folder.
pub(crate) async fn exists(env: &Env, workspace_id: &str, id: &str) -> Result<bool> {
    #[derive(Deserialize)]
    struct Row {}
    let query = "SELECT id FROM folders WHERE id = ?1 AND workspace_id = ?2";
    let row: Option<Row> =
        d1::first(&d1::database(env)?, query, &[d1::text(id), d1::text(workspace_id)]).await?;
    Ok(row.is_some())
}

const COLUMNS: &str = "x.id, x.name, x.description, x.access_level, x.created_at, x.updated_at, \
    (SELECT COUNT(*) FROM links l WHERE l.workspace_id = x.workspace_id AND l.folder_id = x.id \
     AND l.deleted_at IS NULL) AS links";

/// Folders, a page of them, by name.
pub(crate) async fn list(env: &Env, condition: &Where, page: i64, size: i64) -> Result<Vec<Folder>> {
    let query = format!(
        "SELECT {COLUMNS} FROM folders x WHERE {} ORDER BY x.name COLLATE NOCASE, x.id LIMIT ? OFFSET ?",
        condition.text()
    );
    let offset = page.saturating_sub(1).saturating_mul(size);
    let binds = [condition.binds(), &[size.into(), offset.into()]].concat();
    d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await
}

/// One folder.
pub(crate) async fn find(env: &Env, workspace_id: &str, id: &str) -> Result<Option<Folder>> {
    let query = format!("SELECT {COLUMNS} FROM folders x WHERE x.id = ?1 AND x.workspace_id = ?2");
    d1::first(&d1::database(env)?, &query, &[d1::text(id), d1::text(workspace_id)]).await
}

/// Stores a folder, new or changed; a name that is taken is a unique violation.
pub(crate) async fn store(env: &Env, workspace_id: &str, folder: &Folder) -> Result<()> {
    let query = "INSERT INTO folders (id, workspace_id, name, description, access_level, created_at, updated_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
                 description = excluded.description, access_level = excluded.access_level, \
                 updated_at = excluded.updated_at WHERE workspace_id = excluded.workspace_id";
    let binds = [
        folder.id.as_str().into(),
        workspace_id.into(),
        folder.name.as_str().into(),
        folder.description.clone().into(),
        folder.access_level.clone().into(),
        folder.created_at.0.into(),
        folder.updated_at.0.into(),
    ];
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Deletes a folder; its links are in no folder afterwards.
pub(crate) async fn delete(env: &Env, workspace_id: &str, id: &str) -> Result<()> {
    let db = d1::database(env)?;
    let out = "UPDATE links SET folder_id = NULL WHERE folder_id = ?1 AND workspace_id = ?2";
    let gone = "DELETE FROM folders WHERE id = ?1 AND workspace_id = ?2";
    let values = [d1::text(id), d1::text(workspace_id)];
    db.batch(vec![d1::statement(&db, out, &values)?, d1::statement(&db, gone, &values)?]).await.map(|_| ())
}
