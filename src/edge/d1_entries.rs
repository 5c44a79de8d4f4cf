//! The signed entries as a list, each with every name its payment is known under: what an audit reads.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::mode::Mode;
use crate::core::time::Millis;
use crate::edge::d1;

/// Which entries.
pub(crate) struct Range<'a> {
    /// Not earlier.
    pub from: Millis,
    /// Not later.
    pub to: Millis,
    /// Only what comes after this entry.
    pub after: Option<&'a str>,
    /// Newest first, and what comes after an entry is older.
    pub newest_first: bool,
    /// Sales too, not only what was taken back of them.
    pub with_sales: bool,
    /// At most this many.
    pub limit: i64,
}

/// An entry and what its sale says.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub id: String,
    pub kind: String,
    pub at: Millis,
    pub amount: i64,
    pub currency: String,
    pub customer_id: String,
    pub sale_id: Option<String>,
    pub sale_at: Option<Millis>,
    pub click_id: Option<String>,
    pub link_id: Option<String>,
    pub reference: Option<String>,
    pub processor: Option<String>,
    /// A JSON array as text.
    pub names: Option<String>,
}

/// Entries of a workspace and mode by time.
pub(crate) async fn list(env: &Env, workspace_id: &str, mode: Mode, range: &Range<'_>) -> Result<Vec<Row>> {
    let mut values =
        vec![d1::text(workspace_id), d1::text(mode.as_str()), d1::int(range.from.0)?, d1::int(range.to.0)?];
    let (after, order) = if range.newest_first { ("<", "DESC") } else { (">", "ASC") };
    // In these very words: the index of the others is found by them.
    let kind = if range.with_sales { "" } else { "AND e.kind <> 'sale'" };
    let cursor = match range.after {
        Some(id) => {
            values.push(d1::text(id));
            values.push(d1::text(workspace_id));
            format!("AND (e.at, e.id) {after} (SELECT at, id FROM entries WHERE id = ? AND workspace_id = ?)")
        }
        None => String::new(),
    };
    values.push(d1::int(range.limit)?);
    let query = format!(
        "SELECT e.id, e.kind, e.at, e.amount, e.currency, e.customer_id, e.sale_id, s.at AS sale_at,
            e.click_id, e.link_id, e.reference, s.processor, json_extract(s.receipt, '$.references') AS names
        FROM entries e LEFT JOIN sales s ON s.id = e.sale_id
        WHERE e.workspace_id = ? AND e.mode = ? AND e.at BETWEEN ? AND ? {kind} {cursor}
        ORDER BY e.at {order}, e.id {order} LIMIT ?"
    );
    d1::rows(&d1::database(env)?, &query, &values).await
}
