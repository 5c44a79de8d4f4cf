//! `/tags`.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::labels::{self, COLORS, TagBody};
use crate::core::api::link::Tag;
use crate::core::problem::{Code, Problem};
use crate::edge::{d1, entropy, tags};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, respond};

const PAGE_SIZE: i64 = 100;

/// `GET /tags`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TagsRead).await?;
    let query = query(request)?;
    let condition = labels::condition(&query, &caller.workspace_id)?;
    let descending = query.choice("sortOrder", &["asc", "desc"])? == Some("desc");
    let order = match (query.choice("sortBy", &["name", "createdAt"])?, descending) {
        (Some("createdAt"), false) => "x.created_at",
        (Some("createdAt"), true) => "x.created_at DESC",
        (_, false) => "x.name COLLATE NOCASE",
        (_, true) => "x.name COLLATE NOCASE DESC",
    };
    let with_count = query.boolean("includeLinksCount", false)?;
    let size = query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?;
    let found = tags::list(env, &condition, order, query.page()?, size).await?;
    let shown = found.into_iter().map(|tag| {
        let mut shown = json!({"id": tag.id, "name": tag.name, "color": tag.color});
        if let (true, Value::Object(shown)) = (with_count, &mut shown) {
            shown.insert("_count".to_owned(), json!({"links": tag.links}));
        }
        shown
    });
    Ok(respond::json(200, &shown.collect::<Vec<_>>())?)
}

/// `GET /tags/count`
pub(crate) async fn count(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TagsRead).await?;
    let condition = labels::condition(&query(request)?, &caller.workspace_id)?;
    Ok(respond::json(200, &d1::count(env, "tags", &condition).await?)?)
}

/// `POST /tags`
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::TagsWrite).await?;
    let wanted = TagBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?)?;
    let [chance] = entropy::random::<1>()?;
    let any = COLORS.get(usize::from(chance) % COLORS.len()).copied().unwrap_or("blue");
    let color = wanted.color.unwrap_or(any).to_owned();
    let tag = Tag { id: entropy::object_id("tag_")?, name: wanted.name, color };
    tags::insert(env, &caller.workspace_id, &tag, entropy::now()).await.map_err(explain)?;
    Ok(respond::json(201, &tag.shown())?)
}

/// `PATCH /tags/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::TagsWrite).await?;
    let wanted = TagBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?)?;
    let mut tag = existing(env, &caller.workspace_id, id).await?;
    tag.name = wanted.name;
    if let Some(color) = wanted.color {
        color.clone_into(&mut tag.color);
    }
    tags::update(env, &caller.workspace_id, &tag, entropy::now()).await.map_err(explain)?;
    Ok(respond::json(200, &tag.shown())?)
}

/// `DELETE /tags/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::TagsWrite).await?;
    let tag = existing(env, &caller.workspace_id, id).await?;
    tags::delete(env, &caller.workspace_id, &tag.id).await?;
    Ok(respond::json(200, &json!({"id": tag.id}))?)
}

async fn existing(env: &Env, workspace_id: &str, id: &str) -> Result<Tag, Failure> {
    let found = tags::by_ids(env, workspace_id, &[id.to_owned()]).await?;
    found.into_iter().next().ok_or_else(|| Problem::not_found("Tag").into())
}

fn explain(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        return Problem::new(Code::Conflict, "A tag with this name already exists.").into();
    }
    error.into()
}
