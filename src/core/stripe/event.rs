//! Reading a verified event: the envelope, and what to do with it.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::facts;
use super::objects::IdRef;
use crate::core::click_id::Keys;
use crate::core::ledger::fact::{Fact, Touch};
use crate::core::mode::Mode;
use crate::core::time::Millis;

/// Bodies above this are refused unread: Stripe's events are far smaller.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Not an event at all: answer 400.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the body is not a Stripe event: {0}")]
pub struct NotAnEvent(String);

/// Who sent it and when, without a look at its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `evt_…`; `None` makes the event unusable.
    pub id: Option<String>,
    /// `invoice.paid`, …
    pub event_type: String,
    /// Stripe's `created`.
    pub created: Option<Millis>,
    /// Which world it speaks of.
    pub mode: Mode,
    /// The connected account, `""` for the workspace's own.
    pub account: String,
}

/// What a verified event means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Statements for the ledger.
    Facts(Vec<Fact>),
    /// A type we do not handle: acknowledged, counted, ignored.
    Ignored,
    /// A handled type whose object cannot be used; the reason names the field.
    Unusable(String),
    /// The account disconnected itself.
    Deauthorized,
}

/// A parsed event whose object has not been read yet.
#[derive(Debug)]
pub struct Event<'a> {
    /// The envelope.
    pub envelope: Envelope,
    object: Option<&'a RawValue>,
}

/// What the check of click ids needs.
pub struct Reader<'a> {
    /// The keys of click ids.
    pub keys: &'a Keys,
    /// Whose clicks count.
    pub workspace_id: &'a str,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(default)]
    id: IdRef,
    #[serde(rename = "type", default)]
    event_type: Option<String>,
    #[serde(default)]
    created: Option<i64>,
    livemode: bool,
    #[serde(default)]
    account: IdRef,
    #[serde(borrow, default)]
    data: Option<RawData<'a>>,
}

#[derive(Deserialize)]
struct RawData<'a> {
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
}

/// Parses the envelope. Call it only after the signature held.
///
/// # Errors
/// [`NotAnEvent`] when it is not JSON, or has no type or mode.
pub fn read(body: &[u8]) -> Result<Event<'_>, NotAnEvent> {
    let raw: RawEvent<'_> = serde_json::from_slice(body).map_err(|e| NotAnEvent(e.to_string()))?;
    let event_type =
        raw.event_type.filter(|t| !t.is_empty()).ok_or_else(|| NotAnEvent("type is missing".into()))?;
    Ok(Event {
        envelope: Envelope {
            id: raw.id.0,
            event_type: event_type.chars().take(100).collect(),
            created: raw.created.and_then(Millis::from_secs),
            mode: Mode::of_livemode(raw.livemode),
            account: raw.account.0.unwrap_or_default(),
        },
        object: raw.data.and_then(|d| d.object),
    })
}

impl Event<'_> {
    /// What the event states.
    #[must_use]
    pub fn reading(&self, reader: &Reader<'_>) -> Reading {
        if self.envelope.event_type == "account.application.deauthorized" {
            return Reading::Deauthorized;
        }
        facts::read(&self.envelope, self.object.map(RawValue::get), reader).unwrap_or_else(Reading::Unusable)
    }
}

impl Reader<'_> {
    /// Checks one click id that `field` carried.
    #[must_use]
    pub fn touch(&self, field: &str, click_id: &str) -> Touch {
        Touch::check(self.keys, self.workspace_id, field, click_id)
    }
}
