//! Attribution: which touchpoint a payment belongs to (R4, R5).

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Body, Fact, SessionState, Touch, TouchVerdict};
use super::payments::Payment;
use super::view::{RefusedView, Rule, TouchView};
use crate::core::sentences::Sentence;
use crate::core::time::{DAY_MS, Millis};

/// How far Stripe's clock and ours may differ for a click that the payment itself names, and that is therefore
/// older than the payment whatever the clocks say.
const OWN_CLICK_SKEW_MS: i64 = 300_000;
/// Stripe's `created` has whole seconds: a click within the same second is not later.
const SECOND_MS: i64 = 999;

/// The touchpoints of a customer.
#[derive(Debug, Default)]
pub(super) struct Touches {
    /// Distinct, by click time.
    pub(super) valid: Vec<TouchView>,
    /// No touchpoints, and why.
    pub(super) refused: Vec<RefusedView>,
    window_ms: i64,
}

/// What attribution decided for one payment.
#[derive(Debug, Clone)]
pub(super) struct Attribution {
    pub(super) rule: Rule,
    /// Who gets the credit under the default model.
    pub(super) touch: Option<TouchView>,
    /// Who shares it under the others, by time.
    pub(super) touches: Vec<TouchView>,
    /// Up to when clicks counted.
    pub(super) anchor: Millis,
}

/// The clicks that a payment brings along itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// Those it names, by click time.
    named: Vec<TouchView>,
    /// Those that came to its thank-you page, in the order they came. Only the first may count: of two browsers that
    /// know one session, the second is nobody that the payment speaks of.
    came: Vec<TouchView>,
}

impl Own {
    pub(super) fn of(payment: &Payment<'_>) -> Self {
        let mut came: Vec<TouchView> = Vec::new();
        for touch in payment.arrivals() {
            if let Some(view) = proven(touch)
                && !came.contains(&view)
            {
                came.push(view);
            }
        }
        Self { named: valid(payment.own_touches()), came }
    }
}

fn proven(touch: &Touch) -> Option<TouchView> {
    let TouchVerdict::Click { link_id, at } = &touch.verdict else { return None };
    Some(TouchView { click_id: touch.click_id.clone(), link_id: link_id.clone(), at: *at })
}

/// The click ids that were proven, by id.
fn valid<'a>(touches: impl Iterator<Item = &'a Touch>) -> Vec<TouchView> {
    let mut found: BTreeMap<(Millis, &str), TouchView> = BTreeMap::new();
    for touch in touches {
        if let Some(view) = proven(touch) {
            found.entry((view.at, &touch.click_id)).or_insert(view);
        }
    }
    found.into_values().collect()
}

impl Touches {
    pub(super) fn of(facts: &[Fact], window_days: i64) -> Self {
        let all = || facts.iter().flat_map(|fact| fact.body.touches());
        let valid = valid(all());
        let proven: BTreeSet<&str> = valid.iter().map(|touch| touch.click_id.as_str()).collect();
        let refused: BTreeSet<RefusedView> = all()
            .filter_map(|touch| match &touch.verdict {
                TouchVerdict::Refused(reason) if !proven.contains(touch.click_id.as_str()) => {
                    Some(RefusedView { click_id: touch.click_id.clone(), reason: reason.clone() })
                }
                _ => None,
            })
            .collect();
        Self { refused: refused.into_iter().collect(), window_ms: window_days.saturating_mul(DAY_MS), valid }
    }

    fn in_window<'t>(
        &self,
        touches: &'t [TouchView],
        anchor: Millis,
        skew_ms: i64,
    ) -> impl Iterator<Item = &'t TouchView> {
        let from = Millis(anchor.0.saturating_sub(self.window_ms));
        let to = Millis(anchor.0.saturating_add(skew_ms));
        touches.iter().filter(move |touch| touch.at <= to && touch.at >= from)
    }

    /// Own click first, else the customer's latest in the window.
    fn decide(&self, own: &[TouchView], anchor: Millis) -> Attribution {
        if let Some(touch) = self.in_window(own, anchor, OWN_CLICK_SKEW_MS).last() {
            let touch = touch.clone();
            return Attribution {
                rule: Rule::OwnClick,
                touches: vec![touch.clone()],
                touch: Some(touch),
                anchor,
            };
        }
        let touches: Vec<TouchView> = self.in_window(&self.valid, anchor, SECOND_MS).cloned().collect();
        let touch = touches.last().cloned();
        let rule = if touch.is_some() { Rule::LastClick } else { Rule::None };
        Attribution { rule, touch, touches, anchor }
    }

    /// The same, or where it found no click, the one that came to the payment's thank-you page.
    fn or_came(&self, decided: Attribution, own: &Own) -> Attribution {
        let first = own.came.get(..1).unwrap_or_default();
        match self.in_window(first, decided.anchor, SECOND_MS).next() {
            Some(touch) if decided.touch.is_none() => Attribution {
                rule: Rule::ThankYou,
                touches: vec![touch.clone()],
                touch: Some(touch.clone()),
                ..decided
            },
            _ => decided,
        }
    }

    /// Why a click is not of the time before a payment that counts.
    fn untimely(&self, touch: &TouchView, anchor: Millis) -> Option<Sentence> {
        if touch.at.0 > anchor.0.saturating_add(SECOND_MS) {
            Some(Sentence::AfterPayment)
        } else if touch.at.0 < anchor.0.saturating_sub(self.window_ms) {
            Some(Sentence::TooOld)
        } else {
            None
        }
    }

    /// Why clicks that came to the payment's thank-you page were not taken.
    pub(super) fn not_taken(&self, payment: &Payment<'_>, attribution: &Attribution) -> Vec<RefusedView> {
        let taken = attribution.touch.as_ref();
        let own = Own::of(payment);
        let others = own.came.iter().enumerate();
        let others = others.filter(|(_, touch)| taken != Some(*touch) && !self.valid.contains(touch));
        others
            .map(|(place, touch)| {
                let reason = match (taken, attribution.rule) {
                    (Some(_), Rule::ThankYou) => Sentence::EarlierArrival,
                    (Some(_), _) => Sentence::HasClick,
                    (None, _) if place > 0 => Sentence::EarlierArrival,
                    (None, _) => self.untimely(touch, attribution.anchor).unwrap_or(Sentence::HasClick),
                };
                RefusedView { click_id: touch.click_id.clone(), reason: reason.say(&[]) }
            })
            .collect()
    }

    /// Why the other touchpoints were not taken.
    pub(super) fn rejected(&self, attribution: &Attribution) -> Vec<RefusedView> {
        let taken = attribution.touch.as_ref().map(|touch| touch.click_id.as_str());
        let late = self.valid.iter().filter(|touch| Some(touch.click_id.as_str()) != taken).map(|touch| {
            let reason =
                self.untimely(touch, attribution.anchor).unwrap_or(if attribution.rule == Rule::OwnClick {
                    Sentence::AnotherIsNamed
                } else {
                    Sentence::LaterClick
                });
            RefusedView { click_id: touch.click_id.clone(), reason: reason.say(&[]) }
        });
        late.chain(self.refused.iter().cloned()).collect()
    }
}

