//! What pages of a site have reported to a workspace.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::time::Millis;
use crate::edge::d1;

/// How many of the workspace's latest clicks are looked at: the question must not cost more than a report.
const LOOKED_AT: u32 = 20_000;

/// Clicks and visits that pages of a host reported.
#[derive(Debug, Deserialize)]
pub(crate) struct Reports {
    /// How many.
    pub count: i64,
    /// When the first came.
    pub first: Option<Millis>,
    /// When the last came.
    pub last: Option<Millis>,
}

/// Those of `host` among the latest clicks of the workspace.
pub(crate) async fn of(env: &Env, workspace_id: &str, host: &str) -> Result<Reports> {
    let query = format!(
        "SELECT COUNT(*) AS count, MIN(at) AS first, MAX(at) AS last FROM \
         (SELECT at, url, signals FROM clicks WHERE workspace_id = ?1 ORDER BY at DESC LIMIT {LOOKED_AT}) \
         WHERE json_extract(signals, '$.reported') IS NOT NULL \
         AND substr(url, instr(url, '://') + 3, length(?2)) = ?2 \
         AND substr(url, instr(url, '://') + 3 + length(?2), 1) IN ('', '/', '?', '#')"
    );
    let row: Option<Reports> =
        d1::first(&d1::database(env)?, &query, &[d1::text(workspace_id), d1::text(host)]).await?;
    Ok(row.unwrap_or(Reports { count: 0, first: None, last: None }))
}
