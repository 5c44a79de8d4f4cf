//! What the owner says of a customer by API, and the fact it states.

use serde_json::Value;
use url::Url;

use crate::core::countries;
use crate::core::ids;
use crate::core::ledger::fact::{Body, CustomerChange, Fact, OWNER_EVENT, Person, Source};
use crate::core::ledger::messages::{Claim, Shown};
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Text};

/// As long as `/track/lead` takes them: an id that could be stored here only would never meet an event.
const MAX_TEXT: usize = 100;
const MAX_AVATAR: usize = 2048;
const MAX_STRIPE_ID: usize = 255;

/// A body of `POST /customers` or `PATCH /customers/{id}`. Source: wire contract 6.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerBody {
    external_id: Option<String>,
    stripe_id: Option<String>,
    name: Given<String>,
    email: Given<String>,
    avatar: Given<String>,
    country: Given<String>,
}

impl CustomerBody {
    /// Reads the body; a new customer must have an external id, and nobody loses theirs.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value, is_new: bool) -> Result<Self, Problem> {
        let fields = &Fields::root(body)?;
        let external = fields.text("externalId", Text::up_to(MAX_TEXT).trimmed().at_least(1))?;
        let external_id = if is_new || external == Given::Null {
            Some(fields.required("externalId", external)?)
        } else {
            external.value()
        };
        let stripe = fields.text("stripeCustomerId", Text::up_to(MAX_STRIPE_ID).trimmed())?;
        Ok(Self {
            external_id,
            stripe_id: stripe.value().filter(|id| !id.is_empty()),
            name: cleared(fields.text("name", Text::up_to(MAX_TEXT).trimmed())?),
            email: match cleared(fields.text("email", Text::up_to(MAX_TEXT).trimmed())?) {
                Given::Value(_) => fields.email("email", MAX_TEXT)?,
                given => given,
            },
            avatar: cleared(fields.text("avatar", Text::up_to(MAX_AVATAR).trimmed())?).try_map(|text| {
                let is_page = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                if is_page { Ok(text) } else { Err(fields.refuse("avatar", "Invalid URL")) }
            })?,
            country: cleared(fields.text("country", Text::up_to(2).trimmed())?).try_map(|text| {
                let code = text.to_ascii_uppercase();
                let known = countries::is_country(&code);
                if known { Ok(code) } else { Err(fields.refuse("country", "Expected a country code")) }
            })?,
        })
    }

    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let told = [&self.name, &self.email, &self.avatar, &self.country];
        self.external_id.is_none() && self.stripe_id.is_none() && !told.iter().any(|given| given.is_given())
    }

    /// The external id.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.external_id.as_deref().unwrap_or_default()
    }

    /// What makes a second creation the same: one customer per external id. The id itself is not kept.
    #[must_use]
    pub fn claim(&self) -> Claim {
        let id = ids::sha256_hex(self.external_id().as_bytes());
        Claim { key: format!("customer:{id}"), answer: String::new() }
    }

    /// The fact it states; of `customer_id`, when that customer is there already.
    #[must_use]
    pub fn fact(&self, event_id: String, at: Millis, customer_id: Option<String>) -> Fact {
        let change = if customer_id.is_some() { CustomerChange::Updated } else { CustomerChange::Created };
        let person = Person {
            customer_id,
            external_id: self.external_id.clone(),
            stripe_id: self.stripe_id.clone(),
            name: told(&self.name),
            email: told(&self.email),
            avatar: told(&self.avatar),
            country: told(&self.country),
        };
        Fact {
            source: Source { event_id, event_type: OWNER_EVENT.to_owned(), at, account: String::new() },
            body: Body::Customer { person, touches: Vec::new(), change },
        }
    }

    /// How the customer is shown while its ledger has not answered.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown {
            external_id: self.external_id.clone(),
            name: self.name.clone().value(),
            email: self.email.clone().value(),
            avatar: self.avatar.clone().value(),
            country: self.country.clone().value(),
            click_id: None,
        }
    }
}

/// An empty text clears, as `null` does.
fn cleared(given: Given<String>) -> Given<String> {
    match given {
        Given::Value(text) if text.is_empty() => Given::Null,
        given => given,
    }
}

/// As a fact says it: an empty text clears.
fn told(given: &Given<String>) -> Option<String> {
    match given {
        Given::Absent => None,
        Given::Null => Some(String::new()),
        Given::Value(text) => Some(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ledger::fold::fold;
    use crate::core::ledger::view::Policy;
    use crate::core::mode::Mode;
    use serde_json::json;

    fn parse(body: &Value, is_new: bool) -> Result<CustomerBody, String> {
        CustomerBody::parse(body, is_new).map_err(|problem| problem.message)
    }

    #[test]
    fn wrong_fields_are_named() {
        for (body, is_new, expected) in [
            (json!({}), true, "invalid_type: externalId: externalId is required"),
            (json!({"externalId": null}), false, "invalid_type: externalId: externalId is required"),
            (json!({"externalId": " "}), true, "too_small: externalId: "),
            (json!({"externalId": 7}), true, "invalid_type: externalId: Expected string"),
            (json!({"externalId": "x".repeat(101)}), true, "too_big: externalId: "),
            (json!({"email": "x"}), false, "invalid_string: email: Invalid email"),
            (json!({"avatar": "javascript:alert(1)"}), false, "custom: avatar: Invalid URL"),
            (json!({"avatar": "x.png"}), false, "custom: avatar: Invalid URL"),
            (json!({"country": "UK"}), false, "custom: country: Expected a country code"),
            (json!({"country": "FRA"}), false, "too_big: country: "),
            (json!({"name": []}), false, "invalid_type: name: Expected string"),
            (json!([]), false, "invalid_type: "),
        ] {
            let found = parse(&body, is_new).unwrap_err();
            assert!(found.starts_with(expected), "{body}: {found}");
        }
        assert!(parse(&json!({"programId": "x"}), false).unwrap().is_empty());
        assert!(!parse(&json!({"name": null}), false).unwrap().is_empty());
    }

    #[test]
    fn what_is_said_later_replaces_and_clears() {
        let bodies = [
            (json!({"externalId": "u1", "name": "Ada", "email": "a@b.co", "country": "fr"}), true),
            (json!({"name": "Ada L.", "email": null, "avatar": "https://a.co/a.png"}), false),
            (json!({"externalId": "u2", "avatar": "", "country": "GB"}), false),
        ];
        let facts = bodies.iter().zip(1..).map(|((body, is_new), at)| {
            let body = parse(body, *is_new).unwrap();
            body.fact(format!("customer_{at}"), Millis(at), (!is_new).then(|| "cus_1".to_owned()))
        });
        let policy = Policy { workspace_id: "ws_1".into(), mode: Mode::Live, window_days: 90 };
        let mut facts: Vec<Fact> = facts.collect();
        let expected = fold(facts.clone(), &policy).customer;
        assert_eq!(expected.name.as_deref(), Some("Ada L."));
        assert_eq!((expected.email.as_deref(), expected.avatar.as_deref()), (None, None));
        assert_eq!((expected.country.as_deref(), expected.created_at), (Some("GB"), Millis(1)));
        assert_eq!(expected.external_ids, ["u1", "u2"]);
        assert!(expected.visible);
        facts.reverse();
        assert_eq!(fold(facts, &policy).customer, expected, "order does not matter");
    }
}
