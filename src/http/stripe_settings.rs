//! `GET` and `PUT /stripe`: a workspace's connection to Stripe.

use serde_json::json;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::stripe;
use crate::core::problem::{Code, Problem};
use crate::edge::{d1, entropy, seal, stripe_settings};
use crate::http::failure::Answer;
use crate::http::{auth, body, respond, stripe_webhook};

/// Modes, accounts and the end of each secret; never a secret.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WorkspacesRead).await?;
    shown(env, &caller.workspace_id).await
}

/// Replaces the secrets, the accounts, or both.
pub(crate) async fn replace(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WorkspacesWrite).await?;
    let wanted = stripe::settings(&body::json(&mut request, body::API_LIMIT_BYTES).await?)?;
    let workspace_id = caller.workspace_id.as_str();
    let mut statements = Vec::new();
    if let Some(secrets) = &wanted.secrets {
        statements.extend(stripe_settings::replace_secrets(env, &seal::key(env)?, workspace_id, secrets)?);
    }
    if let Some(accounts) = &wanted.accounts {
        let now = entropy::now();
        let connected = stripe_settings::accounts(env, workspace_id).await?;
        statements.extend(stripe_settings::replace_accounts(env, workspace_id, &connected, accounts, now)?);
    }
    if !statements.is_empty() {
        if let Err(e) = d1::database(env)?.batch(statements).await {
            if d1::is_unique_violation(&e) {
                let text = "One of the accounts is connected to another workspace.";
                return Err(Problem::new(Code::Conflict, text).into());
            }
            return Err(e.into());
        }
        stripe_settings::forget(workspace_id);
    }
    if let Some(accounts) = &wanted.accounts {
        stripe_webhook::reconsider(env, workspace_id, accounts).await?;
    }
    shown(env, workspace_id).await
}

async fn shown(env: &Env, workspace_id: &str) -> Answer {
    let secrets = stripe_settings::shown(env, workspace_id).await?;
    let secrets: Vec<_> =
        secrets.iter().map(|secret| json!({"mode": secret.mode, "lastFour": secret.last_four})).collect();
    let answer = json!({
        "signingSecrets": secrets,
        "accounts": stripe_settings::accounts(env, workspace_id).await?,
        "webhookPath": format!("/stripe/webhook/{workspace_id}"),
    });
    Ok(respond::json(200, &answer)?)
}
