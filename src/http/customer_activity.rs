//! `/customers/{id}/activity` and `/customers/{id}/click-history`.

use serde_json::Value;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::analytics::{Filter, Granularity, Window};
use crate::core::api::customer;
use crate::core::api::event::Kind;
use crate::core::time::{DAY_MS, Millis};
use crate::core::validate::Query;
use crate::edge::d1_events::{self, Wanted};
use crate::edge::figures::Scope;
use crate::edge::{d1_customers, entropy};
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, customers, events, query, respond};

const PAGE_SIZE: i64 = 100;
const MAX_PAGE_SIZE: i64 = 1000;

/// `GET /customers/{id}/activity`: clicks, leads and sales in one list, at most `limit` (100) of each.
pub(crate) async fn activity(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let query = query(request)?;
    let scope = scope(&caller, &query)?;
    let found = customers::existing(env, &scope, id).await?;
    let limit = query.page_size("limit", PAGE_SIZE, MAX_PAGE_SIZE)?;
    let mut rows = Vec::new();
    for kind in [Kind::Click, Kind::Lead, Kind::Sale] {
        rows.extend(
            of_customer(env, &scope, &found.id, Part { kind, of_devices: false, limit, page: 1 }).await?,
        );
    }
    let first_lead = d1_customers::history(env, &scope, &found.id).await?.leads.first().map(|lead| lead.at);
    let first_click = found.view().touches.first().map(|touch| touch.at);
    let shown = customers::summary(env, &scope, &found).await?;
    let times = [first_click, first_lead, found.first_sale_at];
    Ok(respond::json(200, &customer::activity(&shown, times, rows))?)
}

/// `GET /customers/{id}/click-history`: every click of the devices that the customer's clicks came from.
pub(crate) async fn clicks(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let query = query(request)?;
    let scope = scope(&caller, &query)?;
    let found = customers::existing(env, &scope, id).await?;
    let limit = query.page_size("limit", PAGE_SIZE, MAX_PAGE_SIZE)?;
    let part = Part { kind: Kind::Click, of_devices: true, limit, page: query.page()? };
    Ok(respond::json(200, &of_customer(env, &scope, &found.id, part).await?)?)
}

/// Which of a customer's events.
struct Part {
    kind: Kind,
    of_devices: bool,
    limit: i64,
    page: i64,
}

async fn of_customer(env: &Env, scope: &Scope, id: &str, part: Part) -> Result<Vec<Value>, Failure> {
    let mut filter = Filter::parse(&Query::default())?;
    filter.customer_id = Some(id.to_owned());
    // Stripe's clock may run ahead of ours.
    let end = Millis(entropy::now().0.saturating_add(DAY_MS));
    let wanted = Wanted {
        kinds: &[part.kind],
        filter: &filter,
        window: Window { start: Millis(0), end, granularity: Granularity::Day },
        ascending: false,
        of_devices: part.of_devices,
        attributed: None,
        cursor: None,
        limit: part.limit,
        offset: part.page.saturating_sub(1).saturating_mul(part.limit),
    };
    let found = d1_events::list(env, scope, &wanted).await?;
    events::rows(env, scope, &found).await
}
