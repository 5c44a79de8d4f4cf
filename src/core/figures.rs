//! Sums of ledger entries in one currency, exact.
//!
//! A query groups entries by currency, rate day and amount and counts them; each distinct amount is converted
//! once and multiplied. Rounding is therefore per entry, as if each had been converted alone, however the
//! entries are grouped. What has no rate is summed apart, as charged.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::money::Currency;

/// One group of equal entries.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Amounts {
    /// As charged.
    pub currency: Currency,
    /// The day whose rate applies; `""` when none is needed.
    pub rate_day: String,
    /// The amount of each; `None` when the currency is the report's, and only `total` matters.
    pub each: Option<i64>,
    /// Their sum.
    pub total: i64,
    /// How many.
    pub n: i64,
}

/// A sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Minor units of the report's currency.
    pub amount: i64,
    /// What could not be converted.
    pub unconverted: BTreeMap<Currency, i64>,
}

impl Sum {
    /// Adds a group. `convert` gives one amount of a currency and day in the report's currency.
    pub fn add(&mut self, group: &Amounts, convert: impl Fn(Currency, &str, i64) -> Option<i64>) {
        let converted = match group.each {
            None => Some(group.total),
            Some(each) => {
                convert(group.currency, &group.rate_day, each).and_then(|one| one.checked_mul(group.n))
            }
        };
        if let Some(amount) = converted {
            self.amount = self.amount.saturating_add(amount);
        } else {
            let sum = self.unconverted.entry(group.currency).or_default();
            *sum = sum.saturating_add(group.total);
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.amount = self.amount.saturating_add(other.amount);
        for (currency, amount) in &other.unconverted {
            let sum = self.unconverted.entry(*currency).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }

    /// What could not be converted and does not cancel out.
    #[must_use]
    pub fn rest(&self) -> Vec<(Currency, i64)> {
        self.unconverted.iter().filter(|(_, amount)| **amount != 0).map(|(c, a)| (*c, *a)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(currency: &str, each: Option<i64>, total: i64, n: i64) -> Amounts {
        let currency = Currency::parse(currency).unwrap();
        Amounts { currency, rate_day: "2030-01-01".to_owned(), each, total, n }
    }

    #[test]
    fn each_amount_is_converted_alone_and_what_has_no_rate_is_apart() {
        let convert = |currency: Currency, day: &str, amount: i64| {
            assert_eq!(day, "2030-01-01");
            (currency.as_str() == "eur").then_some((amount * 11 + 5) / 10)
        };
        let mut sum = Sum::default();
        for amounts in [
            group("usd", None, 700, 3),
            group("eur", Some(5), 15, 3),
            group("mnt", Some(9), 18, 2),
            group("mnt", Some(-9), -9, 1),
            group("all", Some(4), 4, 1),
            group("all", Some(-4), -4, 1),
        ] {
            sum.add(&amounts, convert);
        }
        // 5 converts to 6 (5.5 rounded down by this rate), three times: 18, not 15 converted at once.
        assert_eq!(sum.amount, 718);
        assert_eq!(sum.rest(), [(Currency::parse("mnt").unwrap(), 9)]);
        let mut twice = sum.clone();
        twice.merge(&sum);
        assert_eq!((twice.amount, twice.rest()[0].1), (1436, 18));
    }
}
