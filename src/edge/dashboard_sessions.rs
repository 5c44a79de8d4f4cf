//! Sessions of the dashboard in D1. Looking one up for a request is in [`super::keys`], at the price of a key.

use worker::{Env, Result};

use crate::core::time::Millis;
use crate::edge::{d1, keys};

/// A session that begins.
pub(crate) struct Begun<'a> {
    /// What it is found by: [`crate::core::session::name`] of its text.
    pub name: &'a str,
    /// The key it stands for.
    pub key_id: &'a str,
    /// Who signed in, if the key is shared by several people; else empty.
    pub person: &'a str,
    /// From then on it is refused.
    pub expires_at: Millis,
}

/// Stores a session instead of the one that the browser brought along, if it did; what has ended goes as well.
pub(crate) async fn begin(env: &Env, begun: &Begun<'_>, instead: Option<&str>, now: Millis) -> Result<()> {
    let db = d1::database(env)?;
    let gone = "DELETE FROM dashboard_sessions WHERE hash = ?1 OR expires_at < ?2";
    let new = "INSERT INTO dashboard_sessions (hash, key_id, person, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let new_values =
        [d1::text(begun.name), d1::text(begun.key_id), d1::text(begun.person), d1::int(begun.expires_at.0)?];
    let gone_values = [d1::text(instead), d1::int(now.0)?];
    let batch = vec![d1::statement(&db, gone, &gone_values)?, d1::statement(&db, new, &new_values)?];
    db.batch(batch).await?;
    if let Some(instead) = instead {
        keys::forget_one(instead);
    }
    Ok(())
}

/// Ends one session.
pub(crate) async fn end(env: &Env, name: &str) -> Result<()> {
    let query = "DELETE FROM dashboard_sessions WHERE hash = ?1";
    d1::statement(&d1::database(env)?, query, &[d1::text(name)])?.run().await?;
    keys::forget_one(name);
    Ok(())
}

/// Ends every session of a key; by `name`, one of them, only those of its person.
pub(crate) async fn end_all(env: &Env, key_id: &str, name: Option<&str>) -> Result<()> {
    let query = "DELETE FROM dashboard_sessions WHERE key_id = ?1 \
                 AND (?2 IS NULL OR person = (SELECT person FROM dashboard_sessions WHERE hash = ?2))";
    d1::statement(&d1::database(env)?, query, &[d1::text(key_id), d1::text(name)])?.run().await?;
    keys::forget();
    Ok(())
}
