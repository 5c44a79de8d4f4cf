//! Checkout sessions.

use serde_json::{Value, json};

use super::object::{Build, Object, builder};

builder! {
    /// A `checkout.session`.
    Session
}

impl Session {
    /// A completed session in payment mode whose money is there.
    #[must_use]
    pub fn paid(id: &str) -> Self {
        let mut object =
            Object::from_fixture(include_str!("../../../tests/fixtures/stripe/checkout.session.json"));
        object.clear(&[
            "after_expiration",
            "collected_information",
            "currency_conversion",
            "custom_text",
            "customer_details.email",
            "invoice",
            "payment_intent",
            "payment_method_configuration_details",
            "shipping_address_collection",
            "shipping_cost",
        ]);
        object.set("id", id);
        object.set("status", "complete");
        object.set("payment_status", "paid");
        object.set("adaptive_pricing.enabled", false);
        object.set("invoice_creation.enabled", false);
        object.set("managed_payments.enabled", false);
        object.set("total_details", json!({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}));
        object.set("url", Value::Null);
        Self(object)
    }

    /// Completed with a delayed payment method: the money is not there yet.
    #[must_use]
    pub fn unpaid(id: &str) -> Self {
        Self::paid(id).with("payment_status", "unpaid")
    }

    /// Completed with nothing to pay: a trial or a 100 % coupon.
    #[must_use]
    pub fn free(id: &str) -> Self {
        Self::paid(id).with("payment_status", "no_payment_required").amount(0, "usd")
    }

    /// A session that only stores a payment method.
    #[must_use]
    pub fn setup(id: &str) -> Self {
        Self::paid(id)
            .with("mode", "setup")
            .with("payment_status", "no_payment_required")
            .with("setup_intent", format!("seti_{id}"))
    }

    /// Never completed.
    #[must_use]
    pub fn expired(id: &str) -> Self {
        Self::paid(id).with("payment_status", "unpaid").with("status", "expired")
    }

    /// `amount_total` in minor units of `currency`, the merchant's.
    #[must_use]
    pub fn amount(self, minor: i64, currency: &str) -> Self {
        self.with("amount_total", minor).with("amount_subtotal", minor).with("currency", currency)
    }

    /// How much of the amount is tax.
    #[must_use]
    pub fn tax(self, minor: i64) -> Self {
        self.with("total_details.amount_tax", minor)
    }

    /// What the buyer saw, with adaptive pricing: `currency_conversion` or `presentment_details`.
    #[must_use]
    pub fn presented(mut self, minor: i64, currency: &str) -> Self {
        self.0.links.presented = Some((minor, currency.to_owned()));
        self
    }

    /// `payment_intent`: `pi_…`, in payment mode.
    #[must_use]
    pub fn intent(self, id: &str) -> Self {
        self.with("payment_intent", id)
    }

    /// `invoice`: `in_…`
    #[must_use]
    pub fn invoice(self, id: &str) -> Self {
        self.with("invoice", id)
    }

    /// Mode `subscription`, and the subscription made.
    #[must_use]
    pub fn subscription(self, id: &str) -> Self {
        self.with("mode", "subscription").with("subscription", id)
    }

    /// `client_reference_id`, as given.
    #[must_use]
    pub fn reference(self, text: &str) -> Self {
        self.with("client_reference_id", text)
    }

    /// `client_reference_id=pimms_id_<click id>`, as a tracked payment link passes it.
    #[must_use]
    pub fn referred_by_click(self, click_id: &str) -> Self {
        self.reference(&format!("pimms_id_{click_id}"))
    }

    /// The buyer's e-mail.
    #[must_use]
    pub fn email(self, email: &str) -> Self {
        self.with("customer_details.email", email)
    }

    /// The buyer's name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.with("customer_details.name", name)
    }
}
