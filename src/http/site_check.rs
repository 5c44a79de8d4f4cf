//! `GET /script/check`: whether a merchant's site carries the browser script. The dashboard asks.

use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::problem::{Code, Problem};
use crate::core::site_script::{self, MAX_BYTES};
use crate::core::time::Millis;
use crate::edge::page_head::{self, Unread};
use crate::edge::{domains, entropy, key_windows, settings, site_reports};
use crate::http::failure::Answer;
use crate::http::{auth, query, respond};

/// Of one workspace: each makes the Worker ask a page.
const A_MINUTE: i64 = 30;

/// `GET /script/check?url=`
pub(crate) async fn check(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::WorkspacesRead).await?;
    let query = query(request)?;
    let Some(given) = query.text_up_to("url", 2048)? else {
        return Err(Problem::invalid("invalid_type", "url", "url is required").into());
    };
    if !key_windows::take(&format!("site {}", caller.workspace_id), A_MINUTE, entropy::now()).allowed {
        return Err(Problem::new(Code::RateLimited, "Too many checks. Try again in a minute.").into());
    }
    let address = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
    let (status, http_status, page, seen) = match page_head::html(env, &address, MAX_BYTES).await {
        Ok((url, html)) => {
            let mut ours = domains::slugs(env, &caller.workspace_id).await?;
            ours.extend(request.headers().get("host")?);
            ours.extend(settings::api_host(env));
            let seen = site_script::look(&html, &url, &ours);
            let status = match (seen.works(), seen.tags.is_empty()) {
                (true, _) => "found",
                (false, false) => "faulty",
                (false, true) => "absent",
            };
            (status, None, Some(url), seen)
        }
        Err(Unread::NotPublic) => ("not_public", None, None, site_script::Seen::default()),
        Err(Unread::Unreachable) => ("unreachable", None, None, site_script::Seen::default()),
        Err(Unread::Moving) => ("moving", None, None, site_script::Seen::default()),
        Err(Unread::Status(code)) => ("status", Some(code), None, site_script::Seen::default()),
        Err(Unread::NotHtml) => ("not_html", None, None, site_script::Seen::default()),
    };
    let page = page.or_else(|| worker::Url::parse(&address).ok());
    let reports = match page.as_ref().map(site_script::host).filter(|host| !host.is_empty()) {
        Some(host) => {
            let found = site_reports::of(env, &caller.workspace_id, &host).await?;
            let shown = |at: Option<Millis>| at.map(Millis::to_iso);
            json!({"host": host, "count": found.count, "first": shown(found.first), "last": shown(found.last)})
        }
        None => Value::Null,
    };
    let tags = seen.tags.iter().map(|tag| {
        json!({"src": tag.src, "attributes": tag.attributes, "faults": tag.faults.iter().map(|fault| fault.name()).collect::<Vec<_>>()})
    });
    let answer = json!({
        "status": status, "httpStatus": http_status, "url": page.map(String::from),
        "tags": tags.collect::<Vec<Value>>(), "tagManager": seen.tag_manager, "reports": reports,
    });
    Ok(respond::json(200, &answer)?)
}
