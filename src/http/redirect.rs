//! Short links.

use worker::{Context, Env, Request, Response, Result};

use crate::core::problem::Problem;
use crate::core::{domain, key};
use crate::edge::links::{self, Found};
use crate::http::respond;

/// Answers a request whose path is no route of ours.
pub(crate) async fn answer(request: &Request, env: &Env, _ctx: &Context) -> Result<Response> {
    let host = request.headers().get("host")?.unwrap_or_default();
    let asked = key::of_path(&request.path());
    let (Some(domain), Some(asked)) = (domain::of_host(&host), asked) else {
        return respond::problem(&Problem::not_found("Link"));
    };
    match links::find(env, &domain, &asked.key).await {
        Found::Link(link) => {
            let headers = worker::Headers::new();
            headers.set("location", &link.url)?;
            headers.set("cache-control", "private, no-store")?;
            Ok(worker::ResponseBuilder::new().with_status(302).with_headers(headers).empty())
        }
        Found::Nothing | Found::Unavailable => respond::problem(&Problem::not_found("Link")),
    }
}
