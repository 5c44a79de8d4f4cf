//! API keys as settings make and show them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::link::iso;
use crate::core::access::{PUBLISHABLE_SCOPE, Permissions, is_scope};
use crate::core::problem::{Code, Problem};
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Text};

/// Requests a minute of a key that is made without a word about it. Source: wire contract 1.6.
pub const DEFAULT_RATE_LIMIT: i64 = 600;
/// Requests a minute of the key an instance is born with: its operator's own.
pub const FIRST_RATE_LIMIT: i64 = 1_000_000;
const MAX_RATE_LIMIT: i64 = 1_000_000;

/// What a body says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBody {
    /// 1–50 characters.
    pub name: Option<String>,
    /// Space-separated.
    pub scopes: Option<String>,
    /// Requests a minute.
    pub rate_limit: Option<i64>,
    /// From then on it is refused.
    pub expires_at: Given<Millis>,
}

/// A row of `api_keys`, without its hash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Token {
    /// `tok_…`
    pub id: String,
    /// Shown.
    pub name: String,
    /// Its ends.
    pub partial: String,
    /// Space-separated.
    pub scopes: String,
    /// Requests a minute.
    pub rate_limit: i64,
    /// When it was made.
    pub created_at: Millis,
    /// About when it was last used.
    pub last_used: Option<Millis>,
    /// From then on it is refused.
    pub expires_at: Option<Millis>,
}

impl TokenBody {
    /// Reads the body. Nobody gives a key what their own does not have.
    ///
    /// # Errors
    /// 422; 403 for scopes beyond the caller's.
    pub fn parse(body: &Value, caller: Permissions, is_new: bool) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let name = fields.text("name", Text::up_to(50).trimmed().at_least(1))?;
        let name = if is_new { Some(fields.required("name", name)?) } else { name.value() };
        let publishable = is_new && fields.boolean("publishable")?.value().unwrap_or(false);
        let scopes = match fields.texts("scopes", 50)?.value() {
            None if publishable => Some(PUBLISHABLE_SCOPE.to_owned()),
            Some(_) if publishable => {
                return Err(fields.refuse("scopes", "A publishable key has no scopes"));
            }
            Some(scopes) if !scopes.is_empty() => {
                if let Some(unknown) = scopes.iter().find(|scope| !is_scope(scope)) {
                    let text = format!("Unknown scope {}", unknown.chars().take(50).collect::<String>());
                    return Err(fields.refuse("scopes", &text));
                }
                Some(scopes.join(" "))
            }
            _ if is_new => Some("apis.all".to_owned()),
            _ => None,
        };
        if scopes.as_ref().is_some_and(|scopes| !caller.cover(Permissions::of_scopes(scopes))) {
            let text = "A key cannot be given scopes that the key making it does not have.";
            return Err(Problem::new(Code::Forbidden, text));
        }
        Ok(Self {
            name,
            scopes,
            rate_limit: fields.integer("rateLimit", 1, MAX_RATE_LIMIT)?.value(),
            expires_at: fields.date("expiresAt")?,
        })
    }

    /// Whether the key is for pages.
    #[must_use]
    pub fn is_publishable(&self) -> bool {
        self.scopes.as_deref() == Some(PUBLISHABLE_SCOPE)
    }

    /// `token` with what the body says.
    #[must_use]
    pub fn over(self, token: Token) -> Token {
        Token {
            name: self.name.unwrap_or(token.name),
            // What stands in pages for everybody to read stays what it is.
            scopes: match self.scopes {
                Some(scopes) if token.scopes != PUBLISHABLE_SCOPE => scopes,
                _ => token.scopes,
            },
            rate_limit: self.rate_limit.unwrap_or(token.rate_limit),
            expires_at: self.expires_at.over(token.expires_at),
            ..token
        }
    }
}

impl Token {
    /// The object of the wire contract 6.8; never the key.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "partialKey": self.partial,
            "scopes": self.scopes.split_whitespace().collect::<Vec<_>>(),
            "rateLimit": self.rate_limit,
            "lastUsed": iso(self.last_used),
            "expiresAt": iso(self.expires_at),
            "createdAt": self.created_at.to_iso(),
            "updatedAt": self.created_at.to_iso(),
            "user": {"id": self.id, "name": self.name, "image": Value::Null, "isMachine": true},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_within_what_their_maker_may() {
        let maker = Permissions::of_scopes("links.write tokens.write");
        let read = |body: Value| TokenBody::parse(&body, maker, true).map_err(|problem| problem.code);
        let found = read(json!({"name": "ci", "scopes": ["links.read"], "rateLimit": 5})).unwrap();
        assert_eq!((found.scopes.as_deref(), found.rate_limit), (Some("links.read"), Some(5)));
        let publishable = read(json!({"name": "page", "publishable": true})).unwrap();
        assert!(publishable.is_publishable() && !found.is_publishable());
        for (body, code) in [
            (json!({"name": "x", "publishable": true, "scopes": ["links.read"]}), Code::Unprocessable),
            (json!({"name": "x", "scopes": ["publishable"]}), Code::Unprocessable),
            (json!({"name": "x", "scopes": ["apis.all"]}), Code::Forbidden),
            (json!({"name": "x"}), Code::Forbidden),
            (json!({"name": "x", "scopes": ["root"]}), Code::Unprocessable),
            (json!({"scopes": ["links.read"]}), Code::Unprocessable),
            (json!({"name": "x", "scopes": ["links.read"], "rateLimit": 0}), Code::Unprocessable),
        ] {
            assert_eq!(read(body.clone()), Err(code), "{body}");
        }
        let all = Permissions::of_scopes("apis.all tokens.write");
        assert_eq!(
            TokenBody::parse(&json!({"name": "x"}), all, true).unwrap().scopes.as_deref(),
            Some("apis.all")
        );
        assert_eq!(TokenBody::parse(&json!({}), all, false).unwrap().scopes, None);
    }
}
