//! Counts clicks ahead and deletes old ones; `core::analytics::summing` says what and how.

use std::cell::Cell;

use worker::{Env, Result, console_error, console_log};

use crate::core::analytics::summing::{self, OLDEST, Oldest, STATES, State, Statement};
use crate::core::time::{DAY_MS, Millis};
use crate::edge::{d1, entropy, settings};

/// How often an isolate that stores clicks looks whether there is something to sum.
const PAUSE_MS: i64 = 300_000;
/// Steps after one batch of clicks: a step is some dozen statements.
const STEPS_PER_BATCH: usize = 2;
/// Steps of one cron run.
const STEPS_PER_RUN: usize = 60;
/// Days of each workspace whose clicks one cron run deletes, and visits that it does.
const DAYS_PER_RUN: usize = 5;
const VISITS_PER_RUN: i64 = 20_000;

thread_local! {
    static NEXT_MS: Cell<i64> = const { Cell::new(0) };
    static ROWS_WRITTEN: Cell<usize> = const { Cell::new(0) };
}

/// How many rows sums have written in this isolate: for measurements.
pub(crate) fn rows_written() -> usize {
    ROWS_WRITTEN.get()
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

/// Deletes clicks whose time is over, of every workspace, some days of them per run.
pub(crate) async fn purge(env: &Env, now: Millis) -> Result<()> {
    let today = now.0.saturating_sub(now.0.rem_euclid(DAY_MS));
    let before = Millis(today).plus_days(-settings::click_retention_days(env));
    for _ in 0..DAYS_PER_RUN {
        let oldest: Vec<Oldest> = d1::rows(&d1::database(env)?, OLDEST, &[d1::int(before.0)?]).await?;
        if oldest.is_empty() {
            break;
        }
        for Oldest { workspace_id, at } in oldest {
            transaction(env, &summing::purge(&workspace_id, at)).await?;
        }
    }
    let query = "DELETE FROM visits WHERE id IN (SELECT id FROM visits WHERE at < ? LIMIT ?)";
    let values = [d1::int(before.0)?, d1::int(VISITS_PER_RUN)?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await?;
    Ok(())
}

/// Runs statements as one.
async fn transaction(env: &Env, statements: &[Statement]) -> Result<()> {
    let db = d1::database(env)?;
    let prepared = statements
        .iter()
        .map(|statement| d1::statement(&db, &statement.text, &d1::binds(&statement.binds)?))
        .collect::<Result<Vec<_>>>()?;
    let answers = db.batch(prepared).await?;
    for meta in answers.iter().filter_map(|answer| answer.meta().ok().flatten()) {
        ROWS_WRITTEN.set(ROWS_WRITTEN.get().saturating_add(meta.rows_written.unwrap_or(0)));
    }
    Ok(())
}
