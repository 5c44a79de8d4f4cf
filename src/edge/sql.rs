//! Durable Object SQL that reports errors.
//!
//! `SqlCursor`'s methods import JavaScript without `catch`: an exception there crosses the Wasm frames, the
//! future is never polled again and the caller hangs. These helpers go through `js_sys::Function`, which
//! returns the exception as an `Err`.

use serde::de::DeserializeOwned;
use worker::js_sys::{Array, Function, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use worker::{Result, SqlStorage, SqlStorageValue, Storage, d1::serde_wasm_bindgen};

/// Runs one query and reads every row.
pub(crate) fn rows<T: DeserializeOwned>(
    sql: &SqlStorage,
    query: &str,
    values: Vec<SqlStorageValue>,
) -> Result<Vec<T>> {
    let cursor = execute(sql, query, values)?;
    let found = method(&cursor, "toArray")?.call0(&cursor)?;
    Array::from(&found).iter().map(|row| Ok(serde_wasm_bindgen::from_value(row)?)).collect()
}

/// Runs one statement for its effect.
pub(crate) fn run(sql: &SqlStorage, query: &str, values: Vec<SqlStorageValue>) -> Result<()> {
    execute(sql, query, values).map(|_| ())
}

/// Runs `work` in one SQLite transaction; an `Err` rolls every write back.
pub(crate) fn transaction(storage: &Storage, work: impl FnOnce() -> Result<()> + 'static) -> Result<()> {
    let call = Closure::once_into_js(move || work().map_err(JsValue::from));
    let storage: &JsValue = storage.as_raw().as_ref();
    method(storage, "transactionSync")?.call1(storage, &call)?;
    Ok(())
}

fn execute(sql: &SqlStorage, query: &str, values: Vec<SqlStorageValue>) -> Result<JsValue> {
    let arguments = Array::of1(&JsValue::from_str(query));
    for value in values {
        arguments.push(&value.into());
    }
    Ok(method(sql.as_ref(), "exec")?.apply(sql.as_ref(), &arguments)?)
}

/// A method of a JavaScript object, which gives what it throws as an `Err`.
pub(crate) fn method(target: &JsValue, name: &str) -> Result<Function> {
    Ok(Reflect::get(target, &JsValue::from_str(name))?.dyn_into()?)
}
