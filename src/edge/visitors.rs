//! Where a visitor is and what tells visitors apart, from the platform.

use std::cell::RefCell;
use std::rc::Rc;

use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Result, console_error};

use crate::core::click::{Place, Visit};
use crate::core::fingerprint::{self, DayKey};
use crate::core::password::UnlockKey;
use crate::core::time::Millis;
use crate::core::visit;
use crate::core::visitor::Secrets;
use crate::edge::{seal, settings};

thread_local! {
    static SECRETS: RefCell<Option<Rc<Secrets>>> = const { RefCell::new(None) };
    static DAYS: RefCell<Option<Rc<Days>>> = const { RefCell::new(None) };
}

/// What signs click ids and cookies; what is missing is an alarm, and does not stop a redirect.
pub(crate) fn secrets(env: &Env) -> Rc<Secrets> {
    if let Some(secrets) = SECRETS.with_borrow(Clone::clone) {
        return secrets;
    }
    let click_ids = settings::click_id_keys(env).inspect_err(|e| console_error!("alarm: no click ids: {e}"));
    let sealing = seal::key(env).inspect_err(|e| console_error!("alarm: no password can be remembered: {e}"));
    let is_complete = click_ids.is_ok() && sealing.is_ok();
    let unlock = sealing.ok().map(|key| UnlockKey::of(&key));
    let secrets = Rc::new(Secrets { click_ids: click_ids.ok(), unlock });
    if is_complete {
        SECRETS.set(Some(Rc::clone(&secrets)));
    }
    secrets
}

/// Stands for an address where attempts are counted.
pub(crate) fn address_mark(env: &Env, ip: &str, at: Millis) -> Result<String> {
    Ok(days(env, at)?.today.fingerprint(ip, "").unwrap_or_else(|| "unknown".to_owned()))
}

/// Adds the fingerprints that tell a repetition without a cookie.
pub(crate) fn mark(env: &Env, visit: &mut Visit, ip: &str, user_agent: &str) {
    match days(env, visit.at) {
        Ok(days) => days.mark(visit, ip, user_agent),
        Err(e) => console_error!("alarm: visitors without cookies cannot be told apart: {e}"),
    }
}

/// Secrets and keys of the day, when this isolate has them at hand.
pub(crate) fn remembered(at: Millis) -> Option<(Rc<Secrets>, Rc<Days>)> {
    let days = DAYS.with_borrow(|days| days.clone().filter(|days| days.today.is_of(at)))?;
    Some((SECRETS.with_borrow(Clone::clone)?, days))
}

/// The keys of fingerprints: of a day and of the day before.
pub(crate) struct Days {
    today: DayKey,
    before: DayKey,
}

impl Days {
    /// Adds the fingerprints to a visit of the day.
    pub(crate) fn mark(&self, visit: &mut Visit, ip: &str, user_agent: &str) {
        visit.fingerprint = self.today.fingerprint(ip, user_agent).unwrap_or_default();
        if fingerprint::needs_yesterday(visit.at) {
            visit.fingerprint_before = self.before.fingerprint(ip, user_agent).unwrap_or_default();
        }
    }
}

fn days(env: &Env, at: Millis) -> Result<Rc<Days>> {
    if let Some(days) = DAYS.with_borrow(|days| days.clone().filter(|days| days.today.is_of(at))) {
        return Ok(days);
    }
    let secret = seal::key(env)?;
    let days = Days { today: DayKey::of(&secret, at), before: DayKey::of(&secret, at.plus_days(-1)) };
    let days = Rc::new(days);
    DAYS.set(Some(Rc::clone(&days)));
    Ok(days)
}

/// The platform's `request.cf`, read field by field: a missing one is an empty text.
///
/// The SDK's own accessors panic on some missing fields, as on requests made by tools.
pub(crate) fn place(cf: &JsValue) -> Place {
    let text = |name: &str| {
        let value = Reflect::get(cf, &JsValue::from_str(name)).unwrap_or_default();
        value.as_string().or_else(|| value.as_f64().map(|number| number.to_string())).unwrap_or_default()
    };
    if !cf.is_object() {
        return Place::default();
    }
    Place {
        continent: text("continent"),
        country: visit::country(&text("country")).to_owned(),
        region: text("regionCode"),
        city: text("city"),
        latitude: text("latitude"),
        longitude: text("longitude"),
        edge_location: text("colo"),
    }
}
