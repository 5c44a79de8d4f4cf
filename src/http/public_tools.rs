//! `/qr`, `/metatags` and `/links/iframeable`: tools without a key, for pages of any origin, so many a minute for an address.

use serde_json::json;
use worker::{Env, Request, Response, Result};

use crate::core::logo::{self, Logo};
use crate::core::problem::{Code, Problem};
use crate::core::{domain, qr};
use crate::edge::{entropy, key_windows, page_head, settings};
use crate::http::failure::Answer;
use crate::http::{query, respond};

/// Of one address. Source: wire contract 1.6 (ten in ten seconds).
const A_MINUTE: i64 = 60;

/// `GET /qr`
pub(crate) async fn qr(request: &Request, env: &Env) -> Answer {
    match limited(request, env, "tools", A_MINUTE)? {
        Some(refusal) => open(Ok(refusal)),
        None => open(draw(request, env).await),
    }
}

/// `GET /metatags?url=`
pub(crate) async fn metatags(request: &Request, env: &Env) -> Answer {
    match limited(request, env, "tools", A_MINUTE)? {
        Some(refusal) => open(Ok(refusal)),
        None => open(describe(request, env).await),
    }
}

/// `GET /links/iframeable?url=&domain=`
pub(crate) async fn iframeable(request: &Request, env: &Env) -> Answer {
    match limited(request, env, "tools", A_MINUTE)? {
        Some(refusal) => open(Ok(refusal)),
        None => open(framed(request, env).await),
    }
}

/// The answer to a preflight request.
pub(crate) fn preflight() -> Answer {
    let response = Response::empty()?.with_status(204);
    open(Ok(response))
}

async fn draw(request: &Request, env: &Env) -> Answer {
    let wanted = qr::Request::parse(&query(request)?)?;
    let refused = |why: &str| Problem::invalid("custom", "logo", why);
    let logo = match wanted.needed_logo() {
        None => None,
        Some(address) => {
            let file = page_head::file(env, address, logo::MAX_BYTES).await;
            let file = file.map_err(|_| refused("There is nothing to be had at the logo's address"))?;
            Some(Logo::read(&file).map_err(refused)?)
        }
    };
    let kind = if wanted.is_svg { "image/svg+xml" } else { "image/png" };
    Ok(respond::picture(kind, wanted.draw(logo.as_ref())?)?)
}

async fn describe(request: &Request, env: &Env) -> Answer {
    let query = query(request)?;
    let Some(url) = query.text_up_to("url", 4096)? else {
        return Err(Problem::invalid("invalid_type", "url", "url is required").into());
    };
    let meta = page_head::read(env, url).await.unwrap_or_default();
    let answer = json!({
        "title": meta.title.as_deref().unwrap_or(url),
        "description": meta.description.as_deref().unwrap_or("No description"),
        "image": meta.image,
        "poweredBy": "pimms-edge",
    });
    Ok(respond::json(200, &answer)?)
}

async fn framed(request: &Request, env: &Env) -> Answer {
    let query = query(request)?;
    let needed = |name: &str| -> std::result::Result<String, Problem> {
        let given = query.text_up_to(name, 4096)?.map(str::to_owned);
        given.ok_or_else(|| Problem::invalid("invalid_type", name, &format!("{name} is required")))
    };
    let (url, name) = (needed("url")?, needed("domain")?);
    let domain =
        domain::of_host(&name).ok_or_else(|| Problem::invalid("custom", "domain", "Invalid domain"))?;
    let may = page_head::may_be_framed(env, &url, &domain).await;
    Ok(respond::json(200, &json!({"iframeable": may}))?)
}

/// A refusal, when this address has asked for `what` too often.
pub(crate) fn limited(request: &Request, env: &Env, what: &str, a_minute: i64) -> Result<Option<Response>> {
    if settings::is_local(env) {
        return Ok(None); // one machine is everybody
    }
    let address = request.headers().get("cf-connecting-ip")?.unwrap_or_default();
    let verdict = key_windows::take(&format!("{what} {address}"), a_minute, entropy::now());
    if verdict.allowed {
        return Ok(None);
    }
    let text = format!("Too many requests. Try again in {} seconds.", verdict.retry_after_s);
    let response = respond::problem(&Problem::new(Code::RateLimited, text))?;
    response.headers().set("retry-after", &verdict.retry_after_s.to_string())?;
    Ok(Some(response))
}

/// Any page may read the answer, also a refusal.
fn open(answer: Answer) -> Answer {
    let mut response = match answer {
        Ok(response) => response,
        Err(failure) => respond::failure(&failure, "a public tool")?,
    };
    allow_any_origin(&mut response)?;
    Ok(response)
}

fn allow_any_origin(response: &mut Response) -> Result<()> {
    let headers = response.headers_mut();
    headers.set("access-control-allow-origin", "*")?;
    headers.set("access-control-allow-methods", "GET, OPTIONS")
}
