//! `/folders`.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::labels::{self, Folder, FolderBody};
use crate::core::problem::{Code, Problem};
use crate::edge::{d1, entropy, folders};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, respond};

const PAGE_SIZE: i64 = 50;

/// `GET /folders`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::FoldersRead).await?;
    let query = query(request)?;
    let condition = labels::condition(&query, &caller.workspace_id)?;
    let size = query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?;
    let with_count = query.boolean("includeLinkCount", false)?;
    let found = folders::list(env, &condition, query.page()?, size).await?;
    let shown = found.into_iter().map(|folder| {
        let links = if with_count { folder.links } else { 0 };
        Folder { links, ..folder }.shown()
    });
    Ok(respond::json(200, &shown.collect::<Vec<Value>>())?)
}

/// `GET /folders/count`
pub(crate) async fn count(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::FoldersRead).await?;
    let condition = labels::condition(&query(request)?, &caller.workspace_id)?;
    Ok(respond::json(200, &d1::count(env, "folders", &condition).await?)?)
}

/// `GET /folders/{id}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::FoldersRead).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown())?)
}

/// `POST /folders`
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::FoldersWrite).await?;
    let wanted = FolderBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?, true)?;
    let now = entropy::now();
    let folder = Folder {
        id: entropy::object_id("fold_")?,
        name: wanted.name.unwrap_or_default(),
        description: wanted.description.value(),
        access_level: wanted.access_level.value().map(str::to_owned),
        created_at: now,
        updated_at: now,
        links: 0,
    };
    folders::store(env, &caller.workspace_id, &folder).await.map_err(explain)?;
    Ok(respond::json(201, &folder.shown())?)
}

/// `PATCH /folders/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::FoldersWrite).await?;
    let wanted = FolderBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?, false)?;
    let old = existing(env, &caller.workspace_id, id).await?;
    let folder = Folder {
        name: wanted.name.unwrap_or(old.name),
        description: wanted.description.over(old.description),
        access_level: wanted.access_level.map(str::to_owned).over(old.access_level),
        updated_at: entropy::now(),
        ..old
    };
    folders::store(env, &caller.workspace_id, &folder).await.map_err(explain)?;
    Ok(respond::json(200, &folder.shown())?)
}

/// `DELETE /folders/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::FoldersWrite).await?;
    let folder = existing(env, &caller.workspace_id, id).await?;
    folders::delete(env, &caller.workspace_id, &folder.id).await?;
    Ok(respond::json(200, &json!({"id": folder.id}))?)
}

async fn existing(env: &Env, workspace_id: &str, id: &str) -> Result<Folder, Failure> {
    folders::find(env, workspace_id, id).await?.ok_or_else(|| Problem::not_found("Folder").into())
}

fn explain(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        return Problem::new(Code::Conflict, "A folder with this name already exists.").into();
    }
    error.into()
}
