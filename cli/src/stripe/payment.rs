//! Payment intents, charges, and what undoes them.

use serde_json::json;

use super::object::{Build, Object, builder};

builder! {
    /// A `payment_intent`.
    Intent
}

builder! {
    /// A `charge`.
    Charge
}

builder! {
    /// A `refund`.
    Refund
}

builder! {
    /// A `dispute`.
    Dispute
}

impl Intent {
    /// A payment intent whose money arrived.
    #[must_use]
    pub fn succeeded(id: &str) -> Self {
        let mut object =
            Object::from_fixture(include_str!("../../../tests/fixtures/stripe/payment_intent.json"));
        object.clear(&[
            "canceled_at",
            "last_payment_error",
            "next_action",
            "payment_method_configuration_details",
            "processing",
            "transfer_data",
        ]);
        object.set("id", id);
        object.set("status", "succeeded");
        object.set("client_secret", format!("{id}_secret"));
        object.set("managed_payments.enabled", false);
        Self(object).amount(1000, "usd")
    }

    /// `amount_received`.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount", minor).with("amount_received", minor).with("currency", currency)
    }

    /// `latest_charge`: `ch_…`
    #[must_use]
    pub fn charge(self, id: &str) -> Self {
        self.with("latest_charge", id)
    }

    /// The invoice it pays: `invoice` before basil; later versions do not say.
    #[must_use]
    pub fn invoice(mut self, id: &str) -> Self {
        self.0.links.invoice = Some(id.to_owned());
        self
    }
}

impl Charge {
    /// A captured charge.
    #[must_use]
    pub fn succeeded(id: &str) -> Self {
        let mut object = Object::from_fixture(include_str!("../../../tests/fixtures/stripe/charge.json"));
        object.clear(&["source", "transfer_data", "receipt_url"]);
        object.set("id", id);
        object.set("captured", true);
        object.set("description", "Subscription");
        // Absent from webhooks since 2022-11-15; `amount_refunded` is cumulative.
        if let Some(fields) = object.fields.as_object_mut() {
            fields.remove("refunds");
        }
        Self(object).amount(1000, "usd")
    }

    /// What was charged.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount", minor).with("amount_captured", minor).with("currency", currency)
    }

    /// What was refunded until now, all refunds together. Call it after [`Charge::amount`].
    #[must_use]
    pub fn refunded(self, minor: i64) -> Self {
        let whole = self.0.fields.get("amount").and_then(serde_json::Value::as_i64) == Some(minor);
        self.with("amount_refunded", minor).with("refunded", whole)
    }

    /// `payment_intent`: `pi_…`
    #[must_use]
    pub fn intent(self, id: &str) -> Self {
        self.with("payment_intent", id)
    }

    /// The invoice it pays: `invoice` before basil; later versions do not say.
    #[must_use]
    pub fn invoice(mut self, id: &str) -> Self {
        self.0.links.invoice = Some(id.to_owned());
        self
    }

    /// When it was charged, in seconds, if not at the time of the event.
    #[must_use]
    pub fn created(self, seconds: i64) -> Self {
        self.with("created", seconds)
    }
}

impl Refund {
    /// A refund that went through.
    #[must_use]
    pub fn succeeded(id: &str, charge: &str) -> Self {
        let mut object = Object::from_fixture(include_str!("../../../tests/fixtures/stripe/refund.json"));
        object.set("id", id);
        object.set("charge", charge);
        Self(object)
    }

    /// What goes back to the buyer.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount", minor).with("currency", currency)
    }

    /// `pending`, `requires_action`, `succeeded`, `failed`, `canceled`.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.with("status", status)
    }

    /// `payment_intent`: `pi_…`
    #[must_use]
    pub fn intent(self, id: &str) -> Self {
        self.with("payment_intent", id)
    }
}

impl Dispute {
    /// A dispute that needs a response.
    #[must_use]
    pub fn opened(id: &str, charge: &str) -> Self {
        let mut object = Object::from_fixture(include_str!("../../../tests/fixtures/stripe/dispute.json"));
        object.set("id", id);
        object.set("charge", charge);
        object.set("status", "needs_response");
        object.set("reason", "fraudulent");
        object.set("payment_method_details.card.case_type", "chargeback");
        object.set(
            "evidence_details",
            json!({"due_by": null, "has_evidence": false, "past_due": false, "submission_count": 0}),
        );
        Self(object)
    }

    /// What the buyer disputes.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount", minor).with("currency", currency)
    }

    /// `needs_response`, `under_review`, `won`, `lost`, `warning_needs_response`, `warning_closed`, …
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.with("status", status)
    }

    /// `payment_intent`: `pi_…`
    #[must_use]
    pub fn intent(self, id: &str) -> Self {
        self.with("payment_intent", id)
    }
}
