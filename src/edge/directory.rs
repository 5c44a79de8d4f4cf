//! The Durable Object that serialises the customers of one workspace and mode.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// Aliases and the inbox.
#[durable_object(alarm)]
pub struct Directory {
    _state: State,
    _env: Env,
}

impl DurableObject for Directory {
    fn new(state: State, env: Env) -> Self {
        Self { _state: state, _env: env }
    }
    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::empty()
    }
    async fn alarm(&self) -> Result<Response> {
        Response::empty()
    }
}
