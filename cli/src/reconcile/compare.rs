//! The comparison itself: pure, from two lists to a verdict.
//!
//! A payment has many names (invoice, payment intent, charge, session). What shares a name, on either side, is one
//! payment, and within it the sums of both sides are compared.

use std::collections::{BTreeMap, BTreeSet};

use pimms_edge::core::time::Millis;

/// A payment booked further from Stripe's own time than this is on the wrong day.
const SAME_TIME_MS: i64 = 10 * 60 * 1000;

/// Which side a line is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A charge or an invoice.
    Stripe,
    /// An entry.
    Ledger,
}

/// An amount that moved, on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which side says so.
    pub side: Side,
    /// Every name it is known under, its own first.
    pub names: Vec<String>,
    /// When it was paid.
    pub at: Millis,
    /// As charged.
    pub currency: String,
    /// Minor units paid.
    pub paid: i64,
    /// Minor units paid back.
    pub refunded: i64,
    /// Why the other side cannot know it, when that is so.
    pub excuse: Option<String>,
}

/// What is wrong with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Stripe has it, the ledger does not.
    Missing,
    /// The ledger has it, Stripe does not.
    Extra,
    /// Both have it, with other amounts or at another time.
    Differing,
}

/// A payment on which the sides disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// Its name: the first of Stripe's, else of the ledger's.
    pub name: String,
    /// UTC day, Stripe's when it has one.
    pub day: String,
    /// As charged.
    pub currency: String,
    /// Net of refunds, in Stripe.
    pub stripe: i64,
    /// Net of refunds, in the ledger.
    pub ledger: i64,
    /// In plain words.
    pub words: String,
    /// Whether the words explain it away.
    pub explained: bool,
}

/// One day in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Payments, by Stripe.
    pub stripe_payments: usize,
    /// Net of refunds, by Stripe.
    pub stripe: i64,
    /// Net of refunds, by the ledger.
    pub ledger: i64,
    /// How many payments are missing, extra, differing.
    pub found: [usize; 3],
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// By UTC day and currency.
    pub days: BTreeMap<(String, String), Day>,
    /// By day, currency and name.
    pub findings: Vec<Finding>,
}

impl Comparison {
    /// The closing number: payments on which the sides disagree and nobody can say why.
    #[must_use]
    pub fn unexplained(&self) -> usize {
        self.findings.iter().filter(|finding| !finding.explained).count()
    }
}

/// Compares both sides; payments outside of `from..=to` only serve to recognise others.
#[must_use]
pub fn compare(lines: &[Line], from: Millis, to: Millis) -> Comparison {
    let mut comparison = Comparison::default();
    for payment in payments(lines) {
        let known_to_stripe = payment.iter().any(|line| line.side == Side::Stripe);
        if known_to_stripe && payment.iter().all(|line| line.paid == 0) {
            continue; // a refund of a payment before the range
        }
        let at =
            payment.iter().find(|line| line.side == Side::Stripe).or(payment.first()).map(|line| line.at);
        let Some(at) = at.filter(|at| (from..=to).contains(at)) else { continue };
        let currencies: BTreeSet<&str> = payment.iter().map(|line| line.currency.as_str()).collect();
        for currency in currencies {
            let of_currency: Vec<&Line> =
                payment.iter().copied().filter(|line| line.currency == currency).collect();
            let day = at.day();
            let entry = comparison.days.entry((day.clone(), currency.to_owned())).or_default();
            let sums = Sums::of(&of_currency);
            entry.stripe_payments += usize::from(sums.stripe_lines > 0);
            entry.stripe += sums.stripe_paid - sums.stripe_refunded;
            entry.ledger += sums.ledger_paid - sums.ledger_refunded;
            if let Some(finding) = judge(&of_currency, &sums, day, currency) {
                if let Some(count) = entry.found.get_mut(finding.kind as usize) {
                    *count += 1;
                }
                comparison.findings.push(finding);
            }
        }
    }
    comparison.findings.sort_by(|a, b| (&a.day, &a.currency, &a.name).cmp(&(&b.day, &b.currency, &b.name)));
    comparison
}

#[derive(Default)]
struct Sums {
    stripe_lines: usize,
    ledger_lines: usize,
    stripe_paid: i64,
    stripe_refunded: i64,
    ledger_paid: i64,
    ledger_refunded: i64,
}

