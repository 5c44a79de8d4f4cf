//! Stripe customers.

use super::object::{Build, Object, builder};

builder! {
    /// A `customer`.
    Customer
}

impl Customer {
    /// A customer without name, e-mail or metadata.
    #[must_use]
    pub fn new(id: &str) -> Self {
        let mut object = Object::from_fixture(include_str!("../../../tests/fixtures/stripe/customer.json"));
        object.clear(&["discount", "shipping"]);
        object.set("id", id);
        Self(object)
    }

    /// Shown, never merged by.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.with("name", name)
    }

    /// Shown, never merged by.
    #[must_use]
    pub fn email(self, email: &str) -> Self {
        self.with("email", email)
    }
}
