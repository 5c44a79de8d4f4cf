//! `PUT /_pimms/faults`: stores made to fail, in the local runtime only, so that tests can see what happens then.

use serde_json::json;
use worker::Request;

use crate::core::validate::Fields;
use crate::edge::{click_queue, d1, kv_links};
use crate::http::failure::Answer;
use crate::http::{body, respond};

/// A field of the body and what it switches.
type Switch = (&'static str, fn(bool));

/// `{"d1": true}` makes D1 fail, `{"d1": false}` ends that; so does a restart. `kv` and `queue` alike;
/// `{"twice": true}` makes the queue deliver every click twice.
pub(crate) async fn set(mut request: Request) -> Answer {
    let body = body::json(&mut request, body::API_LIMIT_BYTES).await?;
    let fields = Fields::root(&body)?;
    let switches: [Switch; 4] = [
        ("d1", d1::fail),
        ("kv", kv_links::fail),
        ("queue", click_queue::fail),
        ("twice", click_queue::send_twice),
    ];
    for (name, switch) in switches {
        if let Some(on) = fields.boolean(name)?.value() {
            switch(on);
        }
    }
    Ok(respond::json(200, &json!({"ok": true}))?)
}
