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

/// The same of a sum, by SQL: an absurd sale must not make every report of its workspace unreadable.
///
/// `TOTAL` is exact within those bounds, and no error beyond them, as `SUM` is.
macro_rules! total_sql {
    ($amounts:literal) => {
        concat!("CAST(MAX(-9007199254740991, MIN(9007199254740991, TOTAL(", $amounts, "))) AS INTEGER)")
    };
}
pub(crate) use total_sql;

/// An amount, or the nearest that the ledger can hold.
#[must_use]
pub fn clamped(amount: i128) -> i64 {
    let nearest = if amount < 0 { -MAX_MINOR } else { MAX_MINOR };
    i64::try_from(amount).ok().filter(|amount| (-MAX_MINOR..=MAX_MINOR).contains(amount)).unwrap_or(nearest)
}

/// What amounts add up to, or the nearest that the ledger can hold: no sum may stop it.
pub fn total(amounts: impl IntoIterator<Item = i64>) -> i64 {
    clamped(amounts.into_iter().map(i128::from).sum())
}

/// An amount in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}
