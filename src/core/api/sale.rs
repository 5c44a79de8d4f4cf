//! A sale with its receipt: what was paid, what undid it, which click brought it, and why.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::link::{iso, unconverted};
use crate::core::figures::Sum;
use crate::core::money::total;
use crate::core::time::Millis;

/// A row of `sales`.
#[derive(Debug, Clone, Deserialize)]
pub struct Sale {
    /// Derived from what it names.
    pub id: String,
    /// `cus_…`
    pub customer_id: String,
    /// Stripe account, `""` for the workspace's own.
    pub account: String,
    /// `in_…`, `cs_…`, `pi_…`, or the tracked invoice id.
    pub reference: String,
    /// When it was paid.
    pub at: Millis,
    /// `Purchase`, …
    pub event_name: String,
    /// Minor units, as charged.
    pub amount: i64,
    /// As charged.
    pub currency: String,
    /// Of which tax.
    pub tax: i64,
    /// `stripe`, …
    pub processor: String,
    /// When there is one.
    pub invoice_id: Option<String>,
    /// `sub_…`
    pub subscription_id: Option<String>,
    /// `None`: unattributed.
    pub click_id: Option<String>,
    /// The link of that click.
    pub link_id: Option<String>,
    /// When it was clicked.
    pub clicked_at: Option<Millis>,
    /// The day whose exchange rate applies.
    pub rate_day: String,
    /// Touchpoints in the window, JSON.
    pub touches: String,
    /// JSON.
    pub receipt: String,
}

/// A row of `entries`.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Derived.
    pub id: String,
    /// `None`: not tied to one sale.
    pub sale_id: Option<String>,
    /// `sale`, `refund`, `dispute`, `reinstated`.
    pub kind: String,
    /// When.
    pub at: Millis,
    /// Signed minor units.
    pub amount: i64,
    /// As charged.
    pub currency: String,
    /// `re_…`, `dp_…`, `ch_…`
    pub reference: Option<String>,
}

/// A row of `leads`.
#[derive(Debug, Clone, Deserialize)]
pub struct Lead {
    /// Derived.
    pub id: String,
    /// When it was reported.
    pub at: Millis,
    /// `Sign up`, …
    pub event_name: String,
    /// How many.
    pub quantity: i64,
    /// Its click.
    pub click_id: Option<String>,
    /// The link of that click.
    pub link_id: Option<String>,
    /// JSON text.
    pub metadata: Option<String>,
}

/// A touchpoint, as a sale keeps it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Touch {
    click_id: String,
    link_id: String,
    at: Millis,
}

impl Entry {
    /// As a list shows it.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({"id": self.id, "saleId": self.sale_id, "kind": self.kind, "timestamp": self.at.to_iso(),
            "amount": self.amount, "currency": self.currency, "reference": self.reference})
    }
}

impl Lead {
    /// As a list shows it.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({"id": self.id, "eventName": self.event_name, "timestamp": self.at.to_iso(), "quantity": self.quantity,
            "clickId": self.click_id, "linkId": self.link_id, "metadata": parsed(self.metadata.as_deref())})
    }
}

impl Sale {
    /// The sale with the entries that belong to it. `net`: what is left, in the workspace's currency.
    #[must_use]
    pub fn shown(&self, entries: &[Entry], leads: &[Lead], customer: &Value, net: &Sum) -> Value {
        let of = |kinds: &[&str]| -> i64 {
            let these = entries.iter().filter(|entry| kinds.contains(&entry.kind.as_str()));
            total(these.map(|entry| entry.amount))
        };
        let (refunded, disputed) = (-of(&["refund"]), -of(&["dispute", "reinstated"]));
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("id", self.id.as_str().into());
        put("reference", self.reference.as_str().into());
        put("invoiceId", self.invoice_id.clone().into());
        put("timestamp", self.at.to_iso().into());
        put("eventName", self.event_name.as_str().into());
        put("amount", self.amount.into());
        put("currency", self.currency.as_str().into());
        put("tax", self.tax.into());
        put("refunded", refunded.into());
        put("disputed", disputed.into());
        put("net", self.amount.saturating_sub(refunded).saturating_sub(disputed).into());
        put("saleAmount", net.amount.into());
        if !net.rest().is_empty() {
            put("unconverted", unconverted(&net.rest()));
        }
        put("paymentProcessor", self.processor.as_str().into());
        put("subscriptionId", self.subscription_id.clone().into());
        put("stripeAccount", (!self.account.is_empty()).then(|| self.account.clone()).into());
        put("customerId", self.customer_id.as_str().into());
        put("attributed", self.link_id.is_some().into());
        put("clickId", self.click_id.clone().into());
        put("linkId", self.link_id.clone().into());
        put("clickedAt", iso(self.clicked_at));
        put("entries", entries.iter().map(Entry::shown).collect());
        put("receipt", self.receipt(leads, customer));
        Value::Object(shown)
    }

