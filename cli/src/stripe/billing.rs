//! Invoices, what paid them, and subscriptions.

use serde_json::{Value, json};

use super::object::{Build, Object, builder};

builder! {
    /// An `invoice`.
    Invoice
}

builder! {
    /// An `invoice_payment`: since basil the only pushed link between an invoice and what paid it.
    InvoicePayment
}

builder! {
    /// A `subscription`.
    Subscription
}

impl Invoice {
    /// A paid invoice.
    #[must_use]
    pub fn paid(id: &str) -> Self {
        let mut object = Object::from_fixture(include_str!("../../../tests/fixtures/stripe/invoice.json"));
        object.clear(&[
            "customer",
            "due_date",
            "from_invoice",
            "last_finalization_error",
            "next_payment_attempt",
            "parent",
            "payment_settings.payment_method_options",
            "shipping_cost",
            "shipping_details",
            "webhooks_delivered_at",
        ]);
        object.set("id", id);
        object.set("status", "paid");
        object.set("attempted", true);
        object.set("attempt_count", 1);
        object.set("amount_overpaid", 0);
        object.set("amount_remaining", 0);
        object.set("lines.url", format!("/v1/invoices/{id}/lines"));
        if let Some(Value::Array(lines)) = object.fields.pointer_mut("/lines/data") {
            for line in lines {
                super::object::put(line, "invoice", id.into());
                super::object::put(line, "parent", Value::Null);
                super::object::put(line, "subtotal", 1000.into());
            }
        }
        Self(object).amount(1000, "usd")
    }

    /// Voided: it counts no longer.
    #[must_use]
    pub fn voided(id: &str) -> Self {
        Self::paid(id).with("status", "void").with("amount_paid", 0)
    }

    /// What was paid, which is also all that was due.
    #[must_use]
    pub fn amount(mut self, minor: i64, currency: &str) -> Self {
        for field in ["amount_paid", "amount_due", "total", "subtotal"] {
            self.0.set(field, minor);
        }
        self.0.set("subtotal_excluding_tax", minor);
        self.0.set("total_excluding_tax", minor);
        self.0.set("currency", currency);
        if let Some(Value::Array(lines)) = self.0.fields.pointer_mut("/lines/data") {
            for line in lines {
                super::object::put(line, "amount", minor.into());
                super::object::put(line, "subtotal", minor.into());
                super::object::put(line, "currency", currency.into());
            }
        }
        self
    }

    /// How much of the amount is tax: `total_taxes`, or `tax` before basil.
    #[must_use]
    pub fn tax(mut self, minor: i64) -> Self {
        self.0.links.tax = Some(minor);
        self
    }

    /// Part of the total came from the customer's credit balance: `amount_paid` is what was charged.
    #[must_use]
    pub fn from_credit(self, total: i64, amount_paid: i64) -> Self {
        self.with("total", total)
            .with("subtotal", total)
            .with("amount_due", amount_paid)
            .with("amount_paid", amount_paid)
            .with("starting_balance", amount_paid - total)
            .with("ending_balance", 0)
    }

    /// Paid outside Stripe.
    #[must_use]
    pub fn out_of_band(self) -> Self {
        self.with("paid_out_of_band", true)
    }

    /// The subscription it bills, and why: `subscription_create`, `subscription_cycle`, `subscription_update`.
    #[must_use]
    pub fn subscription(mut self, id: &str, billing_reason: &str) -> Self {
        self.0.links.subscription = Some(id.to_owned());
        self.with("billing_reason", billing_reason)
    }

    /// One entry of the subscription's metadata, which its invoices repeat.
    #[must_use]
    pub fn subscription_metadata(mut self, name: &str, value: &str) -> Self {
        self.0.links.subscription_metadata.insert(name.to_owned(), value.into());
        self
    }

    /// What paid it: `payment_intent` before basil; later versions do not say.
    #[must_use]
    pub fn intent(mut self, id: &str) -> Self {
        self.0.links.intent = Some(id.to_owned());
        self
    }

    /// The charge: `charge` before basil; later versions do not say.
    #[must_use]
    pub fn charge(mut self, id: &str) -> Self {
        self.0.links.charge = Some(id.to_owned());
        self
    }

