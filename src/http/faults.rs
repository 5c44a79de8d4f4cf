//! What the local runtime alone has: stores made to fail (`PUT /_pimms/faults`) and crons run on request, for tests.

use serde_json::json;
use worker::{Env, Request};

use crate::core::validate::Fields;
use crate::edge::{click_queue, crons, d1, kv_links};
use crate::http::failure::Answer;
use crate::http::{body, query, respond};

/// A field of the body and what it switches.
type Switch = (&'static str, fn(bool));

/// `{"d1": true}` makes D1 fail, `{"d1": false}` ends that; so does a restart. `kv` and `queue` alike;
/// `{"twice": true}` makes the queue deliver every click twice; `{"unreadable": true}` sends a
/// message through it that nobody can read.
pub(crate) async fn set(mut request: Request, env: &Env) -> Answer {
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
    if fields.boolean("unreadable")?.value() == Some(true) {
        click_queue::send_unreadable(env).await?;
    }
    Ok(respond::json(200, &json!({"ok": true}))?)
}

/// `POST /_pimms/cron?cron=0+5+*+*+*`: runs a cron now. The local runtime's own door to crons leads, beside static
/// files, to the worker that serves these, which has none.
pub(crate) async fn cron(request: &Request, env: &Env) -> Answer {
    crons::run(query(request)?.text("cron").unwrap_or_default(), env).await;
    Ok(respond::json(200, &json!({}))?)
}
