//! The only place that builds responses.

use futures_util::TryStream;
use serde::Serialize;
use worker::{Error, Headers, Response, ResponseBuilder, Result, console_error};

use crate::core::problem::Problem;
use crate::core::redirect::Outcome;
use crate::http::failure::Failure;

/// JSON with a status.
pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Result<Response> {
    text_json(status, crate::edge::codec::encode(body)?)
}

/// JSON that is text already.
pub(crate) fn text_json(status: u16, text: String) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    Ok(ResponseBuilder::new().with_status(status).with_headers(headers).fixed(text.into_bytes()))
}

/// Text of another kind.
pub(crate) fn text(kind: &str, text: String) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", kind)?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(text.into_bytes()))
}

/// A picture that anybody may keep for a day.
pub(crate) fn picture(kind: &str, bytes: Vec<u8>) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", kind)?;
    headers.set("cache-control", "public, max-age=86400")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers
        .set("content-security-policy", "default-src 'none'; img-src https:; style-src 'unsafe-inline'")?;
    Ok(ResponseBuilder::new().with_status(200).with_headers(headers).fixed(bytes))
}

/// 204.
pub(crate) fn nothing() -> Response {
    ResponseBuilder::new().with_status(204).with_headers(Headers::new()).empty()
}

/// The error envelope: `{"error":{"code":"…","message":"…"}}`.
pub(crate) fn problem(problem: &Problem) -> Result<Response> {
    let (code, status) = problem.code.wire();
    json(status, &serde_json::json!({"error": {"code": code, "message": problem.message}}))
}

/// What a failed handler is answered with; what broke goes to the log.
pub(crate) fn failure(failure: &Failure, place: &str) -> Result<Response> {
    if let Failure::Broken(cause) = failure {
        console_error!("{place} failed: {cause}");
    }
    let mut response = problem(&failure.problem())?;
    if let Failure::WrongMethod(known) = failure {
        response.headers_mut().set("allow", known)?;
    }
    Ok(response)
}

/// The answer of a short link.
pub(crate) fn outcome(outcome: &Outcome, without_body: bool) -> Result<Response> {
    let headers = Headers::new();
    headers.set("cache-control", "private, no-store")?;
    headers.set("x-powered-by", "pimms-edge")?;
    if outcome.is_hidden {
        headers.set("x-robots-tag", "googlebot: noindex")?;
    }
    if let Some(location) = &outcome.location {
        headers.set("location", location)?;
    }
    for cookie in &outcome.cookies {
        headers.append("set-cookie", cookie)?;
    }
    if let Some(seconds) = outcome.retry_after_s {
        headers.set("retry-after", &seconds.to_string())?;
    }
    let mut html = Vec::new();
    if let Some(page) = &outcome.page {
        headers.set("content-type", "text/html; charset=utf-8")?;
        headers.set("content-security-policy", &page.policy)?;
        headers.set("x-content-type-options", "nosniff")?;
        headers.set("referrer-policy", "no-referrer")?;
        if !without_body {
            html = page.html.clone().into_bytes();
        }
    }
    let response = ResponseBuilder::new().with_status(outcome.status).with_headers(headers);
    Ok(if html.is_empty() { response.empty() } else { response.fixed(html) })
}

/// A file: content type and text, or 404 without a page.
pub(crate) fn file(content: Option<(&'static str, String)>) -> Result<Response> {
    let Some((kind, text)) = content else { return Ok(ResponseBuilder::new().with_status(404).empty()) };
    let headers = Headers::new();
    headers.set("content-type", kind)?;
    headers.set("cache-control", "public, max-age=300")?;
    headers.set("x-content-type-options", "nosniff")?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(text.into_bytes()))
}

/// A file that is sent while it is written.
pub(crate) fn download<S>(kind: &str, name: &str, chunks: S) -> Result<Response>
where
    S: TryStream<Ok = Vec<u8>, Error = Error> + 'static,
{
    let headers = Headers::new();
    headers.set("content-type", kind)?;
    headers.set("content-disposition", &format!("attachment; filename=\"{name}\""))?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    ResponseBuilder::new().with_status(200).with_headers(headers).from_stream(chunks)
}

/// A redirect to an address of ours.
pub(crate) fn moved(status: u16, location: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("location", location)?;
    headers.set("cache-control", "private, no-store")?;
    Ok(ResponseBuilder::new().with_status(status).with_headers(headers).empty())
}
