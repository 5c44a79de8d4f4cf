//! Outbound webhooks: what is told, to which addresses, how often it is tried, and how it is signed.

pub mod envelope;
pub mod signature;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::core::{ids, metatags};

/// How often a delivery is tried before it is put aside.
pub const MAX_ATTEMPTS: i64 = 8;
/// So many events in a row that could not be delivered disable a webhook. Source: wire contract 7.3.
pub const MAX_FAILURES: i64 = 20;
/// How much of an answer the log keeps.
pub const MAX_RESPONSE_BYTES: usize = 4096;
/// No two attempts are further apart, in seconds.
const MAX_DELAY_S: i64 = 6 * 3600;

/// What a webhook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Trigger {
    /// A link was made.
    #[serde(rename = "link.created")]
    LinkCreated,
    /// A link was changed.
    #[serde(rename = "link.updated")]
    LinkUpdated,
    /// A link was deleted.
    #[serde(rename = "link.deleted")]
    LinkDeleted,
    /// A click was counted.
    #[serde(rename = "link.clicked")]
    LinkClicked,
    /// A lead came from a click.
    #[serde(rename = "lead.created")]
    LeadCreated,
    /// A payment was booked to a click.
    #[serde(rename = "sale.created")]
    SaleCreated,
    /// What was refunded of such a payment changed.
    #[serde(rename = "sale.refunded")]
    SaleRefunded,
    /// What is withdrawn from such a payment for disputes changed.
    #[serde(rename = "sale.disputed")]
    SaleDisputed,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LinkCreated,
        Self::LinkUpdated,
        Self::LinkDeleted,
        Self::LinkClicked,
        Self::LeadCreated,
        Self::SaleCreated,
        Self::SaleRefunded,
        Self::SaleDisputed,
    ];

    /// As it is written everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LinkCreated => "link.created",
            Self::LinkUpdated => "link.updated",
            Self::LinkDeleted => "link.deleted",
            Self::LinkClicked => "link.clicked",
            Self::LeadCreated => "lead.created",
            Self::SaleCreated => "sale.created",
            Self::SaleRefunded => "sale.refunded",
            Self::SaleDisputed => "sale.disputed",
        }
    }

    /// The inverse of [`Trigger::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }
}

/// What an event tells of, as it was known when it happened; the rest is read when the message is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subject {
    /// The link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// The click.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id: Option<String>,
    /// When it was clicked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicked_at: Option<i64>,
    /// Whose lead or sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// `Sign up`, `Purchase`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// Of a lead, JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_id: Option<String>,
    /// Its amount, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// Its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// `stripe`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// When there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// By how much the refunded or disputed total changed; negative when money came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<i64>,
    /// That total now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// The id of an event: the same workspace and mode (`scope`), kind and name give the same id for ever.
#[must_use]
pub fn event_id(scope: &str, trigger: Trigger, name: &str) -> String {
    ids::derived_id("evt_", &format!("{scope}|{}|{name}", trigger.name()))
}

/// The id of an event's message to one webhook: `webhook-id`, the same in every attempt.
#[must_use]
pub fn message_id(webhook_id: &str, event_id: &str) -> String {
    ids::derived_id("msg_", &format!("{webhook_id}|{event_id}"))
}

/// How many seconds to wait after failed attempt number `attempt`, four times as long each time and up to a fifth more
/// or less by `chance`, so that a receiver that comes back is not met by everything at once. `None`: no more.
#[must_use]
pub fn retry_after_s(attempt: i64, base_s: i64, chance: u8) -> Option<i64> {
    if attempt >= MAX_ATTEMPTS {
        return None;
    }
    let steps = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
    let plain = base_s.saturating_mul(4_i64.saturating_pow(steps)).min(MAX_DELAY_S);
    // 80 % for chance 0, 120 % for 255.
    let per_mille = 800 + i64::from(chance) * 400 / 255;
    Some(plain.saturating_mul(per_mille) / 1000)
}

/// The address to tell, if it may be one: HTTPS, and reachable by anybody on the internet. `is_local` also allows this
/// machine itself, for tests.
#[must_use]
pub fn address(text: &str, is_local: bool) -> Option<Url> {
    match metatags::public(text) {
        Some(url) => (url.scheme() == "https").then_some(url),
        None => is_local.then(|| loopback(text)).flatten(),
    }
}

fn loopback(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (here && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_read_back() {
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::parse(trigger.name()), Some(trigger));
            assert_eq!(serde_json::to_value(trigger).unwrap(), trigger.name());
        }
        assert_eq!(Trigger::parse("sale"), None);
    }

    #[test]
    fn ids_are_those_of_what_they_name() {
        let id = event_id("ws_1:live", Trigger::SaleCreated, "sale_1");
        assert_eq!(id, event_id("ws_1:live", Trigger::SaleCreated, "sale_1"));
        for other in [
            event_id("ws_2:live", Trigger::SaleCreated, "sale_1"),
            event_id("ws_1:test", Trigger::SaleCreated, "sale_1"),
            event_id("ws_1:live", Trigger::SaleRefunded, "sale_1"),
            event_id("ws_1:live", Trigger::SaleCreated, "sale_2"),
        ] {
            assert_ne!(id, other);
        }
        assert_eq!(message_id("wh_1", &id), message_id("wh_1", &id));
        assert_ne!(message_id("wh_1", &id), message_id("wh_2", &id));
        assert!(message_id("wh_1", &id).starts_with("msg_"));
    }

    #[test]
    fn waiting_grows_and_ends() {
        for (attempt, least, most) in
            [(1, 4, 6), (2, 16, 24), (3, 64, 96), (4, 256, 384), (6, 4096, 6144), (7, 16_384, 24_576)]
        {
            assert_eq!(retry_after_s(attempt, 5, 0), Some(least), "{attempt}");
            assert_eq!(retry_after_s(attempt, 5, 255), Some(most), "{attempt}");
        }
        assert_eq!(retry_after_s(7, 3600, 0), Some(MAX_DELAY_S * 8 / 10));
        assert_eq!(retry_after_s(1, 0, 255), Some(0));
        assert_eq!(retry_after_s(MAX_ATTEMPTS, 5, 0), None);
        assert_eq!(retry_after_s(i64::MAX, 5, 0), None);
    }

    #[test]
    fn addresses() {
        for (text, public, local) in [
            ("https://hooks.acme.com/x?y=1", true, true),
            ("http://hooks.acme.com/x", false, false),
            ("https://8.8.8.8/", true, true),
            ("https://10.0.0.1/", false, false),
            ("https://169.254.169.254/", false, false),
            ("https://[fd00::1]/", false, false),
            ("https://2130706433/", false, true),
            ("https://localhost/", false, true),
            ("http://127.0.0.1:8080/hook", false, true),
            ("http://[::1]:8080/hook", false, true),
            ("http://0.0.0.0:8080/", false, false),
            ("http://localhost.:1/", false, false),
            ("https://user:pass@acme.com/", false, false),
            ("http://user@127.0.0.1/", false, false),
            ("ftp://127.0.0.1/", false, false),
            ("https://printer.local/", false, false),
            ("nonsense", false, false),
            ("", false, false),
        ] {
            assert_eq!(address(text, false).is_some(), public, "{text}");
            assert_eq!(address(text, true).is_some(), local, "{text} on the local runtime");
        }
    }
}
