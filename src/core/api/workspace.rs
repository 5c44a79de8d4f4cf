//! A workspace as the API shows it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::bootstrap::{SLUG_RULE, is_slug};
use crate::core::attribution::MODELS;
use crate::core::ledger::view::Policy;
use crate::core::mode::Mode;
use crate::core::money::Currency;
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Text};
use crate::core::{destination, domain};

/// The longest look-back window of attribution, in days.
const MAX_WINDOW_DAYS: i64 = 365;

/// The longest that a workspace keeps the rows of its clicks, in days.
const MAX_RETENTION_DAYS: i64 = 3650;

/// A row of `workspaces`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// `ws_…`
    pub id: String,
    /// In addresses.
    pub slug: String,
    /// Shown.
    pub name: String,
    /// Picture.
    pub logo: Option<String>,
    /// Of reports.
    pub currency: Currency,
    /// JSON array of host names whose pages may report clicks; empty: any.
    pub allowed_hostnames: String,
    /// 1: visitors' addresses are stored with their clicks.
    pub keeps_addresses: i64,
    /// 1: links track conversions unless they say otherwise.
    pub conversion_enabled: i64,
    /// How many days before a payment a click may be to get the sale.
    pub window_days: i64,
    /// The model of reports that name none.
    pub attribution_model: String,
    /// Whose days reports have that name no zone; an IANA name.
    pub timezone: Option<String>,
    /// How many days the rows of clicks are kept; none: as long as the instance does.
    pub click_retention_days: Option<i64>,
    /// When it was made.
    pub created_at: Millis,
}

/// What is counted rather than kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Links that exist.
    pub links: i64,
    /// Clicks of all links.
    pub clicks: i64,
    /// Tags that exist.
    pub tags: i64,
    /// Folders that exist.
    pub folders: i64,
}

/// What a body says about a workspace.
#[derive(Debug, Clone)]
pub struct WorkspaceBody {
    name: Option<String>,
    slug: Option<String>,
    logo: Given<String>,
    currency: Option<Currency>,
    allowed_hostnames: Option<Vec<String>>,
    keeps_addresses: Option<bool>,
    conversion_enabled: Option<bool>,
    window_days: Option<i64>,
    attribution_model: Option<&'static str>,
    timezone: Given<String>,
    retention_days: Given<i64>,
}

impl WorkspaceBody {
    /// Reads the body.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let slug = fields.text("slug", Text::up_to(48).at_least(3))?.value();
        if slug.as_ref().is_some_and(|slug| !is_slug(slug)) {
            return Err(fields.refuse("slug", SLUG_RULE));
        }
        let currency = fields.text("currency", Text::up_to(3))?.try_map(|code| {
            let known = Currency::parse(&code).filter(|code| Currency::all().any(|known| known == *code));
            known.ok_or_else(|| fields.refuse("currency", "Not a currency of ISO 4217"))
        })?;
        let hosts = fields.texts("allowedHostnames", 10)?.value();
        let hosts = hosts.map(|hosts| {
            let check = |host: &String| {
                let host = host.to_ascii_lowercase();
                let bare = host.strip_prefix("*.").unwrap_or(&host);
                let valid = bare == domain::LOCAL || (domain::is_name(bare) && bare.contains('.'));
                if valid { Ok(host) } else { Err(fields.refuse("allowedHostnames", "Invalid domain")) }
            };
            hosts.iter().map(check).collect::<Result<Vec<_>, _>>()
        });
        Ok(Self {
            name: fields.text("name", Text::up_to(32).trimmed().at_least(1))?.value(),
            slug,
            logo: fields.text("logo", Text::up_to(destination::MAX_BYTES))?.try_map(|url| {
                destination::normalise(&url).map_err(|e| fields.refuse("logo", &e.to_string()))
            })?,
            currency: currency.value(),
            allowed_hostnames: hosts.transpose()?,
            keeps_addresses: fields.boolean("storeVisitorAddresses")?.value(),
            conversion_enabled: fields.boolean("conversionEnabled")?.value(),
            window_days: fields.integer("attributionWindowDays", 1, MAX_WINDOW_DAYS)?.value(),
            attribution_model: fields.choice("attributionModel", &MODELS.map(|(name, _)| name))?.value(),
            timezone: fields.text("timezone", Text::up_to(64).trimmed().at_least(1))?,
            retention_days: fields.integer("clickRetentionDays", 1, MAX_RETENTION_DAYS)?,
        })
    }

    /// The zone that is asked for; whether there is such a zone only the platform knows.
    #[must_use]
    pub fn timezone(&self) -> Option<String> {
        self.timezone.clone().value()
    }

    /// Whether the ledgers are to hear of the look-back window.
    #[must_use]
    pub fn names_window(&self) -> bool {
        self.window_days.is_some()
    }

    /// `workspace` with what the body says.
    #[must_use]
    pub fn over(self, workspace: Workspace) -> Workspace {
        Workspace {
            name: self.name.unwrap_or(workspace.name),
            slug: self.slug.unwrap_or(workspace.slug),
            logo: self.logo.over(workspace.logo),
            currency: self.currency.unwrap_or(workspace.currency),
            allowed_hostnames: self
                .allowed_hostnames
                .map_or(workspace.allowed_hostnames, |hosts| json!(hosts).to_string()),
            keeps_addresses: self.keeps_addresses.map_or(workspace.keeps_addresses, i64::from),
            conversion_enabled: self.conversion_enabled.map_or(workspace.conversion_enabled, i64::from),
            window_days: self.window_days.unwrap_or(workspace.window_days),
            attribution_model: self.attribution_model.map_or(workspace.attribution_model, str::to_owned),
            timezone: self.timezone.over(workspace.timezone),
            click_retention_days: self.retention_days.over(workspace.click_retention_days),
            ..workspace
        }
    }
}

