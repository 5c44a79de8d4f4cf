//! Static files: `core::assets` says which, the platform keeps them.

use worker::{Env, Headers, Method, Request, RequestInit, Response, Result};

use crate::core::assets::{self, Asset};
use crate::core::problem::Problem;
use crate::edge::bindings;
use crate::http::failure::Answer;

/// The file that a request asks for, if it is one's path.
pub(crate) fn asked(request: &Request, on_api_host: bool) -> Option<Asset> {
    matches!(request.method(), Method::Get | Method::Head)
        .then(|| assets::of_path(&request.path(), on_api_host))
        .flatten()
}

/// Answers with the file, or 304 when the caller has it.
pub(crate) async fn serve(request: &Request, env: &Env, asset: &Asset) -> Answer {
    let found = fetch(request, env, &asset.file).await?;
    if !matches!(found.status_code(), 200 | 304) {
        return Err(Problem::not_found("Page").into());
    }
    // The headers of a fetched answer cannot be changed.
    let headers = Headers::new();
    for name in ["content-type", "etag"] {
        if let Some(value) = found.headers().get(name)? {
            headers.set(name, &value)?;
        }
    }
    headers.set("cache-control", asset.cache)?;
    headers.set("x-content-type-options", "nosniff")?;
    if let Some(policy) = asset.policy {
        headers.set("content-security-policy", policy)?;
        headers.set("referrer-policy", "no-referrer")?;
    }
    if asset.is_public {
        headers.set("access-control-allow-origin", "*")?;
        headers.set("cross-origin-resource-policy", "cross-origin")?;
    }
    let status = found.status_code();
    let (_, body) = found.into_parts();
    Ok(Response::builder().with_status(status).with_headers(headers).body(body))
}

async fn fetch(request: &Request, env: &Env, file: &str) -> Result<Response> {
    let headers = Headers::new();
    if let Some(known) = request.headers().get("if-none-match")? {
        headers.set("if-none-match", &known)?;
    }
    let mut init = RequestInit::new();
    init.with_method(request.method()).with_headers(headers);
    // The host is of no meaning to the platform's store of files.
    env.assets(bindings::ASSETS)?.fetch(format!("https://assets.invalid{file}"), Some(init)).await
}
