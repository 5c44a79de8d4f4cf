//! `GET /analytics/funnel`, `/analytics/cohorts` and `/analytics/ltv`: reports about people.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::analytics::{Filter, Group};
use crate::core::problem::Problem;
use crate::core::reports::Subject;
use crate::core::reports::{cohorts, lifetime};
use crate::core::validate::Query;
use crate::edge::figures::Scope;
use crate::edge::{d1_reports, entropy, link_rows, zones};
use crate::http::analytics::{Span, filter, is_gross};
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, query, respond};

/// Days around a span within which a zone must be known.
const MARGIN_DAYS: i64 = 40;

/// What all three read of a request.
struct Asked {
    query: Query,
    scope: Scope,
    filter: Filter,
    span: Span,
    gross: bool,
    /// Whose days they are.
    timezone: String,
}

impl Asked {
    async fn read(
        request: &Request,
        env: &Env,
        ctx: &Context,
        interval: &'static str,
    ) -> Result<Self, Failure> {
        let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
        let query = query(request)?;
        let scope = scope(&caller, &query)?;
        let filter = filter(env, &caller, &scope, &query).await?;
        let span = Span::read(env, &caller, &query, interval).await?;
        let gross = is_gross(&query)?;
        let timezone = query.text("timezone").unwrap_or(caller.zone()).to_owned();
        Ok(Self { query, scope, filter, span, gross, timezone })
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            workspace_id: &self.scope.workspace_id,
            mode: self.scope.mode,
            currency: self.scope.currency,
            gross: self.gross,
            window: self.span.window,
            filter: &self.filter,
        }
    }
}

/// `GET /analytics/funnel`
pub(crate) async fn funnel(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let asked = Asked::read(request, env, ctx, "30d").await?;
    let found = d1_reports::funnel(env, &asked.scope, &asked.subject()).await?;
    if found.is_overfull() {
        return Err(too_long("Too many leads for one funnel: ask for a shorter span").into());
    }
    Ok(respond::json(200, &found.shown(asked.scope.currency))?)
}

/// `GET /analytics/cohorts`
pub(crate) async fn cohorts(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let mut asked = Asked::read(request, env, ctx, "1y").await?;
    let (now, window) = (entropy::now(), asked.span.window);
    // Later months go on to the present, which may be far after the window.
    let until = window.end.max(now).plus_days(MARGIN_DAYS);
    let zone = zones::zone(&asked.timezone, window.start.plus_days(-MARGIN_DAYS), until)?.unwrap_or_default();
    let months = cohorts::months(window, now, &zone);
    if months.len() > cohorts::MAX_MONTHS {
        return Err(too_long("Too many months: ask for a later start").into());
    }
    // The first cohort is a whole month.
    if let Some(first) = months.first() {
        asked.span.window.start = first.start;
    }
    let found = d1_reports::cohorts(env, &asked.scope, &asked.subject(), &months).await?;
    let body = json!({"currency": asked.scope.currency.as_str(), "cohorts": found.shown()});
    Ok(respond::json(200, &body)?)
}

/// `GET /analytics/ltv`
pub(crate) async fn lifetime(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let asked = Asked::read(request, env, ctx, "1y").await?;
    let name = asked.query.choice("groupBy", &lifetime::GROUPINGS)?.unwrap_or("top_links");
    let group = Group::find(name).ok_or_else(|| Problem::not_found("Endpoint"))?;
    let found = d1_reports::lifetimes(env, &asked.scope, &asked.subject(), group).await?;
    let mut rows = found.shown();
    if name == "top_links" {
        let links = link_rows::find_all(env, &asked.scope.workspace_id, &found.keys(), true).await?;
        for row in &mut rows {
            let id = row.get("link").and_then(Value::as_str);
            let Some(link) = links.iter().find(|link| Some(link.id.as_str()) == id) else { continue };
            let fields: [(&str, Value); 4] = [
                ("domain", link.domain.as_str().into()),
                ("key", link.key.as_str().into()),
                ("shortLink", link.short_link().into()),
                ("url", link.url.as_str().into()),
            ];
            row.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        }
    }
    let body = json!({"currency": asked.scope.currency.as_str(), "groupBy": name, "rows": rows});
    Ok(respond::json(200, &body)?)
}

fn too_long(text: &str) -> Problem {
    Problem::invalid("too_big", "start", text)
}