impl Workspace {
    /// What the figures of a mode are made by.
    #[must_use]
    pub fn policy(&self, mode: Mode) -> Policy {
        Policy { workspace_id: self.id.clone(), mode, window_days: self.window_days }
    }

    /// The object of the wire contract 6.7. There are no plans: limits are large and the same for everybody.
    #[must_use]
    pub fn shown(&self, usage: Usage, domains: &[Value], default_retention_days: i64) -> Value {
        const NO_LIMIT: i64 = 1_000_000_000;
        let hosts: Value = serde_json::from_str(&self.allowed_hostnames).unwrap_or_else(|_| json!([]));
        let mut shown = json!({
            "id": self.id, "name": self.name, "slug": self.slug, "logo": self.logo, "inviteCode": Value::Null,
            "plan": "business", "currency": self.currency.as_str().to_ascii_uppercase(),
            "stripeId": Value::Null, "billingCycleStart": 1, "paymentFailedAt": Value::Null,
            "stripeConnectId": Value::Null,
            "totalLinks": usage.links, "totalClicks": usage.clicks, "usage": usage.clicks, "usageLimit": NO_LIMIT,
            "linksUsage": usage.links, "linksLimit": NO_LIMIT, "salesUsage": 0, "salesLimit": NO_LIMIT,
            "domainsLimit": NO_LIMIT, "tagsLimit": NO_LIMIT, "tagsUsage": usage.tags,
            "foldersUsage": usage.folders, "foldersLimit": NO_LIMIT, "usersLimit": 1, "aiUsage": 0, "aiLimit": 0,
            "conversionEnabled": self.conversion_enabled == 1, "dotLinkClaimed": false, "trialUsed": false, "trialEndsAt": Value::Null,
            "utmSpaceChar": "+", "utmProhibitedChars": "", "utmForceLowercase": false,
            "createdAt": self.created_at.to_iso(),
            "users": [{"role": "owner", "defaultFolderId": Value::Null}],
            "domains": domains, "flags": {}, "store": Value::Null, "allowedHostnames": hosts,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut shown, self.choices(default_retention_days)) {
            all.extend(own);
        }
        shown
    }

    /// What the contract does not have.
    fn choices(&self, default_retention_days: i64) -> Value {
        json!({
            "storeVisitorAddresses": self.keeps_addresses == 1, "timezone": self.timezone,
            "attributionWindowDays": self.window_days, "attributionModel": self.attribution_model,
            "clickRetentionDays": self.click_retention_days, "defaultClickRetentionDays": default_retention_days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_refused() {
        let read = |body: Value| WorkspaceBody::parse(&body).map_err(|problem| problem.message);
        let found =
            read(json!({"currency": "EUR", "allowedHostnames": ["Acme.com", "*.acme.com", "localhost"]}))
                .unwrap();
        assert_eq!(found.currency.map(|c| c.to_string()).as_deref(), Some("eur"));
        assert_eq!(found.allowed_hostnames.unwrap(), ["acme.com", "*.acme.com", "localhost"]);
        for (body, message) in [
            (json!({"currency": "zzz"}), "custom: currency: "),
            (json!({"slug": "A B"}), "custom: slug: "),
            (json!({"allowedHostnames": ["https://acme.com"]}), "custom: allowedHostnames: "),
            (json!({"allowedHostnames": vec!["a.co"; 11]}), "too_big: allowedHostnames: "),
            (json!({"name": ""}), "too_small: name: "),
            (json!({"logo": "javascript:1"}), "custom: logo: "),
            (json!({"attributionWindowDays": 0}), "too_small: attributionWindowDays: "),
            (json!({"attributionWindowDays": 366}), "too_big: attributionWindowDays: "),
            (json!({"attributionModel": "best"}), "invalid_enum_value: attributionModel: "),
            (json!({"conversionEnabled": 1}), "invalid_type: conversionEnabled: "),
            (json!({"timezone": ""}), "too_small: timezone: "),
            (json!({"clickRetentionDays": 0}), "too_small: clickRetentionDays: "),
            (json!({"clickRetentionDays": 3651}), "too_big: clickRetentionDays: "),
            (json!({"clickRetentionDays": 1.5}), "invalid_type: clickRetentionDays: "),
        ] {
            assert!(read(body.clone()).unwrap_err().starts_with(message), "{body}");
        }
    }
}
