//! Which rate applies: to a currency, on a day.
//!
//! A workspace's own rates come first, then those that were fetched, then the seed that is part of the
//! program. Within a source it is the rate of the latest day not after the day asked for (markets close at
//! weekends), else of the earliest day after it. No source: unconverted, never a guess.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Currency, Rate, convert, tables};

/// Where a rate comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rank {
    Own,
    Fetched,
    Seed,
}

/// What a workspace's own rates are called.
pub const OWN_SOURCE: &str = "manual";
/// What the rates that are part of the program are called.
pub const SEED_SOURCE: &str = "seed";

/// A stored rate: a row of `fx_rates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRate {
    /// `""` for rates fetched for everybody, else the workspace whose own it is.
    pub workspace_id: String,
    /// `YYYY-MM-DD`
    pub day: String,
    /// Any case.
    pub currency: String,
    /// Units of the currency for one dollar, a decimal.
    pub per_usd: String,
    /// Who says so: `manual`, `ecb`, a host name.
    pub source: String,
}

/// The rate that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote<'a> {
    /// Units for one dollar.
    pub rate: Rate,
    /// `manual`, `ecb`, `seed`, …; `base` for the dollar itself.
    pub source: &'a str,
    /// Whose day's rate it is; the day asked for, for the dollar.
    pub day: &'a str,
}

/// The rates of one workspace.
#[derive(Debug, Clone, Default)]
pub struct RateBook {
    rates: BTreeMap<(Currency, Rank), BTreeMap<String, (Rate, String)>>,
}

impl RateBook {
    /// The seed alone.
    #[must_use]
    pub fn seed() -> Self {
        let mut book = Self::default();
        for (code, rate) in &tables::SEED {
            if let (Some(currency), Ok(rate)) = (Currency::parse(code), Rate::parse(rate)) {
                book.insert(currency, Rank::Seed, tables::SEED_DAY, rate, SEED_SOURCE);
            }
        }
        book
    }

    /// The seed and what is stored. Rows that cannot be read are left out.
    #[must_use]
    pub fn of<'a>(stored: impl IntoIterator<Item = &'a StoredRate>) -> Self {
        let mut book = Self::seed();
        for row in stored {
            let rank = if row.workspace_id.is_empty() { Rank::Fetched } else { Rank::Own };
            if let (Some(currency), Ok(rate)) = (Currency::parse(&row.currency), Rate::parse(&row.per_usd)) {
                book.insert(currency, rank, &row.day, rate, &row.source);
            }
        }
        book
    }

    fn insert(&mut self, currency: Currency, rank: Rank, day: &str, rate: Rate, source: &str) {
        let days = self.rates.entry((currency, rank)).or_default();
        days.insert(day.to_owned(), (rate, source.to_owned()));
    }

    /// The rate of a currency on a day; `None` when nobody says.
    #[must_use]
    pub fn quote<'a>(&'a self, currency: Currency, day: &'a str) -> Option<Quote<'a>> {
        if currency == Currency::USD {
            return Some(Quote { rate: Rate::ONE, source: "base", day });
        }
        [Rank::Own, Rank::Fetched, Rank::Seed].into_iter().find_map(|rank| {
            let days = self.rates.get(&(currency, rank))?;
            let upto = days.range::<str, _>((Bound::Unbounded, Bound::Included(day))).next_back();
            let (day, (rate, source)) = upto.or_else(|| days.iter().next())?;
            Some(Quote { rate: *rate, source, day })
        })
    }

    /// Every currency somebody quotes, the dollar aside.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> + '_ {
        self.rates.keys().map(|(currency, _)| *currency).collect::<BTreeSet<_>>().into_iter()
    }
}

/// An amount in another currency, and by which rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted<'a> {
    /// Minor units of the currency converted to.
    pub amount: i64,
    /// The rate of the currency converted from.
    pub from: Quote<'a>,
    /// The rate of the currency converted to.
    pub to: Quote<'a>,
}

/// Converts into one currency.
#[derive(Debug, Clone)]
pub struct Converter {
    book: Rc<RateBook>,
    to: Currency,
}

impl Converter {
    /// Into `to`, by the rates of `book`.
    #[must_use]
    pub fn new(book: impl Into<Rc<RateBook>>, to: Currency) -> Self {
        Self { book: book.into(), to }
    }

    /// The currency it converts into.
    #[must_use]
    pub fn to(&self) -> Currency {
        self.to
    }

    /// `amount` minor units of `from` by the rates of `day`; `None`: unconverted, for want of a rate or
    /// because the result does not fit.
    #[must_use]
    pub fn convert(&self, from: Currency, day: &str, amount: i64) -> Option<i64> {
        if from == self.to {
            return Some(amount);
        }
        let book = &self.book;
        let (of, to) = (book.quote(from, day)?, book.quote(self.to, day)?);
        convert(amount, from, self.to, of.rate, to.rate)
    }

    /// The same, with the rates that were used.
    #[must_use]
    pub fn explain<'a>(&'a self, from: Currency, day: &'a str, amount: i64) -> Option<Converted<'a>> {
        let book = &self.book;
        if from == self.to {
            let same = || Quote { rate: Rate::ONE, source: "base", day };
            return Some(Converted { amount, from: same(), to: same() });
        }
        let (of, to) = (book.quote(from, day)?, book.quote(self.to, day)?);
        let amount = convert(amount, from, self.to, of.rate, to.rate)?;
        Some(Converted { amount, from: of, to })
    }
}

/// Which rates a query needs: so that a store reads those and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Without the dollar.
    pub currencies: BTreeSet<Currency>,
    /// The earliest day.
    pub from: String,
    /// The latest day.
    pub to: String,
}

