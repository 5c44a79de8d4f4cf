//! `GET /analytics`: what happened, counted.

use serde_json::{Map, Value};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::analytics::{
    Bounds, EVENTS, Event, Filter, GROUPS, Group, Metrics, Question, Table, Window, Zone, buckets,
};
use crate::core::api::link::Link;
use crate::core::attribution::{MODELS, Model};
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::Query;
use crate::edge::figures::Scope;
use crate::edge::link_rows::{self, Selector};
use crate::edge::{d1_analytics, d1_customers, d1_events, domains, entropy, folders, zones};
use crate::http::auth::{self, Caller};
use crate::http::failure::{Answer, Failure};
use crate::http::links::{existing, scope, selector};
use crate::http::{is_generated_client, query, respond};

/// `GET /analytics`, `/analytics/{event}`, `/analytics/{event}/{groupBy}`, `/analytics/{groupBy}`.
pub(crate) async fn report(request: &Request, env: &Env, ctx: &Context, path: &[&str]) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let query = query(request)?;
    let (event, group) = asked(&query, path)?;
    let event = Event::of(event);
    let sorted_by = sort_metric(&query, event)?;
    let scope = scope(&caller, &query)?;
    let filter = filter(env, &caller, &scope, &query).await?;
    let span = Span::read(env, &caller, &query, "30d").await?;
    let buckets = if group.is_series { buckets(&span.window, &span.zone) } else { Vec::new() };
    let question = Question {
        workspace_id: &caller.workspace_id,
        mode: scope.mode,
        currency: scope.currency,
        event,
        gross: is_gross(&query)?,
        model: model(&query, &caller)?,
        known_only: event == Event::Clicks || is_generated_client(request)?,
        group,
        window: span.window,
        buckets: &buckets,
    };
    let table = d1_analytics::report(env, &question, &filter).await?;
    if table.is_overfull() {
        let text = "Too many sales for this attribution model: ask for a shorter span";
        return Err(Problem::invalid("too_big", "model", text).into());
    }
    if group.name == "count" {
        return count(&table.count(), event, &scope, path);
    }
    let by = if group.name == "utm_combinations" { sorted_by } else { event };
    let mut rows = table.rows(by, &buckets);
    if group.name == "top_links" {
        rows = with_links(env, &scope, &table, rows).await?;
    }
    let shown = rows.into_iter().map(|(mut row, metrics)| {
        metrics.show(&mut row);
        Value::Object(row)
    });
    Ok(respond::json(200, &shown.collect::<Vec<_>>())?)
}

/// The words of path and query; the path wins.
fn asked<'a>(query: &'a Query, path: &[&'a str]) -> Result<(Option<&'static str>, &'static Group), Problem> {
    let names: Vec<&'static str> = GROUPS.iter().map(|group| group.name).collect();
    let (mut event, mut group) = (query.choice("event", &EVENTS)?, query.choice("groupBy", &names)?);
    let not_found = || Problem::not_found("Endpoint");
    for word in path {
        if let Some(known) = EVENTS.into_iter().find(|known| known == word) {
            event = Some(known);
        } else {
            group = Some(Group::find(word).ok_or_else(not_found)?.name);
        }
    }
    let group = Group::find(group.unwrap_or("count")).ok_or_else(not_found)?;
    Ok((event, group))
}

/// `?gross=true` or `?saleType=gross`; net unless asked.
pub(crate) fn is_gross(query: &Query) -> Result<bool, Problem> {
    let said = query.choice("saleType", &["net", "gross"])?;
    Ok(said == Some("gross") || query.boolean("gross", false)?)
}

fn model(query: &Query, caller: &Caller) -> Result<Model, Problem> {
    let word = query.choice("model", &MODELS.map(|(name, _)| name))?;
    Ok(word.and_then(Model::parse).unwrap_or(caller.model))
}

fn sort_metric(query: &Query, event: Event) -> Result<Event, Problem> {
    Ok(match query.choice("sortMetric", &["clicks", "leads", "sales", "saleAmount"])? {
        Some("saleAmount") => Event::Sales,
        Some(word) => Event::of(Some(word)),
        None => event,
    })
}

