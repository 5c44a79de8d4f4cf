//! How clicks are counted ahead: which span is due, and the statements that make its sums.
//!
//! The statements of a step make the sums of their span from the clicks, whatever was there before, in one
//! transaction. A step may therefore be repeated, and two isolates may do the same one.

use serde::Deserialize;

use super::dimension::{DIMENSIONS, Dimension, LINK, TIME};
use crate::core::sql::Bind;
use crate::core::time::{DAY_MS, Millis};

const HOUR_MS: i64 = 3_600_000;
/// How long after its end an hour is summed: most clicks are stored within seconds.
const GRACE_MS: i64 = 120_000;
/// How many values one row holds, so that it stays far below D1's 2 MB whatever the values are.
const VALUES_PER_ROW: i64 = 400;

/// How many clicks a link must have on a day to get sums of its own: some two dozen rows. The clicks of others are as
/// quickly counted.
const BUSY: i64 = 32;
/// The dimension that stands for a link's sums of a day with only few clicks: it names them, `{"click id": at, …}`.
pub(super) const FEW: &str = "few";

/// How far the clicks of a workspace are summed, and what there is to sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct State {
    /// `ws_…`
    pub workspace_id: String,
    /// Every hour before this instant has its sums.
    pub hours: i64,
    /// Every day before this one has them, also per link.
    pub days: i64,
    /// Older clicks may have been deleted: their sums are not made again.
    pub kept_from: i64,
    /// The first click of no summed day.
    pub first: Option<i64>,
    /// The first click of no summed hour.
    pub next: Option<i64>,
    /// The first click that came late.
    pub late: Option<i64>,
}

/// The [`State`]s of the workspaces that have clicks of before ?1 to sum, some of them.
pub const STATES: &str = "SELECT * FROM (\
    SELECT w.id AS workspace_id, COALESCE(u.hours, 0) AS hours, COALESCE(u.days, 0) AS days, \
      COALESCE(u.kept_from, 0) AS kept_from, \
      (SELECT MIN(c.at) FROM clicks c WHERE c.workspace_id = w.id AND c.at >= COALESCE(u.days, 0)) AS first, \
      (SELECT MIN(c.at) FROM clicks c WHERE c.workspace_id = w.id AND c.at >= COALESCE(u.hours, 0)) AS next, \
      (SELECT MIN(y.at) FROM late_clicks y WHERE y.workspace_id = w.id AND y.at >= COALESCE(u.kept_from, 0)) AS late \
    FROM workspaces w LEFT JOIN click_sums_until u ON u.workspace_id = w.id) \
    WHERE first < ?1 OR late IS NOT NULL LIMIT 100";

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A UTC day that is over, for all links together and each.
    Day(i64),
    /// Hours of the day that is not over, for all links together: from the first instant to that after the last.
    Hours(i64, i64),
}

/// A statement with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// SQL.
    pub text: String,
    /// Its values, in order.
    pub binds: Vec<Bind>,
}

/// What is to be done next, if anything.
#[must_use]
pub fn due(state: &State, now: Millis) -> Option<Step> {
    let floor = |at: i64, width: i64| at.saturating_sub(at.rem_euclid(width));
    let settled = now.0.saturating_sub(GRACE_MS);
    let (today, this_hour) = (floor(settled, DAY_MS), floor(settled, HOUR_MS));
    // A late click of a day whose clicks are gone stays apart for good; reports add it.
    let late = state.late.filter(|at| floor(*at, DAY_MS) >= state.kept_from);
    if let Some(day) = late.map(|at| floor(at, DAY_MS)).filter(|day| *day < state.days) {
        return Some(Step::Day(day));
    }
    if let Some(day) = state.first.map(|at| floor(at, DAY_MS)).filter(|day| *day < today) {
        return Some(Step::Day(day));
    }
    let first = [late, state.next].into_iter().flatten().min()?;
    let from = floor(first, HOUR_MS).max(state.days);
    (from < this_hour).then_some(Step::Hours(from, this_hour))
}

/// The statements of a step, for one transaction.
#[must_use]
pub fn statements(workspace_id: &str, step: Step) -> Vec<Statement> {
    match step {
        Step::Day(day) => close_day(workspace_id, day, BUSY),
        Step::Hours(from, to) => sum_hours(workspace_id, from, to),
    }
}

pub(super) fn statement(text: impl Into<String>, binds: impl IntoIterator<Item = Bind>) -> Statement {
    Statement { text: text.into(), binds: binds.into_iter().collect() }
}

fn names(which: impl Fn(&Dimension) -> bool) -> Bind {
    let dimensions = DIMENSIONS.iter().filter(|dimension| which(dimension)).map(|dimension| dimension.name);
    Bind::list(dimensions.chain([FEW]))
}

