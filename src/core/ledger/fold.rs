//! The fold: from a set of facts to everything that is shown.
//!
//! Invariant: the result depends on the set alone. Facts are put in one order (time, life cycle, event id,
//! content) before anything looks at them, and nothing here knows when they arrived
//! (`tests/scenarios.rs`, `tests/oracle`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::attribute::{self, Attribution, Chains, Own, Touches};
use super::fact::{Body, CustomerChange, DisputeMoment, Fact};
use super::payments::{self, Paid, Payment, PaymentIds, Verdict};
use super::people;
use super::refunds::{self, Movement};
use super::view::{
    DisputeView, EntryKind, EntryView, Evidence, ParkedView, Policy, RULE_VERSION, Receipt, Rule, SaleView,
    TouchView, View,
};
use crate::core::ids;
use crate::core::money::{Currency, clamped};
use crate::core::sentences::Sentence;

/// What the facts add up to. The order and repetition of `facts` do not matter.
#[must_use]
pub fn fold(mut facts: Vec<Fact>, policy: &Policy) -> View {
    facts.sort_by(order);
    facts.dedup();
    let touches = Touches::of(&facts, policy.window_days);
    let ids = PaymentIds::of(&facts);
    let payments = payments::payments(&facts, &ids);
    let first = first_payments(&payments);
    let chains = Chains::of(&facts, &touches, &payments, &first);
    let mut customer = people::customer(&facts, &touches);
    let mut books = Books {
        policy,
        touches: &touches,
        chains: &chains,
        facts: &facts,
        told_by: told_by(&facts),
        sales_of: BTreeMap::new(),
        view: View::default(),
    };
    books.view.customer.clone_from(&customer);
    for (node, payment) in &payments {
        books.payment(node, payment);
    }
    books.view.sales.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    for (index, sale) in books.view.sales.iter().enumerate() {
        books.sales_of.entry(sale.node.clone()).or_default().push(index);
    }
    let known = customer.external_id.is_some() || !customer.stripe_ids.is_empty();
    books.movements(&ids, known);
    let mut view = books.view;
    view.leads = people::leads(&facts, &view.sales, &policy.scope());
    view.subscriptions = people::subscriptions(&facts, &chains, policy);
    view.entries.sort_by(|a, b| (a.at, a.kind, &a.id).cmp(&(b.at, b.kind, &b.id)));
    view.parked.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    customer.visible = known || !view.sales.is_empty() || !view.leads.is_empty();
    view.customer = customer;
    view
}

/// One order for all: time, life cycle, event id, content. Arrival has no say.
fn order(a: &Fact, b: &Fact) -> Ordering {
    let key = |fact: &Fact| (fact.source.at, life_cycle(&fact.body));
    key(a)
        .cmp(&key(b))
        .then_with(|| a.source.event_id.cmp(&b.source.event_id))
        .then_with(|| if a == b { Ordering::Equal } else { a.key().cmp(&b.key()) })
}

/// Breaks ties within Stripe's one second.
fn life_cycle(body: &Body) -> u8 {
    match body {
        Body::Customer { change: CustomerChange::Created, .. } => 0,
        Body::Customer { change: CustomerChange::Updated, .. } => 1,
        Body::Subscription { rank, .. } => 2 + rank,
        Body::Dispute { moment, .. } => match moment {
            DisputeMoment::State => 10,
            DisputeMoment::Withdrawn => 11,
            DisputeMoment::Reinstated => 12,
            DisputeMoment::Closed => 13,
        },
        Body::Customer { change: CustomerChange::Deleted, .. } => 20,
        _ => 5,
    }
}

/// Per subscription, when it was first paid and the clicks that payment brings along.
type FirstPayments = BTreeMap<(String, String), (crate::core::time::Millis, Own)>;

fn first_payments(payments: &BTreeMap<String, Payment<'_>>) -> FirstPayments {
    let mut first: BTreeMap<(String, String), (crate::core::time::Millis, String, Own)> = BTreeMap::new();
    for payment in payments.values() {
        let Verdict::Sales(sales) = payment.verdict() else { continue };
        for sale in sales {
            let Some(subscription) = sale.subscription else { continue };
            let key = (payment.account.clone(), subscription);
            if first.get(&key).is_none_or(|known| (sale.at, &sale.reference) < (known.0, &known.1)) {
                first.insert(key, (sale.at, sale.reference, Own::of(payment)));
            }
        }
    }
    first.into_iter().map(|(key, (at, _, own))| (key, (at, own))).collect()
}

