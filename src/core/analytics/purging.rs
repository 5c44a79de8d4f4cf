//! How the rows of old clicks go, and what they count for stays.
//!
//! Two steps, in different runs. A day is given up first: every link that was clicked gets its sums, and `kept_from` moves
//! behind the day. Then rows before `kept_from` are deleted, so many at a time, and `deleted_to` moves along. Clicks that
//! a lead, sale or customer came from stay, and so do those that came after their day was given up: no sum has them.
//!
//! How many days that takes is the workspace's choice, else the instance's. A day goes as a whole, in UTC.

use serde::Deserialize;

use super::summing::{Statement, close_day, statement};
use crate::core::time::DAY_MS;

/// The oldest summed click of each workspace whose day is to be given up: [`Oldest`]. ?1: the first instant of today;
/// ?2: the days of a workspace that has not chosen; ?3: how many at most.
pub const OLDEST: &str = "SELECT * FROM (\
    SELECT u.workspace_id AS workspace_id, (SELECT MIN(c.at) FROM clicks c WHERE c.workspace_id = u.workspace_id \
      AND c.at >= u.kept_from AND c.at < MIN(?1 - COALESCE(w.click_retention_days, ?2) * 86400000, u.days)) AS at \
    FROM click_sums_until u JOIN workspaces w ON w.id = u.workspace_id) WHERE at IS NOT NULL LIMIT ?3";

/// A row of [`OLDEST`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Oldest {
    /// `ws_…`
    pub workspace_id: String,
    /// When it was made.
    pub at: i64,
}

/// The statements that give up the UTC day around `at`.
#[must_use]
pub fn give_up(workspace_id: &str, at: i64) -> Vec<Statement> {
    let day = at.saturating_sub(at.rem_euclid(DAY_MS));
    let mut all = close_day(workspace_id, day, 1);
    all.push(statement(
        "UPDATE click_sums_until SET kept_from = MAX(kept_from, ?2) WHERE workspace_id = ?1",
        [workspace_id.into(), day.saturating_add(DAY_MS).into()],
    ));
    all
}

/// What is given up and still there: [`Stretch`], of each workspace the next. ?1: so many rows are one; ?2: how many
/// stretches at most.
pub const STRETCHES: &str = "SELECT u.workspace_id AS workspace_id, u.deleted_to AS start, \
    COALESCE((SELECT MAX(c.at, u.deleted_to + 1) FROM clicks c WHERE c.workspace_id = u.workspace_id \
      AND c.at >= u.deleted_to AND c.at < u.kept_from ORDER BY c.at LIMIT 1 OFFSET ?1), u.kept_from) AS until \
    FROM click_sums_until u WHERE u.deleted_to < u.kept_from LIMIT ?2";

/// A row of [`STRETCHES`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stretch {
    /// `ws_…`
    pub workspace_id: String,
    /// From this instant on.
    pub start: i64,
    /// Before this one.
    pub until: i64,
}

/// Clicks that no lead, sale or customer came from.
const IS_SPARE: &str = "c.id NOT IN (SELECT click_id FROM leads WHERE workspace_id = ?1 AND click_id IS NOT NULL \
    UNION SELECT click_id FROM entries WHERE workspace_id = ?1 AND click_id IS NOT NULL) \
    AND c.id NOT IN (SELECT t.value ->> 'clickId' FROM sales s, json_each(s.touches) t \
      WHERE s.workspace_id = ?1 AND t.value ->> 'clickId' IS NOT NULL) \
    AND c.id NOT IN (SELECT t.value ->> 'clickId' FROM customers k, json_each(k.body, '$.touches') t \
      WHERE k.workspace_id = ?1 AND t.value ->> 'clickId' IS NOT NULL)";

/// The statements that delete what may go of a stretch.
#[must_use]
pub fn delete(stretch: &Stretch) -> Vec<Statement> {
    let binds = || [stretch.workspace_id.as_str().into(), stretch.start.into(), stretch.until.into()];
    vec![
        statement(
            format!(
                "DELETE FROM clicks AS c WHERE c.workspace_id = ?1 AND c.at >= ?2 AND c.at < ?3 AND NOT EXISTS \
                 (SELECT 1 FROM late_clicks y WHERE y.workspace_id = ?1 AND y.at = c.at AND y.id = c.id) AND {IS_SPARE}"
            ),
            binds(),
        ),
        statement(
            "UPDATE click_sums_until SET deleted_to = MAX(deleted_to, ?3) \
             WHERE workspace_id = ?1 AND deleted_to >= ?2",
            binds(),
        ),
    ]
}

/// Deletes visits that were no clicks, when clicks of their time go. ?1 and ?2 as of [`OLDEST`]; ?3: how many at most.
pub const DELETE_VISITS: &str = "DELETE FROM visits WHERE id IN (\
    SELECT v.id FROM workspaces w CROSS JOIN visits v ON v.workspace_id = w.id \
      AND v.at < ?1 - COALESCE(w.click_retention_days, ?2) * 86400000 LIMIT ?3)";
