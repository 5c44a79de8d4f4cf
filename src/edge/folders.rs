//! Folders in D1.

use serde::Deserialize;
use worker::{Env, Result};

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
