//! The person, their leads and their subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{Chains, Touches};
use super::erase::is_erased;
use super::fact::{Body, Fact, OWNER_EVENT, Person, TouchVerdict};
use super::view::{CustomerView, LeadView, Policy, Rule, SaleView, StripeId, SubscriptionView, TouchView};
use crate::core::ids;
use crate::core::time::Millis;

/// Who the facts speak of. Facts come by time and life cycle, so the last word of each kind is shown.
pub(super) fn customer(facts: &[Fact], touches: &Touches) -> CustomerView {
    let mut view = CustomerView {
        created_at: facts.iter().map(|fact| fact.source.at).min().unwrap_or_default(),
        touches: touches.valid.clone(),
        refused: touches.refused.clone(),
        ..CustomerView::default()
    };
    let mut stripe_ids = BTreeSet::new();
    for fact in facts {
        let Some(person) = fact.body.person() else { continue };
        let Person { customer_id: _, external_id, stripe_id, name, email, avatar, country } = person;
        if let Some(id) = external_id.as_ref().filter(|id| !is_erased(id)) {
            view.external_ids.retain(|known| known != id);
            view.external_ids.push(id.clone());
        }
        stripe_ids.extend(
            stripe_id.iter().map(|id| StripeId { account: fact.source.account.clone(), id: id.clone() }),
        );
        let is_owner = fact.source.event_type == OWNER_EVENT;
        for (shown, told) in [
            (&mut view.name, name),
            (&mut view.email, email),
            (&mut view.avatar, avatar),
            (&mut view.country, country),
        ] {
            match told.as_deref() {
                Some("") if is_owner => *shown = None,
                None | Some("") => {}
                Some(_) => shown.clone_from(told),
            }
        }
    }
    view.stripe_ids = stripe_ids.into_iter().collect();
    view.external_id = view.external_ids.last().cloned();
    view
}

/// What the lead is called that a checkout session implies.
const SESSION_EVENT: &str = "Checkout session completed";

/// Lower case, spaces as dashes: `Sign up` and `sign-up` are one event.
fn slug(event_name: &str) -> String {
    event_name.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

/// One lead per (external id, event name); one implied lead where only Stripe tells of a touchpoint, or only the
/// thank-you page of a sale.
pub(super) fn leads(facts: &[Fact], sales: &[SaleView], scope: &str) -> Vec<LeadView> {
    let mut reported: BTreeMap<(String, String), LeadView> = BTreeMap::new();
    for fact in facts {
        let Body::Lead { person, event_name, quantity, metadata, .. } = &fact.body else { continue };
        if *quantity == 0 {
            continue; // a deferred lead: the customer and the touchpoint, no lead yet
        }
        let key = (person.external_id.clone().unwrap_or_default(), slug(event_name));
        let id = ids::derived_id("lead_", &format!("{scope}|{}|{}", key.0, key.1));
        reported.entry(key).or_insert_with(|| LeadView {
            id,
            at: fact.source.at,
            event_name: event_name.clone(),
            quantity: *quantity,
            touch: proven(fact),
            metadata: metadata.clone(),
            implied: false,
        });
    }
    let mut leads: Vec<LeadView> = reported.into_values().collect();
    if leads.is_empty() {
        leads.extend(implied(facts, scope).or_else(|| of_thank_you(sales, scope)));
    }
    leads.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    leads
}

fn implied(facts: &[Fact], scope: &str) -> Option<LeadView> {
    // A deferred lead says that the lead itself is still to come.
    facts.iter().filter(|fact| !matches!(fact.body, Body::Lead { .. })).find_map(|fact| {
        let touch = proven(fact)?;
        let event_name = match &fact.body {
            Body::Session { .. } => SESSION_EVENT,
            Body::Intent { .. } => "Payment intent succeeded",
            Body::TrackedSale { lead_event_name, .. } => {
                lead_event_name.as_deref().unwrap_or("Direct sale tracking lead event")
            }
            _ => "New customer",
        };
        Some(LeadView {
            id: ids::derived_id(
                "lead_",
                &format!("{scope}|implied|{}|{}", fact.source.account, fact.source.event_id),
            ),
            at: fact.source.at,
            event_name: event_name.to_owned(),
            quantity: 1,
            touch: Some(touch),
            metadata: None,
            implied: true,
        })
    })
}

/// Whoever bought by a click that only the thank-you page knew.
fn of_thank_you(sales: &[SaleView], scope: &str) -> Option<LeadView> {
    let sale = sales.iter().find(|sale| sale.receipt.rule == Rule::ThankYou)?;
    Some(LeadView {
        id: ids::derived_id("lead_", &format!("{scope}|implied|{}|{}", sale.account, sale.reference)),
        at: sale.at,
        event_name: SESSION_EVENT.to_owned(),
        quantity: 1,
        touch: sale.touch.clone(),
        metadata: None,
        implied: true,
    })
}

/// The latest proven click of a fact.
fn proven(fact: &Fact) -> Option<TouchView> {
    let clicks = fact.body.touches().iter().filter_map(|touch| match &touch.verdict {
        TouchVerdict::Click { link_id, at } => {
            Some(TouchView { click_id: touch.click_id.clone(), link_id: link_id.clone(), at: *at })
        }
        TouchVerdict::Refused(_) => None,
    });
    clicks.max_by(|a, b| (a.at, &a.click_id).cmp(&(b.at, &b.click_id)))
}

/// When and as which step of its life a subscription was told, and what.
type Told = ((Millis, u8), SubscriptionView);

/// Subscriptions by id: the newest event tells the state, an ended one stays ended.
pub(super) fn subscriptions(facts: &[Fact], chains: &Chains, policy: &Policy) -> Vec<SubscriptionView> {
    let mut newest: BTreeMap<(&str, &str), Told> = BTreeMap::new();
    for fact in facts {
        let Body::Subscription { id, status, mrr, currency, started_at, ended_at, rank, .. } = &fact.body
        else {
            continue;
        };
        let key = (fact.source.account.as_str(), id.as_str());
        let order = (fact.source.at, *rank);
        if newest.get(&key).is_some_and(|(known, _)| *known > order) {
            continue;
        }
        let ended = matches!(status.as_str(), "canceled" | "incomplete_expired");
        let counted = matches!(status.as_str(), "active" | "past_due");
        let view = SubscriptionView {
            id: ids::derived_id("sub_", &format!("{}|{}|{}", policy.scope(), fact.source.account, id)),
            account: fact.source.account.clone(),
            reference: id.clone(),
            status: status.clone(),
            mrr: if counted { *mrr } else { 0 },
            currency: *currency,
            started_at: *started_at,
            churned_at: ended.then(|| ended_at.unwrap_or(fact.source.at)),
            touch: chains.get(&fact.source.account, id).and_then(|chain| chain.touch.clone()),
        };
        newest.insert(key, (order, view));
    }
    newest.into_values().map(|(_, view)| view).collect()
}
