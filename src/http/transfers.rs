//! `POST /links/{id}/transfer` and `POST /domains/{slug}/transfer`.

use worker::{Context, Env, Request};

use crate::core::access::{Permission, Permissions};
use crate::core::api::link::Figures;
use crate::core::api::transfer::Transfer;
use crate::core::ids;
use crate::core::problem::{Code, Problem};
use crate::edge::link_rows::{self, Selector};
use crate::edge::transfers::{self, Move};
use crate::edge::{d1, domain_records, entropy, keys};
use crate::http::domains::{copies, drop_copies, existing};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, links, respond};

/// A domain with all its links. Tags and folders stay behind, and so do figures.
pub(crate) async fn domain(mut request: Request, env: &Env, ctx: &Context, slug: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::DomainsWrite).await?;
    caller.require(Permission::LinksWrite)?;
    let domain = existing(env, &caller.workspace_id, slug).await?;
    let wanted = read(&mut request, env, ctx).await?;
    let keys = copies(env, &caller.workspace_id, &domain.slug).await?;
    let moved = Move { from: &caller.workspace_id, to: &wanted.workspace_id, at: entropy::now() };
    if moved.from != moved.to {
        transfers::domain(env, &moved, &domain.id, &domain.slug).await.map_err(explain)?;
        domain_records::forget(&domain.slug);
        drop_copies(env, ctx, &domain.slug, keys);
    }
    Ok(respond::json(200, &existing(env, &wanted.workspace_id, &domain.slug).await?.shown())?)
}

/// A link. A short-link domain belongs to one workspace, so the link moves to one of the new workspace's, which the
/// body names.
pub(crate) async fn link(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let old = links::existing(env, &caller, &Selector::of(id)).await?;
    let wanted = read(&mut request, env, ctx).await?;
    let domain = wanted.domain.as_deref().unwrap_or(&old.domain);
    if !crate::edge::domains::is_owned(env, &wanted.workspace_id, domain).await? {
        let text = format!(
            "{domain} is not a domain of the new workspace. Name one of its domains, or transfer {domain} with all its links."
        );
        return Err(Problem::new(Code::Forbidden, text).into());
    }
    let moved = Move { from: &caller.workspace_id, to: &wanted.workspace_id, at: entropy::now() };
    transfers::link(env, &moved, &old.id, domain).await.map_err(explain)?;
    drop_copies(env, ctx, &old.domain, vec![old.key.clone()]);
    drop_copies(env, ctx, domain, vec![old.key.clone()]);
    let found = link_rows::find(env, &wanted.workspace_id, &Selector::of(&old.id)).await?;
    let link = found.ok_or_else(|| Problem::not_found("Link"))?;
    Ok(respond::json(200, &link.shown(&Figures::default(), &[]))?)
}

/// The body, whose key must be one of the new workspace.
async fn read(request: &mut Request, env: &Env, ctx: &Context) -> Result<Transfer, Failure> {
    let wanted = Transfer::parse(&body::json(request, body::API_LIMIT_BYTES).await?)?;
    let now = entropy::now();
    let key = keys::find(env, ctx, &ids::sha256_hex(wanted.key.as_bytes()), now).await?;
    let key = key.filter(|key| key.expires_at.is_none_or(|end| end > now));
    match key {
        Some(key) if wanted.is_welcome(&key.workspace_id, Permissions::of_scopes(&key.scopes)) => Ok(wanted),
        _ => Err(Problem::not_found("Workspace").into()),
    }
}

fn explain(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        let text = "The new workspace has a link with the same key or externalId.";
        return Problem::new(Code::Conflict, text).into();
    }
    error.into()
}
