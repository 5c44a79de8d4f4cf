//! What a person may ask of those who keep data about them: to see it, and to have it removed.

use serde_json::json;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::sale::Lead;
use crate::core::ledger::messages::{Sealed, ToDirectory, ToLedger};
use crate::core::problem::Problem;
use crate::edge::{d1_customers, d1_ledger, objects, person};
use crate::http::failure::Answer;
use crate::http::{auth, customers, links, query, respond};

/// `DELETE /api/customers/{id}`: the person goes, the money stays.
pub(crate) async fn erase(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let workspace_id = &auth::permitted(request, env, ctx, Permission::CustomersWrite).await?.workspace_id;
    let mode = query(request)?.mode()?;
    let customer_id = d1_ledger::customer(env, workspace_id, mode, id).await?;
    let customer_id = customer_id.ok_or_else(|| Problem::not_found("Customer"))?;
    // Before the ledger forgets: while this fails, the person is still found and the call can be repeated.
    person::erase(env, workspace_id, &customer_id).await?;
    let stub = objects::directory(env, workspace_id, mode)?;
    let () = objects::call(&stub, &ToDirectory::Erase { customer_id: customer_id.clone() }).await?;
    Ok(respond::json(200, &json!({"id": customer_id}))?)
}

/// `GET /customers/{id}/export`: all that is stored of a person, for the person.
pub(crate) async fn export(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let scope = links::scope(&caller, &query(request)?)?;
    let customer = customers::existing(env, &scope, id).await?;
    let stub = objects::ledger(env, &scope.workspace_id, scope.mode, &customer.id)?;
    let known: Sealed = objects::call(&stub, &ToLedger::Tell { customer_id: customer.id.clone() }).await?;
    let visits = person::visits(env, &scope.workspace_id, &customer.id).await?;
    let history = d1_customers::history(env, &scope, &customer.id).await?;
    let shown = customers::summary(env, &scope, &customer).await?;
    Ok(respond::json(
        200,
        &json!({
            "customer": shown,
            "leads": history.leads.iter().map(Lead::shown).collect::<Vec<_>>(),
            "sales": customers::sales(env, &scope, &history, &shown).await?,
            "visits": visits,
            "facts": known.facts.iter().map(|known| &known.fact).collect::<Vec<_>>(),
        }),
    )?)
}