/// A day's row of all links together that says how often each was clicked; it is made before it is read.
const OF_DAY: &str = "FROM click_sums y, json_each(y.counts) e WHERE y.workspace_id = ?1 AND y.link_id = '' \
    AND y.dimension = 'link' AND y.span = 'day' AND y.at = ?2";

/// The links of a day that have sums of their own, if `least` clicks earn them.
fn busy_links(least: i64) -> String {
    format!("SELECT e.key {OF_DAY} AND e.value >= {least}")
}

/// `least`: how many clicks of a day earn a link sums of its own.
pub(super) fn close_day(workspace_id: &str, day: i64, least: i64) -> Vec<Statement> {
    let span = || [Bind::from(workspace_id), day.into()];
    let whole = |binds: Vec<Bind>| span().into_iter().chain(binds);
    let end = day.saturating_add(DAY_MS);
    let mut all = vec![
        // Who looked before the day's clicks were given up, and comes after, must not make its sums of what is left:
        // NULL is refused, and with it the whole step.
        statement(
            "UPDATE click_sums_until SET hours = CASE WHEN kept_from <= ?2 THEN hours END WHERE workspace_id = ?1",
            span(),
        ),
        // What was there goes, with the rows of the links that the day's own row names.
        statement(
            format!(
                "DELETE FROM click_sums WHERE workspace_id = ?1 \
                 AND link_id IN (SELECT '' UNION ALL SELECT e.key {OF_DAY}) \
                 AND dimension IN (SELECT value FROM json_each(?3)) AND span IN ('day', 'hours') AND at = ?2"
            ),
            whole(vec![names(|dimension| *dimension != LINK)]),
        ),
        statement(
            "DELETE FROM click_sums WHERE workspace_id = ?1 AND link_id = '' AND dimension = 'link' \
             AND span IN ('day', 'hours') AND at = ?2",
            span(),
        ),
        statement(
            "DELETE FROM click_sums WHERE workspace_id = ?1 AND link_id = '' \
             AND dimension IN (SELECT value FROM json_each(?4)) AND span = 'hour' AND at >= ?2 AND at < ?3",
            whole(vec![end.into(), names(|_| true)]),
        ),
        statement(
            "DELETE FROM late_clicks WHERE workspace_id = ?1 AND at >= ?2 AND at < ?3",
            whole(vec![end.into()]),
        ),
    ];
    let busy = busy_links(least);
    // The day's clicks are read once for a dimension: all links together are the sum of each.
    let from_clicks = |dimension: Dimension, span: &str, key: &str| {
        let clicks = "FROM clicks c WHERE c.workspace_id = ?1 AND c.at >= ?2 AND c.at < ?3 GROUP BY 1, 2";
        let values = if dimension == LINK {
            format!("SELECT '' AS link_id, {key} AS value, COUNT(*) AS n {clicks}")
        } else {
            format!(
                "WITH d AS MATERIALIZED (SELECT c.link_id AS link_id, {key} AS value, COUNT(*) AS n {clicks}) \
                 SELECT '' AS link_id, value, SUM(n) AS n FROM d GROUP BY value \
                 UNION ALL SELECT link_id, value, n FROM d WHERE link_id IN ({busy})"
            )
        };
        statement(insert(dimension, span, "?2", &values), whole(vec![end.into()]))
    };
    // LINK first: the statements after it ask it for the links.
    let others = DIMENSIONS.into_iter().filter(|dimension| *dimension != LINK);
    for dimension in std::iter::once(LINK).chain(others) {
        if dimension == TIME {
            all.push(from_clicks(dimension, "day", dimension.sql));
            continue;
        }
        let key = format!("substr('0' || (c.at % {DAY_MS} / {HOUR_MS}), -2) || ' ' || {}", dimension.sql);
        all.push(from_clicks(dimension, "hours", &key));
        let links = if dimension == LINK { String::new() } else { format!(" UNION ALL {busy}") };
        let values = format!(
            "SELECT x.link_id AS link_id, substr(h.key, 4) AS value, SUM(h.value) AS n \
             FROM click_sums x, json_each(x.counts) h WHERE x.workspace_id = ?1 \
             AND x.link_id IN (SELECT ''{links}) AND x.dimension = '{}' AND x.span = 'hours' AND x.at = ?2 \
             GROUP BY 1, 2",
            dimension.name
        );
        all.push(statement(insert(dimension, "day", "?2", &values), span()));
    }
    all.push(statement(
        format!(
            "INSERT INTO click_sums (workspace_id, link_id, dimension, span, at, part, counts) \
             SELECT ?1, c.link_id, '{FEW}', 'day', ?2, 0, json_group_object(c.id, c.at) FROM clicks c \
             WHERE c.workspace_id = ?1 AND c.at >= ?2 AND c.at < ?3 \
             AND c.link_id IN (SELECT e.key {OF_DAY} AND e.value < {least}) GROUP BY c.link_id"
        ),
        whole(vec![end.into()]),
    ));
    all.push(statement(
        "INSERT INTO click_sums_until (workspace_id, hours, days) VALUES (?1, ?2, ?2) ON CONFLICT DO UPDATE \
         SET hours = MAX(hours, excluded.hours), days = MAX(days, excluded.days)",
        [workspace_id.into(), end.into()],
    ));
    all
}

