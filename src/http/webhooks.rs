//! `/webhooks`: whom to tell of what, how that went, and trying again.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::webhook::{Delivered, Webhook, WebhookBody};
use crate::core::mode::Mode;
use crate::core::problem::{Code, Problem};
use crate::core::validate::{Fields, Text};
use crate::core::webhook::{self, Trigger, envelope, signature};
use crate::edge::webhook_outbox::Nudge;
use crate::edge::{d1, entropy, settings, webhook_outbox, webhook_sender, webhooks};
use crate::http::failure::{Answer, Failure};
use crate::http::{auth, body, query, respond};

/// How many random bytes a secret has.
const SECRET_BYTES: usize = 16;

/// `GET /webhooks`
pub(crate) async fn list(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksRead).await?;
    let found = webhooks::list(env, &caller.workspace_id).await?;
    Ok(respond::json(200, &found.iter().map(|webhook| webhook.shown(None)).collect::<Vec<Value>>())?)
}

/// `GET /webhooks/{id}`
pub(crate) async fn show(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksRead).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown(None))?)
}

/// `POST /webhooks`: with rotation, the only time the secret is shown.
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WebhooksWrite).await?;
    let wanted = read(&mut request, env, true).await?;
    let now = entropy::now();
    let secret = match &wanted.secret {
        Some(secret) => secret.clone(),
        None => new_secret()?,
    };
    let id = entropy::object_id("wh_")?;
    let blank = Webhook {
        mode: Mode::default(),
        name: String::new(),
        url: String::new(),
        last_four: String::new(),
        triggers: "[]".to_owned(),
        all_links: 0,
        failures: 0,
        disabled_at: None,
        created_at: now,
        updated_at: now,
        link_ids: "[]".to_owned(),
        id,
    };
    let webhook = wanted.over(blank, now);
    check_links(env, &caller.workspace_id, &webhook).await?;
    let sealed = webhooks::sealed(env, &webhook.id, &secret)?;
    webhooks::insert(env, &caller.workspace_id, &webhook, &sealed).await.map_err(taken)?;
    Ok(respond::json(201, &webhook.shown(Some(&secret)))?)
}

/// `PATCH /webhooks/{id}`
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WebhooksWrite).await?;
    let wanted = read(&mut request, env, false).await?;
    let old = existing(env, &caller.workspace_id, id).await?;
    let webhook = wanted.over(old, entropy::now());
    if wanted.link_ids.is_some() {
        check_links(env, &caller.workspace_id, &webhook).await?;
    }
    webhooks::update(env, &caller.workspace_id, &webhook).await.map_err(taken)?;
    Ok(respond::json(200, &webhook.shown(None))?)
}

/// `DELETE /webhooks/{id}`
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksWrite).await?;
    let webhook = existing(env, &caller.workspace_id, id).await?;
    webhooks::delete(env, &caller.workspace_id, &webhook.id).await?;
    Ok(respond::json(200, &json!({"id": webhook.id}))?)
}

/// `POST /webhooks/{id}/enable`
pub(crate) async fn enable(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksWrite).await?;
    let webhook = existing(env, &caller.workspace_id, id).await?;
    webhooks::enable(env, &caller.workspace_id, &webhook.id, entropy::now()).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown(None))?)
}

/// `POST /webhooks/{id}/rotate-secret`
pub(crate) async fn rotate(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksWrite).await?;
    let webhook = existing(env, &caller.workspace_id, id).await?;
    let secret = new_secret()?;
    let sealed = webhooks::sealed(env, &webhook.id, &secret)?;
    webhooks::rotate(env, &caller.workspace_id, &webhook.id, &sealed, entropy::now()).await?;
    Ok(respond::json(200, &existing(env, &caller.workspace_id, id).await?.shown(Some(&secret)))?)
}

