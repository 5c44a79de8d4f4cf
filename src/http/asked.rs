//! What a redirect reads of a request, kept until the click is recorded.

use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Request, Result};

use crate::core::domain;
use crate::core::time::Millis;
use crate::core::visit::{self, CHANCE_BYTES, RequestFacts};
use crate::edge::{entropy, settings, visitors};

/// Headers that say that a browser fetches ahead, most specific first.
const PURPOSE: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// The request, as far as a redirect looks at it.
pub(crate) struct Asked {
    pub method: String,
    pub path: String,
    pub host: String,
    pub ip: String,
    pub country: String,
    pub user_agent: String,
    pub cf: JsValue,
    pub now: Millis,
    secure: bool,
    query: String,
    referer: String,
    cookie: String,
    accept_language: String,
    purpose: String,
    no_track: bool,
    chance: [u8; CHANCE_BYTES],
}

impl Asked {
    /// Reads the request.
    pub(crate) fn read(request: &Request, env: &Env) -> Result<Self> {
        let headers = request.headers();
        let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
        let url = request.inner().url();
        let (secure, _, path, query) = visit::parts(&url);
        let mut host = header("host");
        if settings::is_local(env)
            && let Some(stand_in) = headers.get("x-pimms-host").ok().flatten()
        {
            host = stand_in;
        }
        let cf = Reflect::get(request.inner(), &JsValue::from_str("cf")).unwrap_or_default();
        let mut country = visit::country(&header("cf-ipcountry")).to_owned();
        if country.is_empty() {
            country = visitors::place(&cf).country;
        }
        Ok(Self {
            method: request.method().to_string(),
            path: path.to_owned(),
            host: host.to_ascii_lowercase(),
            ip: header("cf-connecting-ip"),
            country,
            user_agent: header("user-agent"),
            cf,
            now: entropy::now(),
            secure,
            query: query.to_owned(),
            referer: header("referer"),
            cookie: header("cookie"),
            accept_language: header("accept-language"),
            purpose: PURPOSE
                .iter()
                .map(|name| header(name))
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            no_track: headers.has("pimms-no-track")?,
            chance: entropy::pooled(),
        })
    }

    /// As plain data.
    pub(crate) fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            method: &self.method,
            secure: self.secure,
            host: domain::without_port(&self.host),
            authority: &self.host,
            path: &self.path,
            query: &self.query,
            now: self.now,
            ip: &self.ip,
            country: &self.country,
            user_agent: &self.user_agent,
            referer: &self.referer,
            cookie: &self.cookie,
            accept_language: &self.accept_language,
            purpose: &self.purpose,
            no_track: self.no_track,
            chance: self.chance,
        }
    }
}
