//! `/links`: short links one at a time, lists and counts.

use serde_json::{Map, Value, json};
use worker::{Context, Env, Request, Response};

use crate::core::access::Permission;
use crate::core::api::link::{Figures, Link};
use crate::core::api::link_body::LinkBody;
use crate::core::api::link_filter::{GROUPINGS, LinkFilter, ORDERS};
use crate::core::api::paging::{Order, Page};
use crate::core::problem::Problem;
use crate::core::validate::{Fields, Query};
use crate::core::{domain, key, public_page};
use crate::edge::figures::{self, Scope};
use crate::edge::link_list::{self, Wanted};
use crate::edge::link_rows::{self, Selector};
use crate::edge::{domains, entropy, folders, tags};
use crate::http::auth::{self, Caller};
use crate::http::failure::{Answer, Failure};
use crate::http::link_writes::{self, Stored};
use crate::http::{body, query, respond};

const PAGE_SIZE: i64 = 100;

/// `POST /links`
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let wanted = read(&mut request).await?;
    let (link, tags) = link_writes::create(env, &caller, &wanted, entropy::now()).await?;
    Ok(respond::json(200, &link.shown(&Figures::default(), &tags))?)
}

/// `GET /links/{id}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let link = existing(env, &caller, &Selector::of(id)).await?;
    let scope = scope(&caller, &query(request)?)?;
    shown(env, &scope, vec![link]).await.and_then(one)
}

/// `GET /links/info`: by id, external id, or domain and key.
pub(crate) async fn info(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let link = existing(env, &caller, &selector(&query)?).await?;
    let scope = scope(&caller, &query)?;
    shown(env, &scope, vec![link]).await.and_then(one)
}

/// `PATCH /links/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let wanted = read(&mut request).await?;
    let old = existing(env, &caller, &Selector::of(id)).await?;
    let stored = link_writes::update(env, &old, &wanted, entropy::now()).await?;
    let scope = scope(&caller, &query(&request)?)?;
    answer(env, &scope, stored).await
}

/// `DELETE /links/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksWrite).await?;
    let link = existing(env, &caller, &Selector::of(id)).await?;
    link_writes::delete(env, &caller.workspace_id, std::slice::from_ref(&link), entropy::now()).await?;
    Ok(respond::json(200, &json!({"id": link.id}))?)
}

/// `GET /links`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let filter = filter(env, &caller, &query).await?;
    let scope = scope(&caller, &query)?;
    let page = Page::parse(&query)?;
    let wanted = Wanted {
        filter: &filter,
        order: Order::parse(&query, &ORDERS)?,
        page: &page,
        size: query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?,
    };
    let Some(links) = link_list::list(env, &scope, &wanted).await? else {
        return Err(Problem::invalid("custom", "startingAfter", "There is no link with this id").into());
    };
    let pages: Vec<_> = links.iter().map(|link| public_page::of(&link.id, &link.options)).collect();
    let mut shown = shown(env, &scope, links).await?;
    if query.boolean("includeDashboard", false)? {
        for (link, page) in shown.iter_mut().zip(pages) {
            if let (Some(link), Some(page)) = (link.as_object_mut(), page) {
                link.insert("dashboardId".to_owned(), page.into());
            }
        }
    }
    Ok(respond::json(200, &shown)?)
}

/// `GET /links/count`
pub(crate) async fn count(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let filter = filter(env, &caller, &query).await?;
    let Some(name) = query.choice("groupBy", &GROUPINGS.map(|group| group.name))? else {
        return Ok(respond::json(200, &link_list::count(env, &caller.workspace_id, &filter).await?)?);
    };
    let Some(by) = GROUPINGS.into_iter().find(|group| group.name == name) else {
        return Ok(respond::json(200, &json!([]))?);
    };
    let groups = link_list::count_by(env, &caller.workspace_id, &filter, by).await?;
    let rows = groups.into_iter().map(|group| {
        let row = [(name.to_owned(), group.value.into()), ("_count".to_owned(), group.n.into())];
        Value::Object(row.into_iter().collect::<Map<_, _>>())
    });
    Ok(respond::json(200, &rows.collect::<Value>())?)
}

