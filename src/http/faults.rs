//! `PUT /_pimms/faults`: stores made to fail, in the local runtime only, so that tests can see what happens then.

use serde_json::json;
use worker::Request;

use crate::core::validate::Fields;
use crate::edge::d1;
use crate::http::failure::Answer;
use crate::http::{body, respond};

/// `{"d1": true}` makes D1 fail, `{"d1": false}` ends that; so does a restart.
pub(crate) async fn set(mut request: Request) -> Answer {
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let fields = Fields::root(&body)?;
    let failing = fields.required("d1", fields.boolean("d1")?)?;
    d1::fail(failing);
    Ok(respond::json(200, &json!({"d1": failing}))?)
}
