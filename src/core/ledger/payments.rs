//! Payments: which objects describe one payment, and what was paid (R2, R6, R7).
//!
//! A payment is a connected component of checkout sessions, invoices, payment intents, charges and tracked
//! invoice ids. It gives one sale per paid invoice, else exactly one, else none yet.

use std::collections::{BTreeMap, BTreeSet};

use super::alias::Unions;
use super::fact::{Body, Fact, PaymentRefs, Presentment, SessionState, Touch};
use crate::core::money::{Currency, total};
use crate::core::sentences::Sentence;
use crate::core::time::Millis;

/// All facts that speak of one payment, in the order of the fold.
#[derive(Debug, Default)]
pub(super) struct Payment<'a> {
    pub(super) account: String,
    pub(super) references: BTreeSet<String>,
    pub(super) facts: Vec<&'a Fact>,
}

/// A sale before attribution.
#[derive(Debug, Clone)]
pub(super) struct Paid {
    pub(super) reference: String,
    pub(super) invoice: Option<String>,
    pub(super) at: Millis,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) tax: i64,
    pub(super) processor: String,
    pub(super) event_name: String,
    pub(super) subscription: Option<String>,
}

/// What a payment amounts to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// These sales.
    Sales(Vec<Paid>),
    /// Paid, but nothing says which invoice or session it belongs to.
    Unmatched { at: Millis, event_id: String, reference: String, amount: i64, currency: Currency },
    /// A delayed payment method: not there yet.
    Pending { at: Millis, event_id: String, reference: String, amount: i64, currency: Option<Currency> },
    /// No money.
    Nothing,
}

/// The node under which a payment id is united: scoped by account, or of any account when tracked.
fn nodes(account: &str, refs: &PaymentRefs) -> Vec<String> {
    let stripe = refs.stripe_ids().map(|id| format!("{account}|{id}"));
    stripe.chain(refs.tracked.iter().map(|id| format!("any|{id}"))).collect()
}

/// The sets of payment ids that name one payment.
#[derive(Debug, Default)]
pub(super) struct PaymentIds {
    unions: Unions,
}

impl PaymentIds {
    pub(super) fn of(facts: &[Fact]) -> Self {
        let mut unions = Unions::default();
        let mut accounts_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for fact in facts {
            let Some(refs) = fact.body.refs() else { continue };
            unions.unite(nodes(&fact.source.account, refs).iter().map(String::as_str));
            for id in refs.stripe_ids() {
                accounts_of.entry(id).or_default().insert(&fact.source.account);
            }
        }
        for tracked in facts.iter().filter_map(|fact| fact.body.refs()?.tracked.as_deref()) {
            for account in accounts_of.get(tracked).into_iter().flatten() {
                unions.unite([format!("any|{tracked}").as_str(), format!("{account}|{tracked}").as_str()]);
            }
        }
        Self { unions }
    }

    /// The payment a fact speaks of; a tracked sale without an id is a payment of its own.
    pub(super) fn payment_of(&self, fact: &Fact) -> Option<String> {
        let refs = fact.body.refs()?;
        match nodes(&fact.source.account, refs).first() {
            Some(node) => Some(self.unions.find(node)),
            None => Some(format!("own|{}", fact.source.event_id)),
        }
    }
}

/// Groups facts into payments.
pub(super) fn payments<'a>(facts: &'a [Fact], ids: &PaymentIds) -> BTreeMap<String, Payment<'a>> {
    let mut found: BTreeMap<String, Payment<'a>> = BTreeMap::new();
    for fact in facts {
        let (Some(node), Some(refs)) = (ids.payment_of(fact), fact.body.refs()) else { continue };
        let payment = found.entry(node).or_default();
        let stripe = !matches!(fact.body, Body::TrackedSale { .. } | Body::ThankYou { .. });
        if stripe && (payment.account.is_empty() || fact.source.account < payment.account) {
            payment.account.clone_from(&fact.source.account);
        }
        payment.references.extend(refs.stripe_ids().map(str::to_owned));
        payment.references.extend(refs.tracked.clone());
        payment.facts.push(fact);
    }
    found
}

