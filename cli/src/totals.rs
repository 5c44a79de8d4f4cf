//! `GET /api/ledger/totals` as a caller reads it, and what changed between two readings.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Amounts by currency, in minor units.
pub type Amounts = BTreeMap<String, i64>;

/// What one link made, or what belongs to none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Human clicks.
    pub clicks: i64,
    /// Payments.
    pub sales: i64,
    /// Paid.
    pub gross: Amounts,
    /// Paid back.
    pub refunded: Amounts,
    /// Withdrawn for disputes, less what was reinstated.
    pub disputed: Amounts,
    /// Gross less the two before.
    pub net: Amounts,
}

/// One mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct World {
    /// By link id.
    pub links: BTreeMap<String, Figures>,
    /// Of no link.
    pub unattributed: Figures,
}

/// Both modes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Real money.
    pub live: World,
    /// Stripe's test mode.
    pub test: World,
}

/// Every figure under a name of its own, zeros left out: `live link_1 gross usd` → 4900.
pub type Lines = BTreeMap<String, i64>;

impl Figures {
    /// A payment.
    pub fn sale(&mut self, minor: i64, currency: &str) {
        self.sales += 1;
        *self.gross.entry(currency.to_owned()).or_default() += minor;
        *self.net.entry(currency.to_owned()).or_default() += minor;
    }

    /// Money back to the buyer.
    pub fn refund(&mut self, minor: i64, currency: &str) {
        *self.refunded.entry(currency.to_owned()).or_default() += minor;
        *self.net.entry(currency.to_owned()).or_default() -= minor;
    }

    /// Money withdrawn for a dispute; negative when it is reinstated.
    pub fn dispute(&mut self, minor: i64, currency: &str) {
        *self.disputed.entry(currency.to_owned()).or_default() += minor;
        *self.net.entry(currency.to_owned()).or_default() -= minor;
    }

    /// Adds everything of `other`.
    pub fn add(&mut self, other: &Self) {
        self.clicks += other.clicks;
        self.sales += other.sales;
        for (mine, theirs) in [
            (&mut self.gross, &other.gross),
            (&mut self.refunded, &other.refunded),
            (&mut self.disputed, &other.disputed),
            (&mut self.net, &other.net),
        ] {
            for (currency, minor) in theirs {
                *mine.entry(currency.clone()).or_default() += minor;
            }
        }
    }

    fn lines(&self, whose: &str, into: &mut Lines) {
        let mut line = |name: &str, value: i64| {
            if value != 0 {
                into.insert(format!("{whose} {name}"), value);
            }
        };
        line("clicks", self.clicks);
        line("sales", self.sales);
        for (name, amounts) in [
            ("gross", &self.gross),
            ("refunded", &self.refunded),
            ("disputed", &self.disputed),
            ("net", &self.net),
        ] {
            for (currency, minor) in amounts {
                line(&format!("{name} {currency}"), *minor);
            }
        }
    }
}

impl World {
    /// The figures of a link, made when it has none yet.
    pub fn link(&mut self, id: &str) -> &mut Figures {
        self.links.entry(id.to_owned()).or_default()
    }
}

impl Totals {
    /// Every figure that is not zero.
    #[must_use]
    pub fn lines(&self) -> Lines {
        let mut lines = Lines::new();
        for (mode, world) in [("live", &self.live), ("test", &self.test)] {
            for (link, figures) in &world.links {
                figures.lines(&format!("{mode} {link}"), &mut lines);
            }
            world.unattributed.lines(&format!("{mode} unattributed"), &mut lines);
        }
        lines
    }

    /// Adds everything of `other`.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.live, &other.live), (&mut self.test, &other.test)] {
            for (link, figures) in &theirs.links {
                mine.link(link).add(figures);
            }
            mine.unattributed.add(&theirs.unattributed);
        }
    }
}

/// What `after` has more than `before`; figures that did not change are left out.
#[must_use]
pub fn growth(before: &Lines, after: &Lines) -> Lines {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |lines: &Lines, name: &String| lines.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .map(|name| (name.clone(), of(after, name) - of(before, name)))
        .filter(|(_, change)| *change != 0)
        .collect()
}

/// Where two sets of figures disagree, a line each: `live link_1 gross usd: expected 4900, got 0`.
#[must_use]
pub fn differences(expected: &Lines, got: &Lines) -> Vec<String> {
    growth(expected, got)
        .keys()
        .map(|name| {
            let of = |lines: &Lines| lines.get(name).copied().unwrap_or(0);
            format!("{name}: expected {}, got {}", of(expected), of(got))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_answer_of_the_api() {
        let totals: Totals = serde_json::from_str(
            r#"{"live":{"links":{"link_1":{"clicks":3,"sales":1,"gross":{"usd":2000},"refunded":{"usd":500},
                "disputed":{"usd":0},"net":{"usd":1500}}},"unattributed":{"sales":0,"gross":{},"refunded":{},
                "disputed":{},"net":{}}},"test":{"links":{},"unattributed":{"sales":1,"gross":{"jpy":7},
                "refunded":{},"disputed":{},"net":{"jpy":7}}}}"#,
        )
        .unwrap();
        let mut expected = Totals::default();
        let link = expected.live.link("link_1");
        link.clicks = 3;
        link.sale(2000, "usd");
        link.refund(500, "usd");
        link.dispute(1500, "usd");
        link.dispute(-1500, "usd");
        expected.test.unattributed.sale(7, "jpy");
        assert_eq!(differences(&expected.lines(), &totals.lines()), Vec::<String>::new());
    }

    #[test]
    fn growth_names_every_figure_that_moved() {
        let mut before = Totals::default();
        before.live.link("a").sale(100, "usd");
        before.live.link("gone").sale(5, "usd");
        let mut after = before.clone();
        after.live.links.remove("gone");
        after.live.link("a").refund(40, "usd");
        let moved = growth(&before.lines(), &after.lines());
        let expected: Lines = [
            ("live a net usd", -40),
            ("live a refunded usd", 40),
            ("live gone gross usd", -5),
            ("live gone net usd", -5),
            ("live gone sales", -1),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        assert_eq!(moved, expected);
        assert_eq!(differences(&expected, &Lines::new()).len(), 5);
    }
}
