//! One door into D1.
//!
//! `JsValue::from(i64)` is a `BigInt`, which D1 refuses; `None` becomes `undefined`, which it refuses as well.
//! Bind through [`int`] and [`text`] only.

use std::cell::Cell;

use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env, Error, Result};

use crate::core::sql::{Bind, Where};
use crate::edge::bindings;

thread_local! {
    /// Whether D1 is to fail, for tests of what happens then. Only the local runtime can say so.
    static FAILING: Cell<bool> = const { Cell::new(false) };
}

/// Makes every access to D1 fail from now on, or work again.
pub(crate) fn fail(failing: bool) {
    FAILING.set(failing);
}

/// The database.
pub(crate) fn database(env: &Env) -> Result<D1Database> {
    if FAILING.get() {
        return Err(Error::JsError("D1 is made to fail".to_owned()));
    }
    env.d1(bindings::DB)
}

/// An integer, refused beyond what a JavaScript number holds exactly.
pub(crate) fn int(value: i64) -> Result<JsValue> {
    const MAX_SAFE: i64 = (1 << 53) - 1;
    if !(-MAX_SAFE..=MAX_SAFE).contains(&value) {
        return Err(Error::RustError(format!("{value} does not fit a JavaScript number")));
    }
    #[expect(clippy::cast_precision_loss, reason = "the range check above makes it exact")]
    Ok(JsValue::from_f64(value as f64))
}

/// A text, or NULL.
pub(crate) fn text<'a>(value: impl Into<Option<&'a str>>) -> JsValue {
    value.into().map_or(JsValue::NULL, JsValue::from_str)
}

/// Values as `core` knows them.
pub(crate) fn binds(values: &[Bind]) -> Result<Vec<JsValue>> {
    let bind = |value: &Bind| match value {
        Bind::Text(value) => Ok(text(value.as_str())),
        Bind::Int(value) => int(*value),
        Bind::Null => Ok(JsValue::NULL),
    };
    values.iter().map(bind).collect()
}

/// A prepared statement with its values bound.
pub(crate) fn statement(db: &D1Database, query: &str, values: &[JsValue]) -> Result<D1PreparedStatement> {
    db.prepare(query).bind(values)
}

/// Every row of one query.
pub(crate) async fn rows<T: DeserializeOwned>(
    db: &D1Database,
    query: &str,
    values: &[JsValue],
) -> Result<Vec<T>> {
    statement(db, query, values)?.all().await?.results()
}

/// The first row, if there is one.
pub(crate) async fn first<T: DeserializeOwned>(
    db: &D1Database,
    query: &str,
    values: &[JsValue],
) -> Result<Option<T>> {
    statement(db, query, values)?.first(None).await
}

/// Whether an error is a broken UNIQUE constraint: the row is already there.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    error.to_string().contains("UNIQUE constraint failed")
}

/// How many rows of `table` (alias `x`) a condition holds for.
pub(crate) async fn count(env: &Env, table: &'static str, condition: &Where) -> Result<i64> {
    #[derive(serde::Deserialize)]
    struct Row {
        n: i64,
    }
    let query = format!("SELECT COUNT(*) AS n FROM {table} x WHERE {}", condition.text());
    let row: Option<Row> = first(&database(env)?, &query, &binds(condition.binds())?).await?;
    Ok(row.map_or(0, |row| row.n))
}
