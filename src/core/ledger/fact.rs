//! Facts: what an accepted event says, reduced to what the ledger needs.
//!
//! A fact is never changed and never ranked by arrival. Its key is a hash of its content, so the same event
//! delivered any number of times is one fact, while two renderings of one event (two API versions) are two
//! facts whose references are both used.
//!
//! Wire form: tagged JSON, stored in Durable Objects for ever; fields are only ever added, with a default.

use serde::{Deserialize, Serialize};

use crate::core::click_id::{Keys, Refusal};
use crate::core::ids;
use crate::core::money::Currency;
use crate::core::time::Millis;

/// The type of what the owner says of a customer by API. Its empty texts clear; anybody else's say nothing.
pub const OWNER_EVENT: &str = "api.customer";

/// One accepted statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Where it comes from.
    pub source: Source,
    /// What it says.
    pub body: Body,
}

/// The event behind a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Stripe's `evt_…`, or the id we gave a track call.
    pub event_id: String,
    /// Stripe's type, or `track.lead`, `track.sale`.
    pub event_type: String,
    /// Stripe's `created`; the time of receipt for track calls.
    pub at: Millis,
    /// The connected account, `""` for the workspace's own.
    #[serde(default)]
    pub account: String,
}

/// A click id as somebody passed it, with what its check said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The id, at most 200 characters of it.
    pub click_id: String,
    /// Whether it counts.
    pub verdict: TouchVerdict,
}

/// What the check of a click id said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TouchVerdict {
    /// Proven by its MAC, or (ids issued elsewhere) by its click row.
    Click {
        /// The link clicked.
        link_id: String,
        /// When it was clicked.
        at: Millis,
    },
    /// No touchpoint; the reason is shown on receipts.
    Refused(String),
}

/// Ids that name one payment. Scoped by the source's account, except `tracked`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentRefs {
    /// `cs_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// `in_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// `pi_…`; an invoice may be paid by several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<String>,
    /// `ch_…`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<String>,
    /// `invoiceId` of `/track/sale`: any text, possibly one of the above, of whichever account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked: Option<String>,
}

/// Who an event speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Our own `cus_…`, where the owner speaks of a customer that is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The merchant's own id (`metadata.pimmsCustomerId`, `externalId`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `cus_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_id: Option<String>,
    /// Shown, never merged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Shown, never merged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// What was charged in the buyer's currency when that is not the merchant's (adaptive pricing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presentment {
    /// Minor units.
    pub amount: i64,
    /// The buyer's currency.
    pub currency: Currency,
}

/// Whether a checkout session has been paid, as one event tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// `payment_status` paid, or the delayed payment succeeded.
    Paid,
    /// A delayed payment method: the money is not there yet.
    Pending,
    /// Nothing to pay (trial, 100 % coupon, set-up): a conversion without money.
    NoPayment,
    /// The delayed payment failed.
    Failed,
    /// Never completed.
    Expired,
}

/// The state of a refund, as one event tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Pending or requires action: the money is promised, and counted.
    Pending,
    /// Done.
    Succeeded,
    /// Failed or cancelled: the money came back.
    Failed,
}

/// Which moment of a dispute an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeMoment {
    /// Opened, or changed without money.
    State,
    /// Money left.
    Withdrawn,
    /// Money came back.
    Reinstated,
    /// Decided.
    Closed,
}

