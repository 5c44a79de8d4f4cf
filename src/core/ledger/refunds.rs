//! What undoes a sale: refunds per charge, and disputes (R8, R9).

use std::collections::{BTreeMap, BTreeSet};

use super::alias::Unions;
use super::fact::{Body, DisputeMoment, Fact, PaymentRefs, RefundState};
use crate::core::money::{Currency, total};
use crate::core::time::Millis;

/// A change of what was refunded, or money that moved for a dispute.
#[derive(Debug, Clone)]
pub(super) struct Movement<'a> {
    /// The fact that first told it; it also names the payment.
    pub(super) fact: &'a Fact,
    pub(super) at: Millis,
    /// Signed: negative leaves the merchant.
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) reference: String,
    /// What the charge was worth in the same currency, when known: to scale into the sale's currency.
    pub(super) charged: Option<i64>,
}

/// The state of a dispute.
#[derive(Debug, Clone)]
pub(super) struct Dispute<'a> {
    pub(super) id: String,
    pub(super) facts: Vec<&'a Fact>,
    /// Stripe's newest status.
    pub(super) status: String,
    pub(super) movements: Vec<(Movement<'a>, DisputeMoment)>,
    /// Reinstated, but nothing says what was withdrawn.
    pub(super) waits: bool,
}

/// Everything that speaks of the refunds of one charge, in the order of the fold.
#[derive(Default)]
struct ChargeRefunds<'a> {
    facts: Vec<&'a Fact>,
    charged: Option<i64>,
}

/// Refund movements, per charge: by difference, each at the time of the first event that reached it.
pub(super) fn refunds(facts: &[Fact]) -> Vec<Movement<'_>> {
    let mut unions = Unions::default();
    for fact in facts {
        if let Body::Charge { refs, .. } | Body::Refund { refs, .. } | Body::Intent { refs, .. } = &fact.body
        {
            unions.unite(charge_nodes(fact, refs).iter().map(String::as_str));
        }
    }
    let mut groups: BTreeMap<String, ChargeRefunds<'_>> = BTreeMap::new();
    for fact in facts {
        let (Body::Charge { refs, .. } | Body::Refund { refs, .. } | Body::Intent { refs, .. }) = &fact.body
        else {
            continue;
        };
        let node = match (charge_nodes(fact, refs).first(), &fact.body) {
            (Some(node), _) => unions.find(node),
            (None, Body::Refund { id, .. }) => format!("{}|{id}", fact.source.account),
            (None, _) => continue,
        };
        let group = groups.entry(node).or_default();
        match &fact.body {
            Body::Charge { amount, .. } => group.charged = Some(*amount),
            Body::Intent { amount, .. } => group.charged = group.charged.or(Some(*amount)),
            _ => {}
        }
        group.facts.push(fact);
    }
    groups.into_values().flat_map(|group| group.movements()).collect()
}

/// Only charge and intent: an invoice may have several of each.
fn charge_nodes(fact: &Fact, refs: &PaymentRefs) -> Vec<String> {
    refs.intents.iter().chain(&refs.charges).map(|id| format!("{}|{id}", fact.source.account)).collect()
}

