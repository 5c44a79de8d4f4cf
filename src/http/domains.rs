//! `/domains`: where short links are served.

use serde_json::{Value, json};
use worker::{Context, Env, Request, console_error};

use crate::core::access::Permission;
use crate::core::api::domain::{self, Domain, DomainBody};
use crate::core::api::link::Link;
use crate::core::key;
use crate::core::problem::{Code, Problem};
use crate::edge::{d1, domain_records, domains, entropy, link_rows, links, probe};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, respond};

const PAGE_SIZE: i64 = 50;
/// Copies of a domain's links that one request can drop: each is a request of its own, of which a Worker has 1000.
const MAX_COPIES: i64 = 800;

/// `GET /domains`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsRead).await?;
    let query = query(request)?;
    let condition = domain::condition(&query, &caller.workspace_id)?;
    let size = query.page_size("pageSize", PAGE_SIZE, PAGE_SIZE)?;
    let found = domains::list(env, &condition, query.page()?, size).await?;
    Ok(respond::json(200, &found.iter().map(Domain::shown).collect::<Vec<Value>>())?)
}

/// `GET /domains/count`
pub(crate) async fn count(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsRead).await?;
    let condition = domain::condition(&query(request)?, &caller.workspace_id)?;
    Ok(respond::json(200, &d1::count(env, "domains", &condition).await?)?)
}

/// `GET /domains/{slug}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsRead).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, slug).await?.shown())?)
}

/// `POST /domains`: with an empty link at its root.
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::DomainsWrite).await?;
    let wanted = DomainBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?, true)?;
    let (workspace_id, now) = (caller.workspace_id.as_str(), entropy::now());
    let new =
        Domain { id: entropy::object_id("dom_")?, created_at: now, updated_at: now, ..Domain::default() };
    let domain = wanted.over(new);
    let mut root = Link::new(entropy::object_id("link_")?, workspace_id, now);
    root.domain.clone_from(&domain.slug);
    key::ROOT.clone_into(&mut root.key);
    let db = d1::database(env)?;
    let mut statements = vec![domains::insert(&db, workspace_id, &domain)?, link_rows::insert(&db, &root)?];
    if wanted.primary {
        statements.push(domains::make_primary(&db, workspace_id, &domain.id)?);
    }
    db.batch(statements).await.map_err(explain)?;
    domain_records::forget(&domain.slug);
    Ok(respond::json(201, &existing(env, workspace_id, &domain.slug).await?.shown())?)
}

/// `PATCH /domains/{slug}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::DomainsWrite).await?;
    let wanted = DomainBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?, false)?;
    let workspace_id = caller.workspace_id.as_str();
    let old = existing(env, workspace_id, slug).await?;
    let domain = Domain { updated_at: entropy::now(), ..wanted.over(old.clone()) };
    let moved =
        if old.slug == domain.slug { Vec::new() } else { copies(env, workspace_id, &old.slug).await? };
    let db = d1::database(env)?;
    let mut statements = domains::update(&db, workspace_id, &old.slug, &domain)?;
    if wanted.primary {
        statements.push(domains::make_primary(&db, workspace_id, &domain.id)?);
    }
    db.batch(statements).await.map_err(explain)?;
    domain_records::forget(&old.slug);
    domain_records::forget(&domain.slug);
    drop_copies(env, ctx, &old.slug, moved);
    Ok(respond::json(200, &existing(env, workspace_id, &domain.slug).await?.shown())?)
}

/// `DELETE /domains/{slug}`: its links go with it.
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsWrite).await?;
    let workspace_id = caller.workspace_id.as_str();
    let domain = existing(env, workspace_id, slug).await?;
    let gone = copies(env, workspace_id, &domain.slug).await?;
    domains::delete(env, workspace_id, &domain, entropy::now()).await?;
    domain_records::forget(&domain.slug);
    drop_copies(env, ctx, &domain.slug, gone);
    Ok(respond::json(200, &json!({"slug": domain.slug}))?)
}

/// `POST /domains/{slug}/primary`
pub(crate) async fn make_primary(request: &Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsWrite).await?;
    let domain = existing(env, &caller.workspace_id, slug).await?;
    domains::make_primary(&d1::database(env)?, &caller.workspace_id, &domain.id)?.run().await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, &domain.slug).await?.shown())?)
}

/// `GET /domains/{slug}/verify`: whether a request for the domain arrives at this Worker.
pub(crate) async fn verify(request: &Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::DomainsRead).await?;
    let domain = existing(env, &caller.workspace_id, slug).await?;
    let arrives = probe::arrives_here(&domain.slug).await;
    if arrives != (domain.verified != 0) {
        domains::set_verified(env, &domain.id, arrives).await?;
    }
    let status = if arrives { "Valid Configuration" } else { "Pending Verification" };
    let domain = Domain { verified: i64::from(arrives), ..domain };
    Ok(respond::json(200, &json!({"status": status, "response": {"domain": domain.shown()}}))?)
}

/// The domain of the workspace, or 404.
pub(crate) async fn existing(env: &Env, workspace_id: &str, slug: &str) -> Result<Domain, Failure> {
    let found = domains::find(env, workspace_id, &slug.to_ascii_lowercase()).await?;
    found.ok_or_else(|| Problem::not_found("Domain").into())
}

/// The keys whose copies must go before the domain may change hands.
pub(crate) async fn copies(env: &Env, workspace_id: &str, slug: &str) -> Result<Vec<String>, Failure> {
    let keys = domains::keys(env, workspace_id, slug, MAX_COPIES + 1).await?;
    if keys.len() > usize::try_from(MAX_COPIES).unwrap_or(usize::MAX) {
        let text = format!("This domain has more than {MAX_COPIES} links. Delete or move links first.");
        return Err(Problem::new(Code::ExceededLimit, text).into());
    }
    Ok(keys)
}

/// Drops them after the answer.
pub(crate) fn drop_copies(env: &Env, ctx: &Context, slug: &str, keys: Vec<String>) {
    let (env, slug) = (env.clone(), slug.to_owned());
    ctx.wait_until(async move {
        for key in keys {
            if let Err(e) = links::remove(&env, &slug, &key).await {
                console_error!("alarm: the copy of {slug}/{key} was not removed: {e}");
            }
        }
    });
}

fn explain(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        return Problem::new(Code::Conflict, "This domain is already in use.").into();
    }
    error.into()
}
