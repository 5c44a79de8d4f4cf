//! Where the API versions differ: each link between two objects is rendered where the version keeps it.
//!
//! Source: Stripe's changelog, "2025-03-31.basil" (`invoice.parent`, partial payments of invoices) and
//! "2025-09-30.clover" (`currency_conversion`).

use serde_json::{Map, Value, json};

use super::event::Version;
use super::object::{Links, Object, put};

/// Fields that hold another object's id or, expanded, the object, and what kind that is.
const REFERENCES: [(&str, &str); 6] = [
    ("customer", "customer"),
    ("invoice", "invoice"),
    ("payment_intent", "payment_intent"),
    ("subscription", "subscription"),
    ("charge", "charge"),
    ("latest_charge", "charge"),
];

/// The object as `version` sends it.
pub(super) fn render(object: &Object, version: Version) -> Value {
    let mut fields = object.fields.clone();
    let links = &object.links;
    match object.kind() {
        "invoice" => invoice(&mut fields, links, version),
        "payment_intent" | "charge" if version.is_before_basil() => {
            put(&mut fields, "invoice", text(links.invoice.as_deref()));
        }
        "checkout.session" => session(&mut fields, links, version),
        "subscription" if version.is_before_basil() => {
            let item = fields.pointer("/items/data/0").cloned().unwrap_or_default();
            for name in ["current_period_start", "current_period_end"] {
                put(&mut fields, name, item.get(name).cloned().unwrap_or_default());
            }
        }
        _ => {}
    }
    if object.expanded {
        expand(&mut fields);
    }
    fields
}

fn invoice(fields: &mut Value, links: &Links, version: Version) {
    let subscription = text(links.subscription.as_deref());
    let metadata = Value::Object(links.subscription_metadata.clone());
    if version.is_before_basil() {
        remove(fields, &["parent", "payments", "total_taxes", "amount_overpaid"]);
        let details = if subscription.is_null() { Value::Null } else { json!({"metadata": metadata}) };
        put(fields, "subscription", subscription);
        put(fields, "subscription_details", details);
        put(fields, "payment_intent", text(links.intent.as_deref()));
        put(fields, "charge", text(links.charge.as_deref()));
        put(fields, "tax", links.tax.map_or(Value::Null, Value::from));
        put(fields, "paid", (fields.get("status") == Some(&"paid".into())).into());
        if fields.get("paid_out_of_band").is_none() {
            put(fields, "paid_out_of_band", false.into());
        } else {
            put(fields, "amount_paid", 0.into()); // what did not pass through Stripe is left out
        }
        return;
    }
    remove(fields, &["subscription", "paid_out_of_band"]);
    let taxes =
        links.tax.map_or_else(|| json!([]), |amount| json!([{"amount": amount, "type": "tax_rate_details"}]));
    put(fields, "total_taxes", taxes);
    let parent = if subscription.is_null() {
        Value::Null
    } else {
        json!({
            "type": "subscription_details",
            "quote_details": null,
            "subscription_details": {"metadata": metadata, "subscription": subscription},
        })
    };
    put(fields, "parent", parent);
}

/// Adaptive pricing: older sessions are in the buyer's currency and name the merchant's beside it, newer ones the
/// other way round.
fn session(fields: &mut Value, links: &Links, version: Version) {
    let Some((minor, currency)) = &links.presented else { return };
    put(fields, "adaptive_pricing.enabled", true.into());
    if !version.is_before_basil() {
        remove(fields, &["currency_conversion"]);
        put(
            fields,
            "presentment_details",
            json!({"presentment_amount": minor, "presentment_currency": currency}),
        );
        return;
    }
    let merchant = fields.get("currency").cloned().unwrap_or_default();
    let total = fields.get("amount_total").cloned().unwrap_or_default();
    let conversion = json!({
        "amount_subtotal": total, "amount_total": total, "fx_rate": "1.0", "source_currency": merchant,
    });
    put(fields, "currency_conversion", conversion);
    put(fields, "currency", currency.as_str().into());
    put(fields, "amount_total", (*minor).into());
    put(fields, "amount_subtotal", (*minor).into());
}

fn expand(fields: &mut Value) {
    match fields {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let kind = REFERENCES.iter().find(|(field, _)| field == name).map(|(_, kind)| *kind);
                match (kind, value.as_str()) {
                    (Some(kind), Some(id)) => *value = json!({"id": id, "object": kind}),
                    _ => expand(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(expand),
        _ => {}
    }
}

fn text(id: Option<&str>) -> Value {
    id.map_or(Value::Null, Value::from)
}

fn remove(fields: &mut Value, names: &[&str]) {
    let empty = &mut Map::new();
    let fields = fields.as_object_mut().unwrap_or(empty);
    for name in names {
        fields.remove(*name);
    }
}
