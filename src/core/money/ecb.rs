//! What a provider of rates publishes: the reference rates of the European Central Bank, or JSON in the form
//! most providers share.
//!
//! Both are read into units of each currency for one dollar. A document that lacks what is needed is refused
//! whole: half a day's rates would be taken for the day's rates.

use serde_json::Value;
use thiserror::Error;

use super::{Currency, Rate};
use crate::core::time::Millis;

/// Where the European Central Bank publishes its daily reference rates.
pub const ECB_URL: &str = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml";
/// Documents above this are refused unread; a day's rates are a few kilobytes.
pub const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// The rates of one day, against the dollar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// `YYYY-MM-DD`
    pub day: String,
    /// Each currency once, without the dollar, by code.
    pub rates: Vec<(Currency, Rate)>,
}

/// Why a document is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SheetError {
    /// Neither of the two forms.
    #[error("neither ECB reference rates nor JSON with `rates`")]
    Form,
    /// No date of the form `YYYY-MM-DD`.
    #[error("no date")]
    Date,
    /// The base is a currency against which there is no rate of the dollar.
    #[error("no rate of the dollar against {0}")]
    NoDollar(String),
    /// The base is no currency.
    #[error("the base {0:?} is no currency")]
    Base(String),
    /// Nothing in it.
    #[error("no rates")]
    Empty,
}

/// Reads a document of either form.
///
/// # Errors
/// Why not.
pub fn sheet(document: &str) -> Result<Sheet, SheetError> {
    let text = document.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') { xml(text) } else { json(text) }
}

/// Rates against `base`, crossed with the dollar's. Codes and numbers that cannot be read are left out.
///
/// # Errors
/// [`SheetError::NoDollar`], [`SheetError::Empty`].
pub fn against_dollar(
    day: String,
    base: Currency,
    rates: impl IntoIterator<Item = (Currency, Rate)>,
) -> Result<Sheet, SheetError> {
    let mut rates: Vec<(Currency, Rate)> = rates.into_iter().filter(|(of, _)| *of != base).collect();
    rates.sort_by_key(|(currency, _)| *currency);
    rates.dedup_by_key(|(currency, _)| *currency);
    if base != Currency::USD {
        let dollar = rates.iter().find(|(currency, _)| *currency == Currency::USD).map(|(_, rate)| *rate);
        let dollar = dollar.ok_or_else(|| SheetError::NoDollar(base.to_string()))?;
        rates = rates
            .into_iter()
            .chain([(base, Rate::ONE)])
            .filter(|(currency, _)| *currency != Currency::USD)
            .filter_map(|(currency, rate)| Some((currency, rate.divided_by(dollar).ok()?)))
            .collect();
        rates.sort_by_key(|(currency, _)| *currency);
    }
    if rates.is_empty() { Err(SheetError::Empty) } else { Ok(Sheet { day, rates }) }
}

/// `<Cube time="2026-09-17"><Cube currency="USD" rate="1.1481"/>…`: units of each for one euro.
///
/// Elements are found by name and attributes by name, in any order, quotes and prefix. The newest day counts.
fn xml(text: &str) -> Result<Sheet, SheetError> {
    let euro = Currency::parse("eur").ok_or(SheetError::Form)?;
    let mut days: Vec<(String, Vec<(Currency, Rate)>)> = Vec::new();
    for element in text.split('<').skip(1) {
        let Some(attributes) = cube(element) else { continue };
        if let Some(day) = attribute(attributes, "time") {
            days.push((plain_day(day).ok_or(SheetError::Date)?, Vec::new()));
        }
        let (code, rate) = (attribute(attributes, "currency"), attribute(attributes, "rate"));
        if let (Some(code), Some(rate)) = (code, rate)
            && let (Some(currency), Ok(rate)) = (Currency::parse(code.trim()), Rate::parse(rate.trim()))
        {
            days.last_mut().ok_or(SheetError::Date)?.1.push((currency, rate));
        }
    }
    let (day, rates) = days.into_iter().max_by(|a, b| a.0.cmp(&b.0)).ok_or(SheetError::Form)?;
    against_dollar(day, euro, rates)
}

/// The attributes of a `Cube` element, whatever its prefix.
fn cube(element: &str) -> Option<&str> {
    let tag = element.split_once('>').map(|(tag, _)| tag)?;
    let (name, attributes) = tag.split_once(|c: char| c.is_ascii_whitespace())?;
    let name = name.rsplit(':').next().unwrap_or(name);
    (name == "Cube").then(|| attributes.trim_end_matches('/'))
}

fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after.get(1..)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(value);
        }
        rest = next;
    }
}

/// `{"base":"USD","date":"2026-09-17","rates":{"EUR":0.871}}`; a `timestamp` in seconds serves as well.
fn json(text: &str) -> Result<Sheet, SheetError> {
    let value: Value = serde_json::from_str(text).map_err(|_| SheetError::Form)?;
    let rates = value.get("rates").and_then(Value::as_object).ok_or(SheetError::Form)?;
    let base = value.get("base").and_then(Value::as_str).unwrap_or("USD");
    let base = Currency::parse(base).ok_or_else(|| SheetError::Base(base.chars().take(10).collect()))?;
    let date = value.get("date").and_then(Value::as_str).and_then(plain_day);
    let stamp = || value.get("timestamp").and_then(Value::as_i64).and_then(Millis::from_secs);
    let day = date.or_else(|| stamp().map(Millis::day)).ok_or(SheetError::Date)?;
    let read = |(code, rate): (&String, &Value)| Some((Currency::parse(code)?, number(rate)?.ok()?));
    against_dollar(day, base, rates.iter().filter_map(read))
}

