//! The Durable Object that serialises one customer's facts.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// One customer's ledger.
#[durable_object(alarm)]
pub struct CustomerLedger {
    _state: State,
    _env: Env,
}

impl DurableObject for CustomerLedger {
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
