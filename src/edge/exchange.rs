//! Rates for the sums of a query.

use worker::{Env, Result};

use crate::core::figures::Amounts;
use crate::core::money::Currency;
use crate::edge::figures::Scope;

/// What converts the amounts of one query.
pub(crate) struct Rates {
    to: Currency,
}

/// The rates that `groups` need.
pub(crate) async fn rates<'a>(
    _env: &Env,
    scope: &Scope,
    _groups: impl Iterator<Item = &'a Amounts>,
) -> Result<Rates> {
    Ok(Rates { to: scope.currency })
}

impl Rates {
    /// `amount` minor units in the report's currency; `None` without a rate.
    pub(crate) fn convert(&self, from: Currency, _day: &str, amount: i64) -> Option<i64> {
        (from == self.to).then_some(amount)
    }
}