    /// The refunds and disputes among its entries, each with what it undid.
    fn receipt(&self, leads: &[Lead], customer: &Value) -> Value {
        let mut receipt: Map<String, Value> = serde_json::from_str(&self.receipt).unwrap_or_default();
        if let Some(Value::Array(evidence)) = receipt.get_mut("evidence") {
            for piece in evidence {
                dated(piece, "at");
            }
        }
        let touches: Vec<Touch> = serde_json::from_str(&self.touches).unwrap_or_default();
        let touchpoints: Vec<Value> = touches
            .iter()
            .map(|touch| json!({"clickId": touch.click_id, "linkId": touch.link_id, "timestamp": touch.at.to_iso()}))
            .collect();
        receipt.insert("touchpoints".to_owned(), touchpoints.into());
        receipt.insert("model".to_owned(), "last".into());
        receipt.insert("chain".to_owned(), self.chain(leads, customer));
        Value::Object(receipt)
    }

    /// Click → lead → customer → sale, with their times. What is missing is not in it.
    fn chain(&self, leads: &[Lead], customer: &Value) -> Value {
        let mut chain = Vec::new();
        if let (Some(click), Some(link)) = (&self.click_id, &self.link_id) {
            chain.push(
                json!({"kind": "click", "id": click, "linkId": link, "timestamp": iso(self.clicked_at)}),
            );
        }
        // The lead that this click brought (it may be told after the sale), else the latest before the sale.
        let lead = leads
            .iter()
            .find(|lead| lead.click_id.is_some() && lead.click_id == self.click_id)
            .or_else(|| leads.iter().filter(|lead| lead.at <= self.at).max_by_key(|lead| lead.at));
        if let Some(lead) = lead {
            chain.push(json!({"kind": "lead", "id": lead.id, "eventName": lead.event_name,
                "timestamp": lead.at.to_iso()}));
        }
        chain.push(
            json!({"kind": "customer", "id": self.customer_id, "externalId": customer.get("externalId"),
            "timestamp": customer.get("createdAt")}),
        );
        chain.push(json!({"kind": "sale", "id": self.id, "reference": self.reference,
            "timestamp": self.at.to_iso()}));
        chain.into()
    }
}

/// A number of milliseconds becomes a date, as everywhere in the API.
fn dated(value: &mut Value, name: &str) {
    if let Some(at) = value.get(name).and_then(Value::as_i64)
        && let Value::Object(map) = value
    {
        map.remove(name);
        map.insert("timestamp".to_owned(), Millis(at).to_iso().into());
    }
}

/// JSON text as JSON; `null` when there is none.
pub(super) fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale() -> Sale {
        serde_json::from_value(json!({
            "id": "sale_1", "customer_id": "cus_1", "account": "", "reference": "in_1", "at": 3000,
            "event_name": "Purchase", "amount": 2000, "currency": "usd", "tax": 0, "processor": "stripe",
            "invoice_id": "in_1", "click_id": "c1", "link_id": "link_1", "clicked_at": 1000,
            "rate_day": "1970-01-01", "touches": r#"[{"clickId":"c1","linkId":"link_1","at":1000}]"#,
            "receipt": r#"{"rule":"last_click","evidence":[{"eventId":"evt_1","at":3000,"says":"amount"}]}"#
        }))
        .unwrap()
    }

    fn entry(kind: &str, amount: i64) -> Entry {
        serde_json::from_value(
            json!({"id": kind, "sale_id": "sale_1", "kind": kind, "at": 5000, "amount": amount,
            "currency": "usd", "reference": null}),
        )
        .unwrap()
    }

    #[test]
    fn a_sale_adds_up_and_says_why() {
        let lead: Lead = serde_json::from_value(json!({"id": "lead_1", "at": 2000, "event_name": "Sign up",
            "quantity": 1, "click_id": "c1"}))
        .unwrap();
        let entries = [
            entry("sale", 2000),
            entry("refund", -700),
            entry("refund", 200),
            entry("dispute", -300),
            entry("reinstated", 300),
        ];
        let customer = json!({"externalId": "u1", "createdAt": "1970-01-01T00:00:00.500Z"});
        let net = Sum { amount: 1500, ..Sum::default() };
        let shown = sale().shown(&entries, &[lead], &customer, &net);
        assert_eq!(
            (shown["refunded"].as_i64(), shown["disputed"].as_i64(), shown["net"].as_i64()),
            (Some(500), Some(0), Some(1500))
        );
        assert_eq!(shown["attributed"], true);
        let receipt = &shown["receipt"];
        assert_eq!(receipt["rule"], "last_click");
        assert_eq!(receipt["evidence"][0]["timestamp"], "1970-01-01T00:00:03.000Z");
        let kinds: Vec<&str> =
            receipt["chain"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["click", "lead", "customer", "sale"]);
        let times: Vec<&str> = receipt["chain"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["timestamp"].as_str().unwrap())
            .collect();
        assert_eq!(times[0], "1970-01-01T00:00:01.000Z");
    }

    #[test]
    fn an_unattributed_sale_has_no_click_in_its_chain() {
        let sale = Sale { click_id: None, link_id: None, ..sale() };
        let shown = sale.shown(&[], &[], &Value::Null, &Sum::default());
        assert_eq!(shown["attributed"], false);
        assert_eq!(shown["receipt"]["chain"][0]["kind"], "customer");
    }
}