/// The view while it is being made.
struct Books<'a> {
    policy: &'a Policy,
    touches: &'a Touches,
    chains: &'a Chains,
    facts: &'a [Fact],
    /// Click id → the first lead and the first other fact that told it.
    told_by: BTreeMap<&'a str, Vec<&'a Fact>>,
    /// Payment → its sales, by place in the view.
    sales_of: BTreeMap<String, Vec<usize>>,
    view: View,
}

/// Who told of each click first, for receipts; bounded, so that a receipt does not grow with the history.
fn told_by(facts: &[Fact]) -> BTreeMap<&str, Vec<&Fact>> {
    let mut told: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        for touch in fact.body.touches().iter().chain(fact.body.arrived_with()) {
            let known = told.entry(touch.click_id.as_str()).or_default();
            let is_lead = |fact: &Fact| matches!(fact.body, Body::Lead { .. });
            if known.iter().all(|other| is_lead(other) != is_lead(fact)) {
                known.push(fact);
            }
        }
    }
    told
}

impl Books<'_> {
    fn id(&self, prefix: &str, account: &str, name: &str) -> String {
        ids::derived_id(prefix, &format!("{}|{account}|{name}", self.policy.scope()))
    }

    fn payment(&mut self, node: &str, payment: &Payment<'_>) {
        match payment.verdict() {
            Verdict::Sales(sales) => {
                let alone = sales.len() == 1;
                for sale in sales {
                    self.sale(node, payment, sale, alone);
                }
            }
            Verdict::Unmatched { at, event_id, reference, amount, currency } => {
                let reason = Sentence::PaymentOfNothing.say(&[]);
                self.park(
                    "payment",
                    at,
                    &payment.account,
                    reference,
                    event_id,
                    Some((amount, currency)),
                    reason,
                );
            }
            Verdict::Pending { at, event_id, reference, amount, currency } => {
                let reason = Sentence::DelayedPayment.say(&[]);
                let money = currency.map(|currency| (amount, currency));
                self.park("sale", at, &payment.account, reference, event_id, money, reason);
            }
            Verdict::Nothing => {}
        }
    }

    fn sale(&mut self, node: &str, payment: &Payment<'_>, paid: Paid, alone: bool) {
        let attribution =
            attribute::attribute(self.touches, self.chains, payment, paid.subscription.as_deref(), paid.at);
        let id = self.id("sale_", &payment.account, &paid.reference);
        let rate_day = paid.at.day();
        self.view.entries.push(EntryView {
            id: self.id("ent_", &payment.account, &format!("sale|{}", paid.reference)),
            sale_id: Some(id.clone()),
            kind: EntryKind::Sale,
            at: paid.at,
            amount: paid.amount,
            currency: paid.currency,
            rate_day: rate_day.clone(),
            touch: attribution.touch.clone(),
            reference: Some(paid.reference.clone()),
            note: None,
        });
        if attribution.touch.is_none()
            && let Some(external) = self.view.customer.external_id.clone()
        {
            let event_id = payment.facts.first().map(|f| f.source.event_id.clone()).unwrap_or_default();
            let reason = Sentence::NoClickYet.say(&[&external]);
            let money = Some((paid.amount, paid.currency));
            self.park("sale", paid.at, &payment.account, paid.reference.clone(), event_id, money, reason);
        }
        let receipt = self.receipt(payment, &paid, &attribution, alone);
        self.view.sales.push(SaleView {
            id,
            node: node.to_owned(),
            account: payment.account.clone(),
            reference: paid.reference,
            at: paid.at,
            event_name: paid.event_name,
            amount: paid.amount,
            currency: paid.currency,
            tax: paid.tax,
            processor: paid.processor,
            invoice_id: paid.invoice,
            subscription: paid.subscription,
            touch: attribution.touch,
            touches: attribution.touches,
            rate_day,
            receipt,
        });
    }

    fn receipt(&self, payment: &Payment<'_>, paid: &Paid, attribution: &Attribution, alone: bool) -> Receipt {
        let mut evidence: Vec<Evidence> = payment.facts.iter().map(|fact| says(fact)).collect();
        let taken = attribution.touch.as_ref().and_then(|touch| self.told_by.get(touch.click_id.as_str()));
        for fact in taken.into_iter().flatten() {
            if !evidence.iter().any(|known| known.event_id == fact.source.event_id) {
                evidence.push(Evidence { says: Sentence::TheClick.say(&[]), ..says(fact) });
            }
        }
        evidence.sort_by(|a, b| (a.at, &a.event_id, &a.says).cmp(&(b.at, &b.event_id, &b.says)));
        evidence.dedup();
        let mut rejected = self.touches.rejected(attribution);
        rejected.extend(self.touches.not_taken(payment, attribution));
        Receipt {
            rule_version: RULE_VERSION,
            rule: attribution.rule,
            explanation: explain(
                attribution,
                paid,
                self.policy.window_days,
                &self.view.customer.external_ids,
            ),
            references: payment.references.iter().cloned().collect(),
            evidence,
            rejected,
            mismatches: if alone { payment.mismatches(paid) } else { Vec::new() },
            presentment: payment.presentment(),
            client_reference: payment.client_reference(),
            disputes: Vec::new(),
        }
    }

    /// Refunds and disputes, tied to their sale where there is exactly one.
    fn movements(&mut self, ids: &PaymentIds, known: bool) {
        for movement in refunds::refunds(self.facts) {
            self.movement(ids, known, &movement, EntryKind::Refund);
        }
        for dispute in refunds::disputes(self.facts) {
            let sale = dispute.facts.first().and_then(|fact| self.sale_of(ids, fact));
            if let Some(sale) = sale.and_then(|index| self.view.sales.get_mut(index)) {
                let shown = DisputeView { id: dispute.id.clone(), status: dispute.status.clone() };
                sale.receipt.disputes.push(shown);
            }
            if let (true, Some(fact)) = (dispute.waits, dispute.facts.first()) {
                let reason = Sentence::DisputeReturned.say(&[]);
                let (id, event) = (dispute.id.clone(), fact.source.event_id.clone());
                self.park("dispute", fact.source.at, &fact.source.account, id, event, None, reason);
            }
            for (movement, moment) in &dispute.movements {
                let back = *moment == DisputeMoment::Reinstated;
                let kind = if back { EntryKind::Reinstated } else { EntryKind::Dispute };
                self.movement(ids, known, movement, kind);
            }
        }
        self.flag_over_refunds();
    }

    /// The one sale of the payment a fact speaks of.
    fn sale_of(&self, ids: &PaymentIds, fact: &Fact) -> Option<usize> {
        match self.sales_of.get(&ids.payment_of(fact)?)?.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn movement(&mut self, ids: &PaymentIds, known: bool, movement: &Movement<'_>, kind: EntryKind) {
        let account = &movement.fact.source.account;
        let node = ids.payment_of(movement.fact).unwrap_or_default();
        let of_payment = self.sales_of.get(&node).map(Vec::as_slice).unwrap_or_default();
        let of_payment: Vec<&SaleView> =
            of_payment.iter().filter_map(|at| self.view.sales.get(*at)).collect();
        let name = format!(
            "{}|{}|{}|{}",
            kind.as_str(),
            movement.reference,
            movement.at.0,
            movement.fact.source.event_id
        );
        let mut entry = EntryView {
            id: self.id("ent_", account, &name),
            sale_id: None,
            kind,
            at: movement.at,
            amount: movement.amount,
            currency: movement.currency,
            rate_day: movement.at.day(),
            touch: None,
            reference: Some(movement.reference.clone()),
            note: None,
        };
        if let [sale] = of_payment.as_slice() {
            entry.sale_id = Some(sale.id.clone());
            entry.rate_day.clone_from(&sale.rate_day);
            entry.touch.clone_from(&sale.touch);
            scale(&mut entry, movement, sale);
        } else if known || !of_payment.is_empty() {
            // Not tied to one sale: on the attribution that all candidates share, else on none. Never a guess.
            let candidates =
                if of_payment.is_empty() { self.view.sales.iter().collect() } else { of_payment };
            let mut links: Vec<Option<&TouchView>> =
                candidates.iter().map(|sale| sale.touch.as_ref()).collect();
            links.dedup_by_key(|touch| touch.map(|t| t.link_id.clone()));
            if let [Some(touch)] = links.as_slice() {
                entry.touch = Some((*touch).clone());
            }
            entry.note = Some("not tied to one sale".to_owned());
        } else {
            let (what, reason) = if kind == EntryKind::Refund {
                ("refund", Sentence::RefundOfUnknown)
            } else {
                ("dispute", Sentence::DisputeOfUnknown)
            };
            let (event, money) =
                (movement.fact.source.event_id.clone(), (movement.amount, movement.currency));
            let reference = movement.reference.clone();
            self.park(what, movement.at, &account.clone(), reference, event, Some(money), reason.say(&[]));
            return;
        }
        self.view.entries.push(entry);
    }

    /// More than the payment is kept as stated, and said.
    fn flag_over_refunds(&mut self) {
        let mut undone: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in self.view.entries.iter().filter(|entry| entry.kind == EntryKind::Refund) {
            if let Some(sale) = &entry.sale_id {
                let undone = undone.entry(sale).or_default();
                *undone = undone.saturating_sub(entry.amount);
            }
        }
        for sale in &mut self.view.sales {
            let undone = undone.get(sale.id.as_str()).copied().unwrap_or(0);
            if undone > sale.amount {
                let money = |amount| format!("{amount} {}", sale.currency);
                let text = Sentence::OverRefunded.say(&[&money(undone), &money(sale.amount)]);
                sale.receipt.mismatches.push(text);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one row, named at each call")]
    fn park(
        &mut self,
        kind: &str,
        at: crate::core::time::Millis,
        account: &str,
        reference: String,
        event_id: String,
        money: Option<(i64, Currency)>,
        reason: String,
    ) {
        self.view.parked.push(ParkedView {
            id: self.id("park_", account, &format!("{kind}|{reference}|{event_id}")),
            kind: kind.to_owned(),
            at,
            reference: Some(reference),
            event_id,
            amount: money.map(|(amount, _)| amount),
            currency: money.map(|(_, currency)| currency),
            reason,
        });
    }
}

/// Puts a movement in the buyer's currency into the sale's, in proportion to the charge, half away from zero.
fn scale(entry: &mut EntryView, movement: &Movement<'_>, sale: &SaleView) {
    if movement.currency == sale.currency {
        return;
    }
    let shown = sale.receipt.presentment.filter(|p| p.currency == movement.currency).map(|p| p.amount);
    match movement.charged.or(shown).filter(|charged| *charged > 0) {
        Some(charged) => {
            let (part, whole) = (i128::from(movement.amount) * i128::from(sale.amount), i128::from(charged));
            let rounded = (2 * part.abs() + whole) / (2 * whole) * part.signum();
            entry.amount = clamped(rounded);
            entry.currency = sale.currency;
            let (amount, currency) = (movement.amount.abs(), movement.currency);
            entry.note = Some(format!("{amount} {currency} of a charge of {charged} {currency}"));
        }
        None => entry.note = Some("in another currency than the sale".to_owned()),
    }
}

/// What a fact of a payment contributed.
fn says(fact: &Fact) -> Evidence {
    let says = match &fact.body {
        Body::Lead { .. } => Sentence::TheLead,
        Body::TrackedSale { .. } => Sentence::TrackedSale,
        Body::Session { .. } => Sentence::TheSession,
        Body::Invoice { paid: true, .. } => Sentence::InvoicePaid,
        Body::Invoice { .. } => Sentence::InvoiceVoid,
        Body::InvoicePayment { .. } => Sentence::InvoicePayment,
        Body::Intent { .. } => Sentence::PaymentSucceeded,
        Body::Charge { refunded: Some(_), .. } | Body::Refund { .. } => Sentence::ARefund,
        Body::Charge { .. } => Sentence::TheCharge,
        Body::Dispute { .. } => Sentence::ADispute,
        Body::Customer { .. } => Sentence::TheCustomer,
        Body::Subscription { .. } => Sentence::TheSubscription,
        Body::ThankYou { .. } => Sentence::TheThankYou,
    };
    Evidence {
        event_id: fact.source.event_id.clone(),
        event_type: fact.source.event_type.clone(),
        at: fact.source.at,
        says: says.say(&[]),
    }
}

fn explain(attribution: &Attribution, paid: &Paid, window_days: i64, external_ids: &[String]) -> Vec<String> {
    let who = if external_ids.is_empty() {
        Sentence::TheCustomer.say(&[])
    } else {
        Sentence::CustomerNamed.say(&[&external_ids.join(", ")])
    };
    let days = window_days.to_string();
    let line = match (&attribution.touch, attribution.rule) {
        (Some(touch), Rule::OwnClick) => Sentence::OwnClick.say(&[&touch.click_id, &touch.link_id]),
        (Some(touch), Rule::Subscription) => {
            let subscription = paid.subscription.as_deref().unwrap_or_default();
            let values = [subscription, &touch.click_id, &touch.at.to_iso(), &touch.link_id];
            Sentence::OfSubscription.say(&values)
        }
        (Some(touch), Rule::ThankYou) => {
            Sentence::ThankYou.say(&[&who, &touch.click_id, &touch.at.to_iso(), &touch.link_id])
        }
        (Some(touch), _) => {
            Sentence::LastClick.say(&[&who, &days, &touch.click_id, &touch.at.to_iso(), &touch.link_id])
        }
        (None, _) => Sentence::NoClick.say(&[&who, &days]),
    };
    vec![line]
}
