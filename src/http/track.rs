//! `POST /track/lead` and `POST /track/sale`, and both from a page.
//!
//! Both are durable in the Directory before they are answered, whatever `mode` says: a lead followed at once
//! by a sale finds its customer.

use serde::Deserialize;
use serde_json::{Value, json};
use worker::{Context, Env, Request, console_error};

use crate::core::access::{self, Permission};
use crate::core::ledger::fact::{Touch, TouchVerdict};
use crate::core::ledger::messages::{Accepted, Claim};
use crate::core::mode::Mode;
use crate::core::problem::{Code, Problem};
use crate::core::track::{LeadCall, SaleCall};
use crate::edge::booking::{self, Said};
use crate::edge::{click_proof, d1, entropy, settings};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, reported, respond};

type Outcome<T> = std::result::Result<T, Problem>;

/// Who calls, and for which world.
struct Caller<'a> {
    env: &'a Env,
    workspace_id: &'a str,
    mode: Mode,
    /// Automation tools do not show error bodies: unknown clicks are answered 200 with `success: false`.
    user_agent: String,
}

fn unavailable(error: &worker::Error) -> Problem {
    console_error!("track: {error}");
    Problem::new(Code::Unavailable, "The event could not be stored. Please try again.")
}

/// `POST /track/lead`.
pub(crate) async fn lead(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let owner = auth::permitted(&request, env, ctx, Permission::LeadWrite).await?;
    let caller = caller(&request, env, &owner.workspace_id)?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    answer(track_lead(&caller, &body).await, &caller)
}

/// `POST /track/sale`.
pub(crate) async fn sale(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let owner = auth::permitted(&request, env, ctx, Permission::SaleWrite).await?;
    let caller = caller(&request, env, &owner.workspace_id)?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    answer(track_sale(&caller, &body).await, &caller)
}

/// `POST /track/lead/client`: from a page, with a publishable key.
pub(crate) async fn lead_client(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = publishable(&request, env, ctx).await?;
    let caller = caller(&request, env, &workspace_id)?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    answer(track_lead(&caller, &body).await, &caller)
}

/// `POST /track/sale/client`: from a page, with a publishable key.
pub(crate) async fn sale_client(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let workspace_id = publishable(&request, env, ctx).await?;
    let caller = caller(&request, env, &workspace_id)?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    answer(track_sale(&caller, &body).await, &caller)
}

/// The workspace of a publishable key, used on a page that may use it.
async fn publishable(request: &Request, env: &Env, ctx: &Context) -> Result<String, Failure> {
    let header = request.headers().get("authorization")?;
    access::publishable(header.as_deref())?;
    let caller = auth::caller(request, env, ctx).await?;
    reported::require_allowed(request, env, &caller.workspace_id).await?;
    Ok(caller.workspace_id)
}

fn caller<'a>(request: &Request, env: &'a Env, workspace_id: &'a str) -> Result<Caller<'a>, Failure> {
    let mode = query(request)?.mode()?;
    let user_agent = request.headers().get("user-agent")?.unwrap_or_default();
    Ok(Caller { env, workspace_id, mode, user_agent })
}

fn answer(outcome: Outcome<Value>, caller: &Caller<'_>) -> Answer {
    match outcome {
        Ok(value) => Ok(respond::json(200, &value)?),
        Err(problem) if problem.code == Code::NotFound && is_automation(&caller.user_agent) => {
            Ok(respond::json(200, &json!({"success": false, "error": problem.message}))?)
        }
        Err(problem) => Err(problem.into()),
    }
}

fn is_automation(user_agent: &str) -> bool {
    let user_agent = user_agent.to_ascii_lowercase();
    user_agent.contains("zapier") || user_agent.contains("make")
}

async fn track_lead(caller: &Caller<'_>, body: &Value) -> Outcome<Value> {
    let mut call = LeadCall::read(body)?;
    if call.click_id.is_empty() {
        call.click_id = known_click(caller, &call).await?;
    }
    let touch = proven(caller, &call.click_id).await?;
    let link = match &touch.verdict {
        TouchVerdict::Click { link_id, .. } => link(caller.env, link_id).await,
        TouchVerdict::Refused(_) => Value::Null,
    };
    let answer = call.answer(&call.click_id, &link);
    let claim = Claim { key: call.claim(&call.click_id), answer: answer.to_string() };
    let event_id = event_id("lead_")?;
    let fact = call.fact(event_id, entropy::now(), Some(touch));
    let accepted = accept(caller, fact, Some(claim)).await?;
    Ok(accepted.earlier.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(answer))
}

