//! `/session`: the dashboard's sign-in. An API key, or a link made with one, becomes a cookie.

use serde_json::json;
use worker::{Context, Env, Request, Response};

use crate::core::access::{self, PERMISSIONS};
use crate::core::ids;
use crate::core::problem::{Code, Problem};
use crate::core::session::{self, Kind, require_own, set_cookie};
use crate::core::time::Millis;
use crate::core::validate::{Fields, Text};
use crate::edge::dashboard_sessions::{self, Begun};
use crate::edge::idempotency::{self, Claim};
use crate::edge::{entropy, seal};
use crate::http::auth::{self, Caller, is_secure, origin};
use crate::http::failure::{Answer, Failure};
use crate::http::{access_sign_in, body, respond};

/// `POST /session`: `{"apiKey": "…"}`, `{"token": "…"}` of a sign-in link, or `{"access": true}` with a token of
/// Cloudflare Access in the headers. Always a new session; one that the
/// request brings along ends.
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let headers = auth::OriginHeaders::read(&request)?;
    require_own("POST", origin(&headers))?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let fields = Fields::root(&body)?;
    let key = fields.text("apiKey", Text::up_to(200).trimmed())?.value();
    let token = fields.text("token", Text::up_to(300).trimmed())?.value();
    let by_access = fields.boolean("access")?.value() == Some(true);
    let now = entropy::now();
    let mut expires_at = Millis(now.0.saturating_add(Kind::Session.life_ms()));
    let mut person = String::new();
    let mut caller = match (key, token) {
        (Some(key), _) => auth::of_key(env, ctx, &ids::sha256_hex(key.as_bytes()), now).await?,
        (None, Some(token)) => of_link(env, ctx, &token, now).await?,
        (None, None) if by_access => {
            let (caller, found) = access_sign_in::caller(&request, env, ctx, now).await?;
            expires_at = expires_at.min(found.ends);
            person = found.name;
            caller
        }
        (None, None) => return Err(fields.refuse("apiKey", "Required").into()),
    };
    let token = Kind::Session.sign_until(&seal::key(env)?, &caller.key_id, &entropy::token(16)?, expires_at);
    let name = session::name(&token);
    let begun = Begun { name: &name, key_id: &caller.key_id, person: &person, expires_at };
    let instead = auth::session(&request, env)?.map(|(name, _)| name);
    dashboard_sessions::begin(env, &begun, instead.as_deref(), now).await?;
    caller.session_end = Some(expires_at);
    with_cookie(shown(&caller)?, Some(&token), is_secure(&request, env)?)
}

/// `GET /session/access`: whether Cloudflare Access signs in here. Anybody may know before signing in.
pub(crate) fn access(env: &Env) -> Answer {
    Ok(respond::json(200, &json!({"configured": access_sign_in::is_configured(env)}))?)
}

/// `GET /session`: who asks.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::caller(request, env, ctx).await?;
    Ok(shown(&caller)?)
}

/// `DELETE /session`: the session ends, and the browser forgets it.
pub(crate) async fn delete(request: &Request, env: &Env) -> Answer {
    let headers = auth::OriginHeaders::read(request)?;
    require_own("DELETE", origin(&headers))?;
    if let Some((name, _)) = auth::session(request, env)? {
        dashboard_sessions::end(env, &name).await?;
    }
    signed_out(request, env)
}

/// `DELETE /session/all`: every session of the caller's key ends, wherever it is; of a key that people share by
/// signing in by name, those of the caller.
pub(crate) async fn delete_all(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::caller(request, env, ctx).await?;
    let own = if caller.session_end.is_some() { auth::session(request, env)? } else { None };
    dashboard_sessions::end_all(env, &caller.key_id, own.as_ref().map(|(name, _)| name.as_str())).await?;
    signed_out(request, env)
}

fn signed_out(request: &Request, env: &Env) -> Answer {
    let response = respond::json(200, &json!({"signedOut": true}))?;
    with_cookie(response, None, is_secure(request, env)?)
}

/// `POST /session/link`: a token that signs in once, for the fragment of the dashboard's address. Not for a session,
/// which would outlive its end by it.
pub(crate) async fn link(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::caller(request, env, ctx).await?;
    if caller.session_end.is_some() {
        return Err(Problem::new(Code::Forbidden, "A sign-in link is made with an API key.").into());
    }
    let now = entropy::now();
    let token = Kind::SignIn.sign(&seal::key(env)?, &caller.key_id, &entropy::token(16)?, now);
    let expires_at = Millis(now.0.saturating_add(Kind::SignIn.life_ms()));
    Ok(respond::json(201, &json!({"token": token, "expiresAt": expires_at.to_iso()}))?)
}

/// The key behind a sign-in link, the first time it is shown.
async fn of_link(env: &Env, ctx: &Context, token: &str, now: Millis) -> Result<Caller, Failure> {
    let checked = Kind::SignIn.check(&seal::key(env)?, token, now).ok_or_else(access::unauthorized)?;
    let caller = auth::of_key(env, ctx, &checked.key_id, now).await?;
    let name = format!("sign-in {}", ids::sha256_hex(token.as_bytes()));
    let claim = idempotency::claim(env, &caller.workspace_id, &name, "sign-in", now).await?;
    if !matches!(claim, Claim::First) {
        return Err(access::unauthorized().into());
    }
    // Before the session is given: a claim without an answer would be free again after a while.
    idempotency::keep(env, &caller.workspace_id, &name, 200, "").await?;
    Ok(caller)
}

fn shown(caller: &Caller) -> worker::Result<Response> {
    let granted = PERMISSIONS.iter().filter(|(permission, _)| caller.permissions.contain(*permission));
    let answer = json!({
        "workspaceId": caller.workspace_id, "keyId": caller.key_id, "currency": caller.currency.as_str(),
        "timezone": caller.timezone, "attributionModel": caller.model.as_str(), "conversionEnabled": caller.tracks_conversions,
        "permissions": granted.map(|(_, name)| *name).collect::<Vec<_>>(),
        "expiresAt": caller.session_end.map(Millis::to_iso),
    });
    respond::json(200, &answer)
}

fn with_cookie(mut response: Response, token: Option<&str>, secure: bool) -> Answer {
    response.headers_mut().append("set-cookie", &set_cookie(token, secure))?;
    Ok(response)
}
