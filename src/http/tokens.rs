//! `/tokens`: API keys, made, shown in part, and revoked.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::{PUBLISHABLE, Permission, partial_key};
use crate::core::api::token::{DEFAULT_RATE_LIMIT, Token, TokenBody};
use crate::core::ids;
use crate::core::problem::Problem;
use crate::edge::{entropy, tokens};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, respond};

/// `GET /tokens`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TokensRead).await?;
    let found = tokens::list(env, &caller.workspace_id).await?;
    Ok(respond::json(200, &found.iter().map(Token::shown).collect::<Vec<Value>>())?)
}

/// `GET /tokens/{id}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TokensRead).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown())?)
}

/// `POST /tokens`: the only time the key itself is shown.
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::TokensWrite).await?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let wanted = TokenBody::parse(&body, caller.permissions, true)?;
    let prefix = if wanted.is_publishable() { PUBLISHABLE } else { "pimms_" };
    let key = format!("{prefix}{}", entropy::token(24)?);
    let blank = Token {
        id: entropy::object_id("tok_")?,
        name: String::new(),
        partial: partial_key(&key),
        scopes: String::new(),
        rate_limit: DEFAULT_RATE_LIMIT,
        created_at: entropy::now(),
        last_used: None,
        expires_at: None,
    };
    let token = wanted.over(blank);
    tokens::insert(env, &caller.workspace_id, &token, &ids::sha256_hex(key.as_bytes())).await?;
    let mut shown = token.shown();
    if let Value::Object(shown) = &mut shown {
        shown.insert("token".to_owned(), key.into());
    }
    Ok(respond::json(201, &shown)?)
}

/// `PATCH /tokens/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::TokensWrite).await?;
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let wanted = TokenBody::parse(&body, caller.permissions, false)?;
    let token = wanted.over(existing(env, &caller.workspace_id, id).await?);
    tokens::update(env, &caller.workspace_id, &token).await?;
    Ok(respond::json(200, &token.shown())?)
}

/// `DELETE /tokens/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TokensWrite).await?;
    let token = existing(env, &caller.workspace_id, id).await?;
    tokens::delete(env, &caller.workspace_id, &token.id).await?;
    Ok(respond::json(200, &json!({"id": token.id}))?)
}

async fn existing(env: &Env, workspace_id: &str, id: &str) -> Result<Token, Failure> {
    tokens::find(env, workspace_id, id).await?.ok_or_else(|| Problem::not_found("Token").into())
}