/// A rate given as a number or as a text; `None` for anything else.
#[must_use]
pub fn number(value: &Value) -> Option<Result<Rate, super::RateError>> {
    match value {
        // The shortest text of a float is what its writer wrote, up to fifteen digits.
        Value::Number(number) => Some(Rate::parse(&number.to_string())),
        Value::String(text) => Some(Rate::parse(text.trim())),
        _ => None,
    }
}

/// A text of the form `YYYY-MM-DD` that is a day.
#[must_use]
pub fn plain_day(text: &str) -> Option<String> {
    let day = Millis::parse(text.trim()).filter(|_| text.trim().len() == 10)?.day();
    (day == text.trim()).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the bank publishes it, shortened.
    const DAILY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender>
		<gesmes:name>European Central Bank</gesmes:name>
	</gesmes:Sender>
	<Cube>
		<Cube time='2026-09-04'>
			<Cube currency='USD' rate='1.1622'/>
			<Cube currency='JPY' rate='181.59'/>
			<Cube currency='GBP' rate='0.85898'/></Cube>
	</Cube>
</gesmes:Envelope>"#;

    fn shown(sheet: &Sheet) -> String {
        let rates = sheet.rates.iter().map(|(currency, rate)| format!("{currency} {rate}"));
        format!("{}: {}", sheet.day, rates.collect::<Vec<_>>().join(", "))
    }

    const OF_DAILY: &str = "2026-09-04: eur 0.86043710204784, gbp 0.739098261917054, jpy 156.246773360867";

    #[test]
    fn the_banks_document_is_read() {
        assert_eq!(sheet(DAILY).map(|s| shown(&s)).as_deref(), Ok(OF_DAILY));
        let other_quotes = DAILY.replace('\'', "\"").replace("<Cube ", "<x:Cube  ").replace("'/>", "' />");
        assert_eq!(sheet(&other_quotes).map(|s| shown(&s)).as_deref(), Ok(OF_DAILY));
        let swapped = DAILY
            .replace("currency='USD' rate='1.1622'", "\n rate = \"1.1622\"\tnote='a=b' currency = 'usd'")
            .replace(
                "<Cube currency='JPY'",
                "<!-- now --><Cube currency='ZZZ' rate='1'/><Cube currency='JPY'",
            );
        assert_eq!(sheet(&format!("\u{feff}\n{swapped}")).map(|s| shown(&s)).as_deref(), Ok(OF_DAILY));
    }

    #[test]
    fn of_several_days_the_newest_counts() {
        let two = DAILY.replace(
            "<Cube time=",
            "<Cube time='2026-09-03'><Cube currency='USD' rate='2'/></Cube><Cube time=",
        );
        assert_eq!(sheet(&two).map(|s| shown(&s)).as_deref(), Ok(OF_DAILY));
    }

    #[test]
    fn json_of_providers_is_read() {
        for (text, expected) in [
            (
                r#"{"base":"USD","date":"2030-01-02","rates":{"EUR":0.92,"JPY":150,"USD":1}}"#,
                "eur 0.92, jpy 150",
            ),
            (
                r#"{"amount":1.0,"base":"EUR","date":"2030-01-02","rates":{"USD":"1.25","JPY":1e2}}"#,
                "eur 0.8, jpy 80",
            ),
            (r#"{"timestamp":1893556800,"rates":{"EUR":0.92,"XAU":0.0004,"JPY":null}}"#, "eur 0.92"),
        ] {
            let found = sheet(text).map(|s| shown(&s));
            assert_eq!(found, Ok(format!("2030-01-02: {expected}")), "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (text, error) in [
            (String::new(), SheetError::Form),
            ("<html><body>Maintenance</body></html>".into(), SheetError::Form),
            (DAILY.replace("'USD'", "'XYZ'"), SheetError::NoDollar("eur".into())),
            (DAILY.replace("'1.1622'", "'0'"), SheetError::NoDollar("eur".into())),
            (DAILY.replace("2026-09-04", "yesterday"), SheetError::Date),
            (DAILY.replace("<Cube time='2026-09-04'>", ""), SheetError::Date),
            (r#"{"base":"USD","date":"2030-01-02","rates":{}}"#.into(), SheetError::Empty),
            (r#"{"base":"USD","rates":{"EUR":1}}"#.into(), SheetError::Date),
            (r#"{"base":"USD","date":"2030-02-30","rates":{"EUR":1}}"#.into(), SheetError::Date),
            (
                r#"{"base":"???","date":"2030-01-02","rates":{"EUR":1}}"#.into(),
                SheetError::Base("???".into()),
            ),
            (r#"{"error":"no key"}"#.into(), SheetError::Form),
            ("[]".into(), SheetError::Form),
        ] {
            assert_eq!(sheet(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn any_cut_of_the_document_is_read_or_refused_but_never_wrong() {
        let whole = sheet(DAILY).unwrap();
        for (end, _) in DAILY.char_indices() {
            if let Ok(part) = sheet(&DAILY[..end]) {
                assert!(part.rates.iter().all(|rate| whole.rates.contains(rate)), "cut at {end}");
            }
        }
    }
}
