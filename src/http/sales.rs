//! `GET /sales/{id}`: one sale and its receipt.

use serde_json::{Map, Value};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::problem::Problem;
use crate::edge::{d1_customers, link_rows};
use crate::http::failure::Answer;
use crate::http::links::scope;
use crate::http::{auth, customers, links, query, respond};

/// By the sale's id, or by any reference of its payment.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, name: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let scope = scope(&caller, &query(request)?)?;
    let not_found = || Problem::not_found("Sale");
    let sale = d1_customers::sale(env, &scope, name).await?.ok_or_else(not_found)?;
    let mut history = d1_customers::history(env, &scope, &sale.customer_id).await?;
    history.sales.retain(|other| other.id == sale.id);
    // An erased person's sales stay; the person is not there any more.
    let customer = match d1_customers::find(env, &scope, &sale.customer_id).await? {
        Some(customer) => customers::summary(env, &scope, &customer).await?,
        None => Value::Null,
    };
    let shown = customers::sales(env, &scope, &history, &customer).await?;
    let Some(Value::Object(mut shown)) = shown.into_iter().next() else {
        return Err(not_found().into());
    };
    shown.insert("customer".to_owned(), customer);
    let ids: Vec<String> = sale.link_id.into_iter().collect();
    let found = link_rows::find_all(env, &scope.workspace_id, &ids, true).await?;
    let link = links::shown(env, &scope, found).await?.into_iter().next().unwrap_or(Value::Null);
    shown.insert("link".to_owned(), link);
    Ok(respond::json(200, &shown as &Map<String, Value>)?)
}
