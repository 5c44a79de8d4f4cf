//! `GET /share/…`: what the public page of a link shows, for whoever has its address, and `GET /links/{id}/dashboard`.

use serde_json::{Map, Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::analytics::{Bounds, Event, Filter, Group, Question, buckets};
use crate::core::api::link::Link;
use crate::core::attribution::Model;
use crate::core::mode::Mode;
use crate::core::money::Currency;
use crate::core::problem::Problem;
use crate::core::public_page;
use crate::edge::link_rows::{self, Selector};
use crate::edge::{d1_analytics, workspaces};
use crate::http::analytics::Span;
use crate::http::failure::{Answer, Failure};
use crate::http::links::existing;
use crate::http::{auth, public_tools, query, respond};

/// Which span is shown to who names none.
const INTERVAL: &str = "30d";

/// How often one address may ask in a minute: a page asks ten questions.
const A_MINUTE: i64 = 300;

/// `GET /links/{id}/dashboard`: the page of a link, or null.
pub(crate) async fn of_link(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let link = existing(env, &caller, &Selector::of(id)).await?;
    let page = public_page::of(&link.id, &link.options).map(|id| {
        json!({"id": id, "linkId": link.id, "workspaceId": link.workspace_id,
            "url": format!("https://{}/app/share/{id}", link.domain)})
    });
    Ok(respond::json(200, &page)?)
}

/// `GET /share/{id}`: which link it is.
pub(crate) async fn show(request: &Request, env: &Env, id: &str) -> Answer {
    if let Some(refusal) = public_tools::limited(request, env, "pages", A_MINUTE)? {
        return Ok(refusal);
    }
    let Shared { link, zone } = shared(env, id).await?;
    let body = json!({"id": id, "domain": link.domain, "key": link.key, "shortLink": link.short_link(),
        "title": link.title, "timezone": zone});
    Ok(respond::json(200, &body)?)
}

/// `GET /share/{id}/analytics`: its clicks.
pub(crate) async fn analytics(request: &Request, env: &Env, id: &str) -> Answer {
    if let Some(refusal) = public_tools::limited(request, env, "pages", A_MINUTE)? {
        return Ok(refusal);
    }
    let query = query(request)?;
    let group = Group::find(public_page::check(&query)?).ok_or_else(|| Problem::not_found("Endpoint"))?;
    // A question that nobody can answer is refused before any store is asked.
    Bounds::parse(&query, INTERVAL)?;
    let Shared { link, zone } = shared(env, id).await?;
    let span = Span::of(env, &link.workspace_id, zone.as_deref().unwrap_or("UTC"), &query, INTERVAL).await?;
    let buckets = if group.is_series { buckets(&span.window, &span.zone) } else { Vec::new() };
    let question = Question {
        workspace_id: &link.workspace_id,
        // Clicks have neither.
        mode: Mode::Live,
        currency: Currency::USD,
        event: Event::Clicks,
        gross: false,
        model: Model::Last,
        known_only: true,
        group,
        window: span.window,
        buckets: &buckets,
    };
    let mut filter = Filter::default();
    filter.link_id = Some(link.id.clone());
    let table = d1_analytics::report(env, &question, &filter).await?;
    if group.name == "count" {
        return Ok(respond::json(200, &json!({"clicks": table.count().clicks}))?);
    }
    let shown = table.rows(Event::Clicks, &buckets).into_iter().map(|(row, metrics)| {
        let mut row: Map<String, Value> = row;
        row.insert("clicks".to_owned(), metrics.clicks.into());
        Value::Object(row)
    });
    Ok(respond::json(200, &shown.collect::<Vec<_>>())?)
}

/// A link with a public page, and whose days the page has.
struct Shared {
    link: Link,
    zone: Option<String>,
}

/// The link whose page has this id, or 404: whatever is wrong with the id, and when the page was switched off.
async fn shared(env: &Env, id: &str) -> Result<Shared, Failure> {
    let not_found = || Problem::not_found("Page");
    let link_id = public_page::link_of(id).ok_or_else(not_found)?;
    let owner = link_rows::owner(env, &link_id).await?.ok_or_else(not_found)?;
    let link = link_rows::find(env, &owner, &Selector::Id(link_id)).await?;
    let link = link.filter(|link| public_page::is_of(id, &link.id, &link.options)).ok_or_else(not_found)?;
    let zone = workspaces::find(env, &owner).await?.and_then(|workspace| workspace.timezone);
    Ok(Shared { link, zone })
}
