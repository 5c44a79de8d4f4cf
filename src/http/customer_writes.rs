//! `POST /customers` and `PATCH /customers/{id}`: what the owner says is a fact like any other.

use std::time::Duration;

use serde_json::Value;
use worker::{Context, Delay, Env, Request, Response, console_error};

use crate::core::access::Permission;
use crate::core::api::customer::Customer;
use crate::core::api::customer_body::CustomerBody;
use crate::core::ledger::messages::Shown;
use crate::core::problem::{Code, Problem};
use crate::edge::booking::{self, Said};
use crate::edge::figures::Scope;
use crate::edge::{d1_customers, entropy};
use crate::http::failure::{Answer, Failure};
use crate::http::links::scope;
use crate::http::{auth, body, customers, query, respond};

/// How often the projection is asked for what was just said, and how long between, in ms.
const LOOKS: u32 = 20;
const PAUSE_MS: u64 = 50;

/// `POST /customers`
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::CustomersWrite).await?;
    let scope = scope(&caller, &query(&request)?)?;
    let value = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let wanted = CustomerBody::parse(&value, true)?;
    let taken = || conflict("A customer with this externalId already exists.");
    // Somebody of whom only a payment is known is no customer yet; the fact makes one of them.
    let name = format!("ext_{}", wanted.external_id());
    if let Some(id) = d1_customers::resolve(env, &scope, &name).await?
        && d1_customers::find(env, &scope, &id).await?.is_some()
    {
        return Err(taken());
    }
    said(env, &scope, &wanted, None).await?.map_or_else(|| Err(taken()), |shown| respond_with(201, &shown))
}

/// `PATCH /customers/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::CustomersWrite).await?;
    let scope = scope(&caller, &query(&request)?)?;
    let value = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let wanted = CustomerBody::parse(&value, false)?;
    let customer = customers::existing(env, &scope, id).await?;
    let shown = if wanted.is_empty() { None } else { said(env, &scope, &wanted, Some(&customer)).await? };
    match shown {
        Some(shown) => respond_with(200, &shown),
        None => respond_with(200, &customers::summary(env, &scope, &customer).await?),
    }
}

fn respond_with(status: u16, shown: &Value) -> Result<Response, Failure> {
    Ok(respond::json(status, shown)?)
}

fn conflict(text: &str) -> Failure {
    Problem::new(Code::Conflict, text).into()
}

/// Keeps what was said and gives the customer as it is then; `None`: the same customer was created before.
async fn said(
    env: &Env,
    scope: &Scope,
    wanted: &CustomerBody,
    of: Option<&Customer>,
) -> Result<Option<Value>, Failure> {
    let event_id = format!("customer_{}", entropy::token(16)?);
    let fact = wanted.fact(event_id, entropy::now(), of.map(|customer| customer.id.clone()));
    let claim = of.is_none().then(|| wanted.claim());
    let said = Said { fact, claim, apart: true };
    let accepted = booking::accept(env, &scope.workspace_id, scope.mode, said).await.map_err(|error| {
        console_error!("customers: {error}");
        Problem::new(Code::Unavailable, "The customer could not be stored. Please try again.")
    })?;
    if let Some(reason) = accepted.refused {
        return Err(conflict(&reason));
    }
    if accepted.earlier.is_some() {
        return Ok(None);
    }
    let id = accepted.customer_id.unwrap_or_default();
    let shown = accepted.customer.unwrap_or_else(|| wanted.shown());
    let customer = projected(env, scope, &id, &shown).await;
    let customer = customer.unwrap_or_else(|| Customer::told(&id, &shown, of, entropy::now()));
    Ok(Some(customers::summary(env, scope, &customer).await?))
}

/// The customer once the projection shows what its ledger does: who reads after this answer reads what was written.
async fn projected(env: &Env, scope: &Scope, id: &str, shown: &Shown) -> Option<Customer> {
    for _ in 0..LOOKS {
        match d1_customers::find(env, scope, id).await {
            Ok(Some(customer)) if customer.is_shown_as(shown) => return Some(customer),
            Ok(_) => Delay::from(Duration::from_millis(PAUSE_MS)).await,
            Err(error) => {
                console_error!("customers: the projection could not be read: {error}");
                return None;
            }
        }
    }
    None
}
