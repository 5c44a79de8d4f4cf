//! The REST API: one `match` over method and path.

use percent_encoding::percent_decode_str;
use worker::{Context, Env, Method, Request};

use crate::core::problem::{Code, Problem};
use crate::http::failure::Answer;
use crate::http::{
    analytics, customers, events, fx_rates, ledger, ledger_entries, links, sales, stripe_settings, track,
};

/// Answers `path`, which comes without the prefix `/api`.
pub(crate) async fn route(request: Request, env: &Env, ctx: &Context, path: &str) -> Answer {
    let method = request.method();
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, segments.as_slice()) {
        (Method::Post, ["links"]) => links::create(request, env, ctx).await,
        (Method::Get, ["links"]) => links::list(&request, env, ctx).await,
        (Method::Get, ["links", "count"]) => links::count(&request, env, ctx).await,
        (Method::Get, ["links", "info"]) => links::info(&request, env, ctx).await,
        (Method::Get, ["links", id]) => links::show(&request, env, ctx, id).await,
        (Method::Patch | Method::Put, ["links", id]) => links::update(request, env, ctx, id).await,
        (Method::Delete, ["links", id]) => links::delete(&request, env, ctx, id).await,
        (Method::Get, ["fx-rates"]) => fx_rates::show(&request, env, ctx).await,
        (Method::Put, ["fx-rates"]) => fx_rates::replace(request, env, ctx).await,
        (Method::Get, ["stripe"]) => stripe_settings::show(&request, env, ctx).await,
        (Method::Put, ["stripe"]) => stripe_settings::replace(request, env, ctx).await,
        (Method::Post, ["track", "lead"]) => track::lead(request, env, ctx).await,
        (Method::Post, ["track", "sale"]) => track::sale(request, env, ctx).await,
        (Method::Get, ["ledger", "totals"]) => ledger::totals(&request, env, ctx).await,
        (Method::Get, ["ledger", "entries"]) => ledger_entries::list(&request, env, ctx).await,
        (Method::Post, ["ledger", "rebuild"]) => ledger::rebuild(&request, env, ctx).await,
        (Method::Get, ["parked"]) => ledger::parked(&request, env, ctx).await,
        (Method::Get, ["stripe", "events"]) => ledger::events(&request, env, ctx).await,
        (Method::Get, ["customers"]) => customers::list(&request, env, ctx).await,
        (Method::Get, ["customers", "count"]) => customers::count(&request, env, ctx).await,
        (Method::Get, ["customers", id]) => customers::show(&request, env, ctx, id).await,
        (Method::Get, ["sales", id]) => sales::show(&request, env, ctx, id).await,
        (Method::Get, ["events"]) => events::list(&request, env, ctx).await,
        (Method::Get, ["analytics", path @ ..]) if path.len() <= 2 => {
            analytics::report(&request, env, ctx, path).await
        }
        (Method::Delete, ["customers", id]) => ledger::erase(&request, env, ctx, id).await,
        (
            _,
            ["links" | "fx-rates" | "stripe" | "parked" | "customers" | "events" | "analytics"]
            | ["links" | "customers" | "sales", _]
            | ["track", "lead" | "sale"]
            | ["ledger", "totals" | "entries" | "rebuild"],
        ) => Err(wrong_method().into()),
        _ => Err(Problem::not_found("Endpoint").into()),
    }
}

/// 405.
pub(crate) fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "This endpoint does not know the method.")
}
