//! What every Stripe object in the making has in common.

use serde_json::{Map, Value, json};

/// A Stripe object, and the ids whose place depends on the API version.
#[derive(Debug, Clone)]
pub struct Object {
    pub(super) fields: Value,
    pub(super) links: Links,
    pub(super) expanded: bool,
}

/// Ids that older and newer API versions keep in different places, or not at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) invoice: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) subscription_metadata: Map<String, Value>,
    pub(super) intent: Option<String>,
    pub(super) charge: Option<String>,
    pub(super) tax: Option<i64>,
    pub(super) presented: Option<(i64, String)>,
}

impl Object {
    /// From a published example, which is embedded text.
    pub(super) fn from_fixture(text: &str) -> Self {
        // The fixtures are compiled in, and a test of each builder reads them.
        let fields = serde_json::from_str(text).unwrap_or_default();
        Self { fields, links: Links::default(), expanded: false }
    }

    /// Sets the field at a dotted path; objects on the way are made as needed.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Value>) {
        put(&mut self.fields, path, value.into());
    }

    /// Sets several fields to null: placeholders of the example that no real object of this kind would carry.
    pub(super) fn clear(&mut self, paths: &[&str]) {
        for path in paths {
            self.set(path, Value::Null);
        }
    }

    /// Its own id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.fields.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// `checkout.session`, `invoice`, …
    #[must_use]
    pub fn kind(&self) -> &str {
        self.fields.get("object").and_then(Value::as_str).unwrap_or_default()
    }
}

pub(super) fn put(target: &mut Value, path: &str, value: Value) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    if !target.is_object() {
        *target = json!({});
    }
    let Some(fields) = target.as_object_mut() else { return };
    match rest {
        Some(rest) => put(fields.entry(name).or_insert(Value::Null), rest, value),
        None => {
            fields.insert(name.to_owned(), value);
        }
    }
}

/// Setters that every Stripe object has.
pub trait Build: Sized + Into<Object> {
    /// The object behind the builder.
    fn object(&mut self) -> &mut Object;

    /// Sets the field at a dotted path, whatever it is.
    #[must_use]
    fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.object().set(path, value);
        self
    }

    /// One entry of its metadata.
    #[must_use]
    fn metadata(mut self, name: &str, value: &str) -> Self {
        if !self.object().fields.get("metadata").is_some_and(Value::is_object) {
            self.object().set("metadata", json!({}));
        }
        if let Some(Value::Object(metadata)) = self.object().fields.get_mut("metadata") {
            metadata.insert(name.to_owned(), value.into());
        }
        self
    }

    /// `metadata.pimmsCustomerId`: the merchant's own id of the customer.
    #[must_use]
    fn external_id(self, id: &str) -> Self {
        self.metadata("pimmsCustomerId", id)
    }

    /// `metadata.pimmsClickId`.
    #[must_use]
    fn click_id(self, id: &str) -> Self {
        self.metadata("pimmsClickId", id)
    }

    /// `customer`: `cus_…`
    #[must_use]
    fn customer(self, id: &str) -> Self {
        self.with("customer", id)
    }

    /// References to other objects become those objects, as with `expand[]`.
    #[must_use]
    fn expanded(mut self) -> Self {
        self.object().expanded = true;
        self
    }
}

/// Makes `$name` a builder around an [`Object`].
macro_rules! builder {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub(super) $crate::stripe::Object);

        impl $crate::stripe::Build for $name {
            fn object(&mut self) -> &mut $crate::stripe::Object {
                &mut self.0
            }
        }

        impl From<$name> for $crate::stripe::Object {
            fn from(builder: $name) -> Self {
                builder.0
            }
        }
    };
}
pub(super) use builder;
