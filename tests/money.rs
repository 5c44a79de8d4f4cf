//! Money as the specification tells it (rules R10, rows 38 to 41), and what holds for every amount and rate.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, what is missing fails it")]

use std::cmp::Ordering;

use pimms_edge::core::money::rates::{Converter, OWN_SOURCE, RateBook, StoredRate};
use pimms_edge::core::money::{Currency, Rate, convert};
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

#[test]
fn amounts_and_what_they_are_in_another_currency() {
    for (amount, from, from_rate, to, to_rate, expected) in [
        // The rows of the specification.
        (5000, "jpy", "150", "usd", "1", 3333),
        (12345, "kwd", "0.3", "usd", "1", 4115),
        (5000, "jpy", "150", "eur", "0.9", 3000),
        (12345, "kwd", "0.3", "eur", "0.9", 3704),
        // Between any two numbers of decimals.
        (3333, "usd", "1", "jpy", "150", 5000),
        (1, "jpy", "150", "kwd", "0.3", 2),
        (1000, "kwd", "0.3", "jpy", "150", 500),
        (100, "isk", "122", "usd", "1", 1),
        (370_000, "ugx", "3700", "usd", "1", 100),
        (10_000, "mga", "4500", "usd", "1", 222),
        // Half a unit goes away from zero, on both sides.
        (1, "eur", "2", "usd", "1", 1),
        (-1, "eur", "2", "usd", "1", -1),
        (1, "eur", "2.000000000001", "usd", "1", 0),
        (-1, "eur", "2.000000000001", "usd", "1", 0),
        (5, "eur", "2", "usd", "1", 3),
        (-5, "eur", "2", "usd", "1", -3),
        (0, "jpy", "150", "usd", "1", 0),
        // As large as amounts get.
        (9_007_199_254_740_991, "jpy", "155.69", "usd", "1", 5_785_342_189_441_191),
        (9_007_199_254_740_991, "usd", "1", "jpy", "155.69", 14_023_308_519_706_249),
    ] {
        let found = convert(amount, currency(from), currency(to), rate(from_rate), rate(to_rate));
        assert_eq!(found, Some(expected), "{amount} {from} at {from_rate} in {to} at {to_rate}");
    }
}

/// Row 40: what has no rate is unconverted, never zero and never itself.
#[test]
fn without_a_rate_there_is_no_number() {
    let converter = Converter::new(RateBook::seed(), Currency::USD);
    assert_eq!(converter.convert(currency("mnt"), "2030-01-01", 100), None);
    assert_eq!(converter.convert(currency("mnt"), "2030-01-01", 0), None);
    let into = Converter::new(RateBook::seed(), currency("mnt"));
    assert_eq!(into.convert(Currency::USD, "2030-01-01", 100), None);
}

/// Row 41: another reporting currency is another projection of the same entries, by the same days' rates.
#[test]
fn a_change_of_the_reporting_currency_projects_the_same_entries_anew() {
    let row = |day: &str, currency: &str, per_usd: &str| StoredRate {
        workspace_id: "ws_1".into(),
        day: day.into(),
        currency: currency.into(),
        per_usd: per_usd.into(),
        source: OWN_SOURCE.into(),
    };
    let stored = [
        row("2030-01-01", "jpy", "150"),
        row("2030-02-01", "jpy", "160"),
        row("2030-01-01", "eur", "0.9"),
        row("2030-02-01", "eur", "0.8"),
    ];
    let entries = [("2030-01-15", "jpy", 5000), ("2030-02-15", "jpy", 8000), ("2030-01-15", "jpy", -5000)];
    for (to, expected) in [("usd", [3333, 5000, -3333]), ("eur", [3000, 4000, -3000])] {
        let converter = Converter::new(RateBook::of(&stored), currency(to));
        let found =
            entries.map(|(day, from, amount)| converter.convert(currency(from), day, amount).unwrap());
        assert_eq!(found, expected, "{to}");
    }
}

fn any_currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(Currency::all().collect::<Vec<_>>())
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (1_u64..1_000_000_000_000_000, 0_u32..16).prop_map(|(mantissa, scale)| {
        let text = format!("{mantissa}e-{scale}");
        rate(&text)
    })
}

