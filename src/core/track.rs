//! `POST /track/lead` and `POST /track/sale`: what a call must say, and the facts it states.
//!
//! Source: wire contract 3.4 and 3.5, with the corrections of its section 11.

use serde_json::{Value, json};

use crate::core::ids;
use crate::core::ledger::fact::{Body, Fact, PaymentRefs, Person, Source, Touch};
use crate::core::ledger::messages::Shown;
use crate::core::money::Currency;
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Text};

/// The longest external id, name, e-mail and leads' event name the contract allows.
const MAX_TEXT: usize = 100;
/// The longest event name.
const MAX_EVENT_NAME: usize = 255;
/// The longest metadata, serialised.
const MAX_METADATA: usize = 10_000;
/// The longest avatar address.
const MAX_AVATAR: usize = 2048;
/// The most leads one call may report.
const MAX_QUANTITY: i64 = 100;

/// A lead, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadCall {
    /// Empty: the customer's own latest click is meant (Dub).
    pub click_id: String,
    /// As given.
    pub event_name: String,
    /// Who.
    pub person: Person,
    /// How many; 0 with `mode: deferred`.
    pub quantity: i64,
    /// JSON object as text.
    pub metadata: Option<String>,
}

/// A sale, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleCall {
    /// Who.
    pub person: Person,
    /// A click given with the sale.
    pub click_id: Option<String>,
    /// Minor units, ≥ 0.
    pub amount: i64,
    /// As charged.
    pub currency: Currency,
    /// `stripe`, … `custom`.
    pub processor: String,
    /// Default `Purchase`.
    pub event_name: String,
    /// What the lead is called when the sale brings its own click and is the first that is known of the customer.
    pub lead_event_name: Option<String>,
    /// What makes the call idempotent.
    pub invoice_id: Option<String>,
    /// JSON object as text.
    pub metadata: Option<String>,
}

impl LeadCall {
    /// Reads a body.
    ///
    /// # Errors
    /// 422 naming the first wrong field; 400 when no external id is given.
    pub fn read(body: &Value) -> Result<Self, Problem> {
        let fields = &Fields::root(body)?;
        let click_id = text(fields, "clickId", 200)?.unwrap_or_default();
        let event_name =
            fields.required_text("eventName", Text::up_to(MAX_EVENT_NAME).trimmed().at_least(1))?;
        let person = person(fields, &["customerExternalId", "externalId", "customerId"])?;
        let deferred = fields.choice("mode", &["async", "wait", "deferred"])?.value() == Some("deferred");
        let quantity =
            fields.integer("eventQuantity", 0, MAX_QUANTITY)?.value().filter(|n| *n > 0).unwrap_or(1);
        Ok(Self {
            click_id,
            event_name,
            person,
            quantity: if deferred { 0 } else { quantity },
            metadata: metadata(fields)?,
        })
    }

    /// What makes a repeated call the same one: customer, event and click. Never expires.
    #[must_use]
    pub fn claim(&self, click_id: &str) -> String {
        let external = self.person.external_id.as_deref().unwrap_or_default();
        let name = json!([external, self.event_name.to_lowercase(), click_id, self.quantity == 0]);
        format!("lead:{}", ids::sha256_hex(name.to_string().as_bytes()))
    }

    /// The fact it states.
    #[must_use]
    pub fn fact(self, event_id: String, at: Millis, touch: Option<Touch>) -> Fact {
        Fact {
            source: Source { event_id, event_type: "track.lead".into(), at, account: String::new() },
            body: Body::Lead {
                person: self.person,
                touches: touch.into_iter().collect(),
                event_name: self.event_name,
                quantity: self.quantity,
                metadata: self.metadata,
            },
        }
    }

    /// The answer: the request's own words (contract), with the link of the click.
    #[must_use]
    pub fn answer(&self, click_id: &str, link: &Value) -> Value {
        let person = &self.person;
        json!({
            "click": {"id": click_id},
            "link": link,
            "customer": {"name": person.name, "email": person.email, "avatar": person.avatar,
                "externalId": person.external_id},
            "clickId": click_id, "customerName": person.name, "customerEmail": person.email,
            "customerAvatar": person.avatar,
        })
    }
}

impl SaleCall {
    /// Reads a body.
    ///
    /// # Errors
    /// 422 naming the first wrong field; 400 when no external id is given.
    pub fn read(body: &Value) -> Result<Self, Problem> {
        let fields = &Fields::root(body)?;
        let amount = fields.required("amount", fields.amount("amount")?)?;
        let code = text(fields, "currency", 10)?.unwrap_or_else(|| "usd".into());
        let currency = Currency::parse(&code)
            .ok_or_else(|| Problem::invalid("custom", "currency", "Expected a currency code of ISO 4217"))?;
        let processor = text(fields, "paymentProcessor", MAX_EVENT_NAME)?.unwrap_or_else(|| "custom".into());
        let processor = processor.to_lowercase();
        let known = ["stripe", "shopify", "polar", "paddle", "paypal", "apple", "revenuecat", "lemonsqueezy"];
        Ok(Self {
            person: person(fields, &["customerExternalId", "customerId", "externalId"])?,
            click_id: text(fields, "clickId", 200)?,
            amount,
            currency,
            processor: if known.contains(&processor.as_str()) { processor } else { "custom".into() },
            event_name: text(fields, "eventName", MAX_EVENT_NAME)?.unwrap_or_else(|| "Purchase".into()),
            lead_event_name: text(fields, "leadEventName", MAX_EVENT_NAME)?,
            invoice_id: text(fields, "invoiceId", MAX_EVENT_NAME)?,
            metadata: metadata(fields)?,
        })
    }

