//! Handing one statement of the API to the Directory.

use worker::{Env, Result};

use crate::core::ledger::fact::Fact;
use crate::core::ledger::messages::{Accepted, Claim, Delivery, Note, ToDirectory};
use crate::core::mode::Mode;
use crate::core::sentences::Sentence;
use crate::edge::{objects, settings};

/// What a caller states.
pub(crate) struct Said {
    /// The statement.
    pub fact: Fact,
    /// What makes a second call the same.
    pub claim: Option<Claim>,
    /// Whether it must not unite customers.
    pub apart: bool,
}

/// Keeps it for good; `Ok` means durable.
pub(crate) async fn accept(env: &Env, workspace_id: &str, mode: Mode, said: Said) -> Result<Accepted> {
    let source = &said.fact.source;
    let note = Note {
        event_id: source.event_id.clone(),
        event_type: source.event_type.clone(),
        at: source.at,
        account: String::new(),
        verdict: Sentence::Accepted.say(&[]),
    };
    let policy = settings::first_policy(workspace_id, mode);
    let Said { fact, claim, apart } = said;
    let delivery = Delivery { policy, note, facts: vec![fact], claim, apart, parked: None };
    let stub = objects::directory(env, workspace_id, mode)?;
    objects::call(&stub, &ToDirectory::Accept(Box::new(delivery))).await
}
