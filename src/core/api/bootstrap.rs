//! The first workspace of an instance, as the tool that starts it asks for it.

use serde_json::Value;

use crate::core::problem::Problem;
use crate::core::validate::{Fields, Text};
use crate::core::{destination, domain, key};

use super::stripe::{SigningSecret, signing_secrets};

/// What to create. The caller makes the ids, so that asking again changes nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// `ws_…`
    pub workspace_id: String,
    /// Shown.
    pub name: String,
    /// In addresses of the dashboard.
    pub slug: String,
    /// The primary short-link domain.
    pub domain: String,
    /// The first API key, in clear; only its hash is stored.
    pub api_key: String,
    /// Stripe's signing secrets; empty: none yet.
    pub secrets: Vec<SigningSecret>,
    /// A first link to try.
    pub demo: Option<DemoLink>,
}

/// A link to try things with.
#[derive(Debug, PartialEq, Eq)]
pub struct DemoLink {
    /// As looked up.
    pub key: String,
    /// Where it leads.
    pub url: String,
}

impl Bootstrap {
    /// Reads the body.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let workspace_id = fields.required_text("workspaceId", Text::up_to(64))?;
        let tail = workspace_id.strip_prefix("ws_").unwrap_or_default();
        if tail.is_empty() || !tail.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(fields.refuse("workspaceId", "A workspace id is `ws_` and letters or digits"));
        }
        let slug = fields.required_text("slug", Text::up_to(48).at_least(3))?;
        if !is_slug(&slug) {
            return Err(fields.refuse("slug", SLUG_RULE));
        }
        let domain =
            fields.required_text("domain", Text::up_to(190).trimmed().at_least(1))?.to_ascii_lowercase();
        if !domain::is_name(&domain) {
            return Err(fields.refuse("domain", "Invalid domain"));
        }
        let api_key = fields.required_text("apiKey", Text::up_to(100))?;
        let token = api_key.strip_prefix("pimms_").unwrap_or_default();
        if token.len() != 24 || !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(fields.refuse("apiKey", "An API key is `pimms_` and 24 letters or digits"));
        }
        let demo = fields.raw("demoLink").value().map(|link| {
            let link = Fields::at(link, "demoLink".to_owned())?;
            let text = link.required_text("key", Text::up_to(key::MAX_CHARS))?;
            let url = link.required_text("url", Text::up_to(destination::MAX_BYTES))?;
            Ok(DemoLink {
                key: key::parse_new(&text).map_err(|e| link.refuse("key", &e.to_string()))?,
                url: destination::normalise(&url).map_err(|e| link.refuse("url", &e.to_string()))?,
            })
        });
        Ok(Self {
            workspace_id,
            name: fields.required_text("name", Text::up_to(32).trimmed().at_least(1))?,
            slug,
            domain,
            api_key,
            secrets: signing_secrets(&fields)?.unwrap_or_default(),
            demo: demo.transpose()?,
        })
    }
}

/// What [`is_slug`] insists on, for the caller.
pub const SLUG_RULE: &str = "A slug is lower-case letters, digits and single hyphens between them";

/// Whether a text can be the slug of a workspace.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let clean = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    clean && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--") && !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "workspaceId": "ws_1", "name": "Acme", "slug": "acme", "domain": "Go.Acme.com",
            "apiKey": "pimms_0123456789abcdefABCDEFgh",
            "signingSecrets": [{"mode": "live", "secret": "whsec_aaaaaaaa"}],
            "demoLink": {"key": "Launch", "url": "acme.com"}
        })
    }

    #[test]
    fn a_bootstrap_is_read() {
        let found = Bootstrap::parse(&body()).unwrap();
        assert_eq!((found.domain.as_str(), found.secrets.len()), ("go.acme.com", 1));
        assert_eq!(
            found.demo,
            Some(DemoLink { key: "launch".to_owned(), url: "https://acme.com".to_owned() })
        );
    }

    #[test]
    fn each_field_is_checked() {
        for (field, value) in [
            ("workspaceId", json!("1")),
            ("workspaceId", json!("ws_a'b")),
            ("slug", json!("A")),
            ("slug", json!("-acme")),
            ("domain", json!("a b")),
            ("domain", json!("")),
            ("apiKey", json!("pimms_short")),
            ("apiKey", json!("0123456789abcdefABCDEFghijklmn")),
            ("name", json!(" ")),
            ("demoLink", json!({"key": "api", "url": "acme.com"})),
            ("demoLink", json!({"key": "launch", "url": "javascript:1"})),
        ] {
            let mut body = body();
            body[field] = value.clone();
            let message = Bootstrap::parse(&body).unwrap_err().message;
            assert!(message.contains(field), "{field} {value}: {message}");
        }
    }
}
