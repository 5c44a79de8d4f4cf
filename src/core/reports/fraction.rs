//! Fractions, as they are shown.

use serde_json::Value;

/// A fraction of whole numbers with four decimals, halves away from zero: `"0.2857"`. Nothing of nothing is `null`.
#[must_use]
pub fn fraction(numerator: i64, denominator: i64) -> Value {
    if denominator == 0 {
        return Value::Null;
    }
    let (over, under) = (i128::from(numerator), i128::from(denominator));
    let is_negative = (over < 0) != (under < 0);
    let (over, under) = (over.unsigned_abs(), under.unsigned_abs());
    let places = over.saturating_mul(20_000).saturating_add(under) / under.saturating_mul(2);
    let sign = if is_negative && places > 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", places / 10_000, places % 10_000).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_decimals_of_the_exact_fraction() {
        for (over, under, shown) in [
            (2, 7, "0.2857"),
            (1, 3, "0.3333"),
            (2, 3, "0.6667"),
            (5, 5, "1.0000"),
            (0, 9, "0.0000"),
            (4900, 3, "1633.3333"),
            (1, 20_000, "0.0001"),
            (1, 20_001, "0.0000"),
            (-1, 3, "-0.3333"),
            (-1, 20_001, "0.0000"),
            (99_999, 100_000, "1.0000"),
            (i64::MAX, 1, "9223372036854775807.0000"),
        ] {
            assert_eq!(fraction(over, under), shown, "{over}/{under}");
        }
        assert_eq!(fraction(0, 0), Value::Null);
    }
}
