//! What browsers and apps call without a secret: `/track/click`, `/track/visit`, `/track/open`, and with a publishable
//! key `/track/lead/client` and `/track/sale/client`.
//!
//! Any site may call them, without credentials. A click is in the queue before it is answered. On a merchant's own
//! site (`/_pimms/track/…`) the answer also sets the cookies, which browsers keep longer than those of scripts.

use serde_json::{Value, json};
use worker::{Context, Env, Method, Request, Response, Result, console_error};

use crate::core::click::{self, Visit};
use crate::core::link::LinkRecord;
use crate::core::problem::{Code, Problem};
use crate::core::reported::{self, Kind, Report};
use crate::core::visit::RequestFacts;
use crate::edge::links::{self, Found};
use crate::edge::{allowed_hosts, bindings, click_queue, visitors};
use crate::http::asked::Asked;
use crate::http::failure::{Answer, Failure};
use crate::http::{body, limits, respond};

/// How much of a body is read: two long addresses and an id.
const LIMIT_BYTES: usize = 32 * 1024;

/// Whether a path, without the prefix of its place, is one of these calls.
pub(crate) fn is_call(path: &str) -> bool {
    matches!(
        path,
        "/track/click"
            | "/track/visit"
            | "/track/open"
            | "/track/keep"
            | "/track/lead/client"
            | "/track/sale/client"
    )
}

/// Answers one of them. `is_own_site`: it came through the merchant's own site.
pub(crate) async fn answer(
    request: Request,
    env: &Env,
    ctx: &Context,
    path: &str,
    is_own_site: bool,
) -> Result<Response> {
    let answer = match request.method() {
        Method::Options => Ok(respond::nothing()),
        Method::Post if path.ends_with("/client") => limits::guarded(request, env, ctx, path).await,
        Method::Post => match report(request, env, path, is_own_site).await {
            Ok(response) => Ok(response),
            Err(failure) => respond::failure(&failure, path),
        },
        _ => respond::failure(&Failure::WrongMethod("POST, OPTIONS".into()), path),
    };
    let mut response = answer?;
    let headers = response.headers_mut();
    headers.set("access-control-allow-origin", "*")?;
    headers.set("access-control-allow-methods", "POST, OPTIONS")?;
    headers.set("access-control-allow-headers", "Content-Type, Authorization")?;
    headers.set("access-control-max-age", "86400")?;
    Ok(response)
}

/// Insists that the page which calls is on a host that the workspace allows.
pub(crate) async fn require_allowed(request: &Request, env: &Env, workspace_id: &str) -> Result<(), Failure> {
    let header = |name: &str| request.headers().get(name).ok().flatten().unwrap_or_default();
    let allowed = allowed_hosts::of(env, workspace_id).await?;
    if reported::is_allowed(&allowed, &header("referer"), &header("origin")) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, "Pages of this host may not report to this workspace.").into())
}

async fn report(mut request: Request, env: &Env, path: &str, is_own_site: bool) -> Answer {
    let asked = Asked::read(&request, env)?;
    if !within_budget(env, &asked).await {
        let text = "Too many reports from this address. Try again in a minute.";
        let response = respond::problem(&Problem::new(Code::RateLimited, text))?;
        response.headers().set("retry-after", "60")?;
        return Ok(response);
    }
    let body = body::json(&mut request, LIMIT_BYTES).await?;
    let report = match path {
        "/track/click" => Report::read(Kind::Click, &body)?,
        "/track/visit" => Report::read(Kind::Visit, &body)?,
        "/track/open" => Report::read(Kind::Open, &body)?,
        _ => Report::read_held(&body)?,
    };
    let gpc = request.headers().get("sec-gpc")?;
    let is_anonymous = report.is_anonymous(gpc.as_deref());
    let (click_id, link) = match &report.link {
        None if path == "/track/keep" => (report.held().filter(|_| !is_anonymous).map(str::to_owned), None),
        None => (None, None),
        Some((domain, key)) => match links::find(env, domain, key).await {
            Found::Unavailable => {
                return Err(Problem::new(Code::Unavailable, "A store did not answer. Try again.").into());
            }
            Found::Link(link) if reported::is_open(&link, asked.now) => {
                if report.kind != Kind::Open {
                    require_allowed(&request, env, &link.workspace_id).await?;
                }
                (record(env, &asked, &report, &link, is_anonymous).await, Some(link))
            }
            _ => (None, None),
        },
    };
    if link.is_none() && report.link.is_some() && report.kind != Kind::Visit
        || report.link.is_none() && report.kind == Kind::Click && path != "/track/keep"
    {
        return Err(Problem::not_found("Link").into());
    }
    let mut told = json!({"clickId": click_id});
    if report.kind == Kind::Open
        && let Value::Object(told) = &mut told
    {
        let shown = link
            .as_ref()
            .map(|link| json!({"id": link.id, "domain": link.domain, "key": link.key, "url": link.url}));
        told.insert("link".into(), shown.unwrap_or_default());
    }
    let response = respond::json(200, &told)?;
    if let Some(click_id) = click_id.filter(|_| is_own_site) {
        let origin = request.headers().get("origin")?.unwrap_or_default();
        let facts = asked.facts();
        for cookie in report.cookies(facts.host, facts.secure, &origin, &click_id, facts.now) {
            response.headers().append("set-cookie", &cookie)?;
        }
    }
    Ok(response)
}

/// Hands the visit to the queue, as a redirect does; gives what the page may keep.
async fn record(
    env: &Env,
    asked: &Asked,
    report: &Report,
    link: &LinkRecord,
    is_anonymous: bool,
) -> Option<String> {
    let facts = asked.facts();
    // Of the page, not of this call.
    let facts = RequestFacts {
        query: report.query(),
        referer: report.referrer.as_deref().unwrap_or(facts.referer),
        ..facts
    };
    let recorded = report.record(link, &facts, &visitors::secrets(env), is_anonymous);
    let Some(draft) = recorded.draft else { return recorded.click_id };
    let mut place = visitors::place(&asked.cf);
    if place.country.is_empty() {
        place.country.clone_from(&asked.country);
    }
    let mut visit = Visit::new(draft, &facts, place);
    report.kind.trigger().clone_into(&mut visit.signals.reported);
    visitors::mark(env, &mut visit, &asked.ip, &asked.user_agent);
    if is_anonymous {
        visit.make_anonymous();
    }
    let is_click = click::judge(&visit).is_none();
    click_queue::send(env, visit).await;
    recorded.click_id.filter(|_| is_click)
}

/// Whether this address may report once more this minute. When the platform cannot say, it may.
async fn within_budget(env: &Env, asked: &Asked) -> bool {
    let outcome: Result<bool> = async {
        let who = visitors::address_mark(env, &asked.ip, asked.now)?;
        Ok(env.rate_limiter(bindings::REPORTS)?.limit(who).await?.success)
    }
    .await;
    outcome.unwrap_or_else(|e| {
        console_error!("reports cannot be counted, letting one in: {e}");
        true
    })
}
