//! What the Worker and its Durable Objects say to each other.
//!
//! JSON text over `fetch`. During a deploy old and new code talk to each other for minutes: fields are only
//! ever added, with a default.

use serde::{Deserialize, Serialize};

use super::announce::{News, ToldMap};
use super::fact::Fact;
use super::view::Policy;
use crate::core::thank_you::Arrival;
use crate::core::time::Millis;

/// To the Directory of a workspace and mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToDirectory {
    /// Keeps a delivery for good. The answer means: durable.
    Accept(Box<Delivery>),
    /// A browser with a proven click came back from a checkout. The answer means: durable.
    Arrived(Box<Arrival>),
    /// The webhook log, newest first.
    Log {
        /// At most this many.
        limit: i64,
        /// Only events received before this instant.
        before: Option<Millis>,
    },
    /// What waits here: unusable events and unknown accounts.
    Parked,
    /// Raw bodies that waited for these accounts; they stay until [`ToDirectory::Unpark`].
    Waiting {
        /// `acct_…`
        accounts: Vec<String>,
    },
    /// Parked rows that were taken care of.
    Unpark {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Removes a person.
    Erase {
        /// `cus_…` of ours.
        customer_id: String,
    },
    /// The workspace has chosen its settings: every ledger is folded anew if they are others than before.
    Settle {
        /// The workspace's settings.
        policy: Policy,
    },
    /// Asks every ledger to project itself anew.
    Rebuild {
        /// The workspace's settings.
        policy: Policy,
    },
    /// Says how far it is behind. Answered with [`crate::core::health::Ledger`].
    Health,
}

/// One verified event or track call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The settings of a workspace that has not chosen any; the Directory knows better if it has.
    pub policy: Policy,
    /// For the log.
    pub note: Note,
    /// What it states; may be empty.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Track calls: a second call with the same claim states nothing new and gets the first one's answer.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// Whether it must not unite customers ([`super::alias::refusal`]).
    #[serde(default)]
    pub apart: bool,
    /// Why it waits here, and its raw body when it must be read again.
    #[serde(default)]
    pub parked: Option<Parking>,
}

/// A row of the webhook log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `evt_…`, or the hash of a body without an id.
    pub event_id: String,
    /// Stripe's type, `track.lead`, `track.sale`.
    pub event_type: String,
    /// Stripe's `created`.
    pub at: Millis,
    /// The connected account.
    pub account: String,
    /// In plain words, before the ledger had its say.
    pub verdict: String,
}

/// What makes a track call the same as an earlier one; never expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// `lead:u1:sign-up:<click>`, `sale:INV_1`
    pub key: String,
    /// The answer to repeat.
    pub answer: String,
}

/// Why an event waits in the Directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parking {
    /// In plain words.
    pub reason: String,
    /// The raw body, when it is to be read again.
    #[serde(default)]
    pub raw: Option<String>,
}

/// The answer to [`ToDirectory::Accept`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose facts these are, as the Directory knows it now.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// Whether the customer was known before.
    #[serde(default)]
    pub was_known: bool,
    /// The earlier answer, when the claim was already made.
    #[serde(default)]
    pub earlier: Option<String>,
    /// Why nothing was kept.
    #[serde(default)]
    pub refused: Option<String>,
    /// How the customer is shown, when its ledger could be asked at once.
    #[serde(default)]
    pub customer: Option<Shown>,
}

/// How a customer is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The latest external id.
    pub external_id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Avatar.
    pub avatar: Option<String>,
    /// As the owner told it.
    #[serde(default)]
    pub country: Option<String>,
    /// The latest touchpoint's click.
    pub click_id: Option<String>,
}

