//! `PUT /fx-rates` and `GET /fx-rates`: a workspace's own rates.

use serde_json::{Map, Value, json};

use super::ecb::{self, SheetError};
use super::rates::RateBook;
use super::{Currency, Rate};
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Text};

/// More than there are currencies.
const MAX_RATES: usize = 300;

/// What to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRates {
    /// `YYYY-MM-DD`
    pub day: String,
    /// Units for one dollar; `None` takes the day's rate away.
    pub rates: Vec<(Currency, Option<Rate>)>,
}

/// Reads `{"date":"2030-01-02","base":"USD","rates":{"JPY":150,"EUR":"0.92","GBP":null}}`.
///
/// `rates` are units of each currency for one unit of `base`; a base other than the dollar needs the dollar's
/// rate among them. Without a date: `today`.
///
/// # Errors
/// 422 naming the field.
pub fn own_rates(body: &Value, today: Millis) -> Result<OwnRates, Problem> {
    let fields = Fields::root(body)?;
    let day = day(&fields, today)?;
    let base = match fields.text("base", Text::up_to(10).trimmed())?.value() {
        None => Currency::USD,
        Some(code) => Currency::parse(&code).ok_or_else(|| unknown_currency("base"))?,
    };
    let given = fields.required("rates", fields.object("rates")?)?;
    if given.is_empty() || given.len() > MAX_RATES {
        return Err(fields.refuse("rates", &format!("Expected 1 to {MAX_RATES} rates")));
    }
    let mut known: Vec<(Currency, Rate)> = Vec::new();
    let mut gone: Vec<Currency> = Vec::new();
    for (code, value) in given {
        let path = format!("rates.{}", code.chars().take(20).collect::<String>());
        let currency = Currency::parse(code).ok_or_else(|| unknown_currency(&path))?;
        if known.iter().any(|(of, _)| *of == currency) || gone.contains(&currency) {
            return Err(Problem::invalid("custom", &path, "The currency is given twice"));
        }
        if value.is_null() {
            gone.push(currency);
            continue;
        }
        let rate = match ecb::number(value) {
            None => {
                return Err(Problem::invalid("invalid_type", &path, "Expected a number or a decimal text"));
            }
            Some(Err(error)) => {
                return Err(Problem::invalid("custom", &path, &format!("Invalid rate: {error}")));
            }
            Some(Ok(rate)) => rate,
        };
        if currency == base && rate != Rate::ONE {
            return Err(Problem::invalid("custom", &path, "The base is worth 1 of itself"));
        }
        known.push((currency, rate));
    }
    let mut rates: Vec<(Currency, Option<Rate>)> = Vec::new();
    match ecb::against_dollar(day.clone(), base, known) {
        Ok(sheet) => rates.extend(sheet.rates.into_iter().map(|(currency, rate)| (currency, Some(rate)))),
        Err(SheetError::NoDollar(_)) => {
            return Err(Problem::invalid("custom", "rates.USD", "Required when base is not USD"));
        }
        Err(_) if gone.is_empty() => return Err(fields.refuse("rates", "The dollar is always worth 1")),
        Err(_) => {}
    }
    rates.extend(gone.into_iter().map(|currency| (currency, None)));
    Ok(OwnRates { day, rates })
}

fn day(fields: &Fields<'_>, today: Millis) -> Result<String, Problem> {
    let Some(text) = fields.text("date", Text::up_to(40).trimmed())?.value() else { return Ok(today.day()) };
    let wrong = || Problem::invalid("invalid_date", "date", "Invalid date: use YYYY-MM-DD");
    ecb::plain_day(&text).ok_or_else(wrong)
}

fn unknown_currency(path: &str) -> Problem {
    Problem::invalid("custom", path, "Expected a currency code of ISO 4217")
}

