//! `GET /events`: clicks, leads, sales and what undid them, one by one.

use std::collections::HashMap;

use serde_json::Value;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::analytics::Filter;
use crate::core::api::cursor::Cursor;
use crate::core::api::event::{Found, KINDS, Kind, shown};
use crate::core::figures::Sum;
use crate::core::problem::Problem;
use crate::core::validate::Query;
use crate::edge::d1_events::{self, Wanted};
use crate::edge::figures::Scope;
use crate::edge::{figures, link_rows};
use crate::http::analytics::{Span, filter};
use crate::http::auth::Caller;
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, is_generated_client, links, query, respond};

const PAGE_SIZE: i64 = 100;
const MAX_PAGE_SIZE: i64 = 1000;
/// How far page numbers reach in a stream of several kinds: each kind is read up to the page.
const MAX_REACH: i64 = 10_000;

/// A stream as the query describes it, apart from where to begin.
#[derive(Clone)]
pub(crate) struct Stream {
    /// Whose.
    pub scope: Scope,
    kinds: &'static [Kind],
    filter: Filter,
    span: Span,
    ascending: bool,
    attributed: Option<bool>,
}

/// One ordered stream. The header `x-next-cursor` says how to go on, when there is more.
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let query = query(request)?;
    let stream = Stream::read(request, env, &caller, &query, "24h").await?;
    let limit = query.page_size("limit", PAGE_SIZE, MAX_PAGE_SIZE)?;
    let cursor = Cursor::parse(&query)?;
    let offset = query.page()?.saturating_sub(1).saturating_mul(limit);
    if stream.kinds.len() > 1 && offset.saturating_add(limit) > MAX_REACH {
        return Err(
            Problem::invalid("too_big", "page", "Go further with the cursor of the page before").into()
        );
    }
    let (found, next) = stream.part(env, cursor.as_ref(), limit, offset).await?;
    let response = respond::json(200, &rows(env, &stream.scope, &found).await?)?;
    if let Some(next) = next {
        response.headers().set("x-next-cursor", &next.text())?;
    }
    Ok(response)
}

impl Stream {
    /// Reads the query. `interval` is what it means when it says none.
    pub(crate) async fn read(
        request: &Request,
        env: &Env,
        caller: &Caller,
        query: &Query,
        interval: &'static str,
    ) -> Result<Self, Failure> {
        let word = query.choice("event", &KINDS.map(|(word, _)| word))?.unwrap_or("clicks");
        let kinds = KINDS.iter().find(|(known, _)| *known == word).map_or(&[Kind::Click] as &[_], |(_, k)| k);
        let scope = scope(caller, query)?;
        let filter = filter(env, caller, &scope, query).await?;
        let span = Span::read(env, caller, query, interval).await?;
        query.choice("sortBy", &["timestamp"])?;
        let (ascending, attributed) = (is_ascending(query)?, attributed(query, request)?);
        Ok(Self { scope, kinds, filter, span, ascending, attributed })
    }

    /// The same, of sales.
    pub(crate) fn of_sales(self) -> Self {
        Self { kinds: &[Kind::Sale], ..self }
    }

    /// Some rows of it, and where to go on when there are more.
    pub(crate) async fn part(
        &self,
        env: &Env,
        cursor: Option<&Cursor>,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Found>, Option<Cursor>), Failure> {
        // One more, which tells whether there is a next page.
        let wanted = self.wanted(cursor, limit.saturating_add(1), offset);
        let mut found = d1_events::list(env, &self.scope, &wanted).await?;
        let size = usize::try_from(limit).unwrap_or_default();
        let has_more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|last| Cursor { at: last.event.at, id: last.event.id.clone() });
        Ok((found, next))
    }

    /// The last of the first `limit` rows after the cursor, when there are more.
    pub(crate) async fn end_of_part(
        &self,
        env: &Env,
        cursor: Option<&Cursor>,
        limit: i64,
    ) -> Result<Option<Cursor>, Failure> {
        Ok(d1_events::end_of_part(env, &self.scope, &self.wanted(cursor, limit, 0)).await?)
    }

    /// Whether an event stands after this place.
    pub(crate) fn is_after(&self, found: &Found, place: &Cursor) -> bool {
        let (event, place) = ((found.event.at, &found.event.id), (place.at, &place.id));
        if self.ascending { event > place } else { event < place }
    }

    fn wanted<'a>(&'a self, cursor: Option<&'a Cursor>, limit: i64, offset: i64) -> Wanted<'a> {
        Wanted {
            kinds: self.kinds,
            filter: &self.filter,
            window: self.span.window,
            ascending: self.ascending,
            of_devices: false,
            attributed: self.attributed,
            cursor,
            limit,
            offset,
        }
    }
}

/// Events as they are shown, each with its link and its customer.
pub(crate) async fn rows(env: &Env, scope: &Scope, events: &[Found]) -> Result<Vec<Value>, Failure> {
    let mut link_ids: Vec<String> = events.iter().filter_map(|found| found.event.link_id.clone()).collect();
    link_ids.sort_unstable();
    link_ids.dedup();
    let found = link_rows::find_all(env, &scope.workspace_id, &link_ids, true).await?;
    let found = links::shown(env, scope, found).await?;
    let by_id: HashMap<&str, &Value> =
        found.iter().filter_map(|link| Some((link.get("id")?.as_str()?, link))).collect();
    let ids = |kinds: &[Kind]| -> Vec<String> {
        let of_kinds = events.iter().filter(|found| kinds.contains(&found.kind));
        of_kinds.map(|found| found.event.id.clone()).collect()
    };
    let mut sums = figures::of_sales(env, scope, &ids(&[Kind::Sale])).await?;
    sums.extend(figures::of_entries(env, scope, &ids(&[Kind::Refund, Kind::Dispute])).await?);
    let mut conversions: HashMap<&str, usize> = HashMap::new();
    for found in events {
        *conversions.entry(found.person.id()).or_default() += 1;
    }
    let nothing = Sum::default();
    let rows = events.iter().map(|found| {
        let link = found.event.link_id.as_deref().and_then(|id| by_id.get(id).copied());
        let of_person = conversions.get(found.person.id()).copied().unwrap_or(0);
        shown(found, link.unwrap_or(&Value::Null), of_person, sums.get(&found.event.id).unwrap_or(&nothing))
    });
    Ok(rows.collect())
}

fn is_ascending(query: &Query) -> Result<bool, Problem> {
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