/// An object of the four numbers; an old path that asks for one number gets that number.
fn count(metrics: &Metrics, event: Event, scope: &Scope, path: &[&str]) -> Answer {
    if !path.is_empty() && event == Event::Clicks {
        return Ok(respond::json(200, &metrics.clicks)?);
    }
    let mut row = Map::new();
    metrics.show(&mut row);
    row.entry("unconverted").or_insert_with(|| Value::Array(Vec::new()));
    row.insert("currency".to_owned(), scope.currency.as_str().into());
    Ok(respond::json(200, &row)?)
}

/// Rows of links that still exist, with what is shown of them.
async fn with_links(
    env: &Env,
    scope: &Scope,
    table: &Table,
    rows: Vec<(Map<String, Value>, Metrics)>,
) -> Result<Vec<(Map<String, Value>, Metrics)>, Failure> {
    let links = link_rows::find_all(env, &scope.workspace_id, &table.first_keys(), false).await?;
    let links: std::collections::HashMap<&str, &Link> =
        links.iter().map(|link| (link.id.as_str(), link)).collect();
    let known = rows.into_iter().filter_map(|(mut row, metrics)| {
        let link = links.get(row.get("link")?.as_str()?)?;
        let fields: [(&str, Value); 10] = [
            ("id", link.id.as_str().into()),
            ("domain", link.domain.as_str().into()),
            ("key", link.key.as_str().into()),
            ("shortLink", link.short_link().into()),
            ("url", link.url.as_str().into()),
            ("title", link.title.clone().into()),
            ("comments", link.comments.clone().into()),
            ("folderId", link.folder_id.clone().into()),
            ("partnerId", link.partner_id.clone().into()),
            ("createdAt", link.created_at.to_iso().into()),
        ];
        row.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Some((row, metrics))
    });
    Ok(known.collect())
}

/// The filter of a report; what it names must be the workspace's, or 404.
pub(crate) async fn filter(
    env: &Env,
    caller: &Caller,
    scope: &Scope,
    query: &Query,
) -> Result<Filter, Failure> {
    let mut filter = Filter::parse(query)?;
    if let Some(domain) = &filter.domain
        && !domains::is_owned(env, &caller.workspace_id, domain).await?
    {
        return Err(Problem::not_found("Domain").into());
    }
    if let Some(folder) = &filter.folder_id
        && !folders::exists(env, &caller.workspace_id, folder).await?
    {
        return Err(Problem::not_found("Folder").into());
    }
    let by_id = query.text("linkId").filter(|id| !id.starts_with("ext_"));
    if let Some(id) = by_id {
        if !d1_events::link_exists(env, &caller.workspace_id, id).await? {
            return Err(Problem::not_found("Link").into());
        }
        filter.link_id = Some(id.to_owned());
    } else if ["linkId", "externalId", "key"].iter().any(|name| query.text(name).is_some()) {
        let named: Selector = selector(query)?;
        filter.link_id = Some(existing(env, caller, &named).await?.id);
    }
    if let Some(name) = &filter.customer_id {
        let id = d1_customers::resolve(env, scope, name).await?;
        filter.customer_id = Some(id.ok_or_else(|| Problem::not_found("Customer"))?);
    }
    Ok(filter)
}

/// The window of a report, and the zone its days are of.
#[derive(Clone)]
pub(crate) struct Span {
    /// From when to when.
    pub window: Window,
    /// Whose days.
    pub zone: Zone,
}

impl Span {
    /// Reads `interval`, `start`, `end` and `timezone`.
    pub(crate) async fn read(
        env: &Env,
        caller: &Caller,
        query: &Query,
        default: &'static str,
    ) -> Result<Self, Failure> {
        Self::of(env, &caller.workspace_id, caller.zone(), query, default).await
    }

    /// The same for a workspace whose days are of `zone` when the query does not say.
    pub(crate) async fn of(
        env: &Env,
        workspace_id: &str,
        zone: &str,
        query: &Query,
        default: &'static str,
    ) -> Result<Self, Failure> {
        let bounds = Bounds::parse(query, default)?;
        let now = entropy::now();
        let first =
            if bounds.is_all() { d1_analytics::beginning(env, workspace_id).await? } else { Millis(0) };
        let (from, to) = bounds.rough(now, first);
        let name = query.text_up_to("timezone", 64)?.unwrap_or(zone);
        let zone = zones::zone(name, from, to)?
            .ok_or_else(|| Problem::invalid("custom", "timezone", "Unknown time zone: use an IANA name"))?;
        Ok(Self { window: bounds.window(now, first, &zone), zone })
    }
}
