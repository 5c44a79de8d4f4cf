//! The rules. Pure: no I/O, no clock, no randomness of its own, no `worker`.
//!
//! Everything here compiles natively and is tested there. Time and randomness
//! enter as arguments, so every decision can be replayed in a test.

pub mod click_id;
pub mod ids;
pub mod ledger;
pub mod mode;
pub mod money;
pub mod problem;
pub mod stripe;
pub mod time;
