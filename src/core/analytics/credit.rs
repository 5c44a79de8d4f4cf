//! Money by another attribution model than the one the ledger books by.
//!
//! The ledger books every entry under its sale's last touchpoint. For another model a query gives each entry once
//! per touchpoint of its sale, and the share of each is computed here: of the amount as converted, so that the
//! shares of an entry add up to what the entry is worth under the default model.

use super::table::Row;
use crate::core::attribution::{Model, credits};
use crate::core::figures::Sum;
use crate::core::ledger::view::TouchView;
use crate::core::money::Currency;
use crate::core::time::Millis;

/// Entries times touchpoints that one report reads, at most: they are shared out one by one.
pub const MAX_CREDITS: usize = 20_000;

/// `entries` with a row for each touchpoint of the sale; an unattributed entry has one row without a touchpoint.
/// Takes the workspace, the mode, and from when to when.
pub(super) const CREDITED: &str = "(SELECT e.workspace_id, e.mode, e.customer_id, e.kind, e.at, e.amount, \
    e.currency, e.rate_day, s.at AS sale_at, s.touches, t.key AS touch, \
    json_extract(t.value, '$.clickId') AS click_id, json_extract(t.value, '$.linkId') AS link_id \
    FROM entries e LEFT JOIN sales s ON s.id = e.sale_id LEFT JOIN json_each(COALESCE(s.touches, '[]')) t \
    WHERE e.workspace_id = ? AND e.mode = ? AND e.at >= ? AND e.at <= ?)";

/// What [`Row`] reads of it; `n` is 1 for the sale itself and 0 for what undid it.
pub(super) const COLUMNS: [&str; 8] = [
    "ev.currency AS currency",
    "ev.rate_day AS rate_day",
    "ev.amount AS each",
    "ev.amount AS total",
    "CASE ev.kind WHEN 'sale' THEN 1 ELSE 0 END AS n",
    "ev.touch AS touch",
    "ev.touches AS touches",
    "ev.sale_at AS sale_at",
];

/// What the row's touchpoint gets: of the sale's count, which goes to one touchpoint as a whole, and of the money.
pub(super) fn credit(
    model: Model,
    row: &Row,
    convert: impl Fn(Currency, &str, i64) -> Option<i64>,
) -> (i64, Sum) {
    let touches: Vec<TouchView> =
        row.touches.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let sale_at = row.sale_at.unwrap_or(Millis(0));
    let share = |amount: i64| match row.touch {
        None => amount,
        Some(touch) => credits(model, amount, &touches, sale_at)
            .into_iter()
            .find_map(|(index, share)| (index == touch).then_some(share))
            .unwrap_or(0),
    };
    let mut sum = Sum::default();
    if let Some(amounts) = row.amounts() {
        match convert(amounts.currency, &amounts.rate_day, amounts.total) {
            Some(amount) => sum.amount = share(amount),
            None => {
                sum.unconverted.insert(amounts.currency, share(amounts.total));
            }
        }
    }
    (share(row.n.unwrap_or(0)), sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(touch: Option<usize>, amount: i64, currency: &str, n: i64) -> Row {
        let day = 86_400_000;
        let touches = json!([
            {"clickId": "a", "linkId": "l1", "at": 0}, {"clickId": "b", "linkId": "l2", "at": 7 * day},
            {"clickId": "c", "linkId": "l3", "at": 14 * day}
        ]);
        serde_json::from_value(json!({"touch": touch, "touches": touches.to_string(), "sale_at": 14 * day,
            "currency": currency, "rate_day": "2030-01-01", "each": amount, "total": amount, "n": n}))
        .unwrap()
    }

    /// Pounds are two dollars each; nothing else has a rate.
    fn pounds(from: Currency, _: &str, amount: i64) -> Option<i64> {
        match from.as_str() {
            "usd" => Some(amount),
            "gbp" => Some(amount * 2),
            _ => None,
        }
    }

    #[test]
    fn shares_of_each_model_add_up() {
        for (model, expected, counted) in [
            (Model::Last, [0, 0, 100], [0, 0, 1]),
            (Model::First, [100, 0, 0], [1, 0, 0]),
            (Model::Linear, [33, 33, 34], [0, 0, 1]),
            (Model::Position, [40, 20, 40], [0, 0, 1]),
            (Model::Decay, [14, 29, 57], [0, 0, 1]),
        ] {
            for (sign, n) in [(1, 1), (-1, 0)] {
                let found: Vec<(i64, i64)> = (0..3)
                    .map(|touch| credit(model, &row(Some(touch), sign * 100, "usd", n), pounds))
                    .map(|(count, sum)| (count, sum.amount))
                    .collect();
                let wanted: Vec<(i64, i64)> =
                    counted.iter().zip(expected).map(|(count, amount)| (count * n, sign * amount)).collect();
                assert_eq!(found, wanted, "{model:?} {sign}");
            }
        }
    }

    #[test]
    fn what_is_shared_is_the_converted_amount() {
        let shares: Vec<i64> = (0..3)
            .map(|touch| credit(Model::Linear, &row(Some(touch), 50, "gbp", 1), pounds).1.amount)
            .collect();
        assert_eq!(shares, [33, 33, 34], "100 dollars, not 50 pounds");
    }

    #[test]
    fn what_has_no_rate_is_shared_as_charged() {
        let tugrik = Currency::parse("mnt").unwrap();
        let rest: Vec<Vec<(Currency, i64)>> = (0..3)
            .map(|touch| credit(Model::Linear, &row(Some(touch), 10, "mnt", 1), pounds).1.rest())
            .collect();
        assert_eq!(rest, [[(tugrik, 3)], [(tugrik, 3)], [(tugrik, 4)]]);
    }

    #[test]
    fn unattributed_money_is_whole() {
        let (count, sum) = credit(Model::Linear, &row(None, 100, "usd", 1), pounds);
        assert_eq!((count, sum.amount), (1, 100));
    }
}
