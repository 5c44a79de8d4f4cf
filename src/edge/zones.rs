//! Time zones, as the platform knows them.
//!
//! The runtime carries the IANA database already; a copy of it in the Worker would cost more than the rest of
//! this file's neighbours together. `Intl` is asked for wall clocks, and what changes between two of them is
//! narrowed down to the minute.

use worker::js_sys::{Array, Function, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Result, js_sys};

use crate::core::analytics::Zone;
use crate::core::time::{DAY_MS, Millis};

/// How far apart samples are; two changes closer together than this would be missed.
const STEP_MS: i64 = 7 * DAY_MS;
const MINUTE_MS: i64 = 60_000;

/// The zone of this IANA name between two instants; `None` when there is no such zone.
pub(crate) fn zone(name: &str, from: Millis, to: Millis) -> Result<Option<Zone>> {
    if matches!(name, "UTC" | "Etc/UTC" | "GMT") {
        return Ok(Some(Zone::default()));
    }
    let Ok(clock) = Clock::new(name) else { return Ok(None) };
    let mut changes = vec![(from, clock.offset(from)?)];
    let (mut at, mut offset) = (from, clock.offset(from)?);
    while at < to {
        let next = Millis(at.0.saturating_add(STEP_MS));
        let found = clock.offset(next)?;
        if found != offset {
            changes.push((clock.change(at, next, offset)?, found));
        }
        (at, offset) = (next, found);
    }
    Ok(Some(Zone::new(changes)))
}

/// An `Intl.DateTimeFormat` that writes wall clocks.
struct Clock {
    format: JsValue,
    method: Function,
}

impl Clock {
    /// Fails on an unknown zone. `js_sys`'s own constructor would throw past Wasm.
    fn new(name: &str) -> Result<Self> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into())?;
        let constructor: Function = Reflect::get(&intl, &"DateTimeFormat".into())?.dyn_into()?;
        let options = js_sys::Object::new();
        for (key, value) in [
            ("timeZone", name),
            ("hourCycle", "h23"),
            ("year", "numeric"),
            ("month", "2-digit"),
            ("day", "2-digit"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ] {
            Reflect::set(&options, &key.into(), &value.into())?;
        }
        let format = Reflect::construct(&constructor, &Array::of2(&"en-US".into(), &options))?;
        let method = Reflect::get(&format, &"format".into())?.dyn_into()?;
        Ok(Self { format, method })
    }

    /// Minutes east of UTC.
    fn offset(&self, at: Millis) -> Result<i64> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 2100 are far below 2^53")]
        let text = self.method.call1(&self.format, &JsValue::from_f64(at.0 as f64))?;
        // `04/25/2024, 14:30:00`
        let text = text.as_string().unwrap_or_default();
        let wall = chrono::NaiveDateTime::parse_from_str(&text, "%m/%d/%Y, %H:%M:%S")
            .map_err(|e| worker::Error::RustError(format!("wall clock {text:?}: {e}")))?;
        let wall = wall.and_utc().timestamp_millis();
        Ok((wall - at.0.div_euclid(1000) * 1000).div_euclid(MINUTE_MS))
    }

    /// The first minute at which the offset is no longer `before`.
    fn change(&self, from: Millis, to: Millis, before: i64) -> Result<Millis> {
        let (mut low, mut high) = (from.0.div_euclid(MINUTE_MS), to.0.div_euclid(MINUTE_MS));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.offset(Millis(middle * MINUTE_MS))? == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(Millis(high * MINUTE_MS))
    }
}
