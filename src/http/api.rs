//! The REST API: one `match` over method and path.

use worker::{Context, Env, Method, Request};

use crate::core::problem::{Code, Problem};
use crate::http::failure::Answer;
use crate::http::{ledger, stripe_settings, track};

/// Answers `path`, which comes without the prefix `/api`.
pub(crate) async fn route(request: Request, env: &Env, ctx: &Context, path: &str) -> Answer {
    let method = request.method();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method, segments.as_slice()) {
        (Method::Get, ["stripe"]) => stripe_settings::show(&request, env, ctx).await,
        (Method::Put, ["stripe"]) => stripe_settings::replace(request, env, ctx).await,
        (Method::Post, ["track", "lead"]) => track::lead(request, env, ctx).await,
        (Method::Post, ["track", "sale"]) => track::sale(request, env, ctx).await,
        (Method::Get, ["ledger", "totals"]) => ledger::totals(&request, env, ctx).await,
        (Method::Post, ["ledger", "rebuild"]) => ledger::rebuild(&request, env, ctx).await,
        (Method::Get, ["parked"]) => ledger::parked(&request, env, ctx).await,
        (Method::Get, ["stripe", "events"]) => ledger::events(&request, env, ctx).await,
        (Method::Delete, ["customers", id]) => ledger::erase(&request, env, ctx, id).await,
        (_, ["stripe" | "parked"] | ["track", "lead" | "sale"] | ["ledger", "totals" | "rebuild"]) => {
            Err(wrong_method().into())
        }
        _ => Err(Problem::not_found("Endpoint").into()),
    }
}

/// 405.
pub(crate) fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "This endpoint does not know the method.")
}
