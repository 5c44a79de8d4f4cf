//! Counts clicks ahead and deletes old ones; `core::analytics::summing` says what and how.

use std::cell::Cell;

use worker::{Env, Result, console_error, console_log};

use crate::core::analytics::summing::{self, STATES, State, Statement};
use crate::core::time::Millis;
use crate::edge::{d1, entropy, settings};

/// How often an isolate that stores clicks looks whether there is something to sum.
const PAUSE_MS: i64 = 300_000;
/// Steps after one batch of clicks: a step is some dozen statements.
const STEPS_PER_BATCH: usize = 2;
/// Steps of one cron run.
const STEPS_PER_RUN: usize = 60;
/// Clicks deleted by one statement, and statements of one cron run and workspace.
const DELETED_AT_ONCE: i64 = 2_000;
const DELETIONS: usize = 25;

thread_local! {
    static NEXT_MS: Cell<i64> = const { Cell::new(0) };
}

/// After a batch of clicks: sums a little of what is due. Never fails; the cron does what is left.
pub(crate) async fn in_passing(env: &Env) {
    let now = entropy::now();
    if now.0 < NEXT_MS.get() {
        return;
    }
    NEXT_MS.set(now.0.saturating_add(PAUSE_MS));
    match advance(env, now, STEPS_PER_BATCH).await {
        // There may be more: go on after the next batch.
        Ok(STEPS_PER_BATCH) => NEXT_MS.set(0),
        Ok(_) => {}
        Err(e) => console_error!("clicks were not summed, the next run tries again: {e}"),
    }
}

/// The cron's part: all that is due.
pub(crate) async fn run(env: &Env) -> Result<()> {
    let steps = advance(env, entropy::now(), STEPS_PER_RUN).await?;
    if steps > 0 {
        console_log!("clicks were summed in {steps} steps");
    }
    Ok(())
}

/// Sums what is due at `now`, at most `most` steps; says how many there were.
pub(crate) async fn advance(env: &Env, now: Millis, most: usize) -> Result<usize> {
    let mut steps = 0;
    while steps < most {
        let states: Vec<State> = d1::rows(&d1::database(env)?, STATES, &[d1::int(now.0)?]).await?;
        let due: Vec<_> = states
            .iter()
            .filter_map(|state| Some((state.workspace_id.as_str(), summing::due(state, now)?)))
            .take(most - steps)
            .collect();
        if due.is_empty() {
            break;
        }
        for (workspace_id, step) in due {
            transaction(env, &summing::statements(workspace_id, step)).await?;
            steps += 1;
        }
    }
    Ok(steps)
}

/// Deletes clicks whose time is over, of every workspace, some of them per run.
pub(crate) async fn purge(env: &Env, now: Millis) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Workspace {
        id: String,
    }
    let today = now.0.saturating_sub(now.0.rem_euclid(crate::core::time::DAY_MS));
    let before = Millis(today).plus_days(-settings::click_retention_days(env));
    let query = "SELECT DISTINCT workspace_id AS id FROM click_sums_until u \
                 WHERE EXISTS (SELECT 1 FROM clicks c WHERE c.workspace_id = u.workspace_id AND c.at < ?)";
    let workspaces: Vec<Workspace> = d1::rows(&d1::database(env)?, query, &[d1::int(before.0)?]).await?;
    for workspace in workspaces {
        for _ in 0..DELETIONS {
            let statements = summing::purge(&workspace.id, before, DELETED_AT_ONCE);
            if transaction(env, &statements).await? < DELETED_AT_ONCE {
                break;
            }
        }
    }
    let query = "DELETE FROM visits WHERE id IN (SELECT id FROM visits WHERE at < ? LIMIT ?)";
    let values = [d1::int(before.0)?, d1::int(DELETED_AT_ONCE)?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await?;
    Ok(())
}

/// Runs statements as one; gives how many rows the last of them changed.
async fn transaction(env: &Env, statements: &[Statement]) -> Result<i64> {
    let db = d1::database(env)?;
    let prepared = statements
        .iter()
        .map(|statement| d1::statement(&db, &statement.text, &d1::binds(&statement.binds)?))
        .collect::<Result<Vec<_>>>()?;
    let answers = db.batch(prepared).await?;
    let meta = answers.last().map(worker::D1Result::meta).transpose()?.flatten();
    Ok(meta.and_then(|meta| meta.changes).and_then(|changes| i64::try_from(changes).ok()).unwrap_or(0))
}
