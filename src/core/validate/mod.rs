//! Reading what callers send: JSON bodies and query strings, field by field.
//!
//! The first thing that is wrong is reported as a [`Problem`](crate::core::problem::Problem) that names its
//! field, in the form of the wire contract (1.5): `<issue>: <path>: <text>`. Fields nobody asks for are
//! dropped: nothing of a body reaches a store but by a line that names it.

mod fields;
mod json;
mod query;

pub use fields::{Fields, Given, Text, email_is_plausible};
pub use json::parse;
pub use query::Query;
