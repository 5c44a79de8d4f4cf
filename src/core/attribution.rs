//! Attribution models: how the touchpoints of a sale share it.
//!
//! The ledger decides by its own rule which touchpoints a sale has (`SaleView::touches`) and books it under
//! [`Model::Last`]. The other models are views of the same sale, computed when a report asks.
//!
//! Invariant: the credits of an amount add up to it exactly, in integers alone, the same on every platform
//! (`tests/attribution.rs`).

use std::cmp::Reverse;

use crate::core::ledger::view::TouchView;
use crate::core::time::{DAY_MS, Millis};

/// How long until a touchpoint weighs half as much, under [`Model::Decay`].
pub const HALF_LIFE_MS: i64 = 7 * DAY_MS;

/// Which rule shares an amount among touchpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Model {
    /// All to the last touchpoint.
    #[default]
    Last,
    /// All to the first.
    First,
    /// The same to each.
    Linear,
    /// 40 % to the first, 40 % to the last, 20 % shared by those between; of two, half each.
    Position,
    /// Half the weight for every seven days before the sale.
    Decay,
}

/// Every model by name.
pub const MODELS: [(&str, Model); 5] = [
    ("last", Model::Last),
    ("first", Model::First),
    ("linear", Model::Linear),
    ("position", Model::Position),
    ("decay", Model::Decay),
];

impl Model {
    /// `last`, `first`, `linear`, `position` or `decay`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        MODELS.iter().find(|(name, _)| *name == text).map(|(_, model)| *model)
    }

    /// As `?model=` says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        MODELS.iter().find(|(_, model)| *model == self).map_or("last", |(name, _)| name)
    }
}

/// Shares `amount` minor units of a sale of `sale_at` among its touchpoints: which one, and how much.
///
/// The credits add up to `amount`, whatever its sign; those of `-amount` are the negatives of those of
/// `amount`. Touchpoints count by time, in whatever order they come; without any there are no credits, and the
/// amount is unattributed. Touchpoints that get nothing are left out. Units that do not divide go to the
/// touchpoints with the largest remainders, of equal ones to the later.
#[must_use]
pub fn credits(model: Model, amount: i64, touches: &[TouchView], sale_at: Millis) -> Vec<(usize, i64)> {
    let mut by_time: Vec<(usize, &TouchView)> = touches.iter().enumerate().collect();
    by_time.sort_by(|(_, a), (_, b)| (a.at, &a.click_id).cmp(&(b.at, &b.click_id)));
    let weights = weights(model, &by_time, sale_at);
    let mut shares: Vec<(usize, i64)> = by_time
        .iter()
        .zip(shares(amount.unsigned_abs(), &weights))
        .filter_map(|((index, _), share)| {
            let share = i64::try_from(if amount < 0 { -share } else { share }).ok()?;
            (share != 0).then_some((*index, share))
        })
        .collect();
    shares.sort_unstable();
    shares
}

/// What each touchpoint weighs, by time. All are below 2^63.
fn weights(model: Model, by_time: &[(usize, &TouchView)], sale_at: Millis) -> Vec<u128> {
    let count = by_time.len();
    let only = |wanted: usize| (0..count).map(|at| u128::from(at == wanted)).collect();
    match model {
        Model::Last => only(count.saturating_sub(1)),
        Model::First => only(0),
        Model::Linear => vec![1; count],
        Model::Position if count <= 2 => vec![1; count],
        // 40 : 20 for the first and all between together; those between weigh 1 each.
        Model::Position => {
            let between = u128::try_from(count - 2).unwrap_or(1);
            (0..count).map(|at| if at == 0 || at == count - 1 { 2 * between } else { 1 }).collect()
        }
        Model::Decay => {
            let age = |touch: &TouchView| sale_at.0.saturating_sub(touch.at.0).max(0);
            // Only ratios count: against the youngest, so that even the oldest of old clicks share.
            let youngest = by_time.iter().map(|(_, touch)| age(touch)).min().unwrap_or(0);
            by_time.iter().map(|(_, touch)| decayed(age(touch) - youngest)).collect()
        }
    }
}

/// `2^62 · 2^(−age / half-life)`, in integers: floats differ between platforms in the last digit.
///
/// The whole half-lives are a shift. The fraction of one is taken in 32 binary digits, each standing for a
/// factor of `2^(−1/2)`, `2^(−1/4)`, …, which are square roots of the one before. `age`: ≥ 0.
fn decayed(age: i64) -> u128 {
    const ONE: u128 = 1 << 62;
    let (halvings, rest) = (age / HALF_LIFE_MS, age % HALF_LIFE_MS);
    let fraction = u128::from(rest.unsigned_abs()) * (1 << 32) / u128::from(HALF_LIFE_MS.unsigned_abs());
    let mut weight = ONE;
    let mut factor = ONE / 2;
    for digit in (0..32).rev() {
        factor = (factor * ONE).isqrt();
        if fraction >> digit & 1 == 1 {
            weight = weight * factor / ONE;
        }
    }
    u32::try_from(halvings).ok().and_then(|halvings| weight.checked_shr(halvings)).unwrap_or(0)
}

/// `amount` in proportion to `weights`, exactly: the largest remainders get what is left over.
fn shares(amount: u64, weights: &[u128]) -> Vec<i128> {
    let total: u128 = weights.iter().sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    let amount = u128::from(amount);
    let mut shares: Vec<u128> = weights.iter().map(|weight| amount * weight / total).collect();
    let mut left = amount - shares.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| Reverse((weights.get(*at).map(|weight| amount * weight % total), *at)));
    for at in order {
        if left == 0 {
            break;
        }
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
            left -= 1;
        }
    }
    shares.into_iter().filter_map(|share| i128::try_from(share).ok()).collect()
}
