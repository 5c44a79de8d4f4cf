//! Exact totals: what reconciliation and every audit start from.
//!
//! Per link and per currency as charged, minor units, nothing converted. `net` is the sum of all entries;
//! `gross − refunded − disputed = net` by construction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::view::EntryKind;
use crate::core::mode::Mode;
use crate::core::money::total;

/// Entries of one mode, link, kind and currency, summed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sum {
    /// Which world.
    pub mode: Mode,
    /// `None`: unattributed.
    pub link_id: Option<String>,
    /// What moved.
    pub kind: EntryKind,
    /// As charged.
    pub currency: String,
    /// How many entries.
    pub entries: i64,
    /// Signed.
    pub amount: i64,
}

/// Clicks of one link.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Clicks {
    /// `link_…`
    pub id: String,
    /// How many.
    pub clicks: i64,
}

/// Amounts by currency, in minor units.
pub type Amounts = BTreeMap<String, i64>;

/// What one link made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Human clicks; counted in live alone, a click has no mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks: Option<i64>,
    /// Payments.
    pub sales: i64,
    /// Paid.
    pub gross: Amounts,
    /// Paid back.
    pub refunded: Amounts,
    /// Withdrawn for disputes, less what was reinstated.
    pub disputed: Amounts,
    /// The sum of all entries.
    pub net: Amounts,
}

/// One world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct World {
    /// By link id; links with neither clicks nor entries are left out.
    pub links: BTreeMap<String, Figures>,
    /// What belongs to no link.
    pub unattributed: Figures,
}

/// Both worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Real money.
    pub live: World,
    /// Stripe's test mode.
    pub test: World,
}

impl Totals {
    /// From summed entries and counted clicks.
    #[must_use]
    pub fn of(sums: &[Sum], clicks: &[Clicks]) -> Self {
        let mut totals = Self::default();
        for link in clicks {
            totals.live.links.entry(link.id.clone()).or_default().clicks = Some(link.clicks);
        }
        for sum in sums {
            let world = match sum.mode {
                Mode::Live => &mut totals.live,
                Mode::Test => &mut totals.test,
            };
            let figures = match &sum.link_id {
                Some(link) => world.links.entry(link.clone()).or_default(),
                None => &mut world.unattributed,
            };
            figures.add(sum);
        }
        for figures in totals.live.links.values_mut() {
            figures.clicks.get_or_insert(0);
        }
        totals
    }
}

impl Figures {
    fn add(&mut self, sum: &Sum) {
        let (bucket, sign) = match sum.kind {
            EntryKind::Sale => {
                self.sales += sum.entries;
                (&mut self.gross, 1)
            }
            EntryKind::Refund => (&mut self.refunded, -1),
            EntryKind::Dispute | EntryKind::Reinstated => (&mut self.disputed, -1),
        };
        for (bucket, amount) in [(bucket, sign * sum.amount), (&mut self.net, sum.amount)] {
            let found = bucket.entry(sum.currency.clone()).or_default();
            *found = total([*found, amount]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(mode: Mode, link: Option<&str>, kind: EntryKind, amount: i64) -> Sum {
        Sum { mode, link_id: link.map(str::to_owned), kind, currency: "usd".into(), entries: 1, amount }
    }

    #[test]
    fn gross_less_refunds_and_disputes_is_net() {
        let totals = Totals::of(
            &[
                sum(Mode::Live, Some("l"), EntryKind::Sale, 2000),
                sum(Mode::Live, Some("l"), EntryKind::Refund, -500),
                sum(Mode::Live, Some("l"), EntryKind::Dispute, -1500),
                sum(Mode::Live, Some("l"), EntryKind::Reinstated, 1500),
                sum(Mode::Live, None, EntryKind::Sale, 7),
                sum(Mode::Test, Some("l"), EntryKind::Sale, 9),
            ],
            &[Clicks { id: "l".into(), clicks: 3 }],
        );
        let live = &totals.live.links["l"];
        assert_eq!((live.clicks, live.sales), (Some(3), 1));
        assert_eq!(
            (live.gross["usd"], live.refunded["usd"], live.disputed["usd"], live.net["usd"]),
            (2000, 500, 0, 1500)
        );
        assert_eq!(totals.live.unattributed.net["usd"], 7);
        assert_eq!(totals.test.links["l"].gross["usd"], 9);
    }
}