/// Which change of a customer an event tells; later ones rank higher within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerChange {
    /// `customer.created`
    Created,
    /// `customer.updated`
    Updated,
    /// `customer.deleted`
    Deleted,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `POST /track/lead`.
    Lead {
        /// Who.
        person: Person,
        /// The click that brought them.
        touches: Vec<Touch>,
        /// As given; leads are one per (customer, event name).
        event_name: String,
        /// How many.
        quantity: i64,
        /// A JSON object as text.
        metadata: Option<String>,
    },
    /// `POST /track/sale`.
    TrackedSale {
        /// Who.
        person: Person,
        /// A click given with the sale itself.
        touches: Vec<Touch>,
        /// `tracked` is the `invoiceId`; without one, the call is its own payment.
        refs: PaymentRefs,
        /// Minor units, ≥ 0.
        amount: i64,
        /// As charged.
        currency: Currency,
        /// As given, default `Purchase`.
        event_name: String,
        /// `stripe`, `shopify`, … `custom`.
        processor: String,
        /// A JSON object as text.
        metadata: Option<String>,
        /// What the lead is called that a sale with a click implies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead_event_name: Option<String>,
    },
    /// A checkout session.
    Session {
        /// `session` is its own id.
        refs: PaymentRefs,
        /// Who.
        person: Person,
        /// Its `client_reference_id` and metadata.
        touches: Vec<Touch>,
        /// A `client_reference_id` that is no click id.
        reference: Option<String>,
        /// Paid or not, as this event says.
        state: SessionState,
        /// Whether it creates a subscription (names the sale's event).
        subscription_mode: bool,
        /// `sub_…`
        subscription: Option<String>,
        /// `amount_total` in the merchant's currency, ≥ 0.
        amount: i64,
        /// The merchant's currency; `None` in set-up mode.
        currency: Option<Currency>,
        /// Of which tax.
        tax: i64,
        /// What the buyer saw.
        presentment: Option<Presentment>,
    },
    /// A paid invoice.
    Invoice {
        /// `invoice` is its own id.
        refs: PaymentRefs,
        /// Who.
        person: Person,
        /// `sub_…`
        subscription: Option<String>,
        /// Click ids in the metadata of the subscription or the invoice.
        touches: Vec<Touch>,
        /// `amount_paid` (or paid out of band), ≥ 0.
        amount: i64,
        /// As charged.
        currency: Currency,
        /// Of which tax.
        tax: i64,
        /// False: voided.
        paid: bool,
    },
    /// Basil's link between an invoice and what paid it.
    InvoicePayment {
        /// Invoice and intent or charge.
        refs: PaymentRefs,
        /// Part of the invoice paid by it, ≥ 0.
        amount: i64,
        /// As charged; `None` when the event does not say.
        currency: Option<Currency>,
    },
    /// A payment intent that succeeded.
    Intent {
        /// `intents[0]` is its own id.
        refs: PaymentRefs,
        /// Who.
        person: Person,
        /// Its own metadata.
        touches: Vec<Touch>,
        /// `amount_received`, ≥ 0.
        amount: i64,
        /// As charged.
        currency: Currency,
        /// What the buyer saw.
        presentment: Option<Presentment>,
    },
    /// A charge: links between ids, and a snapshot of what was refunded.
    Charge {
        /// `charges[0]` is its own id.
        refs: PaymentRefs,
        /// Who.
        person: Person,
        /// What was charged, ≥ 0.
        amount: i64,
        /// Cumulative, ≥ 0; `None`: the event does not speak of refunds.
        refunded: Option<i64>,
        /// As charged.
        currency: Currency,
    },
    /// A refund.
    Refund {
        /// `re_…`
        id: String,
        /// Charge and intent.
        refs: PaymentRefs,
        /// `cus_…`, named from 2026 on.
        person: Person,
        /// ≥ 0.
        amount: i64,
        /// As charged.
        currency: Currency,
        /// As this event says.
        state: RefundState,
    },
    /// A dispute.
    Dispute {
        /// `dp_…`
        id: String,
        /// Charge and intent.
        refs: PaymentRefs,
        /// ≥ 0.
        amount: i64,
        /// As charged.
        currency: Currency,
        /// Stripe's status: `needs_response`, `won`, `lost`, `warning_…`.
        status: String,
        /// Which moment this is.
        moment: DisputeMoment,
    },
    /// A Stripe customer.
    Customer {
        /// Who; `stripe_id` is its own id.
        person: Person,
        /// `metadata.pimmsClickId`.
        touches: Vec<Touch>,
        /// Which change.
        change: CustomerChange,
    },
    /// A subscription.
    Subscription {
        /// `sub_…`
        id: String,
        /// Who.
        person: Person,
        /// `metadata.pimmsClickId`.
        touches: Vec<Touch>,
        /// Stripe's status.
        status: String,
        /// Monthly worth of its items, minor units.
        mrr: i64,
        /// Of the items.
        currency: Option<Currency>,
        /// `start_date`.
        started_at: Option<Millis>,
        /// `ended_at`, or `canceled_at` of a cancelled one.
        ended_at: Option<Millis>,
        /// 0 created, 1 updated, 2 deleted: breaks ties within one second.
        rank: u8,
    },
    /// A browser came back from a checkout to a thank-you link.
    ThankYou {
        /// The session it named.
        refs: PaymentRefs,
        /// The click it held: no touchpoint of the customer, only of a payment that has no other.
        touch: Touch,
    },
}

