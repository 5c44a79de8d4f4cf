//! What happens in a history: deeds of people, in order, with what Stripe tells of each and what it leaves out.

use pimms_cli::stripe::Version;

/// The moment a history begins, in seconds.
pub const T0: i64 = 1_763_000_000;

/// A click id as somebody passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub text: String,
    /// Its link and its time in milliseconds; `None`: no touchpoint (forged, foreign, an unfilled template).
    pub click: Option<(u8, i64)>,
}

/// Something that happened, and when (seconds after [`T0`]).
#[derive(Debug, Clone)]
pub struct Step {
    pub at: i64,
    pub deed: Deed,
}

#[derive(Debug, Clone)]
pub enum Deed {
    /// `POST /track/lead`
    Lead {
        external_id: String,
        tag: Tag,
    },
    /// A Stripe customer is made or changed.
    Customer {
        account: u8,
        customer: String,
        external_id: Option<String>,
        tag: Option<Tag>,
        updated: bool,
    },
    Checkout(Checkout),
    Invoice(Invoice),
    /// A payment intent that no session and no invoice is told of.
    Intent {
        account: u8,
        intent: String,
        charge: String,
        customer: Option<String>,
        external_id: Option<String>,
        tag: Option<Tag>,
        price: Price,
    },
    /// `POST /track/sale`
    Tracked {
        external_id: String,
        invoice_id: Option<String>,
        price: Price,
    },
    Refund(Refund),
    Dispute {
        account: u8,
        dispute: String,
        charge: String,
        intent: String,
        price: Price,
        ending: Ending,
    },
    /// What must change nothing.
    Noise {
        account: u8,
        kind: Noise,
        customer: String,
        reference: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub amount: i64,
    pub currency: &'static str,
}

/// A checkout session.
#[derive(Debug, Clone)]
pub struct Checkout {
    pub account: u8,
    pub session: String,
    pub customer: Option<String>,
    pub external_id: Option<String>,
    /// The click the payment names itself, and where.
    pub own: Option<(Place, Tag)>,
    pub price: Price,
    /// What the buyer saw, with adaptive pricing.
    pub presented: Option<Price>,
    /// `sub_…` and its first invoice, in subscription mode.
    pub subscription: Option<String>,
    pub invoice: Option<String>,
    /// In payment mode: `pi_…` and `ch_…`.
    pub money: Option<(String, String)>,
    pub outcome: Outcome,
    /// `payment_intent.succeeded` is told, with this amount.
    pub intent_says: Option<i64>,
    pub charge_is_told: bool,
    /// `/track/sale` with the payment intent as invoice id says this amount; needs an external id.
    pub tracked_says: Option<i64>,
    pub shapes: Vec<Version>,
}

/// Where a payment names its click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Reference,
    SessionMetadata,
    IntentMetadata,
}

/// How a session ends. `after`: seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Paid,
    /// A delayed payment that arrives; told by the session, by the intent, or by both.
    PaidLater {
        after: i64,
        by_session: bool,
    },
    FailsLater {
        after: i64,
    },
    /// Never heard of again.
    Pending,
    /// Nothing to pay.
    Free,
    Setup,
    Expired,
}

/// An invoice that was paid.
#[derive(Debug, Clone)]
pub struct Invoice {
    pub account: u8,
    pub invoice: String,
    pub customer: String,
    pub subscription: Option<String>,
    pub price: Price,
    /// `invoice.paid` is told.
    pub is_told: bool,
    /// What paid it; none: out of band, or a credit balance.
    pub parts: Vec<Part>,
    pub out_of_band: bool,
    pub shapes: Vec<Version>,
}

/// A payment intent that paid (part of) an invoice.
#[derive(Debug, Clone)]
pub struct Part {
    pub intent: String,
    pub charge: String,
    pub amount: i64,
    pub intent_is_told: bool,
    pub charge_is_told: bool,
    /// `invoice_payment.paid` is told.
    pub link_is_told: bool,
}

/// A refund of (part of) a charge.
#[derive(Debug, Clone)]
pub struct Refund {
    pub account: u8,
    pub refund: String,
    pub charge: String,
    pub intent: String,
    /// What was charged, in the charge's currency.
    pub charged: Price,
    pub amount: i64,
    /// Told by events of the refund itself.
    pub by_refund: bool,
    /// Told by the charge, which says what was refunded of it until then.
    pub by_charge: bool,
    /// It was promised and then failed, so many seconds later.
    pub fails_after: Option<i64>,
    pub customer: Option<String>,
    pub invoice: Option<String>,
    pub shapes: Vec<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Inquiry,
    Open,
    Won,
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    SubscriptionUpdated,
    TwinOfInvoicePaid,
    InvoiceVoided,
    UnknownType,
    ExpiredSession,
}

/// Whether a rendering in one of `shapes` names an invoice and its payment in each other.
pub fn names_each_other(shapes: &[Version]) -> bool {
    shapes.contains(&Version::V2024)
}
