//! What the facts of one customer add up to: the rows of the read model.
//!
//! Everything here is made by `fold` and by nothing else. Ids are derived from what they name
//! ([`crate::core::ids::derived_id`]), so they are the same whatever the order of arrival.

use serde::{Deserialize, Serialize};

use crate::core::money::Currency;
use crate::core::time::Millis;

/// Version of the rules that made a view; shown on every receipt.
pub const RULE_VERSION: u32 = 1;

/// What stays the same for every customer of a workspace and mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `ws_…`
    pub workspace_id: String,
    /// `live` or `test`.
    pub mode: crate::core::mode::Mode,
    /// Look-back window of attribution, in days before the first payment of a chain.
    pub window_days: i64,
}

impl Policy {
    /// What derived ids are scoped by: ids of two workspaces or modes never meet.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}:{}", self.workspace_id, self.mode.as_str())
    }
}

/// Everything the facts of one customer say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// The person.
    pub customer: CustomerView,
    /// Leads, by time.
    pub leads: Vec<LeadView>,
    /// Sales, by time.
    pub sales: Vec<SaleView>,
    /// Signed entries, by time: every figure is their sum.
    pub entries: Vec<EntryView>,
    /// Subscriptions, by id.
    pub subscriptions: Vec<SubscriptionView>,
    /// What waits for a counterpart.
    pub parked: Vec<ParkedView>,
}

/// The person, as far as known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerView {
    /// False: only parked facts or unmatched payments are known; not listed as a customer.
    pub visible: bool,
    /// The latest external id.
    pub external_id: Option<String>,
    /// All of them, latest last.
    pub external_ids: Vec<String>,
    /// `cus_…` with their accounts, sorted.
    pub stripe_ids: Vec<StripeId>,
    /// Shown name.
    pub name: Option<String>,
    /// Shown e-mail.
    pub email: Option<String>,
    /// Shown avatar.
    pub avatar: Option<String>,
    /// As the owner told it; clicks tell their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Time of the earliest fact.
    pub created_at: Millis,
    /// Distinct touchpoints, by click time.
    pub touches: Vec<TouchView>,
    /// Click ids that are no touchpoints, and why.
    pub refused: Vec<RefusedView>,
}

/// A Stripe customer id and the account it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StripeId {
    /// `""`: the workspace's own.
    pub account: String,
    /// `cus_…`
    pub id: String,
}

/// A touchpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TouchView {
    /// The click.
    pub click_id: String,
    /// Its link.
    pub link_id: String,
    /// When it was clicked.
    pub at: Millis,
}

/// A click id that does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedView {
    /// As it was passed.
    pub click_id: String,
    /// In plain words: `pimmsClickId is the text null`.
    pub reason: String,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeadView {
    /// Derived.
    pub id: String,
    /// When it was reported.
    pub at: Millis,
    /// `Sign up`, …
    pub event_name: String,
    /// How many the call reported.
    pub quantity: i64,
    /// Its touchpoint.
    pub touch: Option<TouchView>,
    /// JSON object as text.
    pub metadata: Option<String>,
    /// True: nobody reported it; a touchpoint from Stripe implies it.
    pub implied: bool,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SaleView {
    /// Derived from workspace, mode, account and reference.
    pub id: String,
    /// The payment it is part of, within the fold.
    #[serde(skip)]
    pub(super) node: String,
    /// Stripe account, `""` for the workspace's own.
    pub account: String,
    /// The economic identity: `in_…`, `cs_…`, `pi_…` or the tracked invoice id.
    pub reference: String,
    /// Stripe's time of the payment.
    pub at: Millis,
    /// `Purchase`, `Subscription creation`, `Invoice paid`, or as tracked.
    pub event_name: String,
    /// Minor units, > 0.
    pub amount: i64,
    /// As charged.
    pub currency: Currency,
    /// Of which tax.
    pub tax: i64,
    /// `stripe`, or as tracked.
    pub processor: String,
    /// Invoice id, when there is one.
    pub invoice_id: Option<String>,
    /// `sub_…`
    pub subscription: Option<String>,
    /// The touchpoint that gets the credit under the default model.
    pub touch: Option<TouchView>,
    /// Every touchpoint in the window, by time, for the other models; never empty when `touch` is set.
    pub touches: Vec<TouchView>,
    /// UTC day of the payment, whose exchange rate applies.
    pub rate_day: String,
    /// Why.
    pub receipt: Receipt,
}

/// Why a sale is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// [`RULE_VERSION`] that decided.
    pub rule_version: u32,
    /// `own click`, `subscription`, `last click`, `thank you` or `none`.
    pub rule: Rule,
    /// In plain words, complete sentences.
    pub explanation: Vec<String>,
    /// Every id known to name this payment: `cs_…`, `in_…`, `pi_…`, `ch_…`, tracked.
    pub references: Vec<String>,
    /// The events it rests on, by time.
    pub evidence: Vec<Evidence>,
    /// Touchpoints that were considered and not taken, and why.
    pub rejected: Vec<RefusedView>,
    /// Amounts that disagree, in plain words.
    pub mismatches: Vec<String>,
    /// What the buyer saw, when it was another currency.
    pub presentment: Option<super::fact::Presentment>,
    /// A `client_reference_id` that is no click id.
    pub client_reference: Option<String>,
    /// Disputes of the payment.
    pub disputes: Vec<DisputeView>,
}