    /// What makes a repeated call the same one; without an invoice id every call is a payment of its own.
    #[must_use]
    pub fn claim(&self) -> Option<String> {
        self.invoice_id.as_ref().map(|id| format!("sale:{id}"))
    }

    /// The fact it states.
    #[must_use]
    pub fn fact(self, event_id: String, at: Millis, touch: Option<Touch>) -> Fact {
        Fact {
            source: Source { event_id, event_type: "track.sale".into(), at, account: String::new() },
            body: Body::TrackedSale {
                person: self.person,
                touches: touch.into_iter().collect(),
                refs: PaymentRefs { tracked: self.invoice_id, ..PaymentRefs::default() },
                amount: self.amount,
                currency: self.currency,
                event_name: self.event_name,
                processor: self.processor,
                metadata: self.metadata,
                lead_event_name: self.lead_event_name,
            },
        }
    }

    /// The answer for a customer that is known.
    #[must_use]
    pub fn answer(&self, customer_id: &str, shown: &Shown) -> Value {
        let metadata: Value =
            self.metadata.as_deref().and_then(|m| serde_json::from_str(m).ok()).unwrap_or_default();
        let sale = json!({"amount": self.amount, "currency": self.currency, "paymentProcessor": self.processor,
            "invoiceId": self.invoice_id, "metadata": metadata});
        json!({
            "eventName": self.event_name,
            "customer": {"id": customer_id, "name": shown.name, "email": shown.email, "avatar": shown.avatar,
                "externalId": self.person.external_id},
            "sale": sale,
            "amount": self.amount, "currency": self.currency, "invoiceId": self.invoice_id,
            "paymentProcessor": self.processor, "metadata": metadata,
        })
    }

    /// The answer while nobody knows the customer; the sale is kept and shows once a lead or Stripe does.
    #[must_use]
    pub fn answer_unknown(&self) -> Value {
        json!({"eventName": self.event_name, "customer": null, "sale": null})
    }
}

/// A text, trimmed; null and "" are none.
fn text(fields: &Fields<'_>, name: &str, max: usize) -> Result<Option<String>, Problem> {
    Ok(fields.text(name, Text::up_to(max).trimmed())?.value().filter(|text| !text.is_empty()))
}

/// The person; the first of `ids` that is set is the external id.
fn person(fields: &Fields<'_>, ids: &[&str]) -> Result<Person, Problem> {
    let mut external_id = None;
    for name in ids {
        // What a template leaves unfilled is no id.
        let given = text(fields, name, MAX_TEXT)?.filter(|id| !matches!(id.as_str(), "null" | "undefined"));
        external_id = external_id.or(given);
    }
    if external_id.is_none() {
        return Err(Problem::bad_request(
            "externalId is required: the id of the customer in your own system.",
        ));
    }
    Ok(Person {
        external_id,
        name: text(fields, "customerName", MAX_TEXT)?,
        email: match text(fields, "customerEmail", MAX_TEXT)? {
            Some(_) => fields.email("customerEmail", MAX_TEXT)?.value(),
            None => None,
        },
        avatar: text(fields, "customerAvatar", MAX_AVATAR)?,
        ..Person::default()
    })
}

fn metadata(fields: &Fields<'_>) -> Result<Option<String>, Problem> {
    let Some(object) = fields.object("metadata")?.value() else { return Ok(None) };
    let text = serde_json::to_string(object).unwrap_or_default();
    if text.len() > MAX_METADATA {
        let message = format!("Metadata must be at most {MAX_METADATA} characters when serialised");
        return Err(Problem::invalid("too_big", "metadata", &message));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_fields_are_named() {
        let base = json!({"externalId": "u1", "amount": 1, "paymentProcessor": "stripe"});
        for (field, value, expected) in [
            ("amount", json!(-5), "too_small: amount: amount cannot be negative"),
            ("amount", json!(1.5), "invalid_type: amount: Expected integer, received float"),
            ("amount", json!("5"), "invalid_type: amount: Expected number, received string"),
            ("amount", Value::Null, "invalid_type: amount: amount is required"),
            ("currency", json!("zzzz"), "custom: currency: Expected a currency code of ISO 4217"),
            ("customerEmail", json!("x"), "invalid_string: customerEmail: Invalid email"),
            ("metadata", json!([]), "invalid_type: metadata: Expected object, received array"),
            ("invoiceId", json!(7), "invalid_type: invoiceId: Expected string, received number"),
        ] {
            let mut body = base.clone();
            body[field] = value;
            assert_eq!(SaleCall::read(&body).unwrap_err().message, expected);
        }
        assert!(SaleCall::read(&base).is_ok());
        assert!(
            SaleCall::read(&json!({"amount": 1})).unwrap_err().message.starts_with("externalId is required")
        );
    }

    #[test]
    fn the_contracts_names_have_their_precedence() {
        let body = json!({"customerExternalId": "a", "externalId": "b", "customerId": "c", "clickId": "x",
            "eventName": "Sign up", "amount": 1});
        assert_eq!(LeadCall::read(&body).unwrap().person.external_id.as_deref(), Some("a"));
        let body =
            json!({"externalId": "b", "customerId": "c", "clickId": "x", "eventName": "e", "amount": 1});
        assert_eq!(LeadCall::read(&body).unwrap().person.external_id.as_deref(), Some("b"));
        assert_eq!(SaleCall::read(&body).unwrap().person.external_id.as_deref(), Some("c"));
    }

    #[test]
    fn processors_outside_the_list_are_custom() {
        let body = json!({"externalId": "u", "amount": 1, "paymentProcessor": "Stripe"});
        assert_eq!(SaleCall::read(&body).unwrap().processor, "stripe");
        let body = json!({"externalId": "u", "amount": 1, "paymentProcessor": "x"});
        assert_eq!(SaleCall::read(&body).unwrap().processor, "custom");
    }
}
