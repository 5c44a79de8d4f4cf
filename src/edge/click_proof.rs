//! Ids issued elsewhere (imports), proven by their click row.

use serde::Deserialize;
use worker::{Env, Result, console_warn};

use crate::core::ledger::fact::{Touch, TouchVerdict};
use crate::core::time::Millis;
use crate::edge::d1;

#[derive(Deserialize)]
struct Row {
    link_id: String,
    at: i64,
}

/// The link and time of a click of this workspace, if its row is there.
pub(crate) async fn find(env: &Env, workspace_id: &str, click_id: &str) -> Result<Option<(String, Millis)>> {
    let db = d1::database(env)?;
    // The length as the index says it: ours have another, and are proven by themselves.
    let query = "SELECT link_id, at FROM clicks WHERE id = ? AND length(id) <> 44 AND workspace_id = ?";
    let row: Option<Row> = d1::first(&db, query, &[d1::text(click_id), d1::text(workspace_id)]).await?;
    Ok(row.map(|row| (row.link_id, Millis(row.at))))
}

/// Proves a touch that only a row can prove. With D1 down it stays refused: the payment is booked all the same,
/// and a replay attributes it.
pub(crate) async fn prove(env: &Env, workspace_id: &str, touch: &mut Touch) {
    if !touch.is_foreign() {
        return;
    }
    match find(env, workspace_id, &touch.click_id).await {
        Ok(Some((link_id, at))) => touch.verdict = TouchVerdict::Click { link_id, at },
        Ok(None) => {}
        Err(error) => console_warn!("a click could not be looked up: {error}"),
    }
}