/// The link of the workspace, or 404; also for one of another workspace.
pub(crate) async fn existing(env: &Env, caller: &Caller, selector: &Selector) -> Result<Link, Failure> {
    let found = link_rows::find(env, &caller.workspace_id, selector).await?;
    found.ok_or_else(|| Problem::not_found("Link").into())
}

/// `?linkId=`, else `?externalId=`, else `?domain=&key=`.
pub(crate) fn selector(query: &Query) -> Result<Selector, Problem> {
    if let Some(id) = query.text_up_to("linkId", 300)? {
        return Ok(Selector::of(id));
    }
    if let Some(id) = query.text_up_to("externalId", 300)? {
        let id = id.strip_prefix("ext_").unwrap_or(id);
        return Ok(Selector::ExternalId(id.to_owned()));
    }
    let Some(domain) = query.text_up_to("domain", 300)? else {
        return Err(Problem::bad_request("Give `domain` and `key`, or `linkId`, or `externalId`."));
    };
    let text = query.text_up_to("key", 1000)?.unwrap_or(key::ROOT);
    let domain = domain::of_host(domain).ok_or_else(|| Problem::not_found("Link"))?;
    let key = key::ascii(text.trim_matches('/')).ok_or_else(|| Problem::not_found("Link"))?;
    Ok(Selector::Key(domain, if key.is_empty() { key::ROOT.to_owned() } else { key }))
}

/// Whose figures to show, and of which mode.
pub(crate) fn scope(caller: &Caller, query: &Query) -> Result<Scope, Problem> {
    Ok(Scope { workspace_id: caller.workspace_id.clone(), mode: query.mode()?, currency: caller.currency })
}

/// The body of a single link.
pub(crate) async fn read(request: &mut Request) -> Result<LinkBody, Failure> {
    let value = body::json(request, body::API_LIMIT_BYTES).await?;
    Ok(LinkBody::parse(&Fields::root(&value)?)?)
}

/// The filter of a list; a domain or folder that is not the workspace's is 404.
pub(crate) async fn filter(env: &Env, caller: &Caller, query: &Query) -> Result<LinkFilter, Failure> {
    let filter = LinkFilter::parse(query, None)?;
    if let Some(domain) = &filter.domain
        && !domains::is_owned(env, &caller.workspace_id, domain).await?
    {
        return Err(Problem::not_found("Domain").into());
    }
    if let Some(folder) = &filter.folder_id
        && !folders::exists(env, &caller.workspace_id, folder).await?
    {
        return Err(Problem::not_found("Folder").into());
    }
    Ok(filter)
}

/// One link that was just stored.
pub(crate) async fn answer(env: &Env, scope: &Scope, (link, tags): Stored) -> Answer {
    let figures = figures::of_links(env, scope, std::slice::from_ref(&link.id)).await?;
    let figures = figures.get(&link.id).cloned().unwrap_or_default();
    Ok(respond::json(200, &link.shown(&figures, &tags))?)
}

/// Links with their figures and tags, in the order given.
pub(crate) async fn shown(env: &Env, scope: &Scope, links: Vec<Link>) -> Result<Vec<Value>, Failure> {
    let ids: Vec<String> = links.iter().map(|link| link.id.clone()).collect();
    let figures = figures::of_links(env, scope, &ids).await?;
    let tags = tags::of_links(env, &ids).await?;
    let none = (Figures::default(), Vec::new());
    let show = |link: &Link| {
        link.shown(figures.get(&link.id).unwrap_or(&none.0), tags.get(&link.id).unwrap_or(&none.1))
    };
    Ok(links.iter().map(show).collect())
}

fn one(links: Vec<Value>) -> Result<Response, Failure> {
    let link = links.into_iter().next().ok_or_else(|| Problem::not_found("Link"))?;
    Ok(respond::json(200, &link)?)
}
