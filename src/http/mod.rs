//! The routes: one `match` is the table of contents of the API.
//!
//! A handler reads, authorises, loads, asks `core` to decide, and does what it said.

pub(crate) mod access_sign_in;
mod analytics;
pub(crate) mod api;
pub(crate) mod asked;
pub(crate) mod assets;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod bootstrap;
pub(crate) mod customer_activity;
pub(crate) mod customer_writes;
pub(crate) mod customers;
pub(crate) mod domains;
pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod failure;
pub(crate) mod faults;
pub(crate) mod folders;
pub(crate) mod fx_rates;
pub(crate) mod health;
pub(crate) mod ledger;
pub(crate) mod ledger_entries;
pub(crate) mod limits;
pub(crate) mod link_bulk;
pub(crate) mod link_writes;
pub(crate) mod links;
pub(crate) mod people_reports;
pub(crate) mod person;
pub(crate) mod public_page;
mod public_tools;
pub(crate) mod redirect;
pub(crate) mod reported;
pub(crate) mod respond;
pub(crate) mod sales;
pub(crate) mod session;
pub(crate) mod site_check;
mod stripe_settings;
pub(crate) mod stripe_webhook;
pub(crate) mod tags;
pub(crate) mod tokens;
pub(crate) mod track;
pub(crate) mod transfers;
pub(crate) mod upkeep;
pub(crate) mod utm_templates;
pub(crate) mod webhooks;
pub(crate) mod workspaces;

use std::cell::Cell;

use worker::{Context, Env, Method, Request, Response, Result, console_log};

use crate::core::metrics::{Answered, Kind};
use crate::core::problem::Problem;
use crate::core::validate::Query;
use crate::core::{key, request_log};
use crate::edge::{data_points, entropy, settings};
use crate::http::failure::{Answer, Failure};

thread_local! {
    static ANSWERED: Cell<Answered> = const { Cell::new(Answered::new()) };
}

/// What this isolate has answered.
pub(crate) fn answered() -> Answered {
    ANSWERED.get()
}

/// Answers any request, names it, and says in the log how it ended.
pub(crate) async fn handle(request: Request, env: &Env, ctx: &Context) -> Result<Response> {
    let began = entropy::now();
    let (method, path) = (request.method().to_string(), request.path());
    let ray = request.headers().get("cf-ray")?;
    let id = request_log::request_id(ray.as_deref(), entropy::pooled());
    let on_api_host = is_api_host(&request, env)?;
    let is_ours = key::is_route(&path) || on_api_host;
    let mut response = if is_ours {
        ours(request, env, ctx, &path, on_api_host).await?
    } else {
        redirect::answer(request, env, ctx).await?
    };
    response.headers_mut().set("x-request-id", &id)?;
    let status = response.status_code();
    let (kind, took) = (Kind::of(&path, is_ours), entropy::now().0.saturating_sub(began.0));
    ANSWERED.set(ANSWERED.get().and(kind, status));
    data_points::write(env, kind, status, took);
    // What visitors ask for is theirs: of short links only what went wrong with us is told.
    let is_told =
        if is_ours { settings::logs(env, status) } else { status >= 500 && settings::logs(env, status) };
    if is_told {
        let path = if is_ours { path.as_str() } else { "/{key}" };
        console_log!("{}", request_log::line(&id, &method, path, status, took));
    }
    Ok(response)
}

/// Answers a request for something else than a short link. Whatever fails becomes a [`Problem`], here alone.
async fn ours(request: Request, env: &Env, ctx: &Context, path: &str, on_api_host: bool) -> Result<Response> {
    let place = format!("{:?} {}", request.method(), request_log::route(path).0);
    let answer = match assets::asked(&request, on_api_host) {
        Some(asset) => assets::serve(&request, env, &asset).await,
        None => route(request, env, ctx, path, on_api_host).await,
    };
    match answer {
        Ok(response) => Ok(response),
        Err(failure) => respond::failure(&failure, &place),
    }
}

/// Whether the request came to the host that serves the API without the prefix `/api`.
fn is_api_host(request: &Request, env: &Env) -> Result<bool> {
    let Some(api_host) = settings::api_host(env) else { return Ok(false) };
    Ok(request.headers().get("host")?.is_some_and(|host| host.eq_ignore_ascii_case(&api_host)))
}

async fn route(request: Request, env: &Env, ctx: &Context, path: &str, on_api_host: bool) -> Answer {
    let (first, rest) = split(path);
    match (request.method(), first, rest) {
        (Method::Get, "_pimms", "/health") => Ok(respond::json(200, &serde_json::json!({"status": "ok"}))?),
        // Before any look-up of keys: it must answer when D1 does not.
        (Method::Get, "api", "/health") => health::show(&request, env, ctx).await,
        (Method::Get, "api", "/metrics") => health::metrics(&request, env, ctx).await,
        (_, "api", "/health" | "/metrics") => Err(Failure::WrongMethod("GET".into())),
        (Method::Post, "_pimms", "/bootstrap") => bootstrap::create(request, env).await,
        (Method::Put, "_pimms", "/faults") if settings::is_local(env) => faults::set(request, env).await,
        (Method::Post, "_pimms", "/upkeep") if settings::is_local(env) => upkeep::run(request, env).await,
        (Method::Post, "_pimms", "/cron") if settings::is_local(env) => faults::cron(&request, env).await,
        (Method::Post, "stripe", path) => stripe_webhook::route(request, env, path).await,
        (_, "stripe", path) if path.starts_with("/webhook") => Err(Failure::WrongMethod("POST".into())),
        (_, "_pimms", call) if reported::is_call(call) => {
            Ok(reported::answer(request, env, ctx, call, true).await?)
        }
        // Beside the script, where it looks for them unless told.
        (_, "api" | "analytics", call) if reported::is_call(call) => {
            Ok(reported::answer(request, env, ctx, call, false).await?)
        }
        (_, "api", rest) => Ok(limits::guarded(request, env, ctx, rest).await?),
        _ if on_api_host && reported::is_call(path) => {
            Ok(reported::answer(request, env, ctx, path, false).await?)
        }
        _ if on_api_host => Ok(limits::guarded(request, env, ctx, path).await?),
        _ => Err(Problem::not_found("Page").into()),
    }
}

/// `/api/links/x` → (`api`, `/links/x`).
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_at(path.find('/').unwrap_or(path.len()))
}

/// The query of a request.
pub(crate) fn query(request: &Request) -> Result<Query> {
    Ok(Query::parse(request.url()?.query().unwrap_or_default()))
}

/// Whether the caller is one of the generated SDKs, whose types leave less room than JSON does.
pub(crate) fn is_generated_client(request: &Request) -> Result<bool> {
    Ok(request.headers().get("user-agent")?.is_some_and(|agent| agent.starts_with("speakeasy-sdk")))
}
