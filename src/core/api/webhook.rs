//! Outbound webhooks as settings make and show them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::link::iso;
use crate::core::mode::Mode;
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Text};
use crate::core::webhook::{self, Trigger, signature};

/// No webhook lists more links than this.
const MAX_LINKS: usize = 500;
/// A secret of one's own is at least this long.
const MIN_SECRET: usize = 16;
const MAX_SECRET: usize = 200;

/// What a body says about a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookBody {
    /// 1–40 characters.
    pub name: Option<String>,
    /// Allowed by [`webhook::address`].
    pub url: Option<String>,
    /// Only when it is made.
    pub secret: Option<String>,
    /// At least one, unless links are listed.
    pub triggers: Option<Vec<Trigger>>,
    /// Whose clicks it is told of.
    pub link_ids: Option<Vec<String>>,
    /// Every link's clicks.
    pub all_links: Option<bool>,
    /// Only when it is made.
    pub mode: Option<Mode>,
}

/// A row of `webhooks`, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// `wh_…`
    pub id: String,
    /// Whose leads and sales.
    pub mode: Mode,
    /// Shown.
    pub name: String,
    /// Where it goes.
    pub url: String,
    /// The end of its secret.
    pub last_four: String,
    /// JSON array.
    pub triggers: String,
    /// 0 or 1.
    pub all_links: i64,
    /// Events in a row that could not be delivered.
    pub failures: i64,
    /// Since then nothing is sent.
    pub disabled_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// JSON array.
    pub link_ids: String,
}

/// A row of `webhook_deliveries`, as the log shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// `wh_…`
    pub webhook_id: String,
    /// `evt_…`
    pub event_id: String,
    /// What it tells of.
    pub event: String,
    /// Where it goes.
    pub url: String,
    /// `None` before the first attempt.
    pub body: Option<String>,
    /// `waiting`, `delivered`, `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Millis,
    /// Of the last attempt; `None`: no answer.
    pub status: Option<i64>,
    /// The beginning of the last answer, or why there is none.
    pub response: Option<String>,
    /// When it was last tried, or made.
    pub updated_at: Millis,
}

impl WebhookBody {
    /// Reads the body.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value, is_new: bool, is_local: bool) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let name = fields.text("name", Text::up_to(40).trimmed().at_least(1))?;
        let url = fields.text("url", Text::up_to(2000).trimmed())?;
        let url = if is_new { Given::Value(fields.required("url", url)?) } else { url };
        let url = url.try_map(|text| match webhook::address(&text, is_local) {
            Some(url) => Ok(url.to_string()),
            None => {
                Err(fields.refuse("url", "A webhook's address is https, public, without port or password"))
            }
        })?;
        let secret =
            fields.text("secret", Text::up_to(MAX_SECRET).at_least(MIN_SECRET))?.try_map(|secret| {
                let fits = secret.bytes().all(|byte| byte.is_ascii_graphic());
                if fits {
                    Ok(secret)
                } else {
                    Err(fields.refuse("secret", "Letters, digits and signs of ASCII only"))
                }
            })?;
        let triggers = fields.texts("triggers", 50)?.try_map(|names| {
            let read = |name: &String| {
                let text = format!("Unknown trigger {}", name.chars().take(50).collect::<String>());
                Trigger::parse(name).ok_or_else(|| fields.refuse("triggers", &text))
            };
            let mut triggers = names.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            triggers.sort_unstable();
            triggers.dedup();
            Ok(triggers)
        })?;
        let link_ids = fields.texts("linkIds", MAX_LINKS)?.map(|mut ids| {
            ids.sort_unstable();
            ids.dedup();
            ids
        });
        // `null` lists no links.
        let link_ids = if matches!(link_ids, Given::Null) { Some(Vec::new()) } else { link_ids.value() };
        let triggers = if is_new && link_ids.as_ref().is_none_or(Vec::is_empty) {
            Some(fields.required("triggers", triggers)?)
        } else {
            triggers.value()
        };
        let has_links = link_ids.as_ref().is_some_and(|ids| !ids.is_empty());
        if triggers.as_ref().is_some_and(Vec::is_empty) && !has_links {
            return Err(fields.refuse("triggers", "Name at least one trigger"));
        }
        let mode = fields
            .text("mode", Text::up_to(10))?
            .try_map(|text| Mode::parse(&text).ok_or_else(|| fields.refuse("mode", "Either live or test")))?;
        Ok(Self {
            name: if is_new { Some(fields.required("name", name)?) } else { name.value() },
            url: url.value(),
            secret: secret.value().filter(|_| is_new),
            triggers,
            link_ids,
            all_links: fields.boolean("allLinks")?.value(),
            mode: mode.value().filter(|_| is_new),
        })
    }

    /// `old` with what the body says. Listing links asks for their clicks.
    #[must_use]
    pub fn over(&self, old: Webhook, now: Millis) -> Webhook {
        let link_ids = self.link_ids.clone().unwrap_or_else(|| old.links());
        let all_links = self.all_links.map_or(old.all_links, i64::from);
        let mut triggers = self.triggers.clone().unwrap_or_else(|| old.triggers());
        if (!link_ids.is_empty() || all_links == 1) && !triggers.contains(&Trigger::LinkClicked) {
            triggers.push(Trigger::LinkClicked);
        }
        Webhook {
            name: self.name.clone().unwrap_or(old.name),
            url: self.url.clone().unwrap_or(old.url),
            mode: self.mode.unwrap_or(old.mode),
            triggers: json!(triggers).to_string(),
            link_ids: json!(link_ids).to_string(),
            all_links,
            updated_at: now,
            ..old
        }
    }
}

