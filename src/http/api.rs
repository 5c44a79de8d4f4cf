//! The REST API: one `match` over method and path.

use percent_encoding::percent_decode_str;
use worker::{Context, Env, Method, Request};

use crate::core::api::methods;
use crate::core::problem::Problem;
use crate::http::failure::{Answer, Failure};
use crate::http::{
    analytics, customer_activity, customer_writes, customers, domains, events, exports, folders, fx_rates,
    ledger, ledger_entries, link_bulk, links, people_reports, person, public_page, public_tools, sales,
    session, site_check, stripe_settings, tags, tokens, track, transfers, utm_templates, webhooks,
    workspaces,
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
        (Method::Get, ["links", "export"]) => exports::all_links(&request, env, ctx).await,
        (Method::Get, ["links", "count"]) => links::count(&request, env, ctx).await,
        (Method::Get, ["links", "info"]) => links::info(&request, env, ctx).await,
        (Method::Get, ["links", "random"]) => link_bulk::random(&request, env, ctx).await,
        (Method::Get, ["links", "exists"]) => link_bulk::exists(&request, env, ctx).await,
        (Method::Put, ["links", "upsert"]) => link_bulk::upsert(request, env, ctx).await,
        (Method::Post, ["links", "bulk"]) => link_bulk::create(request, env, ctx).await,
        (Method::Patch, ["links", "bulk"]) => link_bulk::update(request, env, ctx).await,
        (Method::Delete, ["links", "bulk"]) => link_bulk::delete(&request, env, ctx).await,
        (Method::Get, ["metatags"] | ["links", "metatags"]) => public_tools::metatags(&request, env).await,
        (Method::Post, ["links", id, "transfer"]) => transfers::link(request, env, ctx, id).await,
        (Method::Get, ["links", "iframeable"]) => public_tools::iframeable(&request, env).await,
        (Method::Get, ["links", id, "dashboard"]) => public_page::of_link(&request, env, ctx, id).await,
        (Method::Get, ["links", id]) => links::show(&request, env, ctx, id).await,
        (Method::Patch | Method::Put, ["links", id]) => links::update(request, env, ctx, id).await,
        (Method::Delete, ["links", id]) => links::delete(&request, env, ctx, id).await,
        (Method::Get, ["fx-rates"]) => fx_rates::show(&request, env, ctx).await,
        (Method::Put, ["fx-rates"]) => fx_rates::replace(request, env, ctx).await,
        (Method::Post, ["session"]) => session::create(request, env, ctx).await,
        (Method::Get, ["session"]) => session::show(&request, env, ctx).await,
        (Method::Delete, ["session"]) => session::delete(&request, env).await,
        (Method::Delete, ["session", "all"]) => session::delete_all(&request, env, ctx).await,
        (Method::Get, ["session", "access"]) => session::access(env),
        (Method::Post, ["session", "link"]) => session::link(&request, env, ctx).await,
        (Method::Get, ["tokens"]) => tokens::list(&request, env, ctx).await,
        (Method::Post, ["tokens"]) => tokens::create(request, env, ctx).await,
        (Method::Get, ["tokens", id]) => tokens::show(&request, env, ctx, id).await,
        (Method::Patch, ["tokens", id]) => tokens::update(request, env, ctx, id).await,
        (Method::Delete, ["tokens", id]) => tokens::delete(&request, env, ctx, id).await,
        (Method::Get, ["workspaces"]) => workspaces::list(&request, env, ctx).await,
        (Method::Get, ["workspaces", name]) => workspaces::show(&request, env, ctx, name).await,
        (Method::Patch, ["workspaces", name]) => workspaces::update(request, env, ctx, name).await,
        (_, ["webhooks", ..]) => outbound(request, env, ctx, &segments).await,
        (_, ["tags" | "folders" | "utm-templates" | "domains", ..]) => {
            library(request, env, ctx, &segments).await
        }
        (Method::Get, ["share", id]) => public_page::show(&request, env, id).await,
        (Method::Get, ["share", id, "analytics"]) => public_page::analytics(&request, env, id).await,
        (Method::Get, ["qr"]) => public_tools::qr(&request, env).await,
        (Method::Options, ["qr" | "metatags"]) => public_tools::preflight(),
        (Method::Get, ["stripe"]) => stripe_settings::show(&request, env, ctx).await,
        (Method::Put, ["stripe"]) => stripe_settings::replace(request, env, ctx).await,
        (Method::Post, ["track", "lead"]) => track::lead(request, env, ctx).await,
        (Method::Post, ["track", "sale"]) => track::sale(request, env, ctx).await,
        (Method::Post, ["track", "lead", "client"]) => track::lead_client(request, env, ctx).await,
        (Method::Post, ["track", "sale", "client"]) => track::sale_client(request, env, ctx).await,
        (Method::Get, ["ledger", "totals"]) => ledger::totals(&request, env, ctx).await,
        (Method::Get, ["ledger", "entries"]) => ledger_entries::list(&request, env, ctx).await,
        (Method::Post, ["ledger", "rebuild"]) => ledger::rebuild(&request, env, ctx).await,
        (Method::Get, ["parked"]) => ledger::parked(&request, env, ctx).await,
        (Method::Get, ["script", "check"]) => site_check::check(&request, env, ctx).await,
        (Method::Get, ["stripe", "events"]) => ledger::events(&request, env, ctx).await,
        (Method::Get, ["customers"]) => customers::list(&request, env, ctx).await,
        (Method::Get, ["customers", "export"]) => exports::all_customers(&request, env, ctx).await,
        (Method::Get, ["customers", "count"]) => customers::count(&request, env, ctx).await,
        (Method::Get, ["customers", id, "activity"]) => {
            customer_activity::activity(&request, env, ctx, id).await
        }
        (Method::Get, ["customers", id, "click-history"]) => {
            customer_activity::clicks(&request, env, ctx, id).await
        }
        (Method::Post, ["customers"]) => customer_writes::create(request, env, ctx).await,
        (Method::Patch | Method::Put, ["customers", id]) => {
            customer_writes::update(request, env, ctx, id).await
        }
        (Method::Get, ["customers", id]) => customers::show(&request, env, ctx, id).await,
        (Method::Get, ["sales", "export"]) => exports::all_sales(&request, env, ctx).await,
        (Method::Get, ["sales", id]) => sales::show(&request, env, ctx, id).await,
        (Method::Get, ["events", "export"]) => exports::all_events(&request, env, ctx).await,
        (Method::Get, ["events"]) => events::list(&request, env, ctx).await,
        (Method::Get, ["analytics", "funnel"]) => people_reports::funnel(&request, env, ctx).await,
        (Method::Get, ["analytics", "cohorts"]) => people_reports::cohorts(&request, env, ctx).await,
        (Method::Get, ["analytics", "ltv"]) => people_reports::lifetime(&request, env, ctx).await,
        (Method::Get, ["analytics", path @ ..]) if path.len() <= 2 => {
            analytics::report(&request, env, ctx, path).await
        }
        (Method::Get, ["customers", id, "export"]) => person::export(&request, env, ctx, id).await,
        (Method::Delete, ["customers", id]) => person::erase(&request, env, ctx, id).await,
        _ => Err(unknown(&segments)),
    }
}

