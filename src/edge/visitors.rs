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
use crate::core::visitor::Secrets;
use crate::edge::{seal, settings};

thread_local! {
    static SECRETS: RefCell<Option<Rc<Secrets>>> = const { RefCell::new(None) };
    static TODAY: RefCell<Option<DayKey>> = const { RefCell::new(None) };
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
    Ok(today(env, at)?.fingerprint(ip, "").unwrap_or_else(|| "unknown".to_owned()))
}

/// Adds the fingerprints that tell a repetition without a cookie.
pub(crate) fn mark(env: &Env, visit: &mut Visit, ip: &str, user_agent: &str) {
    let at = visit.at;
    match today(env, at) {
        Ok(key) => {
            visit.fingerprint = key.fingerprint(ip, user_agent).unwrap_or_default();
            if fingerprint::needs_yesterday(at)
                && let Ok(secret) = seal::key(env)
            {
                let before = DayKey::of(&secret, at.plus_days(-1));
                visit.fingerprint_before = before.fingerprint(ip, user_agent).unwrap_or_default();
            }
        }
        Err(e) => console_error!("alarm: visitors without cookies cannot be told apart: {e}"),
    }
}

fn today(env: &Env, at: Millis) -> Result<DayKey> {
    if let Some(key) = TODAY.with_borrow(|key| key.clone().filter(|key| key.is_of(at))) {
        return Ok(key);
    }
    let key = DayKey::of(&seal::key(env)?, at);
    TODAY.set(Some(key.clone()));
    Ok(key)
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
        country: country(&text("country")).to_owned(),
        region: text("regionCode"),
        city: text("city"),
        latitude: text("latitude"),
        longitude: text("longitude"),
        edge_location: text("colo"),
    }
}

/// A country as the platform names it; its marks for unknown (`XX`) and for Tor (`T1`) are no country.
pub(crate) fn country(name: &str) -> &str {
    if name.len() == 2 && name.bytes().all(|b| b.is_ascii_uppercase()) && name != "XX" { name } else { "" }
}
