//! Short links: reads the request, finds the link, lets `core::redirect` decide, answers, then records.

use worker::wasm_bindgen::JsValue;
use worker::{Context, Env, Request, Response, Result, console_error};

use crate::core::click::{Draft, Visit};
use crate::core::redirect;
use crate::core::visit::RequestFacts;
use crate::core::{domain, key};
use crate::edge::links::{self, Found};
use crate::edge::{click_queue, entropy, settings, visitors};
use crate::http::respond;

/// Headers that say that a browser fetches ahead, most specific first.
const PURPOSE: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Answers a request whose path is no route of ours.
pub(crate) async fn answer(request: &Request, env: &Env, ctx: &Context) -> Result<Response> {
    let asked = Asked::read(request, env)?;
    let facts = asked.facts();
    let outcome = match (domain::of_host(&asked.host), key::of_path(&asked.path)) {
        (Some(domain), Some(wanted)) => match links::find(env, &domain, &wanted.key).await {
            Found::Link(link) => redirect::decide(&link, &facts, visitors::click_id_keys(env).as_ref()),
            Found::Nothing => redirect::not_found(facts.accept_language),
            Found::Unavailable => redirect::unavailable(facts.accept_language),
        },
        _ => redirect::not_found(facts.accept_language),
    };
    let response = respond::outcome(&outcome, asked.method == "HEAD")?;
    if let Some(draft) = outcome.visit {
        ctx.wait_until(record(env.clone(), draft, asked));
    }
    Ok(response)
}

/// Everything that happens after the answer.
async fn record(env: Env, draft: Draft, asked: Asked) {
    let mut place = visitors::place(&asked.cf);
    if place.country.is_empty() {
        place.country.clone_from(&asked.country);
    }
    let mut visit = Visit::new(draft, &asked.facts(), place);
    visitors::mark(&env, &mut visit, &asked.ip, &asked.user_agent);
    click_queue::send(&env, visit).await;
}

/// What is kept of the request until the click is recorded.
struct Asked {
    method: String,
    secure: bool,
    host: String,
    path: String,
    query: String,
    ip: String,
    country: String,
    user_agent: String,
    referer: String,
    cookie: String,
    accept_language: String,
    purpose: String,
    no_track: bool,
    now: crate::core::time::Millis,
    chance: [u8; 32],
    cf: JsValue,
}

impl Asked {
    fn read(request: &Request, env: &Env) -> Result<Self> {
        let headers = request.headers();
        let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
        let url = request.inner().url();
        let (secure, path, query) = split(&url);
        let mut host = header("host");
        if settings::is_local(env)
            && let Some(stand_in) = headers.get("x-pimms-host").ok().flatten()
        {
            host = stand_in;
        }
        let chance = entropy::random().inspect_err(|e| console_error!("alarm: {e}")).unwrap_or_default();
        Ok(Self {
            method: request.method().to_string(),
            secure,
            path: path.to_owned(),
            query: query.to_owned(),
            ip: header("cf-connecting-ip"),
            country: visitors::country(&header("cf-ipcountry")).to_owned(),
            user_agent: header("user-agent"),
            referer: header("referer"),
            cookie: header("cookie"),
            accept_language: header("accept-language"),
            purpose: PURPOSE
                .iter()
                .map(|name| header(name))
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            no_track: headers.has("pimms-no-track")?,
            now: entropy::now(),
            chance,
            cf: worker::js_sys::Reflect::get(request.inner(), &JsValue::from_str("cf")).unwrap_or_default(),
            host,
        })
    }

    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            method: &self.method,
            secure: self.secure,
            host: domain::without_port(&self.host),
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

/// Whether it is https, the path and the query of an address as the runtime writes it.
fn split(url: &str) -> (bool, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or("/");
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (scheme == "https", path, query)
}
