//! Whose pages may report clicks to a workspace: from the isolate's memory, else D1.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::recent::Recent;
use crate::core::time::Millis;
use crate::edge::{d1, entropy};

const CAPACITY: usize = 200;
const LIFE_MS: i64 = 30_000;

#[derive(Deserialize)]
struct Row {
    allowed_hostnames: String,
}

thread_local! {
    static HOSTS: RefCell<Recent<Rc<str>>> = RefCell::new(Recent::new(CAPACITY));
}

/// The JSON array of a workspace's allowed host names.
///
/// # Errors
/// When D1 fails.
pub(crate) async fn of(env: &Env, workspace_id: &str) -> Result<Rc<str>> {
    if let Some(known) = HOSTS.with_borrow_mut(|hosts| hosts.get(workspace_id, entropy::now())) {
        return Ok(known);
    }
    let query = "SELECT allowed_hostnames FROM workspaces WHERE id = ?1";
    let row: Option<Row> = d1::first(&d1::database(env)?, query, &[d1::text(workspace_id)]).await?;
    let text: Rc<str> = row.map_or_else(String::new, |row| row.allowed_hostnames).into();
    let until = Millis(entropy::now().0.saturating_add(LIFE_MS));
    HOSTS.with_borrow_mut(|hosts| hosts.put(workspace_id, until, Rc::clone(&text)));
    Ok(text)
}

/// Forgets those of a workspace; after a change to them.
pub(crate) fn forget(workspace_id: &str) {
    HOSTS.with_borrow_mut(|hosts| hosts.forget(workspace_id));
}