fn sum_hours(workspace_id: &str, from: i64, to: i64) -> Vec<Statement> {
    let span = || [Bind::from(workspace_id), from.into(), to.into()];
    let mut all = vec![
        statement(
            "DELETE FROM click_sums WHERE workspace_id = ?1 AND link_id = '' \
             AND dimension IN (SELECT value FROM json_each(?4)) AND span = 'hour' AND at >= ?2 AND at < ?3",
            span().into_iter().chain([names(|_| true)]),
        ),
        statement("DELETE FROM late_clicks WHERE workspace_id = ?1 AND at >= ?2 AND at < ?3", span()),
    ];
    // Of a day that another isolate has closed meanwhile, no hour is summed apart.
    let closed = "COALESCE((SELECT days FROM click_sums_until WHERE workspace_id = ?1), 0)";
    for dimension in DIMENSIONS {
        let values = format!(
            "SELECT c.at - c.at % {HOUR_MS} AS hour, '' AS link_id, {} AS value, COUNT(*) AS n FROM clicks c \
             WHERE c.workspace_id = ?1 AND c.at >= MAX(?2, {closed}) AND c.at < ?3 GROUP BY 1, 3",
            dimension.sql
        );
        all.push(statement(insert(dimension, "hour", "hour", &values), span()));
    }
    all.push(statement(
        "INSERT INTO click_sums_until (workspace_id, hours, days) VALUES (?1, ?2, 0) ON CONFLICT DO UPDATE \
         SET hours = MAX(hours, excluded.hours)",
        [workspace_id.into(), to.into()],
    ));
    all
}

/// Writes the rows `link_id, value, n` of a query (and `hour`, where that is the instant) as sums.
fn insert(dimension: Dimension, span: &str, at: &str, values: &str) -> String {
    let name = dimension.name;
    let hour = if at == "hour" { "hour, " } else { "" };
    format!(
        "INSERT INTO click_sums (workspace_id, link_id, dimension, span, at, part, counts) \
         SELECT ?1, link_id, '{name}', '{span}', {at}, part, json_group_object(value, n) FROM (\
           SELECT *, (ROW_NUMBER() OVER (PARTITION BY {hour}link_id ORDER BY value) - 1) / {VALUES_PER_ROW} AS part \
           FROM ({values})) GROUP BY {hour}link_id, part"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_before_hours_and_late_ones_first() {
        const D: i64 = 20_000 * DAY_MS;
        let hour = |n: i64| D + n * HOUR_MS;
        let now = Millis(hour(10) + 5 * 60_000);
        let none = State { days: D, hours: hour(9), ..State::default() };
        for (state, step) in [
            (State::default(), None),
            (none.clone(), None),
            (
                State { next: Some(hour(9) + 7), first: Some(hour(2)), ..none.clone() },
                Some(Step::Hours(hour(9), hour(10))),
            ),
            (State { next: Some(hour(10) + 1), ..none.clone() }, None),
            (State { first: Some(D - DAY_MS + 5), ..none.clone() }, Some(Step::Day(D - DAY_MS))),
            (
                State { first: Some(D - 5 * DAY_MS), next: Some(D), ..State::default() },
                Some(Step::Day(D - 5 * DAY_MS)),
            ),
            (State { late: Some(hour(3) + 1), ..none.clone() }, Some(Step::Hours(hour(3), hour(10)))),
            (State { late: Some(D - 1), first: Some(D - 1), ..none.clone() }, Some(Step::Day(D - DAY_MS))),
            (State { late: Some(D - 1), kept_from: D, ..none.clone() }, None),
        ] {
            assert_eq!(due(&state, now), step, "{state:?}");
        }
        // Just after midnight the day before may still get clicks.
        let state = State { first: Some(D - 1), hours: D - HOUR_MS, days: D - DAY_MS, ..State::default() };
        assert_eq!(due(&state, Millis(D + GRACE_MS - 1)), None);
        assert_eq!(due(&state, Millis(D + GRACE_MS)), Some(Step::Day(D - DAY_MS)));
    }
}