/// Attribution of the subscriptions: each by its creating session, else by its first payment.
#[derive(Debug, Default)]
pub(super) struct Chains {
    by_subscription: BTreeMap<(String, String), Attribution>,
}

impl Chains {
    /// `first_payments`: per (account, subscription), the time of the first sale and the clicks that its payment
    /// brings along.
    pub(super) fn of(
        facts: &[Fact],
        touches: &Touches,
        payments: &BTreeMap<String, Payment<'_>>,
        first_payments: &BTreeMap<(String, String), (Millis, Own)>,
    ) -> Self {
        let mut roots: BTreeMap<(String, String), (Millis, Own)> = BTreeMap::new();
        for payment in payments.values() {
            for fact in &payment.facts {
                if let Body::Session { subscription: Some(subscription), state, .. } = &fact.body
                    && !matches!(state, SessionState::Expired | SessionState::Failed)
                {
                    let key = (fact.source.account.clone(), subscription.clone());
                    let root = (fact.source.at, Own::of(payment));
                    match roots.get(&key) {
                        Some(known) if known.0 <= root.0 => {}
                        _ => drop(roots.insert(key, root)),
                    }
                }
            }
        }
        let mut chains = Self::default();
        let named: BTreeSet<(String, String)> = roots.keys().chain(first_payments.keys()).cloned().collect();
        for key in named.into_iter().chain(subscription_keys(facts)) {
            if chains.by_subscription.contains_key(&key) {
                continue;
            }
            let own_metadata = || valid(subscription_touches(facts, &key));
            let (anchor, own) = match (roots.get(&key), first_payments.get(&key)) {
                (Some((at, own)), _) | (None, Some((at, own))) => (*at, own.clone()),
                (None, None) => (started(facts, &key), Own::default()),
            };
            let mut decided = touches.decide(&own.named, anchor);
            if decided.rule != Rule::OwnClick {
                decided = touches.decide(&own_metadata(), anchor);
            }
            chains.by_subscription.insert(key, touches.or_came(decided, &own));
        }
        chains
    }

    pub(super) fn get(&self, account: &str, subscription: &str) -> Option<&Attribution> {
        self.by_subscription.get(&(account.to_owned(), subscription.to_owned()))
    }
}

/// Attribution of one payment.
pub(super) fn attribute(
    touches: &Touches,
    chains: &Chains,
    payment: &Payment<'_>,
    subscription: Option<&str>,
    at: Millis,
) -> Attribution {
    let own = Own::of(payment);
    let direct = touches.decide(&own.named, at);
    if direct.rule == Rule::OwnClick {
        return direct;
    }
    match subscription.and_then(|subscription| chains.get(&payment.account, subscription)) {
        Some(chain) if chain.rule == Rule::None => chain.clone(),
        // The payment whose thank-you page it was; the others follow it.
        Some(chain) if chain.rule == Rule::ThankYou && own.came.first() == chain.touch.as_ref() => {
            chain.clone()
        }
        Some(chain) => Attribution { rule: Rule::Subscription, ..chain.clone() },
        None => touches.or_came(direct, &own),
    }
}

fn subscription_keys(facts: &[Fact]) -> impl Iterator<Item = (String, String)> + '_ {
    facts.iter().filter_map(|fact| match &fact.body {
        Body::Subscription { id, .. } => Some((fact.source.account.clone(), id.clone())),
        _ => None,
    })
}

/// Click ids in the metadata of the subscription itself, also as its invoices repeat it.
fn subscription_touches<'a>(facts: &'a [Fact], key: &'a (String, String)) -> impl Iterator<Item = &'a Touch> {
    facts.iter().filter(|fact| fact.source.account == key.0).flat_map(|fact| match &fact.body {
        Body::Subscription { id, touches, .. } if *id == key.1 => touches.as_slice(),
        Body::Invoice { subscription: Some(id), touches, .. } if *id == key.1 => touches.as_slice(),
        _ => &[],
    })
}

fn started(facts: &[Fact], key: &(String, String)) -> Millis {
    let of_subscription = facts.iter().filter(|fact| {
        fact.source.account == key.0 && matches!(&fact.body, Body::Subscription { id, .. } if *id == key.1)
    });
    of_subscription.map(|fact| fact.source.at).min().unwrap_or_default()
}
