//! Signing in to the dashboard by Cloudflare Access.
//!
//! The header counts for nothing by itself: anybody can send it to a host that Access does not guard. What counts is
//! the signature of the team, for the application that this Worker is told about.

use worker::{Context, Env, Request};

use crate::core::access;
use crate::core::access_token::{self, Person};
use crate::core::problem::{Code, Problem};
use crate::core::time::Millis;
use crate::edge::{access_keys, settings};
use crate::http::auth::{self, Caller};
use crate::http::failure::Failure;

/// The setting that says which API key's access people get.
const KEY_SETTING: &str = "CF_ACCESS_KEY_ID";

/// Whether Access signs in here: team, application and access are told.
pub(crate) fn is_configured(env: &Env) -> bool {
    access_keys::team(env).is_some() && settings::optional(env, KEY_SETTING).is_some()
}

/// The caller that the request's token stands for, and who that is.
pub(crate) async fn caller(
    request: &Request,
    env: &Env,
    ctx: &Context,
    now: Millis,
) -> Result<(Caller, Person), Failure> {
    let not_here = || Problem::not_found("Cloudflare Access");
    let team = access_keys::team(env).ok_or_else(not_here)?;
    let key_id = settings::optional(env, KEY_SETTING).ok_or_else(not_here)?;
    let header = request.headers().get("cf-access-jwt-assertion")?.unwrap_or_default();
    let token = access_token::read(&header).ok_or_else(access::unauthorized)?;
    if !access_keys::signed(env, &team, &token, now).await? {
        return Err(access::unauthorized().into());
    }
    let person = team.person(&token, now).ok_or_else(access::unauthorized)?;
    // By its id alone: a hash in the setting would be a mistake, and a session's name is no key.
    let name = if key_id.starts_with("tok_") { key_id.as_str() } else { "" };
    match auth::of_key(env, ctx, name, now).await {
        Ok(caller) => Ok((caller, person)),
        Err(Failure::Refused(_)) => {
            let text = format!("Cloudflare Access knows you, but {KEY_SETTING} names no API key in force.");
            Err(Problem::new(Code::Forbidden, text).into())
        }
        Err(broken) => Err(broken),
    }
}