impl Touch {
    /// Checks a click id that `field` carried.
    #[must_use]
    pub fn check(keys: &Keys, workspace_id: &str, field: &str, text: &str) -> Self {
        let click_id: String = text.trim().chars().take(200).collect();
        let verdict = match keys.verify(workspace_id, &click_id) {
            Ok(proven) => TouchVerdict::Click { link_id: proven.link_id, at: proven.at },
            Err(refusal @ (Refusal::Forged | Refusal::Foreign)) => TouchVerdict::Refused(refusal.to_string()),
            Err(refusal) => TouchVerdict::Refused(format!("{field} {refusal}")),
        };
        Self { click_id, verdict }
    }

    /// Whether a click row could still prove it: the shape of an id issued elsewhere.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.verdict == TouchVerdict::Refused(Refusal::Foreign.to_string())
    }
}

impl Body {
    /// Every click id the fact carries that is a touchpoint of its customer.
    #[must_use]
    pub fn touches(&self) -> &[Touch] {
        match self {
            Self::Lead { touches, .. }
            | Self::TrackedSale { touches, .. }
            | Self::Session { touches, .. }
            | Self::Invoice { touches, .. }
            | Self::Intent { touches, .. }
            | Self::Customer { touches, .. }
            | Self::Subscription { touches, .. } => touches,
            _ => &[],
        }
    }

    /// The click that a browser held when it came back from the checkout.
    #[must_use]
    pub fn arrived_with(&self) -> Option<&Touch> {
        match self {
            Self::ThankYou { touch, .. } => Some(touch),
            _ => None,
        }
    }

    /// Those of [`Self::touches`], to be proven by click rows or scrubbed.
    pub fn touches_mut(&mut self) -> Option<&mut Vec<Touch>> {
        match self {
            Self::Lead { touches, .. }
            | Self::TrackedSale { touches, .. }
            | Self::Session { touches, .. }
            | Self::Invoice { touches, .. }
            | Self::Intent { touches, .. }
            | Self::Customer { touches, .. }
            | Self::Subscription { touches, .. } => Some(touches),
            _ => None,
        }
    }

    /// Who the fact speaks of, where it says so.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Lead { person, .. }
            | Self::TrackedSale { person, .. }
            | Self::Session { person, .. }
            | Self::Invoice { person, .. }
            | Self::Intent { person, .. }
            | Self::Charge { person, .. }
            | Self::Refund { person, .. }
            | Self::Customer { person, .. }
            | Self::Subscription { person, .. } => Some(person),
            Self::InvoicePayment { .. } | Self::Dispute { .. } | Self::ThankYou { .. } => None,
        }
    }

    /// The same, to be scrubbed.
    pub fn person_mut(&mut self) -> Option<&mut Person> {
        match self {
            Self::Lead { person, .. }
            | Self::TrackedSale { person, .. }
            | Self::Session { person, .. }
            | Self::Invoice { person, .. }
            | Self::Intent { person, .. }
            | Self::Charge { person, .. }
            | Self::Refund { person, .. }
            | Self::Customer { person, .. }
            | Self::Subscription { person, .. } => Some(person),
            Self::InvoicePayment { .. } | Self::Dispute { .. } | Self::ThankYou { .. } => None,
        }
    }

    /// The ids of the payment the fact speaks of, where it does.
    #[must_use]
    pub fn refs(&self) -> Option<&PaymentRefs> {
        match self {
            Self::TrackedSale { refs, .. }
            | Self::Session { refs, .. }
            | Self::Invoice { refs, .. }
            | Self::InvoicePayment { refs, .. }
            | Self::Intent { refs, .. }
            | Self::Charge { refs, .. }
            | Self::Refund { refs, .. }
            | Self::Dispute { refs, .. }
            | Self::ThankYou { refs, .. } => Some(refs),
            Self::Lead { .. } | Self::Customer { .. } | Self::Subscription { .. } => None,
        }
    }
}

impl PaymentRefs {
    /// Stripe's ids in it.
    pub fn stripe_ids(&self) -> impl Iterator<Item = &str> {
        let single = self.session.iter().chain(&self.invoice);
        single.chain(&self.intents).chain(&self.charges).map(String::as_str)
    }
}

impl Fact {
    /// The idempotency key: 128 bits of SHA-256 over the fact's JSON, in hex. No expiry.
    #[must_use]
    pub fn key(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut key = ids::sha256_hex(text.as_bytes());
        key.truncate(32);
        key
    }
}
