//! The ledger's projection in D1, read as a whole.

use worker::{Env, Result};

use crate::core::ledger::rows::Table;
use crate::core::ledger::totals::{Clicks, Sum, Totals};
use crate::core::ledger::view::ParkedView;
use crate::core::mode::Mode;
use crate::core::money::total_sql;
use crate::edge::d1;

/// Every total of a workspace.
pub(crate) async fn totals(env: &Env, workspace_id: &str) -> Result<Totals> {
    let db = d1::database(env)?;
    let query = concat!(
        "SELECT mode, link_id, kind, currency, COUNT(*) AS entries, ",
        total_sql!("amount"),
        " AS amount FROM entries WHERE workspace_id = ? GROUP BY mode, link_id, kind, currency"
    );
    let sums: Vec<Sum> = d1::rows(&db, query, &[d1::text(workspace_id)]).await?;
    let query = "SELECT id, clicks FROM links WHERE workspace_id = ? AND clicks > 0";
    let clicks: Vec<Clicks> = d1::rows(&db, query, &[d1::text(workspace_id)]).await?;
    Ok(Totals::of(&sums, &clicks))
}

/// What waits in ledgers, oldest first.
pub(crate) async fn parked(env: &Env, workspace_id: &str, mode: Mode, limit: i64) -> Result<Vec<ParkedView>> {
    let db = d1::database(env)?;
    let query = "SELECT id, kind, at, reference, event_id AS eventId, amount, currency, reason
        FROM parked WHERE workspace_id = ? AND mode = ? ORDER BY at, id LIMIT ?";
    d1::rows(&db, query, &[d1::text(workspace_id), d1::text(mode.as_str()), d1::int(limit)?]).await
}

/// Drops the projection of a workspace and mode; the ledgers make it again.
pub(crate) async fn drop_projection(env: &Env, workspace_id: &str, mode: Mode) -> Result<()> {
    let db = d1::database(env)?;
    let mut statements = Vec::new();
    for table in Table::GUARDED.into_iter().chain([Table::Customers]) {
        let query = format!("DELETE FROM {} WHERE workspace_id = ? AND mode = ?", table.name());
        statements.push(d1::statement(&db, &query, &[d1::text(workspace_id), d1::text(mode.as_str())])?);
    }
    db.batch(statements).await?;
    Ok(())
}

/// The id of a customer named by `cus_…` or `ext_<external id>`; a merged one's is that of its winner.
pub(crate) async fn customer(env: &Env, workspace_id: &str, mode: Mode, id: &str) -> Result<Option<String>> {
    #[derive(serde::Deserialize)]
    struct Row {
        id: String,
    }
    let (column, value) = match id.strip_prefix("ext_") {
        Some(external) => ("external_id", external),
        None => ("id", id),
    };
    let query = format!(
        "SELECT COALESCE(merged_into, id) AS id FROM customers WHERE {column} = ? AND workspace_id = ? AND mode = ?"
    );
    let values = [d1::text(value), d1::text(workspace_id), d1::text(mode.as_str())];
    let row: Option<Row> = d1::first(&d1::database(env)?, &query, &values).await?;
    Ok(row.map(|row| row.id))
}
