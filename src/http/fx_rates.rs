//! `GET` and `PUT /fx-rates`: the exchange rates in force, and a workspace's own.

use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::money::rates::Needed;
use crate::core::money::request;
use crate::edge::{entropy, fx};
use crate::http::failure::Answer;
use crate::http::{auth, body, query, respond};

/// The rates in force on `?date=` (today unless said otherwise), each with its source and day.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WorkspacesRead).await?;
    let day = query(request)?.date("date")?.unwrap_or_else(entropy::now).day();
    shown(env, &caller.workspace_id, &day).await
}

/// Sets the workspace's own rates of a day; they come before all others.
pub(crate) async fn replace(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WorkspacesWrite).await?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let own = request::own_rates(&body, entropy::now())?;
    fx::store_own(env, &caller.workspace_id, &own).await?;
    shown(env, &caller.workspace_id, &own.day).await
}

async fn shown(env: &Env, workspace_id: &str, day: &str) -> Answer {
    let book = fx::book(env, workspace_id, &Needed::all_of(day)).await?;
    Ok(respond::json(200, &request::shown(&book, day))?)
}
