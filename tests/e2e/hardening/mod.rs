//! The instance under attack, row by row of the table in `docs/security.md`: refused where it must be, never 5xx,
//! no internals in an answer, and the next request works.
//!
//! [`isolation`], [`keys`] and [`hostile`] are made of the API's own document, so a new operation is attacked as
//! soon as it is described.

#![expect(clippy::panic, reason = "a failing step ends the test")]

mod accounts;
mod fuzzer;
mod hostile;
mod isolation;
mod keys;
pub(crate) mod operations;
mod raw;
mod visitors;
mod wire;
mod writes;