async fn track_sale(caller: &Caller<'_>, body: &Value) -> Outcome<Value> {
    let call = SaleCall::read(body)?;
    let touch = match &call.click_id {
        Some(click_id) => Some(proven(caller, click_id).await?),
        None => None,
    };
    let claim = call.claim().map(|key| Claim { key, answer: json!({"call": body}).to_string() });
    let direct = touch.is_some();
    let fact = call.clone().fact(event_id("sale_")?, entropy::now(), touch);
    let accepted = accept(caller, fact, claim).await?;
    // A repeated call gets the first one's answer, with the customer as it is shown today.
    let first = accepted.earlier.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let call = first.and_then(|first| SaleCall::read(first.get("call")?).ok()).unwrap_or(call);
    match &accepted.customer_id {
        Some(id) if accepted.was_known || direct => {
            Ok(call.answer(id, &accepted.customer.unwrap_or_default()))
        }
        _ => Ok(call.answer_unknown()),
    }
}

/// A click of this workspace, or 404.
async fn proven(caller: &Caller<'_>, click_id: &str) -> Outcome<Touch> {
    let keys = settings::click_id_keys(caller.env).map_err(|e| unavailable(&e))?;
    let click_id = click_id.strip_prefix("pimms_id_").unwrap_or(click_id);
    let mut touch = Touch::check(&keys, caller.workspace_id, "clickId", click_id);
    if touch.is_foreign() {
        let found = click_proof::find(caller.env, caller.workspace_id, click_id)
            .await
            .map_err(|e| unavailable(&e))?;
        if let Some((link_id, at)) = found {
            touch.verdict = TouchVerdict::Click { link_id, at };
        }
    }
    match &touch.verdict {
        TouchVerdict::Click { .. } => Ok(touch),
        TouchVerdict::Refused(_) => {
            let shown: String = click_id.chars().take(64).collect();
            Err(Problem::new(Code::NotFound, format!("Click not found for clickId: {shown}")))
        }
    }
}

/// The latest click of a customer that is known already (Dub: a lead without a click id).
async fn known_click(caller: &Caller<'_>, call: &LeadCall) -> Outcome<String> {
    #[derive(Deserialize)]
    struct Row {
        click_id: Option<String>,
    }
    let external = call.person.external_id.as_deref().unwrap_or_default();
    let found: worker::Result<Option<Row>> = async {
        let db = d1::database(caller.env)?;
        let query = "SELECT click_id FROM customers
            WHERE workspace_id = ? AND mode = ? AND external_id = ? AND merged_into IS NULL";
        let values = [d1::text(caller.workspace_id), d1::text(caller.mode.as_str()), d1::text(external)];
        d1::first(&db, query, &values).await
    }
    .await;
    let row = found.map_err(|e| unavailable(&e))?;
    row.and_then(|row| row.click_id)
        .ok_or_else(|| Problem::bad_request("clickId is required: this customer has no click yet."))
}

/// `{id, domain, key, shortLink, url, …}`, or null when it is gone or D1 does not answer.
async fn link(env: &Env, link_id: &str) -> Value {
    #[derive(Deserialize)]
    struct Row {
        domain: String,
        key: String,
        url: String,
        external_id: Option<String>,
        tenant_id: Option<String>,
    }
    let found: worker::Result<Option<Row>> = async {
        let db = d1::database(env)?;
        let query = "SELECT domain, key, url, external_id, tenant_id FROM links WHERE id = ?";
        d1::first(&db, query, &[d1::text(link_id)]).await
    }
    .await;
    match found {
        Ok(Some(row)) => {
            let path = if row.key == "_root" { String::new() } else { format!("/{}", row.key) };
            json!({"id": link_id, "domain": row.domain, "key": row.key,
                "shortLink": format!("https://{}{path}", row.domain), "url": row.url, "partnerId": null,
                "programId": null, "tenantId": row.tenant_id, "externalId": row.external_id})
        }
        Ok(None) => Value::Null,
        Err(error) => {
            console_error!("track: the link of a click could not be read: {error}");
            Value::Null
        }
    }
}

fn event_id(prefix: &str) -> Outcome<String> {
    Ok(format!("{prefix}{}", entropy::token(16).map_err(|e| unavailable(&e))?))
}

async fn accept(
    caller: &Caller<'_>,
    fact: crate::core::ledger::fact::Fact,
    claim: Option<Claim>,
) -> Outcome<Accepted> {
    let said = Said { fact, claim, apart: false };
    booking::accept(caller.env, caller.workspace_id, caller.mode, said).await.map_err(|e| unavailable(&e))
}
