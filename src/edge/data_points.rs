//! One data point per answer into Analytics Engine, where that is bound.

use worker::js_sys::{JSON, Reflect};
use worker::{Env, Result, console_error};

use crate::core::metrics::{self, Kind};
use crate::edge::{bindings, sql};

/// Writes it; the platform sends it after the answer.
pub(crate) fn write(env: &Env, kind: Kind, status: u16, millis: i64) {
    if let Err(error) = try_to_write(env, kind, status, millis) {
        console_error!("a data point was not written: {error}");
    }
}

fn try_to_write(env: &Env, kind: Kind, status: u16, millis: i64) -> Result<()> {
    let dataset = Reflect::get(env, &bindings::OPTIONAL_METRICS.into())?;
    if !dataset.is_undefined() {
        let point = JSON::parse(&metrics::point(kind, status, millis))?;
        sql::method(&dataset, "writeDataPoint")?.call1(&dataset, &point)?;
    }
    Ok(())
}
