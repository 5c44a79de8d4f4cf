//! `/customers`: who came by which click, and what they paid.

use serde_json::{Map, Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::customer::{self, Customer, ORDERS};
use crate::core::api::link::Figures;
use crate::core::api::paging::{Order, Page};
use crate::core::api::sale::{Entry, Lead};
use crate::core::figures::Sum;
use crate::core::problem::Problem;
use crate::edge::d1_customers::{self, History};
use crate::edge::figures::{self, Scope};
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, is_generated_client, query, respond};

const PAGE_SIZE: i64 = 100;

/// `GET /customers`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let query = query(request)?;
    let scope = scope(&caller, &query)?;
    let condition = customer::condition(&query, &caller.workspace_id)?;
    let order = Order::parse(&query, &ORDERS)?;
    let size = query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?;
    let found = d1_customers::list(env, &scope, condition, order, &Page::parse(&query)?, size).await?;
    let Some(customers) = found else {
        return Err(Problem::invalid("custom", "startingAfter", "There is no customer with this id").into());
    };
    Ok(respond::json(200, &shown(env, &scope, &customers).await?)?)
}

/// Customers with their figures, in the order given.
pub(crate) async fn shown(env: &Env, scope: &Scope, customers: &[Customer]) -> Result<Vec<Value>, Failure> {
    let ids: Vec<String> = customers.iter().map(|customer| customer.id.clone()).collect();
    let figures = figures::of_customers(env, scope, &ids).await?;
    let none = Figures::default();
    Ok(customers.iter().map(|found| found.shown(figures.get(&found.id).unwrap_or(&none))).collect())
}

/// `GET /customers/count`
pub(crate) async fn count(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let query = query(request)?;
    let condition = customer::condition(&query, &caller.workspace_id)?;
    let column = match query.choice("groupBy", &["country", "linkId"])? {
        None => return Ok(respond::json(200, &d1_customers::count(env, &condition).await?)?),
        Some("country") => ("country", "COALESCE(k.country, c.country)"),
        Some(_) => ("linkId", "k.link_id"),
    };
    let groups = d1_customers::count_by(env, &condition, column.1).await?;
    let rows = groups.into_iter().map(|(value, n)| {
        let row = [(column.0.to_owned(), value.into()), ("_count".to_owned(), n.into())];
        Value::Object(row.into_iter().collect::<Map<_, _>>())
    });
    Ok(respond::json(200, &rows.collect::<Value>())?)
}

/// `GET /customers/{id}`: with its leads, sales, refunds and the receipt of each.
///
/// Generated clients know `sales` and `leads` as numbers only, and get the object of the list.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let scope = scope(&caller, &query(request)?)?;
    let customer = existing(env, &scope, id).await?;
    let mut shown = summary(env, &scope, &customer).await?;
    if is_generated_client(request)? {
        return Ok(respond::json(200, &shown)?);
    }
    let history = d1_customers::history(env, &scope, &customer.id).await?;
    let sales = sales(env, &scope, &history, &shown).await?;
    let view = customer.view();
    let details = json!({
        "externalIds": view.external_ids,
        "stripeCustomerIds": view.stripe_ids,
        "touchpoints": view.touches.iter().map(|touch| json!({
            "clickId": touch.click_id, "linkId": touch.link_id, "timestamp": touch.at.to_iso()
        })).collect::<Vec<_>>(),
        "refusedClicks": view.refused,
        "leads": history.leads.iter().map(Lead::shown).collect::<Vec<_>>(),
        "sales": sales,
        "refunds": history.entries.iter().filter(|entry| entry.kind != "sale").map(Entry::shown).collect::<Vec<_>>(),
        "subscriptions": history.subscriptions,
        "leadCount": shown.get("leads"),
        "saleCount": shown.get("sales"),
        "ltv": shown.get("saleAmount"),
    });
    if let (Value::Object(shown), Value::Object(details)) = (&mut shown, details) {
        shown.extend(details);
    }
    Ok(respond::json(200, &shown)?)
}

/// The customer that is listed under this name, or 404.
pub(crate) async fn existing(env: &Env, scope: &Scope, name: &str) -> Result<Customer, Failure> {
    let not_found = || Problem::not_found("Customer");
    let id = d1_customers::resolve(env, scope, name).await?.ok_or_else(not_found)?;
    Ok(d1_customers::find(env, scope, &id).await?.ok_or_else(not_found)?)
}

/// The customer object.
pub(crate) async fn summary(env: &Env, scope: &Scope, customer: &Customer) -> Result<Value, Failure> {
    let figures = figures::of_customers(env, scope, std::slice::from_ref(&customer.id)).await?;
    Ok(customer.shown(figures.get(&customer.id).unwrap_or(&Figures::default())))
}

/// The sales of a history, each with its entries and its receipt.
pub(crate) async fn sales(
    env: &Env,
    scope: &Scope,
    history: &History,
    customer: &Value,
) -> Result<Vec<Value>, Failure> {
    let ids: Vec<String> = history.sales.iter().map(|sale| sale.id.clone()).collect();
    let sums = figures::of_sales(env, scope, &ids).await?;
    let show = |sale: &crate::core::api::sale::Sale| {
        let of_sale = |entry: &&Entry| entry.sale_id.as_deref() == Some(sale.id.as_str());
        let entries: Vec<Entry> = history.entries.iter().filter(of_sale).cloned().collect();
        sale.shown(&entries, &history.leads, customer, sums.get(&sale.id).unwrap_or(&Sum::default()))
    };
    Ok(history.sales.iter().map(show).collect())
}
