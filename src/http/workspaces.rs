//! `/workspaces`: the caller's own.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::workspace::{Workspace, WorkspaceBody};
use crate::core::ledger::messages::ToDirectory;
use crate::core::mode::Mode;
use crate::core::problem::{Code, Problem};
use crate::core::sql::Where;
use crate::edge::{d1, domains, entropy, objects, settings, workspaces, zones};
use crate::http::auth::Caller;
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, respond};

/// `GET /workspaces`: a key knows one.
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WorkspacesRead).await?;
    let workspace = existing(env, &caller, &caller.workspace_id).await?;
    Ok(respond::json(200, &[shown(env, &workspace).await?])?)
}

/// `GET /workspaces/{id or slug}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, name: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WorkspacesRead).await?;
    let workspace = existing(env, &caller, name).await?;
    Ok(respond::json(200, &shown(env, &workspace).await?)?)
}

/// `PATCH /workspaces/{id or slug}`: another currency shows every figure in it, past ones included; another look-back
/// window attributes every sale anew.
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, name: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WorkspacesWrite).await?;
    let wanted = WorkspaceBody::parse(&body::json(&mut request, body::API_LIMIT_BYTES).await?)?;
    if let Some(zone) = wanted.timezone()
        && zones::zone(&zone, entropy::now(), entropy::now())?.is_none()
    {
        return Err(Problem::invalid("custom", "timezone", "Unknown time zone: use an IANA name").into());
    }
    let names_window = wanted.names_window();
    let workspace = wanted.over(existing(env, &caller, name).await?);
    if let Err(e) = workspaces::update(env, &workspace).await {
        if d1::is_unique_violation(&e) {
            return Err(Problem::new(Code::Conflict, "This slug is already in use.").into());
        }
        return Err(e.into());
    }
    if names_window {
        // Also when it is what D1 knew: a try that failed here is repaired by the next.
        for mode in [Mode::Live, Mode::Test] {
            let stub = objects::directory(env, &workspace.id, mode)?;
            let message = ToDirectory::Settle { policy: workspace.policy(mode) };
            objects::call::<_, i64>(&stub, &message).await?;
        }
    }
    Ok(respond::json(200, &shown(env, &workspace).await?)?)
}

/// The caller's workspace, if `name` is its id or slug; any other is not found.
async fn existing(env: &Env, caller: &Caller, name: &str) -> Result<Workspace, Failure> {
    let found = workspaces::find(env, &caller.workspace_id).await?;
    let named = found.filter(|workspace| workspace.id == name || workspace.slug == name);
    named.ok_or_else(|| Problem::not_found("Workspace").into())
}

async fn shown(env: &Env, workspace: &Workspace) -> Result<Value, Failure> {
    let mut of_workspace = Where::default();
    of_workspace.and("x.workspace_id = ?", [workspace.id.as_str().into()]);
    let domains: Vec<Value> = domains::list(env, &of_workspace, 1, 100)
        .await?
        .iter()
        .map(|domain| {
            json!({"slug": domain.slug, "primary": domain.is_primary != 0, "verified": domain.verified != 0})
        })
        .collect();
    Ok(workspace.shown(
        workspaces::usage(env, &workspace.id).await?,
        &domains,
        settings::click_retention_days(env),
    ))
}
