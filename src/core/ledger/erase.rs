//! Erasure: the person goes, the money stays.

use std::collections::BTreeMap;

use super::fact::{Body, Fact, Person};

/// What an erased external id becomes. Numbered, so that the leads of one person stay as many as they were.
const ERASED: &str = "erased:";

/// Whether an external id is what an erasure left.
#[must_use]
pub fn is_erased(external_id: &str) -> bool {
    external_id.starts_with(ERASED)
}

/// Removes names, e-mails, external ids and metadata from every fact; amounts, times, clicks and Stripe's ids
/// stay, so that totals and later renewals do.
pub fn scrub(facts: &mut [Fact]) {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for fact in facts.iter() {
        if let Some(id) = fact.body.person().and_then(|person| person.external_id.as_ref()) {
            let next = known.len() + 1;
            known
                .entry(id.clone())
                .or_insert_with(|| if is_erased(id) { id.clone() } else { format!("{ERASED}{next}") });
        }
    }
    for fact in facts {
        if let Some(person) = fact.body.person_mut() {
            let external_id = person.external_id.as_ref().and_then(|id| known.get(id)).cloned();
            let stripe_id = person.stripe_id.take();
            *person = Person { external_id, stripe_id, ..Person::default() };
        }
        match &mut fact.body {
            Body::Lead { metadata, .. } | Body::TrackedSale { metadata, .. } => *metadata = None,
            Body::Session { reference, .. } => *reference = None,
            _ => {}
        }
    }
}
