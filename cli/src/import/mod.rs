//! `pimms import`: brings links over from a CSV file, or from an API of the shape of Dub's or PiMMs's.
//!
//! Idempotent: a link that is already there as it should be is left alone, and one that is there with another
//! destination is never overwritten.

mod source;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use pimms_edge::core::time::Millis;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::http_client::Answer;
use crate::progress::Pace;
use crate::table::Table;
use crate::target::{Address, Target, text};

/// How often a request is made again while the instance says that it has too many.
const ATTEMPTS: u32 = 8;

/// The first pause when it does not say how long to wait.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Options of `pimms import`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Links as CSV with a header: `url`, and `short link` or `domain` and `key`; more columns by their API names.
    #[arg(long, value_name = "FILE", required_unless_present = "from_api")]
    pub csv: Option<PathBuf>,
    /// An API to read links from, such as `https://api.dub.co`.
    #[arg(long, value_name = "URL", requires = "from_key", conflicts_with = "csv")]
    pub from_api: Option<String>,
    /// Its API key.
    #[arg(long, value_name = "KEY", env = "IMPORT_API_KEY", hide_env_values = true)]
    pub from_key: Option<String>,
    /// Puts every link on this domain instead of its own.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Where the instance is.
    #[command(flatten)]
    pub address: Address,
}

/// A link to be made: the body of `POST /api/links`.
pub type Wanted = Map<String, Value>;

/// The closing account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Read from the source.
    pub read: usize,
    /// Made now.
    pub created: usize,
    /// Already there.
    pub unchanged: usize,
    /// The short link of each that was not taken over, and why.
    pub refused: Vec<(String, String)>,
}

/// `pimms import`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::find(&options.address)?;
    let outcome = import(&target, options)?;
    print!("{}", outcome.report());
    match outcome.refused.len() {
        0 => Ok(()),
        refused => Err(Failure::new(format!("{refused} links were not taken over: see above"))),
    }
}

/// Reads every link of the source and makes those that are not there.
pub fn import(target: &Target, options: &Options) -> Result<Outcome, Failure> {
    let wanted = match (&options.csv, &options.from_api) {
        (Some(file), _) => source::csv(file)?,
        (None, Some(api)) => source::api(api, options.from_key.as_deref().unwrap_or_default())?,
        (None, None) => return Err(Failure::new("--csv FILE or --from-api URL is needed")),
    };
    let mut outcome = Outcome { read: wanted.len(), ..Outcome::default() };
    let mut pace = Pace::new();
    for (done, wanted) in wanted.into_iter().enumerate() {
        pace.tell(|| format!("{done} of {} links", outcome.read));
        let name = name(&wanted);
        match wanted {
            Ok(mut link) => {
                if let Some(domain) = &options.domain {
                    link.insert("domain".to_owned(), domain.as_str().into());
                }
                outcome.take(name, one(target, &link)?);
            }
            Err(reason) => outcome.refused.push((name, reason)),
        }
    }
    Ok(outcome)
}

/// What became of one link.
enum Taken {
    Created,
    Unchanged,
    Refused(String),
}

impl Outcome {
    fn take(&mut self, name: String, taken: Taken) {
        match taken {
            Taken::Created => self.created += 1,
            Taken::Unchanged => self.unchanged += 1,
            Taken::Refused(reason) => self.refused.push((name, reason)),
        }
    }

    fn report(&self) -> String {
        let mut counts = Table::new(&["Read", "Created", "Unchanged", "Refused"]);
        counts.row([self.read, self.created, self.unchanged, self.refused.len()].map(|n| n.to_string()));
        let mut refused = Table::new(&["Refused", "Why"]);
        self.refused.iter().for_each(|(name, reason)| refused.row([name.clone(), reason.clone()]));
        if refused.is_empty() { counts.to_string() } else { format!("{refused}\n{counts}") }
    }
}

fn name(wanted: &Result<Wanted, String>) -> String {
    let Ok(link) = wanted else { return "?".to_owned() };
    let part = |name: &str| link.get(name).and_then(Value::as_str).unwrap_or_default();
    match (part("domain"), part("key")) {
        ("", "") => part("url").to_owned(),
        (domain, key) => format!("{domain}/{key}"),
    }
}

fn one(target: &Target, wanted: &Wanted) -> Result<Taken, Failure> {
    if let Some(existing) = existing(target, wanted)? {
        return Ok(match differences(wanted, &existing).as_slice() {
            [] => Taken::Unchanged,
            fields => Taken::Refused(format!("is there already with another {}", fields.join(", "))),
        });
    }
    let answer = patiently(target, "POST", "/api/links", Some(&Value::Object(wanted.clone())))?;
    if answer.status == 200 {
        return Ok(Taken::Created);
    }
    let body = answer.json();
    let reason = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason was given");
    Ok(Taken::Refused(reason.to_owned()))
}

