//! `/utm-templates`.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::labels;
use crate::core::api::utm_template::UtmTemplate;
use crate::core::problem::{Code, Problem};
use crate::edge::{d1, entropy, utm_templates};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, respond};

const PAGE_SIZE: i64 = 100;

/// `GET /utm-templates`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let condition = labels::condition(&query, &caller.workspace_id)?;
    let size = query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?;
    let found = utm_templates::list(env, &condition, query.page()?, size).await?;
    Ok(respond::json(200, &found.iter().map(UtmTemplate::shown).collect::<Vec<Value>>())?)
}

/// `GET /utm-templates/{id}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown())?)
}

/// `POST /utm-templates`
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let value = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let now = entropy::now();
    let new = UtmTemplate { created_at: now, updated_at: now, ..UtmTemplate::default() };
    let template = UtmTemplate { id: entropy::object_id("utm_")?, ..new.changed(&value, true)? };
    utm_templates::store(env, &caller.workspace_id, &template).await.map_err(explain)?;
    Ok(respond::json(201, &template.shown())?)
}

/// `PATCH /utm-templates/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let value = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let old = existing(env, &caller.workspace_id, id).await?;
    let template = UtmTemplate { updated_at: entropy::now(), ..old.changed(&value, false)? };
    utm_templates::store(env, &caller.workspace_id, &template).await.map_err(explain)?;
    Ok(respond::json(200, &template.shown())?)
}

/// `DELETE /utm-templates/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksWrite).await?;
    let template = existing(env, &caller.workspace_id, id).await?;
    utm_templates::delete(env, &caller.workspace_id, &template.id).await?;
    Ok(respond::json(200, &json!({"id": template.id}))?)
}

async fn existing(env: &Env, workspace_id: &str, id: &str) -> Result<UtmTemplate, Failure> {
    utm_templates::find(env, workspace_id, id).await?.ok_or_else(|| Problem::not_found("UTM template").into())
}

fn explain(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        return Problem::new(Code::Conflict, "A UTM template with this name already exists.").into();
    }
    error.into()
}
