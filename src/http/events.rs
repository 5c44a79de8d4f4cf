//! `GET /events`: clicks, leads or sales, one by one.

use std::collections::HashMap;

use serde_json::Value;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::event::{Click, Event, Kind, Person, shown};
use crate::core::figures::Sum;
use crate::core::validate::Query;
use crate::edge::d1_events::{self, Wanted};
use crate::edge::figures::Scope;
use crate::edge::{figures, link_rows};
use crate::http::analytics::{Span, filter};
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, is_generated_client, links, query, respond};

const PAGE_SIZE: i64 = 100;
const MAX_PAGE_SIZE: i64 = 1000;

/// One ordered stream of one kind.
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let query = query(request)?;
    let kind = match query.choice("event", &["clicks", "leads", "sales"])? {
        Some("leads") => Kind::Lead,
        Some("sales") => Kind::Sale,
        _ => Kind::Click,
    };
    let scope = scope(&caller, &query)?;
    let filter = filter(env, &caller, &scope, &query).await?;
    let span = Span::read(env, &caller, &query, "24h").await?;
    query.choice("sortBy", &["timestamp"])?;
    let limit = query.page_size("limit", PAGE_SIZE, MAX_PAGE_SIZE)?;
    let wanted = Wanted {
        kind,
        filter: &filter,
        window: span.window,
        ascending: is_ascending(&query)?,
        of_devices: false,
        attributed: attributed(&query, request)?,
        limit,
        offset: query.page()?.saturating_sub(1).saturating_mul(limit),
    };
    let events = d1_events::list(env, &scope, &wanted).await?;
    Ok(respond::json(200, &rows(env, &scope, kind, &events).await?)?)
}

/// Events as they are shown, each with its link and its customer.
pub(crate) async fn rows(
    env: &Env,
    scope: &Scope,
    kind: Kind,
    events: &[(Event, Click, Person)],
) -> Result<Vec<Value>, Failure> {
    let mut link_ids: Vec<String> = events.iter().filter_map(|(event, ..)| event.link_id.clone()).collect();
    link_ids.sort_unstable();
    link_ids.dedup();
    let found = link_rows::find_all(env, &scope.workspace_id, &link_ids, true).await?;
    let found = links::shown(env, scope, found).await?;
    let by_id: HashMap<&str, &Value> =
        found.iter().filter_map(|link| Some((link.get("id")?.as_str()?, link))).collect();
    let sales: Vec<String> = match kind {
        Kind::Sale => events.iter().map(|(event, ..)| event.id.clone()).collect(),
        Kind::Click | Kind::Lead => Vec::new(),
    };
    let sums = figures::of_sales(env, scope, &sales).await?;
    let mut conversions: HashMap<String, usize> = HashMap::new();
    for (.., person) in events {
        *conversions.entry(person.id().to_owned()).or_default() += 1;
    }
    let nothing = Sum::default();
    let rows = events.iter().map(|(event, click, person)| {
        let link = event.link_id.as_deref().and_then(|id| by_id.get(id).copied()).unwrap_or(&Value::Null);
        let of_person = conversions.get(person.id()).copied().unwrap_or(0);
        shown(kind, (event, click, person), link, of_person, sums.get(&event.id).unwrap_or(&nothing))
    });
    Ok(rows.collect())
}

fn is_ascending(query: &Query) -> Result<bool, crate::core::problem::Problem> {
    let word = match query.choice("sortOrder", &["asc", "desc"])? {
        Some(word) => Some(word),
        None => query.choice("order", &["asc", "desc"])?,
    };
    Ok(word == Some("asc"))
}

/// Whether only attributed events are wanted. Generated clients cannot read an event without a link, so they get
/// none unless they ask.
fn attributed(query: &Query, request: &Request) -> Result<Option<bool>, Failure> {
    if query.text("attributed").is_some() {
        return Ok(Some(query.boolean("attributed", true)?));
    }
    Ok(is_generated_client(request)?.then_some(true))
}