/// The link of the same domain and key, or else of the same external id.
fn existing(target: &Target, wanted: &Wanted) -> Result<Option<Value>, Failure> {
    let part = |name: &str| wanted.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let query = match (part("domain"), part("key"), part("externalId")) {
        (Some(domain), Some(key), _) => format!("domain={}&key={}", escaped(domain), escaped(key)),
        (_, _, Some(id)) => format!("externalId=ext_{}", escaped(id)),
        _ => return Ok(None),
    };
    let path = format!("/api/links/info?{query}");
    let answer = patiently(target, "GET", &path, None)?;
    match answer.status {
        200 => Ok(Some(answer.json())),
        // Not there; or somebody else's, and making it will say so.
        401 | 403 | 404 => Ok(None),
        _ => Err(answer.success().err().unwrap_or_else(|| Failure::new("no answer"))),
    }
}

/// The fields in which a link is not as wanted.
fn differences(wanted: &Wanted, existing: &Value) -> Vec<String> {
    let same = |name: &str, value: &Value| {
        let there = existing.get(name).unwrap_or(&Value::Null);
        match name {
            "domain" | "key" => true, // it was found by them
            "password" => there.is_null() == value.is_null(),
            "tagNames" => {
                let tags = existing.get("tags").and_then(Value::as_array).into_iter().flatten();
                let mut there: Vec<&str> = tags.map(|tag| text(tag, "name")).collect();
                let mut here: Vec<&str> =
                    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                there.sort_unstable();
                here.sort_unstable();
                there == here
            }
            "expiresAt" => {
                let at = |value: &Value| value.as_str().and_then(Millis::parse);
                at(there) == at(value)
            }
            "url" | "expiredUrl" | "ios" | "android" => address(there) == address(value),
            _ => there == value,
        }
    };
    wanted.iter().filter(|(name, value)| !same(name, value)).map(|(name, _)| name.clone()).collect()
}

/// An address as the API normalises it: with a scheme, without a bare slash at the end.
fn address(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default().trim();
    let text =
        if text.contains("://") || text.is_empty() { text.to_owned() } else { format!("https://{text}") };
    text.trim_end_matches('/').to_owned()
}

/// Sends a request again as long as there are too many of them.
fn patiently(target: &Target, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
    let mut pause = FIRST_PAUSE;
    let mut answer = target.send(method, path, body)?;
    for _ in 1..ATTEMPTS {
        if answer.status != 429 && answer.status != 503 {
            break;
        }
        let asked = answer.header("retry-after").and_then(|text| text.parse().ok());
        sleep(asked.map_or(pause, |seconds: u64| Duration::from_secs(seconds.min(60))));
        pause *= 2;
        answer = target.send(method, path, body)?;
    }
    Ok(answer)
}

/// Percent-encoded for a query.
fn escaped(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut out = String::new();
    for byte in text.bytes() {
        if safe(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // a String takes everything
        }
    }
    out
}

/// Columns and fields that are taken over, by the name of the API.
fn fields() -> BTreeMap<&'static str, Kind> {
    let mut fields = BTreeMap::from([
        ("archived", Kind::Flag),
        ("doIndex", Kind::Flag),
        ("geo", Kind::Object),
        ("proxy", Kind::Flag),
        ("rewrite", Kind::Flag),
        ("tagNames", Kind::List),
        ("testVariants", Kind::Object),
        ("trackConversion", Kind::Flag),
    ]);
    for name in [
        "android",
        "comments",
        "description",
        "domain",
        "expiredUrl",
        "expiresAt",
        "externalId",
        "image",
        "ios",
        "key",
        "password",
        "tenantId",
        "title",
        "url",
        "utm_campaign",
        "utm_content",
        "utm_medium",
        "utm_source",
        "utm_term",
        "video",
    ] {
        fields.insert(name, Kind::Text);
    }
    fields
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    /// Texts; in CSV separated by commas.
    List,
    /// JSON; not in CSV.
    Object,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_is_unchanged_only_if_every_wanted_field_is_there() {
        let existing = json!({
            "domain": "d.co", "key": "a", "url": "https://x.io", "title": null, "archived": false,
            "expiresAt": "2030-01-01T00:00:00.000Z", "tags": [{"name": "b"}, {"name": "a"}], "password": "***",
        });
        for (wanted, expected) in [
            (json!({"domain": "d.co", "key": "A", "url": "https://x.io/"}), vec![]),
            (
                json!({"url": "x.io", "expiresAt": "2030-01-01", "tagNames": ["a", "b"], "archived": false}),
                vec![],
            ),
            (json!({"url": "https://y.io"}), vec!["url"]),
            (json!({"url": "https://x.io", "title": "T", "tagNames": ["a"]}), vec!["tagNames", "title"]),
            (json!({"url": "https://x.io", "archived": true}), vec!["archived"]),
            (json!({"url": "https://x.io", "password": "secret"}), vec![]),
        ] {
            assert_eq!(differences(wanted.as_object().unwrap(), &existing), expected, "{wanted}");
        }
    }

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("a/b c&é~"), "a%2Fb%20c%26%C3%A9~");
    }
}
