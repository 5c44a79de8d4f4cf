//! `GET /api/health`: everybody learns whether the instance is well; who may administer it, what is not.

use std::cell::Cell;

use serde_json::json;
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::health::{self, Status};
use crate::core::metrics;
use crate::core::time::Millis;
use crate::edge::{entropy, health as found, settings, webhook_outbox};
use crate::http::failure::Answer;
use crate::http::{auth, bootstrap, respond};

/// How long an isolate repeats to everybody what it found, in milliseconds: strangers must not make it work.
const LIFE_MS: i64 = 30_000;

thread_local! {
    static KNOWN: Cell<Option<(Millis, bool)>> = const { Cell::new(None) };
}

/// 200 when nothing is red, else 503.
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let now = entropy::now();
    let workspace_id = if bootstrap::holds_token(request, env)? {
        None
    } else {
        match auth::permitted(request, env, ctx, Permission::WorkspacesWrite).await {
            Ok(caller) => Some(caller.workspace_id),
            Err(_) => return overall(request, env, now).await,
        }
    };
    let checks = table(request, env, workspace_id.as_deref(), now).await?;
    let is_ok = health::worst(&checks) < Status::Red;
    Ok(respond::json(status(is_ok), &json!({"status": word(is_ok), "checks": checks}))?)
}

/// `GET /api/metrics`: the figures behind the table, for who may see it.
pub(crate) async fn metrics(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let now = entropy::now();
    let workspace_id = if bootstrap::holds_token(request, env)? {
        None
    } else {
        Some(auth::permitted(request, env, ctx, Permission::WorkspacesWrite).await?.workspace_id)
    };
    let found = find(request, env, workspace_id.as_deref(), now).await?;
    let deliveries = webhook_outbox::states(env, workspace_id.as_deref(), now).await.unwrap_or_default();
    let checks = health::table(&found, now);
    let text = metrics::text(&found, &checks, &deliveries, &super::answered(), now);
    Ok(respond::text(metrics::CONTENT_TYPE, text)?)
}

async fn overall(request: &Request, env: &Env, now: Millis) -> Answer {
    let is_ok = match KNOWN.get() {
        Some((until, is_ok)) if now < until => is_ok,
        _ => {
            let is_ok = health::worst(&table(request, env, None, now).await?) < Status::Red;
            KNOWN.set(Some((Millis(now.0.saturating_add(LIFE_MS)), is_ok)));
            is_ok
        }
    };
    Ok(respond::json(status(is_ok), &json!({"status": word(is_ok)}))?)
}

async fn table(
    request: &Request,
    env: &Env,
    workspace_id: Option<&str>,
    now: Millis,
) -> worker::Result<Vec<health::Check>> {
    Ok(health::table(&find(request, env, workspace_id, now).await?, now))
}

async fn find(
    request: &Request,
    env: &Env,
    workspace_id: Option<&str>,
    now: Millis,
) -> worker::Result<health::Found> {
    let mut found = found::find(env, workspace_id, now).await;
    let url = request.url()?;
    let is_near = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    found.is_open = settings::is_local(env) && !is_near;
    Ok(found)
}

fn status(is_ok: bool) -> u16 {
    if is_ok { 200 } else { 503 }
}

fn word(is_ok: bool) -> &'static str {
    if is_ok { "ok" } else { "failing" }
}