impl Sums {
    fn of(lines: &[&Line]) -> Self {
        let mut sums = Self::default();
        for line in lines {
            match line.side {
                Side::Stripe => {
                    sums.stripe_lines += 1;
                    sums.stripe_paid += line.paid;
                    sums.stripe_refunded += line.refunded;
                }
                Side::Ledger => {
                    sums.ledger_lines += 1;
                    sums.ledger_paid += line.paid;
                    sums.ledger_refunded += line.refunded;
                }
            }
        }
        sums
    }
}

fn judge(lines: &[&Line], sums: &Sums, day: String, currency: &str) -> Option<Finding> {
    let first = |side| lines.iter().find(|line| line.side == side);
    let named = first(Side::Stripe).or(first(Side::Ledger))?;
    let excuse = lines.iter().find_map(|line| line.excuse.clone());
    let (kind, words) = match (first(Side::Stripe), first(Side::Ledger)) {
        (Some(_), None) => (Kind::Missing, "in Stripe, not in the ledger".to_owned()),
        (None, _) => (Kind::Extra, "in the ledger, not in Stripe".to_owned()),
        (Some(_), Some(_)) if sums.stripe_paid != sums.ledger_paid => (
            Kind::Differing,
            format!("paid {} in Stripe, {} in the ledger", sums.stripe_paid, sums.ledger_paid),
        ),
        (Some(_), Some(_)) if sums.stripe_refunded != sums.ledger_refunded => (
            Kind::Differing,
            format!("refunded {} in Stripe, {} in the ledger", sums.stripe_refunded, sums.ledger_refunded),
        ),
        (Some(stripe), Some(ledger)) => {
            let apart = (stripe.at.0 - ledger.at.0).abs();
            if stripe.at.day() == ledger.at.day() || apart <= SAME_TIME_MS {
                return None;
            }
            (
                Kind::Differing,
                format!("paid on {} in Stripe, on {} in the ledger", stripe.at.day(), ledger.at.day()),
            )
        }
    };
    Some(Finding {
        kind,
        name: named.names.first().cloned().unwrap_or_default(),
        day,
        currency: currency.to_owned(),
        stripe: sums.stripe_paid - sums.stripe_refunded,
        ledger: sums.ledger_paid - sums.ledger_refunded,
        explained: excuse.is_some() && kind != Kind::Differing,
        words: match excuse {
            Some(excuse) if kind != Kind::Differing => format!("{words}: {excuse}"),
            _ => words,
        },
    })
}