/// `POST /webhooks/{id}/test`: sends a sample at once and says what came of it. Neither logged nor counted.
pub(crate) async fn test(mut request: Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::WebhooksWrite).await?;
    let value = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let fields = Fields::root(&value)?;
    let wanted = fields.text("trigger", Text::up_to(50))?.value();
    let webhook = existing(env, &caller.workspace_id, id).await?;
    let trigger = match wanted {
        Some(name) => Trigger::parse(&name).ok_or_else(|| fields.refuse("trigger", "Unknown trigger"))?,
        None => webhook.triggers().first().copied().unwrap_or(Trigger::LinkCreated),
    };
    let now = entropy::now();
    let target =
        webhooks::target(env, &webhook.id, now).await?.ok_or_else(|| Problem::not_found("Webhook"))?;
    let event_id = entropy::object_id("evt_")?;
    let message = envelope::sample(&event_id, trigger, now);
    let message_id = webhook::message_id(&webhook.id, &event_id);
    let reply = webhook_sender::send(env, &target, &message_id, &message.to_string()).await;
    let delivered = json!({
        "event_id": event_id, "webhook_id": webhook.id, "message_id": message_id, "event": trigger.name(),
        "url": webhook.url, "http_status": reply.status.unwrap_or(503), "request_body": message,
        "response_body": reply.text, "timestamp": now.to_iso(),
    });
    Ok(respond::json(200, &delivered)?)
}

/// `GET /webhooks/{id}/events`
pub(crate) async fn log(request: &Request, env: &Env, ctx: &Context, id: &str) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksRead).await?;
    let state = query(request)?.choice("state", &["waiting", "delivered", "dead"])?;
    let webhook = existing(env, &caller.workspace_id, id).await?;
    let found = webhooks::log(env, &caller.workspace_id, &webhook.id, state).await?;
    Ok(respond::json(200, &found.iter().map(Delivered::shown).collect::<Vec<Value>>())?)
}

/// `POST /webhooks/{id}/events/{eventId}/redeliver`: the same message again, under the same id.
pub(crate) async fn redeliver(
    request: &Request,
    env: &Env,
    ctx: &Context,
    id: &str,
    event_id: &str,
) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WebhooksWrite).await?;
    let webhook = existing(env, &caller.workspace_id, id).await?;
    if webhook.disabled_at.is_some() {
        return Err(Problem::new(Code::Conflict, "The webhook is disabled. Enable it first.").into());
    }
    let found = webhooks::delivery(env, &caller.workspace_id, &webhook.id, event_id).await?;
    if found.is_none() {
        return Err(Problem::not_found("Delivery").into());
    }
    webhooks::again(env, &caller.workspace_id, &webhook.id, event_id, entropy::now()).await?;
    let nudge = Nudge { webhook_id: webhook.id.clone(), event_id: event_id.to_owned() };
    webhook_outbox::nudge(env, &[nudge]).await;
    let found = webhooks::delivery(env, &caller.workspace_id, &webhook.id, event_id).await?;
    Ok(respond::json(202, &found.map(|delivery| delivery.shown()).unwrap_or_default())?)
}

async fn read(request: &mut Request, env: &Env, is_new: bool) -> Result<WebhookBody, Failure> {
    let value = body::json(request, body::API_LIMIT_BYTES).await?;
    Ok(WebhookBody::parse(&value, is_new, settings::is_local(env))?)
}

async fn existing(env: &Env, workspace_id: &str, id: &str) -> Result<Webhook, Failure> {
    webhooks::find(env, workspace_id, id).await?.ok_or_else(|| Problem::not_found("Webhook").into())
}

async fn check_links(env: &Env, workspace_id: &str, webhook: &Webhook) -> Result<(), Failure> {
    let wanted = webhook.links().len();
    if wanted > 0 && webhooks::count_links(env, workspace_id, &webhook.link_ids).await? != wanted {
        return Err(Problem::bad_request("`linkIds` names a link that this workspace does not have.").into());
    }
    Ok(())
}

fn new_secret() -> worker::Result<String> {
    Ok(format!("{}{}", signature::PREFIX, crate::core::ids::hex(&entropy::random::<SECRET_BYTES>()?)))
}

fn taken(error: worker::Error) -> Failure {
    if d1::is_unique_violation(&error) {
        return Problem::new(Code::Conflict, "A webhook of this workspace has this address already.").into();
    }
    error.into()
}
