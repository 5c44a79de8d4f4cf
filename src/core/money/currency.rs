//! Currencies and how many decimals an amount has.

use serde::{Deserialize, Serialize};

use super::tables;

/// A currency of ISO 4217. Wire form: its code in lower case, `"usd"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Without decimals at Stripe. Source: Stripe, "Supported currencies", zero-decimal.
const ZERO_DECIMAL: [&[u8; 3]; 15] = [
    b"bif", b"clp", b"djf", b"gnf", b"jpy", b"kmf", b"krw", b"mga", b"pyg", b"rwf", b"vnd", b"vuv", b"xaf",
    b"xof", b"xpf",
];
/// With three decimals at Stripe. Source: Stripe, "Supported currencies", three-decimal.
const THREE_DECIMAL: [&[u8; 3]; 5] = [b"bhd", b"jod", b"kwd", b"omr", b"tnd"];

impl Currency {
    /// The US dollar: the default currency of reports, and what rates are quoted against.
    pub const USD: Self = Self(*b"usd");

    /// Reads a code in any case; `None` when it is not one of ISO 4217 (`data/iso4217.csv`).
    ///
    /// Withdrawn codes that Stripe still lists are read; metals, units of account and test codes are not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        let code = code.map(|b| b.to_ascii_lowercase());
        tables::CURRENCIES.binary_search_by_key(&code, |(known, _)| *known).ok()?;
        Some(Self(code))
    }

    /// The code in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Decimals of every amount in the system: Stripe's.
    ///
    /// They differ from ISO's where Stripe keeps an older form: ISK and UGX have no decimals but are sent with
    /// two, MGA has two but is sent without, and currencies ISO gives other decimals that Stripe does not list.
    #[must_use]
    pub fn exponent(self) -> u8 {
        if ZERO_DECIMAL.contains(&&self.0) {
            0
        } else if THREE_DECIMAL.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    /// Decimals by ISO 4217; to show an amount as its country writes it, never to compute with.
    #[must_use]
    pub fn iso_exponent(self) -> u8 {
        let known = tables::CURRENCIES.binary_search_by_key(&self.0, |(known, _)| *known).ok();
        known.and_then(|at| tables::CURRENCIES.get(at)).map_or(2, |(_, exponent)| *exponent)
    }

    /// Every currency, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        tables::CURRENCIES.iter().map(|(code, _)| Self(*code))
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a currency code of ISO 4217")
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_any_case_and_must_exist() {
        for (text, code) in [
            ("usd", Some("usd")),
            ("EUR", Some("eur")),
            ("JpY", Some("jpy")),
            ("xcg", Some("xcg")),
            ("hrk", Some("hrk")),
            ("abc", None),
            ("zzz", None),
            ("xxx", None),
            ("xts", None),
            ("xau", None),
            ("us", None),
            ("usdc", None),
            ("us ", None),
            ("", None),
            ("€", None),
        ] {
            assert_eq!(Currency::parse(text).as_ref().map(Currency::as_str), code, "{text:?}");
        }
    }

    #[test]
    fn decimals_are_stripes_and_isos() {
        for (code, stripe, iso) in [
            ("usd", 2, 2),
            ("jpy", 0, 0),
            ("kwd", 3, 3),
            ("isk", 2, 0),
            ("ugx", 2, 0),
            ("mga", 0, 2),
            ("clp", 0, 0),
            ("huf", 2, 2),
            ("iqd", 2, 3),
            ("clf", 2, 4),
        ] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!((currency.exponent(), currency.iso_exponent()), (stripe, iso), "{code}");
        }
    }

    #[test]
    fn every_code_stripe_speaks_of_by_name_is_known() {
        for code in ZERO_DECIMAL.iter().chain(&THREE_DECIMAL) {
            let text = std::str::from_utf8(*code).unwrap();
            assert!(Currency::parse(text).is_some(), "{text}");
        }
        assert!(Currency::all().count() > 170);
        for currency in Currency::all() {
            assert_eq!(Currency::parse(currency.as_str()), Some(currency));
        }
    }

    /// Stored in facts and shown by the API: this form stays.
    #[test]
    fn wire_form_is_pinned() {
        assert_eq!(serde_json::to_string(&Currency::USD).unwrap(), r#""usd""#);
        assert_eq!(serde_json::from_str::<Currency>(r#""USD""#).unwrap(), Currency::USD);
        assert!(serde_json::from_str::<Currency>(r#""zzz""#).is_err());
    }
}
