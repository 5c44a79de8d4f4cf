//! The routes: one `match` is the table of contents of the API.
//!
//! A handler reads, authorises, loads, asks `core` to decide, and does what it said.

pub(crate) mod redirect;
pub(crate) mod respond;

use worker::{Context, Env, Request, Response, Result};

use crate::core::key;

/// Answers any request. Whatever fails becomes a [`crate::core::problem::Problem`], here alone.
pub(crate) async fn handle(request: Request, env: &Env, ctx: &Context) -> Result<Response> {
    let path = request.path();
    if !key::is_route(&path) {
        return redirect::answer(&request, env, ctx).await;
    }
    match path.as_str() {
        "/_pimms/health" => respond::json(200, &serde_json::json!({"status": "ok"})),
        _ => respond::problem(&crate::core::problem::Problem::not_found("Page")),
    }
}
