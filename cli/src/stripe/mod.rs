//! Stripe's side of the conversation: its objects, its events and its signatures.
//!
//! Every object starts as Stripe's own published example (`tests/fixtures/stripe`), freed of placeholder values
//! that would mislead, and gets the ids and amounts of the story at hand. Wrapped in an [`Event`] it is rendered
//! in the shape of one API [`Version`]. Used by `pimms simulate` and by the tests, so that both speak as Stripe
//! does.
//!
//! ```
//! use pimms_cli::stripe::{Build, Event, Session, Version};
//!
//! let session = Session::paid("cs_1").amount(4900, "usd").customer("cus_1").external_id("u1");
//! let event = Event::new("checkout.session.completed", session).at(1_763_000_000).version(Version::Basil);
//! let delivery = event.sign("whsec_1", 1_763_000_001);
//! assert!(delivery.signature.starts_with("t=1763000001,v1="));
//! ```

mod billing;
mod event;
mod object;
mod payment;
mod person;
mod session;
mod shape;

pub use billing::{Invoice, InvoicePayment, Subscription};
pub use event::{Delivery, Event, Version, sign};
pub use object::{Build, Object};
pub use payment::{Charge, Dispute, Intent, Refund};
pub use person::Customer;
pub use session::Session;

#[cfg(test)]
mod tests;
