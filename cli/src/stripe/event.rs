//! Events: an object, what happened to it, when, and in which version it is told.

use pimms_edge::core::ids::sha256_hex;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::stripe::signature;
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use super::object::{Object, put};
use super::shape;

/// The API version whose shape an event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `2024-06-20`: invoices and payments name each other.
    V2024,
    /// `2025-03-31.basil`: an invoice names its subscription under `parent`, and no payment.
    #[default]
    Basil,
    /// `2025-09-30.clover`: as basil.
    Clover,
}

impl Version {
    /// As in `event.api_version`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024 => "2024-06-20",
            Self::Basil => "2025-03-31.basil",
            Self::Clover => "2025-09-30.clover",
        }
    }

    pub(super) fn is_before_basil(self) -> bool {
        self == Self::V2024
    }
}

/// A Stripe event.
///
/// Its id is made from what it says unless one is given: the same event has the same id whenever it is built.
#[derive(Debug, Clone)]
pub struct Event {
    id: Option<String>,
    kind: String,
    created: i64,
    mode: Mode,
    account: Option<String>,
    version: Version,
    object: Object,
}

/// An event as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The body, byte for byte.
    pub body: String,
    /// The `Stripe-Signature` header.
    pub signature: String,
}

impl Event {
    /// `kind`: `checkout.session.completed`, `invoice.paid`, … Live mode, basil, 2025-11-13.
    #[must_use]
    pub fn new(kind: &str, object: impl Into<Object>) -> Self {
        Self {
            id: None,
            kind: kind.to_owned(),
            created: 1_763_000_000,
            mode: Mode::Live,
            account: None,
            version: Version::default(),
            object: object.into(),
        }
    }

    /// Its `evt_…` id, instead of one made from what it says.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// `created`, in seconds.
    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        self.created = seconds;
        self
    }

    /// `livemode`.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The connected account it belongs to.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// The API version it is rendered in.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Its mode.
    #[must_use]
    pub fn world(&self) -> Mode {
        self.mode
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its time, in seconds.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created
    }

    /// The object it is about.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Its id.
    #[must_use]
    pub fn event_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| {
            let says = format!(
                "{}|{}|{}|{:?}|{}",
                self.kind,
                self.created,
                self.mode.as_str(),
                self.account,
                shape::render(&self.object, Version::default())
            );
            let digest: String = sha256_hex(says.as_bytes()).chars().take(24).collect();
            format!("evt_{digest}")
        })
    }

    /// The whole event.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = shape::render(&self.object, self.version);
        // Examples carry 2009-02-13 as their time of creation; an object is about as old as its event.
        if object.get("created").and_then(Value::as_i64).is_some_and(|created| created < 1_400_000_000) {
            put(&mut object, "created", self.created.into());
        }
        if object.get("livemode").is_some() {
            put(&mut object, "livemode", (self.mode == Mode::Live).into());
        }
        let mut event = json!({
            "id": self.event_id(),
            "object": "event",
            "api_version": self.version.as_str(),
            "created": self.created,
            "data": {"object": object},
            "livemode": self.mode == Mode::Live,
            "pending_webhooks": 1,
            "request": {"id": null, "idempotency_key": null},
            "type": self.kind,
        });
        if let Some(account) = &self.account {
            put(&mut event, "account", account.as_str().into());
        }
        event
    }

    /// The body of its delivery.
    #[must_use]
    pub fn body(&self) -> String {
        self.json().to_string()
    }

    /// Signs it as Stripe does at `now`, in seconds.
    #[must_use]
    pub fn sign(&self, secret: &str, now: i64) -> Delivery {
        let body = self.body();
        let signature = sign(&body, secret, now);
        Delivery { body, signature }
    }
}

/// The `Stripe-Signature` header of `body` at `now`, in seconds.
#[must_use]
pub fn sign(body: &str, secret: &str, now: i64) -> String {
    signature::sign(body.as_bytes(), secret, Millis(now.saturating_mul(1000)))
}
