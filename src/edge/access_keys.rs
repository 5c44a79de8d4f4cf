//! The public keys of a Cloudflare Access team: fetched, remembered, and held against signatures by `WebCrypto`.

use std::cell::RefCell;

use wasm_bindgen_futures::JsFuture;
use worker::js_sys::{self, Array, Function, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{AbortSignal, Env, Error, Fetch, Request, RequestInit, RequestRedirect, Result, web_sys};

use crate::core::access_token::{self, PublicKey, Team, Unchecked};
use crate::core::time::Millis;
use crate::edge::{body, settings};

/// How long keys are believed. Access changes them every six weeks and keeps the old ones for a week.
const LIFE_MS: i64 = 3_600_000;
/// A key that is not among them is looked for again, but not more often than this.
const AGAIN_MS: i64 = 30_000;
const TIMEOUT_MS: u32 = 5_000;
const MAX_BYTES: usize = 64 * 1024;

#[derive(Clone)]
struct Known {
    certs: String,
    at: Millis,
    keys: Vec<PublicKey>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

/// Whose tokens sign in, from `CF_ACCESS_TEAM_DOMAIN` and `CF_ACCESS_AUD`; `None`: nobody's.
pub(crate) fn team(env: &Env) -> Option<Team> {
    let domain = settings::optional(env, "CF_ACCESS_TEAM_DOMAIN")?;
    Team::parse(&domain, &settings::optional(env, "CF_ACCESS_AUD")?)
}

/// Whether a key of the team signed this token.
pub(crate) async fn signed(env: &Env, team: &Team, token: &Unchecked, now: Millis) -> Result<bool> {
    let certs = certs(env, team);
    let known = KNOWN.with_borrow(Clone::clone).filter(|known| known.certs == certs);
    let has = |known: &Known| known.keys.iter().any(|key| key.id == token.key_id);
    let age = known.as_ref().map_or(i64::MAX, |known| now.0.saturating_sub(known.at.0));
    let known = match known {
        Some(known) if age < LIFE_MS && (has(&known) || age < AGAIN_MS) => known,
        _ => {
            let known = Known { keys: fetch(&certs).await?, at: now, certs };
            KNOWN.set(Some(known.clone()));
            known
        }
    };
    match known.keys.iter().find(|key| key.id == token.key_id) {
        Some(key) => verify(key, token).await,
        None => Ok(false),
    }
}

/// Where the keys are: with the team; in the local runtime alone, also on this machine, where a test stands for it.
fn certs(env: &Env, team: &Team) -> String {
    let local = settings::optional(env, "LOCAL_ACCESS_CERTS").filter(|_| settings::is_local(env));
    local.map_or_else(|| team.certs(), |host| format!("http://{host}/cdn-cgi/access/certs"))
}

async fn fetch(certs: &str) -> Result<Vec<PublicKey>> {
    let unreadable = || Error::JsError(format!("{certs} did not answer with keys"));
    let mut init = RequestInit::new();
    init.with_redirect(RequestRedirect::Manual);
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    let request = Request::new_with_init(certs, &init)?;
    let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
    if response.status_code() != 200 {
        return Err(unreadable());
    }
    let text = body::beginning(&mut response, MAX_BYTES).await?;
    access_token::public_keys(&text).filter(|keys| !keys.is_empty()).ok_or_else(unreadable)
}

/// RSASSA-PKCS1-v1_5 with SHA-256 and nothing else, whatever the token says.
async fn verify(key: &PublicKey, token: &Unchecked) -> Result<bool> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle = Reflect::get(&crypto, &"subtle".into())?;
    let algorithm = object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")])?;
    let jwk = object(&[("kty", "RSA"), ("alg", "RS256"), ("n", &key.modulus), ("e", &key.exponent)])?;
    let usages = Array::of1(&"verify".into());
    let key =
        call(&subtle, "importKey", &[&"jwk".into(), &jwk, &algorithm, &JsValue::FALSE, &usages]).await?;
    let signature = Uint8Array::from(token.signature.as_slice());
    let signed = Uint8Array::from(token.signed.as_bytes());
    let holds = call(&subtle, "verify", &[&algorithm, &key, &signature, &signed]).await?;
    Ok(holds.as_bool() == Some(true))
}

fn object(entries: &[(&str, &str)]) -> Result<Object> {
    let object = Object::new();
    for (name, value) in entries {
        Reflect::set(&object, &(*name).into(), &(*value).into())?;
    }
    Ok(object)
}

/// A method that answers with a promise. Through `Function`, which gives what is thrown as an error.
async fn call(target: &JsValue, name: &str, arguments: &[&JsValue]) -> Result<JsValue> {
    let method: Function = Reflect::get(target, &name.into())?.dyn_into()?;
    let arguments: Array = arguments.iter().copied().collect();
    let promise: Promise = method.apply(target, &arguments)?.dyn_into()?;
    Ok(JsFuture::from(promise).await?)
}
