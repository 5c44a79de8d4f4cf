//! A short-link domain as the API shows it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::problem::Problem;
use crate::core::sql::Where;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Query, Text};
use crate::core::{destination, domain};

/// Longest text of an app-association file.
const MAX_ASSOCIATION: usize = 20_000;

/// A row of `domains`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Domain {
    /// `dom_…`
    pub id: String,
    /// The host name.
    pub slug: String,
    /// 1: links get it when none is named.
    pub is_primary: i64,
    /// 1: hidden from lists, no new links.
    pub archived: i64,
    /// 1: a request for it has been seen to arrive here.
    pub verified: i64,
    /// Shown at the bare domain.
    pub placeholder: Option<String>,
    /// Where expired links lead.
    pub expired_url: Option<String>,
    /// Where unknown links lead.
    pub not_found_url: Option<String>,
    /// In QR codes.
    pub logo: Option<String>,
    /// JSON text, served as it is.
    pub asset_links: Option<String>,
    /// JSON text, served as it is.
    pub apple_app_site_association: Option<String>,
    /// When it was added.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

/// What a body says about a domain.
#[derive(Debug, Clone)]
pub struct DomainBody {
    /// A host name, lower case.
    pub slug: Option<String>,
    /// Makes it the primary one. It cannot be unmade, only given to another.
    pub primary: bool,
    archived: Given<bool>,
    placeholder: Given<String>,
    expired_url: Given<String>,
    not_found_url: Given<String>,
    logo: Given<String>,
    asset_links: Given<String>,
    apple_app_site_association: Given<String>,
}

impl DomainBody {
    /// Reads the body; a new domain must have a slug.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value, is_new: bool) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let slug = fields.text("slug", Text::up_to(190).trimmed().at_least(1))?;
        let slug = slug.try_map(|slug| {
            let name = domain::of_host(&slug).filter(|name| is_public_name(name));
            name.ok_or_else(|| fields.refuse("slug", "Invalid domain"))
        })?;
        let url = |name: &str| {
            let given = fields.text(name, Text::up_to(destination::MAX_BYTES).trimmed())?;
            match given {
                Given::Value(text) if text.is_empty() => Ok(Given::Null),
                given => given.try_map(|text| {
                    destination::normalise(&text).map_err(|e| fields.refuse(name, &e.to_string()))
                }),
            }
        };
        let json_text = |name: &str| {
            fields.text(name, Text::up_to(MAX_ASSOCIATION))?.try_map(|text| {
                match serde_json::from_str::<Value>(&text) {
                    Ok(_) => Ok(text),
                    Err(_) => Err(fields.refuse(name, "Must be JSON")),
                }
            })
        };
        Ok(Self {
            slug: if is_new { Some(fields.required("slug", slug)?) } else { slug.value() },
            primary: fields.boolean("primary")?.value().unwrap_or(false),
            archived: fields.boolean("archived")?,
            placeholder: fields.text("placeholder", Text::up_to(100))?,
            expired_url: url("expiredUrl")?,
            not_found_url: url("notFoundUrl")?,
            logo: url("logo")?,
            asset_links: json_text("assetLinks")?,
            apple_app_site_association: json_text("appleAppSiteAssociation")?,
        })
    }

    /// `domain` with what the body says. Fields it does not name stay.
    #[must_use]
    pub fn over(&self, domain: Domain) -> Domain {
        let body = self.clone();
        Domain {
            slug: body.slug.unwrap_or(domain.slug),
            archived: body.archived.value().map_or(domain.archived, i64::from),
            placeholder: body.placeholder.over(domain.placeholder),
            expired_url: body.expired_url.over(domain.expired_url),
            not_found_url: body.not_found_url.over(domain.not_found_url),
            logo: body.logo.over(domain.logo),
            asset_links: body.asset_links.over(domain.asset_links),
            apple_app_site_association: body
                .apple_app_site_association
                .over(domain.apple_app_site_association),
            ..domain
        }
    }
}

impl Domain {
    /// The domain object of the wire contract 6.4.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "slug": self.slug,
            "verified": self.verified != 0,
            "primary": self.is_primary != 0,
            "archived": self.archived != 0,
            "placeholder": self.placeholder,
            "expiredUrl": self.expired_url,
            "notFoundUrl": self.not_found_url,
            "logo": self.logo,
            "assetLinks": self.asset_links,
            "appleAppSiteAssociation": self.apple_app_site_association,
            "createdAt": self.created_at.to_iso(),
            "updatedAt": self.updated_at.to_iso(),
            "registeredDomain": Value::Null,
        })
    }
}

/// A name that visitors can have in their address bar: dotted, no address.
fn is_public_name(name: &str) -> bool {
    name.contains('.') && name.parse::<std::net::IpAddr>().is_err()
}

/// Which domains (`x`) a list or count means.
///
/// # Errors
/// 422.
pub fn condition(query: &Query, workspace_id: &str) -> Result<Where, Problem> {
    let mut all = Where::default();
    all.and("x.workspace_id = ?", [workspace_id.into()]);
    all.and("x.archived = ?", [i64::from(query.boolean("archived", false)?).into()]);
    if let Some(search) = query.text_up_to("search", 190)? {
        all.and("instr(x.slug, lower(?)) > 0", [search.into()]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value, is_new: bool) -> Result<DomainBody, String> {
        DomainBody::parse(body, is_new).map_err(|problem| problem.message)
    }

    #[test]
    fn what_is_read_and_refused() {
        let body = json!({"slug": "Go.Acme.com", "notFoundUrl": "acme.com/404", "assetLinks": "[]"});
        let domain = read(&body, true).unwrap().over(Domain::default());
        assert_eq!(domain.slug, "go.acme.com");
        assert_eq!(domain.not_found_url.as_deref(), Some("https://acme.com/404"));
        for (body, message) in [
            (json!({}), "invalid_type: slug: slug is required"),
            (json!({"slug": "a b"}), "custom: slug: Invalid domain"),
            (json!({"slug": "localhost"}), "custom: slug: Invalid domain"),
            (json!({"slug": "127.0.0.1"}), "custom: slug: Invalid domain"),
            (json!({"slug": "10.0.0.1"}), "custom: slug: Invalid domain"),
            (json!({"slug": "go.acme.com", "assetLinks": "{"}), "custom: assetLinks: Must be JSON"),
            (json!({"slug": "go.acme.com", "expiredUrl": "javascript:1"}), "custom: expiredUrl: Invalid URL"),
            (json!({"slug": "go.acme.com", "placeholder": "x".repeat(101)}), "too_big: placeholder: "),
        ] {
            assert!(read(&body, true).unwrap_err().starts_with(message), "{body}");
        }
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let old = Domain { asset_links: Some("[]".to_owned()), archived: 1, ..Domain::default() };
        let same = read(&json!({"logo": null}), false).unwrap().over(old.clone());
        assert_eq!(same, old);
        let changed = read(&json!({"assetLinks": null, "archived": false}), false).unwrap().over(old);
        assert_eq!((changed.asset_links, changed.archived), (None, 0));
    }
}