/// The rates in force on a day, each with its source and the day it is of.
///
/// `{"date":"…","base":"USD","rates":{"JPY":{"rate":"150","source":"manual","date":"…"}}}`
#[must_use]
pub fn shown(book: &RateBook, day: &str) -> Value {
    let rates: Map<String, Value> = book
        .currencies()
        .filter_map(|currency| {
            let quote = book.quote(currency, day)?;
            let shown = json!({"rate": quote.rate.to_string(), "source": quote.source, "date": quote.day});
            Some((currency.as_str().to_uppercase(), shown))
        })
        .collect();
    json!({"date": day, "base": "USD", "rates": rates})
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Millis = Millis(1_893_542_400_000);

    fn read(body: &Value) -> Result<String, String> {
        own_rates(body, TODAY)
            .map(|own| {
                let rates = own.rates.iter().map(|(currency, rate)| match rate {
                    Some(rate) => format!("{currency} {rate}"),
                    None => format!("{currency} gone"),
                });
                format!("{}: {}", own.day, rates.collect::<Vec<_>>().join(", "))
            })
            .map_err(|problem| problem.message)
    }

    #[test]
    fn bodies_are_read() {
        for (body, expected) in [
            (json!({"rates": {"JPY": 150, "EUR": "0.92"}}), "2030-01-02: eur 0.92, jpy 150"),
            (json!({"date": "2029-12-31", "rates": {"jpy": 0.1}}), "2029-12-31: jpy 0.1"),
            (json!({"base": "eur", "rates": {"USD": 1.25, "JPY": 200}}), "2030-01-02: eur 0.8, jpy 160"),
            (json!({"rates": {"USD": 1, "EUR": 0.5}}), "2030-01-02: eur 0.5"),
            (json!({"rates": {"JPY": null}}), "2030-01-02: jpy gone"),
            (json!({"rates": {"JPY": null, "EUR": 2}}), "2030-01-02: eur 2, jpy gone"),
            (json!({"rates": {"KWD": 0.307_000_000_000_000_05}}), "2030-01-02: kwd 0.307"),
        ] {
            assert_eq!(read(&body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_refused_names_the_field() {
        for (body, expected) in [
            (json!([]), "invalid_type: : Expected object, received array"),
            (json!({}), "invalid_type: rates: rates is required"),
            (json!({"rates": {}}), "custom: rates: Expected 1 to 300 rates"),
            (json!({"rates": {"ZZZ": 1}}), "custom: rates.ZZZ: Expected a currency code of ISO 4217"),
            (json!({"rates": {"JPY": 0}}), "custom: rates.JPY: Invalid rate: a rate is greater than 0"),
            (json!({"rates": {"JPY": "-1"}}), "custom: rates.JPY: Invalid rate: a rate is greater than 0"),
            (json!({"rates": {"JPY": "1,5"}}), "custom: rates.JPY: Invalid rate: not a decimal number"),
            (json!({"rates": {"JPY": 1e300}}), "custom: rates.JPY: Invalid rate: out of range"),
            (json!({"rates": {"JPY": true}}), "invalid_type: rates.JPY: Expected a number or a decimal text"),
            (json!({"rates": {"JPY": 1, "jpy": 1}}), "custom: rates.jpy: The currency is given twice"),
            (json!({"rates": {"USD": 2}}), "custom: rates.USD: The base is worth 1 of itself"),
            (json!({"rates": {"USD": 1}}), "custom: rates: The dollar is always worth 1"),
            (json!({"base": "EUR", "rates": {"JPY": 1}}), "custom: rates.USD: Required when base is not USD"),
            (json!({"base": "x", "rates": {"JPY": 1}}), "custom: base: Expected a currency code of ISO 4217"),
            (
                json!({"date": "2030-02-30", "rates": {"JPY": 1}}),
                "invalid_date: date: Invalid date: use YYYY-MM-DD",
            ),
            (
                json!({"date": "2030-01-02T00:00:00Z", "rates": {"JPY": 1}}),
                "invalid_date: date: Invalid date: use YYYY-MM-DD",
            ),
        ] {
            assert_eq!(read(&body).as_ref().map_err(String::as_str), Err(expected), "{body}");
        }
    }
}
