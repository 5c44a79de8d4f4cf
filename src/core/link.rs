//! What a redirect needs to know of a short link.
//!
//! [`LinkRecord`] is made from a row of D1's `links` (truth) and kept in KV and in the isolate's memory
//! (copies). It is the one form of a link on the redirect's path: whoever changes a link writes this record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::core::time::Millis;

/// The version this code writes and reads. A record of another version is a miss and is read from D1 again.
pub const RECORD_VERSION: u8 = 1;

/// A short link, as compact as a redirect needs it.
///
/// Wire form (KV, pinned by a test below): short names, absent when empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Always [`RECORD_VERSION`].
    #[serde(rename = "v")]
    pub version: u8,
    /// `link_…`, or another system's id for imported links.
    #[serde(rename = "i")]
    pub id: String,
    /// `ws_…`.
    #[serde(rename = "w")]
    pub workspace_id: String,
    /// Lower case, without `www.`.
    #[serde(rename = "d")]
    pub domain: String,
    /// ASCII (Punycode), lower case; `_root` for the domain itself.
    #[serde(rename = "k")]
    pub key: String,
    /// The destination; empty only for a root link that has none.
    #[serde(rename = "u")]
    pub url: String,
    /// Whether a click gets a click id that its conversions name.
    #[serde(rename = "t", default, skip_serializing_if = "is_false")]
    pub track_conversion: bool,
    /// Hidden from lists; it still redirects.
    #[serde(rename = "a", default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// From then on it is expired.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// Since then it answers like an unknown link.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Millis>,
    /// Title of the preview.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description of the preview.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The rest, mostly empty.
    #[serde(rename = "o", default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
}

/// The rarer settings of a link: the column `options` of D1's `links`, as JSON, and part of [`LinkRecord`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the wire contract")]
pub struct Options {
    /// The password's hash ([`crate::core::password::hash`]); never the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Bots get a page with the link's own preview.
    #[serde(skip_serializing_if = "is_false")]
    pub proxy: bool,
    /// Cloaking: the destination is shown in a frame under the short link's address.
    #[serde(skip_serializing_if = "is_false")]
    pub rewrite: bool,
    /// Search engines may index the short link.
    #[serde(skip_serializing_if = "is_false")]
    pub do_index: bool,
    /// Taken down: answers 410 whatever else is set.
    #[serde(skip_serializing_if = "is_false")]
    pub banned: bool,
    /// `+` at the end of the key does not show the destination.
    #[serde(skip_serializing_if = "is_false")]
    pub no_inspect: bool,
    /// Where an expired link leads instead of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_url: Option<String>,
    /// The destination on iOS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ios: Option<String>,
    /// The destination on Android.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android: Option<String>,
    /// Destinations by ISO 3166-1 alpha-2 country, upper case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub geo: BTreeMap<String, String>,
    /// Picture of the preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Film of the preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
    /// Variants of an A/B test, 2–4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_variants: Vec<Variant>,
    /// When the test began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_started_at: Option<Millis>,
    /// When the test ends; the variants count only before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_completed_at: Option<Millis>,
    /// Destinations under conditions; the first rule that holds wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// After so many clicks the link is expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_clicks: Option<u32>,
    /// Kept for the API; a redirect does not look at it.
    #[serde(skip_serializing_if = "is_false")]
    pub is_conversion_callback: bool,
    /// Kept for the API; a redirect does not look at it.
    #[serde(skip_serializing_if = "is_false")]
    pub lead_magnet_enabled: bool,
    /// Kept for the API; a redirect does not look at it.
    #[serde(skip_serializing_if = "is_false")]
    pub public_stats: bool,
    /// What nobody can guess of the address of the public page, which is there while `public_stats` is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_page: Option<String>,
    /// Webhooks that want this link's clicks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook_ids: Vec<String>,
}

/// One destination of an A/B test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Where it leads.
    pub url: String,
    /// Its weight; the weights need not add up to 100.
    pub percentage: u8,
}

/// A destination that holds under every one of its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// All must hold. No condition at all never holds.
    pub conditions: Vec<Condition>,
    /// Where it leads.
    pub url: String,
}

/// What a rule looks at. Wire form: `{"language":"fr"}`, `{"query":{"name":"ref","value":"x"}}`, …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// The visitor's languages contain it: `fr` holds for `fr-CA` as well, `fr-CA` only for itself.
    Language(String),
    /// The request has the parameter, with this value if one is given.
    Query {
        /// Its name.
        name: String,
        /// Its value; `None`: any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// From this instant on.
    After(Millis),
    /// Until this instant, exclusively.
    Before(Millis),
    /// The browser's name as analytics shows it (`Chrome`, `Mobile Safari`), case-insensitive.
    Browser(String),
    /// `ios`, `android`, `mobile`, `tablet`, `desktop`.
    Device(String),
    /// ISO 3166-1 alpha-2.
    Country(String),
}

/// Why a text is not a record. Treat it as a miss, say so in the log, and read D1.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Not JSON of the right shape.
    #[error("not a link record: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a newer or older deployment.
    #[error("link record of version {0}")]
    Version(u8),
}

impl LinkRecord {
    /// Reads the text that KV holds.
    ///
    /// # Errors
    /// [`RecordError`]: treat as a miss.
    pub fn from_text(text: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Head {
            v: u8,
        }
        let record: Result<Self, _> = serde_json::from_str(text);
        let version = match &record {
            Ok(record) => Some(record.version),
            // Only what cannot be read is read a second time, for the version that it names.
            Err(_) => serde_json::from_str(text).ok().map(|Head { v }| v),
        };
        match version {
            Some(v) if v != RECORD_VERSION => Err(RecordError::Version(v)),
            _ => Ok(record?),
        }
    }
}

impl Options {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        r#"{"v":1,"i":"link_1","w":"ws_1","d":"go.acme.com","k":"launch","u":"https://acme.com/","t":true}"#;
    const FULL: &str = r#"{"v":1,"i":"link_1","w":"ws_1","d":"go.acme.com","k":"launch","u":"https://acme.com/","a":true,"x":5,"z":6,"n":"T","s":"D","o":{"password":"h","geo":{"FR":"https://acme.fr/"},"testVariants":[{"url":"https://a.com/","percentage":50}],"testCompletedAt":9,"rules":[{"conditions":[{"language":"fr"},{"query":{"name":"ref"}},{"after":1},{"browser":"Firefox"}],"url":"https://b.com/"}],"maxClicks":3}}"#;

    /// A deploy leaves records in KV: these texts must parse for ever, or the version must change.
    #[test]
    fn wire_form_is_pinned() {
        for text in [PLAIN, FULL] {
            let record = LinkRecord::from_text(text).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "null", "{}", "[]", r#"{"v":1}"#, r#"{"v":2,"i":"x"}"#, &PLAIN.replace("true", "1")]
        {
            assert!(LinkRecord::from_text(text).is_err(), "{text}");
        }
        let newer = PLAIN.replace(r#""v":1"#, r#""v":2"#);
        assert!(matches!(LinkRecord::from_text(&newer), Err(RecordError::Version(2))));
    }

    #[test]
    fn options_of_a_later_version_are_read_without_what_is_unknown() {
        let options: Options = serde_json::from_str(r#"{"ios":"https://a.com/","later":1}"#).unwrap();
        assert_eq!(options.ios.as_deref(), Some("https://a.com/"));
    }
}