impl<'a> Payment<'a> {
    /// What was paid.
    pub(super) fn verdict(&self) -> Verdict {
        let invoices = self.invoice_sales();
        if self.has_invoice_evidence() {
            return Verdict::Sales(invoices.into_iter().filter(|sale| sale.amount > 0).collect());
        }
        if let Some(sale) = self.session_sale().or_else(|| self.intent_sale()).or_else(|| self.tracked_sale())
        {
            return if sale.amount > 0 { Verdict::Sales(vec![sale]) } else { Verdict::Nothing };
        }
        self.waiting().unwrap_or(Verdict::Nothing)
    }

    /// Touches that the payment itself names: its session's and its intent's (R5).
    pub(super) fn own_touches(&self) -> impl Iterator<Item = &'a Touch> + '_ {
        self.facts.iter().flat_map(|fact| match &fact.body {
            Body::Session { touches, .. }
            | Body::Intent { touches, .. }
            | Body::TrackedSale { touches, .. } => touches.as_slice(),
            _ => &[],
        })
    }

    /// Clicks that came to the payment's thank-you page, in the order they came.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = &'a Touch> + '_ {
        self.facts.iter().filter_map(|fact| fact.body.arrived_with())
    }

    pub(super) fn presentment(&self) -> Option<Presentment> {
        self.facts.iter().find_map(|fact| match &fact.body {
            Body::Session { presentment, .. } | Body::Intent { presentment, .. } => *presentment,
            _ => None,
        })
    }

    pub(super) fn client_reference(&self) -> Option<String> {
        self.facts.iter().find_map(|fact| match &fact.body {
            Body::Session { reference, .. } => reference.clone(),
            _ => None,
        })
    }

    /// Amounts that the objects of one payment state differently, in plain words.
    pub(super) fn mismatches(&self, sale: &Paid) -> Vec<String> {
        let mut stated: BTreeSet<(String, i64, Currency)> = BTreeSet::new();
        let mut intents: BTreeMap<&str, (i64, Currency)> = BTreeMap::new();
        for fact in &self.facts {
            match &fact.body {
                Body::Session {
                    refs, amount, currency: Some(currency), state: SessionState::Paid, ..
                } => {
                    stated.insert((refs.session.clone().unwrap_or_default(), *amount, *currency));
                }
                Body::TrackedSale { amount, currency, .. } => {
                    stated.insert(("/track/sale".to_owned(), *amount, *currency));
                }
                Body::Invoice { refs, amount, currency, paid: true, .. } => {
                    stated.insert((refs.invoice.clone().unwrap_or_default(), *amount, *currency));
                }
                Body::Intent { refs, amount, currency, .. } => {
                    intents.insert(refs.intents.first().map_or("", String::as_str), (*amount, *currency));
                }
                _ => {}
            }
        }
        if let Some((_, currency)) = intents.values().next() {
            let sum = total(intents.values().map(|(amount, _)| *amount));
            stated.insert((intents.keys().copied().collect::<Vec<_>>().join(" + "), sum, *currency));
        }
        stated
            .into_iter()
            .filter(|(_, amount, currency)| (*amount, *currency) != (sale.amount, sale.currency))
            .map(|(who, amount, currency)| {
                let money = format!("{} {}", sale.amount, sale.currency);
                Sentence::AmountsDiffer.say(&[&who, &format!("{amount} {currency}"), &money])
            })
            .collect()
    }

    /// Whether an invoice decides: paid ones, or what basil's `invoice_payment.paid` says of one.
    fn has_invoice_evidence(&self) -> bool {
        self.facts.iter().any(|fact| match &fact.body {
            Body::Invoice { paid, .. } => *paid,
            Body::InvoicePayment { .. } => self.invoice_sales().iter().any(|sale| sale.amount > 0),
            _ => false,
        })
    }

    /// One sale per invoice that is known to be paid; amount 0 stays in, to silence the session.
    fn invoice_sales(&self) -> Vec<Paid> {
        let ids: BTreeSet<&str> = self
            .facts
            .iter()
            .filter_map(|fact| match &fact.body {
                Body::Invoice { refs, paid: true, .. } | Body::InvoicePayment { refs, .. } => {
                    refs.invoice.as_deref()
                }
                _ => None,
            })
            .collect();
        ids.iter()
            .filter_map(|id| self.invoice_sale(id).or_else(|| self.invoice_by_payments(id, ids.len())))
            .collect()
    }

    fn invoice_sale(&self, id: &str) -> Option<Paid> {
        let mut sale: Option<Paid> = None;
        for fact in &self.facts {
            let Body::Invoice { refs, subscription, amount, currency, tax, paid: true, .. } = &fact.body
            else {
                continue;
            };
            if refs.invoice.as_deref() != Some(id) {
                continue;
            }
            // The time is that of the first event, the amount that of the last.
            let known = sale.take();
            let subscription =
                known.as_ref().and_then(|k| k.subscription.clone()).or_else(|| subscription.clone());
            sale = Some(Paid {
                reference: id.to_owned(),
                invoice: Some(id.to_owned()),
                at: known.as_ref().map_or(fact.source.at, |k| k.at),
                amount: *amount,
                currency: *currency,
                tax: *tax,
                processor: "stripe".to_owned(),
                event_name: String::new(),
                subscription,
            });
        }
        let mut sale = sale?;
        let session = self.session_of_invoice(id);
        sale.subscription =
            sale.subscription.or_else(|| session.as_ref().and_then(|s| s.subscription.clone()));
        sale.event_name = match (&session, &sale.subscription) {
            (Some(session), _) => session.event_name.clone(),
            (None, Some(_)) => "Invoice paid".to_owned(),
            (None, None) => "Purchase".to_owned(),
        };
        Some(sale)
    }

    /// Until `invoice.paid` is here: what the session says, else the sum of what paid the invoice.
    fn invoice_by_payments(&self, id: &str, invoices: usize) -> Option<Paid> {
        if let Some(session) = self.session_of_invoice(id).filter(|s| s.amount > 0) {
            return Some(session);
        }
        let mut parts: BTreeMap<Vec<String>, (i64, Option<Currency>)> = BTreeMap::new();
        let mut at = None;
        for fact in &self.facts {
            if let Body::InvoicePayment { refs, amount, currency } = &fact.body
                && refs.invoice.as_deref() == Some(id)
            {
                let by = refs.intents.iter().chain(&refs.charges).cloned().collect();
                parts.insert(by, (*amount, *currency));
                at = at.or(Some(fact.source.at));
            }
        }
        let intents = self.intents();
        let stated = total(parts.values().map(|(amount, _)| *amount));
        // An event that does not say how much: the intents of the payment do, when they pay nothing else.
        let received = total(intents.values().map(|(_, amount, _)| *amount));
        let amount = if stated == 0 && invoices == 1 { received } else { stated };
        let currency =
            parts.values().find_map(|(_, c)| *c).or_else(|| intents.values().map(|i| i.2).next())?;
        Some(Paid {
            reference: id.to_owned(),
            invoice: Some(id.to_owned()),
            at: at?,
            amount,
            currency,
            tax: 0,
            processor: "stripe".to_owned(),
            event_name: "Invoice paid".to_owned(),
            subscription: None,
        })
    }

    fn session_of_invoice(&self, id: &str) -> Option<Paid> {
        self.session_sales().into_iter().find(|sale| sale.invoice.as_deref() == Some(id))
    }

    fn session_sale(&self) -> Option<Paid> {
        self.session_sales().into_iter().next()
    }

    /// Paid sessions, by time. Unpaid ones count when their intent succeeded.
    fn session_sales(&self) -> Vec<Paid> {
        let intent_at = self.intents().values().map(|(at, _, _)| *at).min();
        let mut sales: BTreeMap<&str, Paid> = BTreeMap::new();
        // The last fact of a session wins, but its time is that of the first that says it is paid.
        for fact in &self.facts {
            let Body::Session { refs, state, subscription_mode, subscription, amount, currency, tax, .. } =
                &fact.body
            else {
                continue;
            };
            let (Some(id), Some(currency)) = (refs.session.as_deref(), currency) else { continue };
            let paid_at = match state {
                SessionState::Paid => Some(fact.source.at),
                SessionState::Pending => intent_at,
                SessionState::NoPayment | SessionState::Failed | SessionState::Expired => None,
            };
            let Some(paid_at) = paid_at else { continue };
            let at = sales.get(id).map_or(paid_at, |known| known.at.min(paid_at));
            let event_name = if *subscription_mode { "Subscription creation" } else { "Purchase" };
            let reference =
                refs.invoice.as_deref().or(refs.intents.first().map(String::as_str)).unwrap_or(id);
            sales.insert(
                id,
                Paid {
                    reference: reference.to_owned(),
                    invoice: refs.invoice.clone(),
                    at,
                    amount: *amount,
                    currency: *currency,
                    tax: *tax,
                    processor: "stripe".to_owned(),
                    event_name: event_name.to_owned(),
                    subscription: subscription.clone(),
                },
            );
        }
        let mut sales: Vec<Paid> = sales.into_values().collect();
        sales.sort_by(|a, b| (a.at, &a.reference).cmp(&(b.at, &b.reference)));
        sales
    }

    /// Succeeded intents: id → (first time, amount, currency).
    fn intents(&self) -> BTreeMap<&'a str, (Millis, i64, Currency)> {
        let mut found: BTreeMap<&str, (Millis, i64, Currency)> = BTreeMap::new();
        for fact in &self.facts {
            if let Body::Intent { refs, amount, currency, .. } = &fact.body
                && let Some(id) = refs.intents.first()
            {
                let at = found.get(id.as_str()).map_or(fact.source.at, |known| known.0);
                found.insert(id, (at, *amount, *currency));
            }
        }
        found
    }

    /// An intent is a sale when its own metadata carries our ids, or `/track/sale` names it (R6).
    fn intent_sale(&self) -> Option<Paid> {
        let claimed = self.facts.iter().any(|fact| match &fact.body {
            Body::Intent { touches, person, .. } => !touches.is_empty() || person.external_id.is_some(),
            Body::TrackedSale { .. } => true,
            _ => false,
        });
        let intents = self.intents();
        let (id, (at, _, currency)) = intents.iter().next().filter(|_| claimed)?;
        let tracked = self.tracked_sale();
        Some(Paid {
            reference: (*id).to_owned(),
            invoice: None,
            at: *at,
            amount: total(intents.values().filter(|i| i.2 == *currency).map(|i| i.1)),
            currency: *currency,
            tax: 0,
            processor: "stripe".to_owned(),
            event_name: tracked.map_or_else(|| "Purchase".to_owned(), |t| t.event_name),
            subscription: None,
        })
    }

    /// The first `/track/sale` call.
    fn tracked_sale(&self) -> Option<Paid> {
        self.facts.iter().find_map(|fact| match &fact.body {
            Body::TrackedSale { refs, amount, currency, event_name, processor, .. } => Some(Paid {
                reference: refs.tracked.clone().unwrap_or_else(|| fact.source.event_id.clone()),
                invoice: refs.tracked.clone(),
                at: fact.source.at,
                amount: *amount,
                currency: *currency,
                tax: 0,
                processor: processor.clone(),
                event_name: event_name.clone(),
                subscription: None,
            }),
            _ => None,
        })
    }

    /// Money that is not a sale yet.
    fn waiting(&self) -> Option<Verdict> {
        if let Some((id, (at, amount, currency))) = self.intents().into_iter().next() {
            let event_id = self.event_of(|body| matches!(body, Body::Intent { .. }));
            return Some(Verdict::Unmatched { at, event_id, reference: id.to_owned(), amount, currency });
        }
        let mut pending = None;
        for fact in &self.facts {
            if let Body::Session { refs, state, amount, currency, .. } = &fact.body {
                match state {
                    SessionState::Pending => {
                        pending = Some(Verdict::Pending {
                            at: fact.source.at,
                            event_id: fact.source.event_id.clone(),
                            reference: refs.session.clone().unwrap_or_default(),
                            amount: *amount,
                            currency: *currency,
                        });
                    }
                    SessionState::Failed | SessionState::Expired => return None,
                    SessionState::Paid | SessionState::NoPayment => {}
                }
            }
        }
        pending
    }

    fn event_of(&self, wanted: impl Fn(&Body) -> bool) -> String {
        self.facts
            .iter()
            .find(|fact| wanted(&fact.body))
            .map(|fact| fact.source.event_id.clone())
            .unwrap_or_default()
    }
}
