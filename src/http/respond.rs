//! The only place that builds responses.

use serde::Serialize;
use worker::{Headers, Response, ResponseBuilder, Result};

use crate::core::problem::Problem;

/// JSON with a status.
pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Result<Response> {
    let text = crate::edge::codec::encode(body)?;
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    Ok(ResponseBuilder::new().with_status(status).with_headers(headers).fixed(text.into_bytes()))
}

/// The error envelope: `{"error":{"code":"…","message":"…"}}`.
pub(crate) fn problem(problem: &Problem) -> Result<Response> {
    let (code, status) = problem.code.wire();
    json(status, &serde_json::json!({"error": {"code": code, "message": problem.message}}))
}