/// `amount · 10^(digits of to) · rate(to) / (10^(digits of from) · rate(from))`, the slow way: long division
/// on decimal digits, so that nothing is shared with the program.
fn by_hand(amount: i64, from: Currency, to: Currency, from_rate: Rate, to_rate: Rate) -> Option<i64> {
    let split = |rate: Rate| {
        let text = rate.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        (format!("{whole}{fraction}").parse::<u128>().unwrap(), fraction.len())
    };
    let ((mf, sf), (mt, st)) = (split(from_rate), split(to_rate));
    let zeros = |n: usize| "0".repeat(n);
    let numerator =
        times(&amount.unsigned_abs().to_string(), &mt.to_string()) + &zeros(sf + usize::from(to.exponent()));
    let denominator = mf.to_string() + &zeros(st + usize::from(from.exponent()));
    let mut quotient = String::new();
    let mut rest = String::new();
    for digit in numerator.chars() {
        rest.push(digit);
        rest = trim(&rest);
        let mut times = 0_u8;
        while compare(&rest, &denominator) != Ordering::Less {
            rest = minus(&rest, &denominator);
            times += 1;
        }
        quotient.push(char::from(b'0' + times));
    }
    let mut magnitude: i128 = trim(&quotient).parse().ok()?;
    if compare(&times(&rest, "2"), &denominator) != Ordering::Less {
        magnitude += 1;
    }
    i64::try_from(if amount < 0 { -magnitude } else { magnitude }).ok()
}

fn trim(number: &str) -> String {
    let trimmed = number.trim_start_matches('0');
    if trimmed.is_empty() { "0".into() } else { trimmed.into() }
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (trim(a), trim(b));
    a.len().cmp(&b.len()).then(a.cmp(&b))
}

fn digits(number: &str) -> Vec<i32> {
    number.bytes().rev().map(|b| i32::from(b - b'0')).collect()
}

fn times(a: &str, b: &str) -> String {
    let mut product = vec![0_i32; a.len() + b.len() + 1];
    for (i, x) in digits(a).into_iter().enumerate() {
        for (j, y) in digits(b).into_iter().enumerate() {
            product[i + j] += x * y;
        }
    }
    for at in 0..product.len() - 1 {
        product[at + 1] += product[at] / 10;
        product[at] %= 10;
    }
    trim(&product.iter().rev().map(ToString::to_string).collect::<String>())
}

fn minus(a: &str, b: &str) -> String {
    let mut rest = digits(a);
    let b = digits(b);
    for at in 0..rest.len() {
        rest[at] -= b.get(at).copied().unwrap_or(0);
        if rest[at] < 0 {
            rest[at] += 10;
            rest[at + 1] -= 1;
        }
    }
    trim(&rest.iter().rev().map(ToString::to_string).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn conversion_agrees_with_division_by_hand(
        amount in any::<i64>(), from in any_currency(), to in any_currency(), a in any_rate(), b in any_rate()
    ) {
        let expected = if from == to { Some(amount) } else { by_hand(amount, from, to, a, b) };
        prop_assert_eq!(convert(amount, from, to, a, b), expected);
    }

    #[test]
    fn what_is_taken_back_is_what_was_given(
        amount in -9_007_199_254_740_991_i64..=9_007_199_254_740_991, from in any_currency(),
        to in any_currency(), a in any_rate(), b in any_rate()
    ) {
        let there = convert(amount, from, to, a, b);
        prop_assert_eq!(convert(-amount, from, to, a, b), there.map(|found| -found));
    }

    #[test]
    fn a_currency_is_worth_itself(amount in any::<i64>(), of in any_currency(), a in any_rate(), b in any_rate()) {
        prop_assert_eq!(convert(amount, of, of, a, b), Some(amount));
    }

    #[test]
    fn more_is_never_worth_less(
        less in any::<i64>(), more in any::<i64>(), from in any_currency(), to in any_currency(),
        a in any_rate(), b in any_rate()
    ) {
        let (less, more) = (less.min(more), less.max(more));
        let (x, y) = (convert(less, from, to, a, b), convert(more, from, to, a, b));
        if let (Some(x), Some(y)) = (x, y) {
            prop_assert!(x <= y);
        }
    }

    #[test]
    fn rates_read_back_as_they_were_written(some in any_rate()) {
        prop_assert_eq!(Rate::parse(&some.to_string()), Ok(some));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9.eE]{0,40}") {
        if let Ok(found) = Rate::parse(&text) {
            // Within what a float can tell.
            let number: f64 = text.parse().unwrap();
            let again: f64 = found.to_string().parse().unwrap();
            prop_assert!((number - again).abs() <= number.abs() * 1e-13 + 6e-16, "{} {}", number, again);
        }
    }
}
