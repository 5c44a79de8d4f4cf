//! The ledger of one customer: a grow-only set of facts, and every figure a pure function of that set.

pub mod fact;
pub mod view;
