//! Calls to Durable Objects: JSON over `fetch`, with a deadline.
//!
//! A panic in an object leaves its caller without an answer, for ever; every call therefore ends after
//! [`DEADLINE_MS`].

use std::time::Duration;

use futures_util::future::{Either, select};
use serde::{Serialize, de::DeserializeOwned};
use worker::{Delay, Env, Error, Headers, Method, Request, RequestInit, Response, Result, Stub};

use crate::core::mode::Mode;
use crate::edge::{bindings, codec};

/// How long a call may take, in milliseconds.
const DEADLINE_MS: u64 = 5000;

/// The Directory of a workspace and mode.
pub(crate) fn directory(env: &Env, workspace_id: &str, mode: Mode) -> Result<Stub> {
    env.durable_object(bindings::DIRECTORY)?.get_by_name(&format!("{workspace_id}:{}", mode.as_str()))
}

/// The ledger of a customer. Its id is unique across workspaces and modes; the name says all three.
pub(crate) fn ledger(env: &Env, workspace_id: &str, mode: Mode, customer_id: &str) -> Result<Stub> {
    env.durable_object(bindings::LEDGER)?
        .get_by_name(&format!("{workspace_id}:{}:{customer_id}", mode.as_str()))
}

/// Sends a message and reads the answer.
pub(crate) async fn call<Q: Serialize, A: DeserializeOwned>(stub: &Stub, message: &Q) -> Result<A> {
    let text = codec::encode(message)?;
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_body(Some(text.into()));
    let request = Request::new_with_init("https://object/", &init)?;
    let answer = async {
        let mut response = stub.fetch_with_request(request).await?;
        let status = response.status_code();
        let text = response.text().await?;
        if status == 200 {
            codec::decode(&text)
        } else {
            Err(Error::RustError(format!("object answered {status}: {text}")))
        }
    };
    match select(Box::pin(answer), Box::pin(Delay::from(Duration::from_millis(DEADLINE_MS)))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            Err(Error::RustError(format!("an object did not answer within {DEADLINE_MS} ms")))
        }
    }
}

/// The message in a request to an object.
pub(crate) async fn message<Q: DeserializeOwned>(request: &mut Request) -> Result<Q> {
    codec::decode(&request.text().await?)
}

/// An answer of an object.
pub(crate) fn answer<A: Serialize>(value: &A) -> Result<Response> {
    Response::ok(codec::encode(value)?)
}

/// A failure of an object: text for our own logs, never an `Err`, which would reset nothing and say less.
pub(crate) fn failure(error: &Error) -> Result<Response> {
    Response::error(error.to_string(), 500)
}