impl<'a> ChargeRefunds<'a> {
    fn movements(&self) -> Vec<Movement<'a>> {
        let times: BTreeSet<Millis> = self.speaking().map(|fact| fact.source.at).collect();
        let mut movements = Vec::new();
        let mut before = 0;
        for at in times {
            let now = self.refunded(at);
            let told_here = || self.speaking().filter(|fact| fact.source.at == at);
            // Several facts of one second: a refund names it best.
            let named =
                told_here().find(|f| matches!(f.body, Body::Refund { .. })).or_else(|| told_here().next());
            if now != before
                && let Some(fact) = named
                && let Some((currency, reference)) = naming(fact)
            {
                let amount = before - now;
                movements.push(Movement { fact, at, amount, currency, reference, charged: self.charged });
                before = now;
            }
        }
        movements
    }

    fn speaking(&self) -> impl Iterator<Item = &'a Fact> + '_ {
        self.facts
            .iter()
            .copied()
            .filter(|fact| matches!(fact.body, Body::Refund { .. } | Body::Charge { refunded: Some(_), .. }))
    }

    /// R8 over the facts not later than `until`: the larger of what the charge says and what its refunds say.
    fn refunded(&self, until: Millis) -> i64 {
        let mut snapshot: Option<(Millis, i64)> = None;
        // Newest fact of each refund: (time, amount, state).
        let mut refunds: BTreeMap<&str, (Millis, i64, RefundState)> = BTreeMap::new();
        for fact in self.speaking().filter(|fact| fact.source.at <= until) {
            let at = fact.source.at;
            match &fact.body {
                Body::Charge { refunded: Some(refunded), .. } => {
                    snapshot = snapshot.max(Some((at, *refunded)));
                }
                Body::Refund { id, amount, state, .. } => {
                    let told = (at, *amount, *state);
                    let newest = refunds.entry(id).or_insert(told);
                    if (at, rank(*state)) >= (newest.0, rank(newest.2)) {
                        // A failure told twice happened when it was told first.
                        let same_failure = *state == RefundState::Failed && newest.2 == RefundState::Failed;
                        *newest = if same_failure { (newest.0, *amount, *state) } else { told };
                    }
                }
                _ => {}
            }
        }
        let by_charge = snapshot.map_or(0, |(at, refunded)| {
            let undone = refunds.values().filter(|r| r.2 == RefundState::Failed && r.0 >= at);
            refunded - total(undone.map(|r| r.1))
        });
        let by_refunds = total(refunds.values().filter(|r| r.2 != RefundState::Failed).map(|r| r.1));
        by_charge.max(by_refunds)
    }
}

/// Ties within one second are broken by the life cycle.
fn rank(state: RefundState) -> u8 {
    match state {
        RefundState::Pending => 0,
        RefundState::Succeeded => 1,
        RefundState::Failed => 2,
    }
}

fn naming(fact: &Fact) -> Option<(Currency, String)> {
    match &fact.body {
        Body::Refund { id, currency, .. } => Some((*currency, id.clone())),
        Body::Charge { refs, currency, .. } => Some((*currency, refs.charges.first()?.clone())),
        _ => None,
    }
}

/// Disputes: money moves when funds are withdrawn and reinstated, once each.
pub(super) fn disputes(facts: &[Fact]) -> Vec<Dispute<'_>> {
    let mut found: BTreeMap<(&str, &str), Dispute<'_>> = BTreeMap::new();
    for fact in facts {
        let Body::Dispute { id, status, .. } = &fact.body else { continue };
        let dispute = found.entry((&fact.source.account, id)).or_insert_with(|| Dispute {
            id: id.clone(),
            facts: Vec::new(),
            status: String::new(),
            movements: Vec::new(),
            waits: false,
        });
        dispute.facts.push(fact);
        // Facts come by time and life cycle, so the last one tells the state; a decision is final.
        if !matches!(dispute.status.as_str(), "won" | "lost" | "warning_closed") {
            dispute.status.clone_from(status);
        }
    }
    let mut disputes: Vec<Dispute<'_>> = found.into_values().collect();
    for dispute in &mut disputes {
        let withdrawn = dispute.first(DisputeMoment::Withdrawn);
        let reinstated = dispute.first(DisputeMoment::Reinstated);
        dispute.waits = withdrawn.is_none() && reinstated.is_some();
        if let Some(fact) = withdrawn {
            dispute.movements.extend(movement(fact, -1).map(|m| (m, DisputeMoment::Withdrawn)));
            let back = reinstated.and_then(|fact| movement(fact, 1));
            dispute.movements.extend(back.map(|m| (m, DisputeMoment::Reinstated)));
        }
    }
    disputes
}

impl<'a> Dispute<'a> {
    /// The first fact of a moment that moves money; inquiries never do.
    fn first(&self, wanted: DisputeMoment) -> Option<&'a Fact> {
        self.facts.iter().copied().find(|fact| {
            matches!(&fact.body, Body::Dispute { moment, status, .. } if *moment == wanted && !status.starts_with("warning_"))
        })
    }
}

fn movement(fact: &Fact, sign: i64) -> Option<Movement<'_>> {
    let Body::Dispute { id, amount, currency, .. } = &fact.body else { return None };
    Some(Movement {
        fact,
        at: fact.source.at,
        amount: sign * *amount,
        currency: *currency,
        reference: id.clone(),
        charged: None,
    })
}
