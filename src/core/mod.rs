//! The rules. Pure: no I/O, no clock, no randomness of its own, no `worker`.
//!
//! Everything here compiles natively and is tested there. Time and randomness
//! enter as arguments, so every decision can be replayed in a test.

pub mod access;
pub mod api;
pub mod click_id;
pub mod countries;
pub mod destination;
pub mod domain;
pub mod figures;
pub mod ids;
pub mod key;
pub mod ledger;
pub mod link;
pub mod mode;
pub mod money;
pub mod problem;
pub mod recent;
pub mod seal;
pub mod sql;
pub mod stripe;
pub mod time;
pub mod track;
pub mod utm;
pub mod validate;