    /// `payments.data[]`, as a caller of the API sees it with `expand[]`: payment intents and their parts.
    #[must_use]
    pub fn payments(self, parts: &[(&str, i64)]) -> Self {
        let data: Vec<Value> = parts
            .iter()
            .map(|(intent, amount)| {
                json!({
                    "id": format!("inpay_{intent}"),
                    "object": "invoice_payment",
                    "amount_paid": amount,
                    "status": "paid",
                    "payment": {"type": "payment_intent", "payment_intent": intent},
                })
            })
            .collect();
        self.with("payments", json!({"object": "list", "data": data, "has_more": false}))
    }

    /// The customer's e-mail as it was then.
    #[must_use]
    pub fn email(self, email: &str) -> Self {
        self.with("customer_email", email)
    }
}

impl InvoicePayment {
    /// A payment intent that paid (part of) an invoice.
    #[must_use]
    pub fn paid(id: &str, invoice: &str, intent: &str) -> Self {
        let mut object =
            Object::from_fixture(include_str!("../../../tests/fixtures/stripe/invoice_payment.json"));
        object.set("id", id);
        object.set("invoice", invoice);
        object.set("payment", json!({"type": "payment_intent", "payment_intent": intent}));
        object.set("status", "paid");
        Self(object).amount(1000, "usd")
    }

    /// The part of the invoice it paid.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount_paid", minor).with("amount_requested", minor).with("currency", currency)
    }
}

impl Subscription {
    /// An active subscription.
    #[must_use]
    pub fn active(id: &str) -> Self {
        let mut object =
            Object::from_fixture(include_str!("../../../tests/fixtures/stripe/subscription.json"));
        object.clear(&[
            "billing_cycle_anchor_config",
            "billing_schedules",
            "billing_thresholds",
            "cancel_at",
            "canceled_at",
            "customer",
            "ended_at",
            "next_pending_invoice_item_invoice",
            "pause_collection",
            "pending_invoice_item_interval",
            "pending_update",
            "transfer_data",
            "trial_end",
            "trial_start",
        ]);
        object.set("id", id);
        object.set("status", "active");
        object.set("cancel_at_period_end", false);
        object.set("managed_payments.enabled", false);
        object.set("items.url", format!("/v1/subscription_items?subscription={id}"));
        if let Some(Value::Array(items)) = object.fields.pointer_mut("/items/data") {
            for item in items {
                super::object::put(item, "subscription", id.into());
                super::object::put(item, "billing_thresholds", Value::Null);
                super::object::put(item, "price.transform_quantity", Value::Null);
                if let Some(fields) = item.as_object_mut() {
                    fields.remove("plan");
                }
            }
        }
        Self(object).price(2000, "usd", "month")
    }

    /// Status `trialing`, `past_due`, `canceled`, …
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.with("status", status)
    }

    /// One item of `minor` an `interval` (`day`, `week`, `month`, `year`).
    #[must_use]
    pub fn price(mut self, minor: i64, currency: &str, interval: &str) -> Self {
        if let Some(item) = self.0.fields.pointer_mut("/items/data/0") {
            super::object::put(item, "price.unit_amount", minor.into());
            super::object::put(item, "price.unit_amount_decimal", minor.to_string().into());
            super::object::put(item, "price.currency", currency.into());
            super::object::put(item, "price.recurring.interval", interval.into());
        }
        self.with("currency", currency)
    }

    /// Of its one item.
    #[must_use]
    pub fn quantity(mut self, quantity: i64) -> Self {
        if let Some(item) = self.0.fields.pointer_mut("/items/data/0") {
            super::object::put(item, "quantity", quantity.into());
        }
        self
    }

    /// When it began, in seconds.
    #[must_use]
    pub fn started(self, seconds: i64) -> Self {
        self.with("start_date", seconds).with("billing_cycle_anchor", seconds)
    }

    /// Cancelled and over since then, in seconds.
    #[must_use]
    pub fn ended(self, seconds: i64) -> Self {
        self.status("canceled").with("ended_at", seconds).with("canceled_at", seconds)
    }
}
