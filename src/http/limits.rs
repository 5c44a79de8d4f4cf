//! What stands around every API request: the rate limit of its key, and answers that are given once.

use worker::{Context, Env, Headers, Method, Request, Response};

use crate::core::ids;
use crate::core::problem::{Code, Problem};
use crate::core::rate_limit::Verdict;
use crate::edge::idempotency::{self, Claim};
use crate::edge::{entropy, key_windows, keys};
use crate::http::failure::Answer;
use crate::http::{api, auth, body, respond};

/// The largest body that is looked at for a fingerprint.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
const MAX_KEY: usize = 255;

/// Answers an API request within the limit of its key, and says in headers what is left of it.
pub(crate) async fn guarded(
    request: Request,
    env: &Env,
    ctx: &Context,
    path: &str,
) -> worker::Result<Response> {
    let name = auth::named(&request, env).ok().flatten().map(|(name, _)| name).unwrap_or_default();
    let place = format!("{:?} {path}", request.method());
    let found = if name.is_empty() { Ok(None) } else { keys::find(env, ctx, &name, entropy::now()).await };
    let found = match found {
        Ok(found) => found,
        Err(error) => return respond::failure(&error.into(), &place),
    };
    let verdict = found.map(|row| key_windows::take(&row.id, row.rate_limit, entropy::now()));
    if let Some(over) = verdict.filter(|verdict| !verdict.allowed) {
        let text = format!("Rate limit exceeded. Try again in {} seconds.", over.retry_after_s);
        let mut response = respond::problem(&Problem::new(Code::RateLimited, text))?;
        show(response.headers_mut(), over)?;
        return Ok(response);
    }
    let mut response = match once(request, env, ctx, path).await {
        Ok(response) => response,
        Err(failure) => respond::failure(&failure, &place)?,
    };
    if let Some(verdict) = verdict {
        show(response.headers_mut(), verdict)?;
    }
    Ok(response)
}

fn show(headers: &mut Headers, verdict: Verdict) -> worker::Result<()> {
    headers.set("x-ratelimit-limit", &verdict.limit.to_string())?;
    headers.set("x-ratelimit-remaining", &verdict.remaining.to_string())?;
    headers.set("x-ratelimit-reset", &verdict.reset.0.to_string())?;
    if !verdict.allowed {
        headers.set("retry-after", &verdict.retry_after_s.to_string())?;
    }
    Ok(())
}

/// Answers a POST with an `Idempotency-Key` once; the same request again gets the same answer for a day.
///
/// A request that was refused or failed did nothing, and its key is free again.
async fn once(request: Request, env: &Env, ctx: &Context, path: &str) -> Answer {
    let key = request.headers().get("idempotency-key")?.filter(|key| !key.is_empty());
    // A new API key, a webhook's secret and what signs in are shown once and kept nowhere.
    let is_kept = request.method() == Method::Post
        && !["/tokens", "/session", "/webhooks"].iter().any(|p| path.starts_with(p));
    let Some(key) = key.filter(|_| is_kept) else {
        return api::route(request, env, ctx, path).await;
    };
    if key.len() > MAX_KEY {
        return Err(Problem::bad_request("An Idempotency-Key has at most 255 characters.").into());
    }
    let workspace_id = auth::caller(&request, env, ctx).await?.workspace_id;
    let bytes = body::read(&mut request.clone()?, BODY_LIMIT_BYTES).await?;
    let query = request.url()?.query().unwrap_or_default().to_owned();
    let fingerprint = ids::sha256_hex(&[format!("POST {path}?{query}\n").as_bytes(), &bytes].concat());
    match idempotency::claim(env, &workspace_id, &key, &fingerprint, entropy::now()).await? {
        Claim::First => {}
        Claim::Answered(status, body) => {
            let response = respond::text_json(status, body)?;
            response.headers().set("idempotent-replayed", "true")?;
            return Ok(response);
        }
        Claim::UnderWay => {
            let text = "The first request with this Idempotency-Key is still under way.";
            return Err(Problem::new(Code::Conflict, text).into());
        }
        Claim::Other => {
            let text = "This Idempotency-Key was used for another request";
            return Err(Problem::invalid("custom", "Idempotency-Key", text).into());
        }
    }
    let outcome = api::route(request, env, ctx, path).await;
    match outcome {
        Ok(mut response) if response.status_code() < 300 => {
            let text = response.text().await?;
            idempotency::keep(env, &workspace_id, &key, response.status_code(), &text).await?;
            Ok(respond::text_json(response.status_code(), text)?)
        }
        outcome => {
            idempotency::release(env, &workspace_id, &key).await?;
            outcome
        }
    }
}