/// Groups what shares a name; within a group, Stripe's lines by time, then the ledger's.
fn payments(lines: &[Line]) -> Vec<Vec<&Line>> {
    let mut parent: Vec<usize> = (0..lines.len()).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        for name in &line.names {
            if let Some(other) = seen.insert(name, index) {
                let (a, b) = (root(&mut parent, index), root(&mut parent, other));
                if let Some(slot) = parent.get_mut(a.max(b)) {
                    *slot = a.min(b);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        groups.entry(root(&mut parent, index)).or_default().push(line);
    }
    let mut groups: Vec<Vec<&Line>> = groups.into_values().collect();
    for group in &mut groups {
        // What was paid comes before what only refers to it.
        group.sort_by_key(|line| (line.side == Side::Ledger, line.paid == 0, line.at));
    }
    groups
}

fn root(parent: &mut [usize], mut index: usize) -> usize {
    while let Some(&up) = parent.get(index) {
        if up == index {
            break;
        }
        // Halve the path, so that long chains stay short.
        let above = parent.get(up).copied().unwrap_or(up);
        if let Some(slot) = parent.get_mut(index) {
            *slot = above;
        }
        index = above;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_763_035_200_000; // 2025-11-13T12:00:00Z

    fn line(side: Side, names: &[&str], paid: i64, refunded: i64) -> Line {
        Line {
            side,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            at: Millis(NOON),
            currency: "usd".to_owned(),
            paid,
            refunded,
            excuse: None,
        }
    }

    fn check(lines: &[Line]) -> Comparison {
        compare(lines, Millis(NOON - 3_600_000), Millis(NOON + 3_600_000))
    }

    #[test]
    fn what_shares_a_name_is_one_payment() {
        let comparison = check(&[
            line(Side::Stripe, &["ch_1", "pi_1"], 2000, 500),
            line(Side::Ledger, &["in_1"], 2000, 0),
            line(Side::Ledger, &["re_1", "in_1", "pi_1"], 0, 500),
        ]);
        assert_eq!(comparison.findings, []);
        let day = comparison.days[&("2025-11-13".to_owned(), "usd".to_owned())];
        assert_eq!((day.stripe_payments, day.stripe, day.ledger), (1, 1500, 1500));
    }

    #[test]
    fn every_kind_of_disagreement_is_found() {
        let mut late = line(Side::Ledger, &["ch_7"], 100, 0);
        late.at = Millis(NOON + 86_400_000);
        let mut manual = line(Side::Ledger, &["INV-1"], 100, 0);
        manual.excuse = Some("reported by /track/sale".to_owned());
        let mut waiting = line(Side::Stripe, &["ch_6"], 100, 0);
        waiting.excuse = Some("waits for its invoice".to_owned());
        for (lines, kind, explained) in [
            (vec![line(Side::Stripe, &["ch_1"], 100, 0)], Kind::Missing, false),
            (vec![line(Side::Ledger, &["ch_2"], 100, 0)], Kind::Extra, false),
            (
                vec![line(Side::Stripe, &["ch_3"], 100, 0), line(Side::Ledger, &["ch_3"], 99, 0)],
                Kind::Differing,
                false,
            ),
            (
                vec![line(Side::Stripe, &["ch_4"], 100, 40), line(Side::Ledger, &["ch_4"], 100, 0)],
                Kind::Differing,
                false,
            ),
            (vec![line(Side::Stripe, &["ch_7"], 100, 0), late], Kind::Differing, false),
            (vec![manual], Kind::Extra, true),
            (vec![waiting], Kind::Missing, true),
        ] {
            let comparison = check(&lines);
            let found: Vec<(Kind, bool)> =
                comparison.findings.iter().map(|f| (f.kind, f.explained)).collect();
            assert_eq!(found, [(kind, explained)], "{lines:?}");
            assert_eq!(comparison.unexplained(), usize::from(!explained));
        }
    }

    #[test]
    fn refunds_that_the_ledger_could_not_tie_are_found_through_stripes_refund() {
        let refund = line(Side::Stripe, &["re_1", "ch_1", "pi_1"], 0, 0);
        let booked = line(Side::Ledger, &["re_1"], 0, 500);
        let comparison = check(&[
            line(Side::Stripe, &["in_1", "pi_1"], 2000, 0),
            line(Side::Stripe, &["ch_1", "pi_1"], 0, 500),
            refund.clone(),
            line(Side::Ledger, &["in_1"], 2000, 0),
            booked.clone(),
        ]);
        assert_eq!(comparison.findings, []);
        assert_eq!(check(&[refund, booked.clone()]), Comparison::default(), "of a payment before the range");
        assert_eq!(check(&[booked]).unexplained(), 1, "of nothing that Stripe knows");
    }

    #[test]
    fn a_sale_booked_twice_differs() {
        let comparison = check(&[
            line(Side::Stripe, &["ch_1", "pi_1", "in_1"], 2000, 0),
            line(Side::Ledger, &["in_1"], 2000, 0),
            line(Side::Ledger, &["pi_1"], 2000, 0),
        ]);
        assert_eq!(comparison.findings.len(), 1);
        assert_eq!((comparison.findings[0].stripe, comparison.findings[0].ledger), (2000, 4000));
    }

    #[test]
    fn payments_out_of_range_are_not_judged() {
        let mut early = line(Side::Stripe, &["ch_1"], 100, 0);
        early.at = Millis(NOON - 7_200_000);
        assert_eq!(check(&[early]), Comparison::default());
    }

    #[test]
    fn a_few_seconds_over_midnight_are_the_same_time() {
        let midnight = 1_763_078_400_000;
        let mut stripe = line(Side::Stripe, &["ch_1"], 100, 0);
        stripe.at = Millis(midnight - 1000);
        let mut ledger = line(Side::Ledger, &["ch_1"], 100, 0);
        ledger.at = Millis(midnight + 1000);
        assert_eq!(compare(&[stripe, ledger], Millis(0), Millis(i64::MAX)).findings, []);
    }
}