impl Needed {
    /// What converting `amounts` (currency and rate day of each) into `to` needs; `None`: nothing.
    pub fn of<'a>(to: Currency, amounts: impl IntoIterator<Item = (Currency, &'a str)>) -> Option<Self> {
        let mut currencies = BTreeSet::new();
        let mut days: Option<(&str, &str)> = None;
        for (currency, day) in amounts.into_iter().filter(|(currency, _)| *currency != to) {
            currencies.insert(currency);
            days = Some(days.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
        }
        let (from, until) = days?;
        currencies.insert(to);
        currencies.remove(&Currency::USD);
        Some(Self { currencies, from: from.to_owned(), to: until.to_owned() })
    }

    /// Everything of one day.
    #[must_use]
    pub fn all_of(day: &str) -> Self {
        let currencies = Currency::all().filter(|currency| *currency != Currency::USD).collect();
        Self { currencies, from: day.to_owned(), to: day.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn row(workspace_id: &str, day: &str, currency: &str, per_usd: &str) -> StoredRate {
        StoredRate {
            workspace_id: workspace_id.to_owned(),
            day: day.to_owned(),
            currency: currency.to_owned(),
            per_usd: per_usd.to_owned(),
            source: if workspace_id.is_empty() { "ecb" } else { OWN_SOURCE }.to_owned(),
        }
    }

    #[test]
    fn own_rates_before_fetched_before_the_seed_and_the_latest_day_not_after() {
        let rows = [
            row("", "2030-01-04", "eur", "0.90"),
            row("", "2030-01-07", "eur", "0.91"),
            row("ws_1", "2030-01-05", "jpy", "150"),
            row("ws_1", "2030-02-01", "jpy", "160"),
            row("", "2030-01-20", "jpy", "155"),
            row("", "2030-01-20", "zzz", "1"),
            row("", "2030-01-20", "gbp", "nonsense"),
        ];
        let book = RateBook::of(&rows);
        for (code, day, rate, source, of_day) in [
            ("eur", "2030-01-03", "0.9", "ecb", "2030-01-04"),
            ("eur", "2030-01-04", "0.9", "ecb", "2030-01-04"),
            ("eur", "2030-01-06", "0.9", "ecb", "2030-01-04"),
            ("eur", "2030-01-07", "0.91", "ecb", "2030-01-07"),
            ("eur", "2031-01-01", "0.91", "ecb", "2030-01-07"),
            ("jpy", "2020-01-01", "150", "manual", "2030-01-05"),
            ("jpy", "2030-01-31", "150", "manual", "2030-01-05"),
            ("jpy", "2030-02-01", "160", "manual", "2030-02-01"),
            ("aed", "2030-01-01", "3.6725", "seed", tables::SEED_DAY),
            ("usd", "2030-01-01", "1", "base", "2030-01-01"),
        ] {
            let quote = book.quote(currency(code), day).unwrap();
            let found = (quote.rate.to_string(), quote.source, quote.day);
            assert_eq!(found, (rate.to_owned(), source, of_day), "{code} {day}");
        }
        assert_eq!(book.quote(currency("gbp"), "2030-01-20").unwrap().source, "seed", "an unreadable row");
        assert_eq!(book.quote(currency("mnt"), "2030-01-20"), None);
    }

    #[test]
    fn the_seed_is_whole() {
        assert_eq!(RateBook::seed().currencies().count(), tables::SEED.len());
        assert!(tables::SEED.len() >= 40);
        assert!(tables::SEED_DAY.starts_with("2026-"));
    }

    #[test]
    fn what_a_query_needs() {
        let (usd, eur, jpy, gbp) = (Currency::USD, currency("eur"), currency("jpy"), currency("gbp"));
        assert_eq!(Needed::of(usd, []), None);
        assert_eq!(Needed::of(usd, [(usd, "2030-01-01"), (usd, "2030-01-02")]), None);
        let needed =
            Needed::of(usd, [(usd, "2029-01-01"), (jpy, "2030-01-03"), (eur, "2030-01-02")]).unwrap();
        assert_eq!((needed.from.as_str(), needed.to.as_str()), ("2030-01-02", "2030-01-03"));
        assert_eq!(needed.currencies, BTreeSet::from([eur, jpy]));
        let needed = Needed::of(gbp, [(usd, "2030-01-01")]).unwrap();
        assert_eq!(needed.currencies, BTreeSet::from([gbp]), "the dollar needs no rate, the target does");
    }

    #[test]
    fn conversion_says_by_which_rates() {
        let rows = [row("", "2030-01-04", "eur", "0.9"), row("ws_1", "2030-01-05", "jpy", "150")];
        let converter = Converter::new(RateBook::of(&rows), currency("eur"));
        let found = converter.explain(currency("jpy"), "2030-01-06", 5000).unwrap();
        assert_eq!((found.amount, found.from.source, found.to.source), (3000, "manual", "ecb"));
        assert_eq!((found.from.day, found.to.day), ("2030-01-05", "2030-01-04"));
        assert_eq!(converter.convert(currency("jpy"), "2030-01-06", 5000), Some(3000));
        assert_eq!(converter.convert(currency("eur"), "2030-01-06", 5000), Some(5000));
        assert_eq!(converter.convert(currency("mnt"), "2030-01-06", 5000), None);
        let into_unknown = Converter::new(RateBook::seed(), currency("mnt"));
        assert_eq!(into_unknown.convert(Currency::USD, "2030-01-06", 1), None);
        assert_eq!(into_unknown.convert(currency("mnt"), "2030-01-06", 1), Some(1));
    }
}
