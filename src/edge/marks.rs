//! When something last happened, in D1, for the health table. A mark that cannot be written is no trouble.

use std::cell::RefCell;

use worker::{Env, console_error};

use crate::core::time::Millis;
use crate::edge::{d1, entropy};

/// How seldom one isolate repeats a mark, in milliseconds.
const SELDOM_MS: i64 = 30_000;

thread_local! {
    static NOTED: RefCell<Vec<(&'static str, Millis)>> = const { RefCell::new(Vec::new()) };
}

/// Notes that it happened now, unless this isolate noted it moments ago.
pub(crate) async fn note(env: &Env, name: &'static str, value: i64) {
    let now = entropy::now();
    let is_new = NOTED.with_borrow_mut(|noted| {
        let is_new = !noted.iter().any(|(known, at)| *known == name && now.0 - at.0 < SELDOM_MS);
        if is_new {
            noted.retain(|(known, _)| *known != name);
            noted.push((name, now));
        }
        is_new
    });
    if is_new {
        note_always(env, name, value).await;
    }
}

/// Notes that it happened now.
pub(crate) async fn note_always(env: &Env, name: &str, value: i64) {
    if let Err(e) = write(env, name, entropy::now(), value).await {
        console_error!("the mark {name} was not written: {e}");
    }
}

async fn write(env: &Env, name: &str, at: Millis, value: i64) -> worker::Result<()> {
    let query = "INSERT INTO marks (name, at, value) VALUES (?1, ?2, ?3) \
        ON CONFLICT (name) DO UPDATE SET at = excluded.at, value = excluded.value";
    let values = [d1::text(name), d1::int(at.0)?, d1::int(value)?];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}
