//! How often a link's password may be tried.
//!
//! An attempt is counted in D1 before the password is looked at, in one transaction, so attempts made at the
//! same moment are bounded as well; one that was right is taken back. When D1 fails, no password is tried.

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env, Error, Result};

use crate::core::redirect::PASSWORD_PAUSE_S;
use crate::core::time::Millis;
use crate::edge::d1;

/// Wrong passwords of one address, in a quarter of an hour.
const MOST_OF_ONE: i64 = 10;
/// Wrong passwords of everybody: a guesser has more than one address.
const MOST_OF_ALL: i64 = 200;

#[derive(Deserialize)]
struct Counted {
    count: i64,
}

/// An attempt that may be made.
pub(crate) struct Attempt<'a> {
    link_id: &'a str,
    who: &'a str,
    quarter: i64,
}

/// Counts an attempt; `None`: there were too many, the password must not be looked at.
pub(crate) async fn begin<'a>(
    env: &Env,
    link_id: &'a str,
    who: &'a str,
    now: Millis,
) -> Result<Option<Attempt<'a>>> {
    let attempt = Attempt { link_id, who, quarter: now.0.div_euclid(i64::from(PASSWORD_PAUSE_S) * 1000) };
    let db = d1::database(env)?;
    let batch = vec![
        d1::statement(
            &db,
            "DELETE FROM password_attempts WHERE link_id = ?1 AND quarter < ?2",
            &[d1::text(link_id), d1::int(attempt.quarter)?],
        )?,
        attempt.count(&db, who)?,
        attempt.count(&db, "")?,
    ];
    let results = db.batch(batch).await.map_err(|e| Error::RustError(format!("D1: {e}")))?;
    let mut counts = Vec::new();
    for result in results.iter().skip(1) {
        counts.extend(result.results::<Counted>()?.into_iter().map(|row| row.count));
    }
    let is_allowed = counts.iter().zip([MOST_OF_ONE, MOST_OF_ALL]).all(|(count, most)| *count <= most);
    Ok((counts.len() == 2 && is_allowed).then_some(attempt))
}

impl Attempt<'_> {
    /// Takes the attempt back: the password was right.
    pub(crate) async fn forget(&self, env: &Env) -> Result<()> {
        let query = "UPDATE password_attempts SET count = count - 1 \
                     WHERE link_id = ?1 AND who IN (?2, '') AND quarter = ?3 AND count > 0";
        let values = [d1::text(self.link_id), d1::text(self.who), d1::int(self.quarter)?];
        d1::statement(&d1::database(env)?, query, &values)?.run().await?;
        Ok(())
    }

    fn count(&self, db: &D1Database, who: &str) -> Result<D1PreparedStatement> {
        let query = "INSERT INTO password_attempts (link_id, who, quarter, count) VALUES (?1, ?2, ?3, 1) \
                     ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count";
        d1::statement(db, query, &[d1::text(self.link_id), d1::text(who), d1::int(self.quarter)?])
    }
}
