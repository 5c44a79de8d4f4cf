//! Counts clicks ahead and deletes old ones; `core::analytics::summing` says what and how.

use std::cell::Cell;

use worker::{Env, Result, console_error, console_log};

use crate::core::analytics::purging::{self, DELETE_VISITS, OLDEST, Oldest, STRETCHES, Stretch};
use crate::core::analytics::summing::{self, STATES, State, Statement};
use crate::core::time::{DAY_MS, Millis};
use crate::edge::{d1, entropy, settings};

/// How often an isolate that stores clicks looks whether there is something to sum.
const PAUSE_MS: i64 = 300_000;
/// Steps after one batch of clicks: a step is some dozen statements.
const STEPS_PER_BATCH: usize = 2;
/// Steps of one cron run.
const STEPS_PER_RUN: usize = 60;
/// Days that one cron run gives up, and rows that it deletes: in pieces of so many, and so many pieces at most.
const DAYS_PER_RUN: i64 = 50;
const CLICKS_PER_RUN: usize = 100_000;
const CLICKS_PER_PIECE: i64 = 10_000;
const PIECES_PER_RUN: i64 = 100;
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

/// Deletes clicks whose time is over, as each workspace has chosen, so many per run.
///
/// Rows go of days that an earlier run has given up: whoever was summing such a day then has long finished.
pub(crate) async fn purge(env: &Env, now: Millis) -> Result<()> {
    let db = d1::database(env)?;
    let (mut deleted, mut pieces) = (0, PIECES_PER_RUN);
    while deleted < CLICKS_PER_RUN && pieces > 0 {
        let values = [d1::int(CLICKS_PER_PIECE)?, d1::int(pieces)?];
        let stretches: Vec<Stretch> = d1::rows(&db, STRETCHES, &values).await?;
        if stretches.is_empty() {
            break;
        }
        for stretch in stretches {
            deleted += transaction(env, &purging::delete(&stretch)).await?;
            pieces -= 1;
            if deleted >= CLICKS_PER_RUN {
                break;
            }
        }
    }
    let today = d1::int(now.0.saturating_sub(now.0.rem_euclid(DAY_MS)))?;
    let days = d1::int(settings::click_retention_days(env))?;
    let values = [today.clone(), days.clone(), d1::int(DAYS_PER_RUN)?];
    let oldest: Vec<Oldest> = d1::rows(&db, OLDEST, &values).await?;
    for Oldest { workspace_id, at } in oldest {
        transaction(env, &purging::give_up(&workspace_id, at)).await?;
    }
    d1::statement(&db, DELETE_VISITS, &[today, days, d1::int(VISITS_PER_RUN)?])?.run().await?;
    Ok(())
}

/// Runs statements as one; how many rows they changed.
async fn transaction(env: &Env, statements: &[Statement]) -> Result<usize> {
    let db = d1::database(env)?;
    let prepared = statements
        .iter()
        .map(|statement| d1::statement(&db, &statement.text, &d1::binds(&statement.binds)?))
        .collect::<Result<Vec<_>>>()?;
    let answers = db.batch(prepared).await?;
    let mut changed = 0;
    for meta in answers.iter().filter_map(|answer| answer.meta().ok().flatten()) {
        ROWS_WRITTEN.set(ROWS_WRITTEN.get().saturating_add(meta.rows_written.unwrap_or(0)));
        changed += meta.changes.unwrap_or(0);
    }
    Ok(changed)
}
