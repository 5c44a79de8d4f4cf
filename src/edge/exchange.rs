//! Rates for the sums of a query.

use worker::{Env, Result};

use crate::core::figures::Amounts;
use crate::core::money::rates::Converter;
use crate::edge::figures::Scope;
use crate::edge::fx;

/// The rates that `groups` need.
pub(crate) async fn rates<'a>(
    env: &Env,
    scope: &Scope,
    groups: impl Iterator<Item = &'a Amounts>,
) -> Result<Converter> {
    let amounts = groups.map(|group| (group.currency, group.rate_day.as_str()));
    fx::converter(env, &scope.workspace_id, scope.currency, amounts).await
}