/// To the ledger of one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToLedger {
    /// Adds facts; idempotent.
    Absorb {
        /// Which customer this is.
        customer_id: String,
        /// The workspace's settings.
        policy: Policy,
        /// With their keys, which stay those of the original content after an erasure.
        facts: Vec<KeyedFact>,
        /// Customers merged into this one.
        #[serde(default)]
        absorbed: Vec<String>,
        /// Whether one of them was erased.
        #[serde(default)]
        erased: bool,
        /// What they had told the world.
        #[serde(default, skip_serializing_if = "ToldMap::is_empty")]
        told: ToldMap,
        /// What they were about to tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        news: Vec<News>,
    },
    /// Ends this ledger in favour of another and gives its facts away; idempotent.
    Seal {
        /// Which customer this is.
        customer_id: String,
        /// Who takes over.
        winner: String,
    },
    /// Removes the person, keeps the money.
    Erase {
        /// Which customer this is.
        customer_id: String,
        /// The workspace's settings.
        policy: Policy,
    },
    /// Says all it knows of its person; changes nothing. Answered like [`ToLedger::Seal`].
    Tell {
        /// Which customer this is.
        customer_id: String,
    },
    /// Projects everything anew.
    Project {
        /// Which customer this is.
        customer_id: String,
        /// The workspace's settings.
        policy: Policy,
    },
    /// Says how many rows D1 has not confirmed.
    Unsent,
}

/// A fact and its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedFact {
    /// [`Fact::key`] of the fact as it was accepted.
    pub key: String,
    /// The fact.
    pub fact: Fact,
}

/// The answer to [`ToLedger::Absorb`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absorbed {
    /// How the customer is shown now.
    pub shown: Shown,
    /// What each event came to, for the webhook log.
    pub outcomes: Vec<Outcome>,
}

/// What one event came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The event.
    pub event_id: String,
    /// In plain words.
    pub verdict: String,
    /// Sales it rests in.
    pub sales: Vec<String>,
}

/// The answer to [`ToLedger::Seal`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Everything it knew.
    pub facts: Vec<KeyedFact>,
    /// Customers it had absorbed.
    pub absorbed: Vec<String>,
    /// Whether its person was erased.
    pub erased: bool,
    /// What it had told the world.
    #[serde(default)]
    pub told: ToldMap,
    /// What it was about to tell.
    #[serde(default)]
    pub news: Vec<News>,
}

/// A row of the webhook log, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogRow {
    /// `evt_…`
    pub id: String,
    /// Stripe's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Stripe's time.
    pub at: Millis,
    /// When it first came.
    pub received_at: Millis,
    /// How often it came.
    pub deliveries: i64,
    /// The connected account.
    pub account: String,
    /// In plain words.
    pub verdict: String,
    /// Whom it touched.
    pub customer_id: Option<String>,
    /// Sales it rests in.
    pub sales: Vec<String>,
}

/// A row that waits in the Directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedRow {
    /// Names it for [`ToDirectory::Unpark`].
    pub key: String,
    /// `evt_…`
    pub event_id: String,
    /// Stripe's type.
    pub event_type: String,
    /// Stripe's time.
    pub at: Millis,
    /// The connected account.
    pub account: String,
    /// In plain words.
    pub reason: String,
    /// The raw body, only in answers to [`ToDirectory::Waiting`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mode::Mode;

    /// Old and new code talk to each other during a deploy: these texts must parse for ever.
    #[test]
    fn wire_forms_are_pinned() {
        let policy = r#"{"workspace_id":"ws_1","mode":"live","window_days":90}"#;
        for text in [
            r#""parked""#.to_owned(),
            r#""health""#.to_owned(),
            r#"{"arrived":{"workspace_id":"ws_1","session_id":"cs_1","at":1,"touch":{"click_id":"a","verdict":{"click":{"link_id":"link_1","at":0}}}}}"#.to_owned(),
            r#"{"erase":{"customer_id":"cus_1"}}"#.to_owned(),
            format!(r#"{{"rebuild":{{"policy":{policy}}}}}"#),
            format!(r#"{{"settle":{{"policy":{policy}}}}}"#),
            format!(
                r#"{{"accept":{{"policy":{policy},"note":{{"event_id":"evt_1","event_type":"x","at":1,"account":"","verdict":"v"}}}}}}"#
            ),
        ] {
            assert!(serde_json::from_str::<ToDirectory>(&text).is_ok(), "{text}");
        }
        let seal = ToLedger::Seal { customer_id: "cus_2".into(), winner: "cus_1".into() };
        let text = r#"{"seal":{"customer_id":"cus_2","winner":"cus_1"}}"#;
        assert_eq!(serde_json::to_string(&seal).unwrap(), text);
        let parsed: Policy = serde_json::from_str(policy).unwrap();
        assert_eq!(parsed.mode, Mode::Live);
    }
}
