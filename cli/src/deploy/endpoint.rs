//! Stripe's webhook endpoint of an instance: found by its URL, made once, its events exactly those we book.

use serde_json::Value;

use crate::target::text;

/// Every event that states something to the ledger; held against `src/core/stripe/facts.rs` by a test.
pub const EVENTS: [&str; 25] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.paid",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// There is none.
    Create,
    /// There is one, but nobody knows its secret, which Stripe shows once: it goes, and a new one comes.
    Replace(String),
    /// Its events, or whether it is enabled, are not what they are to be.
    Update(String),
    /// It is as it is to be.
    Keep,
}

/// Decides. `endpoint`: that of our URL; `is_secret_known`: here, or by the instance.
#[must_use]
pub fn decide(endpoint: Option<&Value>, is_secret_known: bool) -> Action {
    let Some(endpoint) = endpoint else { return Action::Create };
    let id = text(endpoint, "id").to_owned();
    if !is_secret_known {
        return Action::Replace(id);
    }
    let events = endpoint.get("enabled_events").and_then(Value::as_array).into_iter().flatten();
    let mut events: Vec<&str> = events.filter_map(Value::as_str).collect();
    events.sort_unstable();
    let is_right = events == wanted() && text(endpoint, "status") != "disabled";
    if is_right { Action::Keep } else { Action::Update(id) }
}

fn wanted() -> Vec<&'static str> {
    let mut events = EVENTS.to_vec();
    events.sort_unstable();
    events
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_events_are_those_the_ledger_knows() {
        let source = include_str!("../../../src/core/stripe/facts.rs");
        let list =
            source.split_once("fn of(event_type").and_then(|(_, rest)| rest.split_once("_ => return None"));
        let known: BTreeSet<&str> = list.unwrap().0.split('"').skip(1).step_by(2).collect();
        assert_eq!(known, EVENTS.into_iter().collect());
    }

    #[test]
    fn an_endpoint_is_made_once_and_kept_in_order() {
        let endpoint =
            |events: &[&str], status: &str| json!({"id": "we_1", "enabled_events": events, "status": status});
        let mut reversed = EVENTS;
        reversed.reverse();
        let update = Action::Update("we_1".to_owned());
        for (endpoint, is_secret_known, action) in [
            (None, false, Action::Create),
            (None, true, Action::Create),
            (Some(endpoint(&EVENTS, "enabled")), true, Action::Keep),
            (Some(endpoint(&reversed, "enabled")), true, Action::Keep),
            (Some(endpoint(&EVENTS, "enabled")), false, Action::Replace("we_1".to_owned())),
            (Some(endpoint(&EVENTS, "disabled")), true, update.clone()),
            (Some(endpoint(&["*"], "enabled")), true, update.clone()),
            (Some(endpoint(&EVENTS[1..], "enabled")), true, update),
        ] {
            assert_eq!(decide(endpoint.as_ref(), is_secret_known), action, "{endpoint:?}");
        }
    }
}