impl Webhook {
    /// What it is told of.
    #[must_use]
    pub fn triggers(&self) -> Vec<Trigger> {
        serde_json::from_str(&self.triggers).unwrap_or_default()
    }

    /// Whose clicks it is told of.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        serde_json::from_str(&self.link_ids).unwrap_or_default()
    }

    /// The object of the wire contract 7.1. The secret itself is shown only to whoever has just made it.
    #[must_use]
    pub fn shown(&self, secret: Option<&str>) -> Value {
        let hidden = || format!("{}...{}", signature::PREFIX, self.last_four);
        json!({
            "id": self.id,
            "name": self.name,
            "url": self.url,
            "secret": secret.map_or_else(hidden, str::to_owned),
            "triggers": self.triggers(),
            "linkIds": self.links(),
            "allLinks": self.all_links != 0,
            "mode": self.mode,
            "consecutiveFailures": self.failures,
            "disabledAt": iso(self.disabled_at),
            "installationId": Value::Null,
            "createdAt": self.created_at.to_iso(),
            "updatedAt": self.updated_at.to_iso(),
        })
    }
}

impl Delivered {
    /// The object of the wire contract 7.1, and where the delivery stands.
    #[must_use]
    pub fn shown(&self) -> Value {
        let body = self.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let tried = self.attempts > 0;
        json!({
            "event_id": self.event_id,
            "webhook_id": self.webhook_id,
            "message_id": webhook::message_id(&self.webhook_id, &self.event_id),
            "event": self.event,
            "url": self.url,
            // No answer at all is shown as 503.
            "http_status": if tried { json!(self.status.unwrap_or(503)) } else { Value::Null },
            "request_body": body.unwrap_or_default(),
            "response_body": self.response.clone().unwrap_or_default(),
            "timestamp": self.updated_at.to_iso(),
            "state": self.state,
            "attempts": self.attempts,
            "next_attempt_at": if self.state == "waiting" { json!(self.next_at.to_iso()) } else { Value::Null },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value, is_new: bool) -> Result<WebhookBody, String> {
        WebhookBody::parse(body, is_new, false).map_err(|problem| problem.message)
    }

    fn blank() -> Webhook {
        Webhook {
            id: "wh_1".to_owned(),
            mode: Mode::Live,
            name: String::new(),
            url: String::new(),
            last_four: "cdef".to_owned(),
            triggers: "[]".to_owned(),
            all_links: 0,
            failures: 0,
            disabled_at: None,
            created_at: Millis(0),
            updated_at: Millis(0),
            link_ids: "[]".to_owned(),
        }
    }

    #[test]
    fn bodies_are_read() {
        let body = json!({"name": " Shop ", "url": "https://acme.com/hook", "triggers": ["sale.created", "link.created",
            "sale.created"]});
        let found = read(&body, true).unwrap().over(blank(), Millis(5));
        assert_eq!((found.name.as_str(), found.url.as_str()), ("Shop", "https://acme.com/hook"));
        assert_eq!(found.triggers(), [Trigger::LinkCreated, Trigger::SaleCreated]);
        assert_eq!(found.shown(None)["secret"], "whsec_...cdef");
        assert_eq!(found.shown(Some("whsec_x"))["secret"], "whsec_x");
        let listed = json!({"linkIds": ["link_2", "link_1", "link_2"]});
        let found = read(&listed, false).unwrap().over(found, Millis(6));
        assert_eq!(found.links(), ["link_1", "link_2"]);
        assert_eq!(found.triggers(), [Trigger::LinkCreated, Trigger::SaleCreated, Trigger::LinkClicked]);
        let none = read(&json!({"linkIds": null, "triggers": ["lead.created"]}), false).unwrap();
        let found = none.over(found, Millis(7));
        assert_eq!((found.links(), found.triggers()), (vec![], vec![Trigger::LeadCreated]));
        assert_eq!(found.name, "Shop");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = json!({"name": "x", "url": "https://acme.com/", "triggers": ["sale.created"]});
        for (field, value) in [
            ("name", Value::Null),
            ("name", json!("")),
            ("name", json!("x".repeat(41))),
            ("url", Value::Null),
            ("url", json!("http://acme.com/")),
            ("url", json!("https://127.0.0.1/")),
            ("url", json!("https://acme.internal/")),
            ("triggers", Value::Null),
            ("triggers", json!([])),
            ("triggers", json!(["sale"])),
            ("secret", json!("short")),
            ("secret", json!("with blank and enough")),
            ("mode", json!("both")),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            let message = read(&body, true).unwrap_err();
            assert!(message.contains(&format!(": {field}:")), "{field} {value}: {message}");
        }
        assert!(read(&good, true).is_ok());
        assert_eq!(
            read(&json!({"secret": "whsec_another_secret", "mode": "test"}), false).unwrap(),
            WebhookBody {
                name: None,
                url: None,
                secret: None,
                triggers: None,
                link_ids: None,
                all_links: None,
                mode: None,
            }
        );
    }
}
