//! Stripe: the signature of a webhook, its events, and the facts they state.

pub mod event;
mod facts;
mod objects;
pub mod signature;

pub use event::{Envelope, Reading, read};