/// A dispute, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeView {
    /// `dp_…`
    pub id: String,
    /// Stripe's newest status: `needs_response`, `won`, `lost`, …
    pub status: String,
}

/// Which rule attributed a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The payment names its click.
    OwnClick,
    /// A payment of a subscription: as the subscription's first.
    Subscription,
    /// The customer's latest click in the window.
    LastClick,
    /// No other click: the one that the browser held on the payment's thank-you page.
    ThankYou,
    /// No touchpoint: unattributed.
    None,
}

/// One event a sale rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// `evt_…`, or the id of a track call.
    pub event_id: String,
    /// Stripe's type, `track.lead`, `track.sale`.
    pub event_type: String,
    /// Its time.
    pub at: Millis,
    /// What it contributed: `amount`, `customer`, `click`, `reference`, `refund`, …
    pub says: String,
}

/// What moved the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Money in.
    Sale,
    /// Money back to the buyer (negative), or back again when the refund failed (positive).
    Refund,
    /// Money withdrawn for a dispute.
    Dispute,
    /// Money reinstated after one.
    Reinstated,
}

impl EntryKind {
    /// As stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Reinstated => "reinstated",
        }
    }
}

/// One signed line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// Derived.
    pub id: String,
    /// The sale it belongs to; `None` when it cannot be tied to one.
    pub sale_id: Option<String>,
    /// What moved.
    pub kind: EntryKind,
    /// Stripe's time.
    pub at: Millis,
    /// Signed minor units.
    pub amount: i64,
    /// As charged.
    pub currency: Currency,
    /// UTC day of the payment it belongs to.
    pub rate_day: String,
    /// Attribution under the default model.
    pub touch: Option<TouchView>,
    /// `re_…`, `dp_…`, `ch_…` that moved it.
    pub reference: Option<String>,
    /// In plain words, when something is odd: more refunded than paid, not tied to a sale.
    pub note: Option<String>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionView {
    /// Derived.
    pub id: String,
    /// Stripe account.
    pub account: String,
    /// `sub_…`
    pub reference: String,
    /// Stripe's status.
    pub status: String,
    /// Monthly contribution while it is active or past due, else 0.
    pub mrr: i64,
    /// Of `mrr`.
    pub currency: Option<Currency>,
    /// When it started.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub churned_at: Option<Millis>,
    /// Attribution of its chain.
    pub touch: Option<TouchView>,
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedView {
    /// Derived.
    pub id: String,
    /// `refund`, `dispute`, `payment` (unmatched), `sale` (unattributed).
    pub kind: String,
    /// When.
    pub at: Millis,
    /// `re_…`, `ch_…`, `pi_…`, …
    pub reference: Option<String>,
    /// The event that waits.
    pub event_id: String,
    /// Minor units, when money waits.
    pub amount: Option<i64>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// In plain words: what it waits for.
    pub reason: String,
}
