//! The ledger of one customer: a grow-only set of facts, and every figure a pure function of that set.

pub mod alias;
pub mod announce;
mod attribute;
pub mod erase;
pub mod fact;
pub mod fold;
pub mod messages;
mod payments;
mod people;
mod refunds;
pub mod rows;
pub mod totals;
pub mod view;