/// What keeps many links in order.
async fn library(request: Request, env: &Env, ctx: &Context, segments: &[&str]) -> Answer {
    match (request.method(), segments) {
        (Method::Get, ["tags"]) => tags::list(&request, env, ctx).await,
        (Method::Post, ["tags"]) => tags::create(request, env, ctx).await,
        (Method::Get, ["tags", "count"]) => tags::count(&request, env, ctx).await,
        (Method::Patch | Method::Put, ["tags", id]) => tags::update(request, env, ctx, id).await,
        (Method::Delete, ["tags", id]) => tags::delete(&request, env, ctx, id).await,
        (Method::Get, ["folders"]) => folders::list(&request, env, ctx).await,
        (Method::Post, ["folders"]) => folders::create(request, env, ctx).await,
        (Method::Get, ["folders", "count"]) => folders::count(&request, env, ctx).await,
        (Method::Get, ["folders", id]) => folders::show(&request, env, ctx, id).await,
        (Method::Patch, ["folders", id]) => folders::update(request, env, ctx, id).await,
        (Method::Delete, ["folders", id]) => folders::delete(&request, env, ctx, id).await,
        (Method::Get, ["utm-templates"]) => utm_templates::list(&request, env, ctx).await,
        (Method::Post, ["utm-templates"]) => utm_templates::create(request, env, ctx).await,
        (Method::Get, ["utm-templates", id]) => utm_templates::show(&request, env, ctx, id).await,
        (Method::Patch | Method::Put, ["utm-templates", id]) => {
            utm_templates::update(request, env, ctx, id).await
        }
        (Method::Delete, ["utm-templates", id]) => utm_templates::delete(&request, env, ctx, id).await,
        (Method::Get, ["domains"]) => domains::list(&request, env, ctx).await,
        (Method::Post, ["domains"]) => domains::create(request, env, ctx).await,
        (Method::Get, ["domains", "count"]) => domains::count(&request, env, ctx).await,
        (Method::Get, ["domains", slug]) => domains::show(&request, env, ctx, slug).await,
        (Method::Patch, ["domains", slug]) => domains::update(request, env, ctx, slug).await,
        (Method::Delete, ["domains", slug]) => domains::delete(&request, env, ctx, slug).await,
        (Method::Post, ["domains", slug, "transfer"]) => transfers::domain(request, env, ctx, slug).await,
        (Method::Post, ["domains", slug, "primary"]) => domains::make_primary(&request, env, ctx, slug).await,
        (Method::Get, ["domains", slug, "verify"]) => domains::verify(&request, env, ctx, slug).await,
        _ => Err(unknown(segments)),
    }
}

/// Whom to tell of what happens.
async fn outbound(request: Request, env: &Env, ctx: &Context, segments: &[&str]) -> Answer {
    match (request.method(), segments) {
        (Method::Get, ["webhooks"]) => webhooks::list(&request, env, ctx).await,
        (Method::Post, ["webhooks"]) => webhooks::create(request, env, ctx).await,
        (Method::Get, ["webhooks", id]) => webhooks::show(&request, env, ctx, id).await,
        (Method::Patch, ["webhooks", id]) => webhooks::update(request, env, ctx, id).await,
        (Method::Delete, ["webhooks", id]) => webhooks::delete(&request, env, ctx, id).await,
        (Method::Post, ["webhooks", id, "enable"]) => webhooks::enable(&request, env, ctx, id).await,
        (Method::Post, ["webhooks", id, "rotate-secret"]) => webhooks::rotate(&request, env, ctx, id).await,
        (Method::Post, ["webhooks", id, "test"]) => webhooks::test(request, env, ctx, id).await,
        (Method::Get, ["webhooks", id, "events"]) => webhooks::log(&request, env, ctx, id).await,
        (Method::Post, ["webhooks", id, "events", event_id, "redeliver"]) => {
            webhooks::redeliver(&request, env, ctx, id, event_id).await
        }
        _ => Err(unknown(segments)),
    }
}

/// 405 for a path that another method would have found, else 404.
fn unknown(segments: &[&str]) -> Failure {
    methods::allowed(segments)
        .map_or_else(|| Problem::not_found("Endpoint").into(), |known| Failure::WrongMethod(known.into()))
}
