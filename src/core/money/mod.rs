//! Money: currencies, minor units, exchange rates and exact conversion.
//!
//! Amounts stay as they were charged. What a report shows in one currency is computed when it is asked for
//! ([`rates::Converter`]) and stored nowhere.

mod currency;
pub mod ecb;
mod rate;
pub mod rates;
pub mod request;

mod tables {
    include!(concat!(env!("OUT_DIR"), "/money_tables.rs"));
}

use serde::{Deserialize, Serialize};

pub use currency::Currency;
pub use rate::{Rate, RateError, convert};

/// The largest amount the ledger takes: 2^53 − 1 minor units, exact in every store and in JavaScript.
pub const MAX_MINOR: i64 = (1 << 53) - 1;

/// An amount in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}
