//! Exchange rates as exact decimals, and conversion without floats.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Currency;

/// How many digits of a rate count; further ones are rounded. Providers publish five or six.
const DIGITS: u32 = 15;
/// `10^DIGITS`: mantissas stay below.
const LIMIT: u128 = 1_000_000_000_000_000;
/// Most digits after the point: the weakest currency of the world is far from 10^-15 of another.
const MAX_SCALE: i32 = 15;
/// Longest text that is looked at; a float's shortest text has at most 25 characters.
const MAX_TEXT: usize = 60;

/// How many units of a currency one unit of another is worth: `mantissa / 10^scale`, above 0, exact.
///
/// Wire form: its decimal text, `"155.69"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// 1 ≤ mantissa < 10^15, without trailing zeros while scale > 0.
    mantissa: u64,
    /// 0 ≤ scale ≤ 15.
    scale: u8,
}

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RateError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotDecimal,
    /// Zero or negative.
    #[error("a rate is greater than 0")]
    NotPositive,
    /// Outside 10^-15 … 10^15.
    #[error("out of range")]
    Range,
}

impl Rate {
    /// One for one.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// Reads `155.69`, `1e-5`, `0.30000000000000004`: what JSON, XML and people write. Digits beyond the
    /// fifteenth are rounded half up.
    ///
    /// # Errors
    /// Which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        if text.len() > MAX_TEXT {
            return Err(RateError::NotDecimal);
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0),
            Some((number, exponent)) => (number, exponent.parse().map_err(|_| RateError::NotDecimal)?),
        };
        let negative = number.starts_with('-');
        let number = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(RateError::NotDecimal);
        }
        let mut mantissa: u128 = 0;
        let mut dropped: i32 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(RateError::NotDecimal);
            }
            // Far more digits than count are kept for rounding; those beyond cannot change the fifteenth but
            // by making an exact half larger, which half up takes the same way.
            if mantissa < LIMIT * 1_000_000 {
                mantissa = mantissa * 10 + u128::from(byte - b'0');
            } else {
                dropped += 1;
            }
        }
        if negative || mantissa == 0 {
            return Err(RateError::NotPositive);
        }
        let scale = i32::try_from(fraction.len()).map_err(|_| RateError::Range)? - dropped;
        Self::rounded(mantissa, scale.checked_sub(exponent).ok_or(RateError::Range)?)
    }

    /// `self / other`, to fifteen digits: from rates against the euro to rates against the dollar.
    ///
    /// # Errors
    /// [`RateError::Range`].
    pub fn divided_by(self, other: Self) -> Result<Self, RateError> {
        // Seventeen digits of the quotient and more, so that what is cut off cannot change the fifteenth.
        let (mut dividend, mut scale) = (u128::from(self.mantissa), i32::from(self.scale));
        while dividend < 100 * LIMIT * LIMIT {
            dividend *= 10;
            scale += 1;
        }
        Self::rounded(dividend / u128::from(other.mantissa), scale - i32::from(other.scale))
    }

    /// `mantissa / 10^scale`, rounded half up to the digits that count.
    fn rounded(mut mantissa: u128, mut scale: i32) -> Result<Self, RateError> {
        let mut digit = 0;
        while mantissa >= LIMIT || (scale > MAX_SCALE && mantissa > 0) {
            (digit, mantissa, scale) = (mantissa % 10, mantissa / 10, scale - 1);
        }
        if digit >= 5 {
            mantissa += 1;
        }
        while mantissa != 0 && mantissa.is_multiple_of(10) && scale > 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        while scale < 0 && mantissa < LIMIT {
            (mantissa, scale) = (mantissa * 10, scale + 1);
        }
        match (u64::try_from(mantissa), u8::try_from(scale)) {
            (Ok(mantissa @ 1..), Ok(small)) if u128::from(mantissa) < LIMIT && scale <= MAX_SCALE => {
                Ok(Self { mantissa, scale: small })
            }
            _ => Err(RateError::Range),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = 10_u64.pow(u32::from(self.scale).min(DIGITS));
        let (whole, fraction) = (self.mantissa / power, self.mantissa % power);
        match self.scale {
            0 => write!(f, "{whole}"),
            scale => write!(f, "{whole}.{fraction:0width$}", width = usize::from(scale)),
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, RateError> {
        Self::parse(text)
    }
}

/// `minor` units of `from` in minor units of `to`, exact and rounded once, half away from zero.
///
/// `from_per_usd`, `to_per_usd`: units of each for one US dollar. `None`: the result does not fit.
#[must_use]
pub fn convert(
    minor: i64,
    from: Currency,
    to: Currency,
    from_per_usd: Rate,
    to_per_usd: Rate,
) -> Option<i64> {
    if from == to {
        return Some(minor);
    }
    // minor · 10^-ef / rate(from) · rate(to) · 10^et, as one fraction; the powers of ten cancel first.
    let power = i32::from(from_per_usd.scale) + i32::from(to.exponent())
        - i32::from(to_per_usd.scale)
        - i32::from(from.exponent());
    let (mut numerator, mut denominator) =
        (i128::from(to_per_usd.mantissa), i128::from(from_per_usd.mantissa));
    let shifted = if power >= 0 { &mut numerator } else { &mut denominator };
    *shifted = shifted.checked_mul(10_i128.checked_pow(power.unsigned_abs())?)?;
    let common = gcd(numerator, denominator);
    scaled(minor, numerator / common, denominator / common)
}

/// `minor · numerator / denominator`, half away from zero. Both are above 0 and below 10^33.
///
/// The product of all three does not fit 128 bits, so `minor` goes in by pieces of 16 bits, the highest first:
/// at each step the remainder is below the denominator, and what is added to it below 2^16 numerators.
fn scaled(minor: i64, numerator: i128, denominator: i128) -> Option<i64> {
    const BITS: u32 = 16;
    let magnitude = minor.unsigned_abs();
    let (mut quotient, mut remainder) = (0_i128, 0_i128);
    for piece in magnitude.to_be_bytes().chunks(2) {
        let digit = piece.iter().fold(0_i128, |sum, byte| (sum << 8) | i128::from(*byte));
        let sum = remainder.checked_mul(1 << BITS)?.checked_add(digit.checked_mul(numerator)?)?;
        quotient = quotient.checked_mul(1 << BITS)?.checked_add(sum / denominator)?;
        remainder = sum % denominator;
    }
    if remainder >= denominator - remainder {
        quotient = quotient.checked_add(1)?;
    }
    i64::try_from(if minor < 0 { -quotient } else { quotient }).ok()
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn texts_and_the_rates_they_are() {
        for (text, shown) in [
            ("150", "150"),
            ("150.0", "150"),
            ("0150.50", "150.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+1", "1"),
            ("1e-5", "0.00001"),
            ("1.5E3", "1500"),
            ("2.5e+2", "250"),
            ("0.30000000000000004", "0.3"),
            ("0.9199999999999999", "0.92"),
            ("1.23456789012345", "1.23456789012345"),
            ("1.234567890123455", "1.23456789012346"),
            ("9.999999999999999", "10"),
            ("999999999999999", "999999999999999"),
            ("0.000000000000001", "0.000000000000001"),
            ("0.0000000000000015", "0.000000000000002"),
            ("1.00000000000000000000000000000000000000001", "1"),
        ] {
            assert_eq!(Rate::parse(text).map(|rate| rate.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate() {
        for (text, error) in [
            ("", RateError::NotDecimal),
            (".", RateError::NotDecimal),
            ("abc", RateError::NotDecimal),
            ("1,5", RateError::NotDecimal),
            ("1.5.2", RateError::NotDecimal),
            ("1e", RateError::NotDecimal),
            ("1e1.5", RateError::NotDecimal),
            ("--1", RateError::NotDecimal),
            (" 1", RateError::NotDecimal),
            ("NaN", RateError::NotDecimal),
            ("٣", RateError::NotDecimal),
            ("0", RateError::NotPositive),
            ("0.000", RateError::NotPositive),
            ("-1", RateError::NotPositive),
            ("1e15", RateError::Range),
            ("1e99", RateError::Range),
            ("1e-16", RateError::Range),
            ("5e-17", RateError::Range),
            ("1e-2147483647", RateError::Range),
            ("1e2147483647", RateError::Range),
            ("1.5e-2147483648", RateError::Range),
            ("999999999999999.9", RateError::Range),
        ] {
            assert_eq!(Rate::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn quotients_have_fifteen_digits() {
        for (dividend, divisor, quotient) in [
            ("181.59", "1.1622", "156.246773360867"),
            ("1", "1.1622", "0.860437102047840"),
            ("1", "3", "0.333333333333333"),
            ("2", "3", "0.666666666666667"),
            ("1", "8", "0.125"),
            ("999999999999999", "0.5", ""),
            ("0.000000000000001", "999999999999999", ""),
        ] {
            let found = rate(dividend).divided_by(rate(divisor)).map(|rate| rate.to_string());
            let expected = Rate::parse(quotient).map(|rate| rate.to_string()).map_err(|_| RateError::Range);
            assert_eq!(found, expected, "{dividend} / {divisor}");
        }
    }

    #[test]
    fn the_largest_amounts_and_rates_are_exact() {
        let (usd, jpy) = (Currency::USD, Currency::parse("jpy").unwrap());
        let (tiny, huge) = (rate("0.000000000000001"), rate("999999999999999"));
        assert_eq!(convert(i64::MAX, usd, usd, tiny, huge), Some(i64::MAX));
        assert_eq!(convert(i64::MIN, usd, usd, tiny, huge), Some(i64::MIN));
        assert_eq!(convert(1, usd, jpy, tiny, huge), None);
        assert_eq!(convert(i64::MAX, jpy, usd, huge, tiny), Some(0));
        // 9223372036854775807 yen at 150 are 6148914691236517204.67 cents.
        assert_eq!(convert(i64::MAX, jpy, usd, rate("150"), Rate::ONE), Some(6_148_914_691_236_517_205));
        assert_eq!(convert(i64::MIN, jpy, usd, rate("150"), Rate::ONE), Some(-6_148_914_691_236_517_205));
        assert_eq!(convert(i64::MAX, jpy, usd, rate("99"), Rate::ONE), None);
    }
}
