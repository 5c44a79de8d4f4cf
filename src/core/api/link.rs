//! A short link as the API shows it.

use serde_json::{Map, Value, json};
use url::Url;

use crate::core::link::{LinkRecord, Options, RECORD_VERSION};
use crate::core::time::Millis;
use crate::core::utm::{self, Utm};
use crate::core::{key, money::Currency};

/// A row of `links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `link_…`
    pub id: String,
    /// `ws_…`
    pub workspace_id: String,
    /// Where it is served.
    pub domain: String,
    /// ASCII, lower case; `_root` for the domain itself.
    pub key: String,
    /// The destination, with UTM parameters; `""` only for a root link.
    pub url: String,
    /// The owner's id.
    pub external_id: Option<String>,
    /// The owner's tenant.
    pub tenant_id: Option<String>,
    /// Kept for partner tools.
    pub program_id: Option<String>,
    /// Kept for partner tools.
    pub partner_id: Option<String>,
    /// `fold_…`
    pub folder_id: Option<String>,
    /// Whether clicks get a click id.
    pub track_conversion: bool,
    /// Hidden from lists.
    pub archived: bool,
    /// From then on it is expired.
    pub expires_at: Option<Millis>,
    /// Since then it is off.
    pub disabled_at: Option<Millis>,
    /// At most 120 characters.
    pub title: Option<String>,
    /// At most 240 characters.
    pub description: Option<String>,
    /// The owner's notes.
    pub comments: Option<String>,
    /// As in the destination.
    pub utm: Utm,
    /// The rarer settings.
    pub options: Options,
    /// Recorded clicks.
    pub clicks: i64,
    /// The latest of them.
    pub last_clicked: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

/// What a link brought, in one mode; sums of the ledger's rows, never counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Reported leads.
    pub leads: i64,
    /// Payments.
    pub sales: i64,
    /// Customers who paid.
    pub conversions: i64,
    /// Minor units of the workspace's currency: payments minus refunds and disputes.
    pub sale_amount: i64,
    /// What no rate is known for, as charged; not part of `sale_amount`.
    pub unconverted: Vec<(Currency, i64)>,
}

/// A tag of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// `tag_…`
    pub id: String,
    /// Shown.
    pub name: String,
    /// One of seven.
    pub color: String,
}

impl Tag {
    /// `{"id","name","color"}`
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({"id": self.id, "name": self.name, "color": self.color})
    }
}

/// What stands in place of a link's password. Sent back unchanged, it changes nothing.
pub const PASSWORD_SHOWN: &str = "********";

impl Link {
    /// A link without settings, not yet stored.
    #[must_use]
    pub fn new(id: String, workspace_id: &str, now: Millis) -> Self {
        Self {
            id,
            workspace_id: workspace_id.to_owned(),
            domain: String::new(),
            key: String::new(),
            url: String::new(),
            external_id: None,
            tenant_id: None,
            program_id: None,
            partner_id: None,
            folder_id: None,
            track_conversion: true,
            archived: false,
            expires_at: None,
            disabled_at: None,
            title: None,
            description: None,
            comments: None,
            utm: Utm::default(),
            options: Options::default(),
            clicks: 0,
            last_clicked: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// What the redirect needs of it.
    #[must_use]
    pub fn record(&self) -> LinkRecord {
        LinkRecord {
            version: RECORD_VERSION,
            id: self.id.clone(),
            workspace_id: self.workspace_id.clone(),
            domain: self.domain.clone(),
            key: self.key.clone(),
            url: self.url.clone(),
            track_conversion: self.track_conversion,
            archived: self.archived,
            expires_at: self.expires_at,
            disabled_at: self.disabled_at,
            title: self.title.clone(),
            description: self.description.clone(),
            options: self.options.clone(),
        }
    }

    /// Everywhere it may lead.
    #[must_use]
    pub fn destinations(&self) -> Vec<&str> {
        let o = &self.options;
        let single = [Some(&self.url), o.expired_url.as_ref(), o.ios.as_ref(), o.android.as_ref()];
        let mut all: Vec<&str> = single.into_iter().flatten().map(String::as_str).collect();
        all.extend(o.geo.values().map(String::as_str));
        all.extend(o.test_variants.iter().map(|variant| variant.url.as_str()));
        all.extend(o.rules.iter().map(|rule| rule.url.as_str()));
        all
    }

    /// `https://go.acme.com/launch`
    #[must_use]
    pub fn short_link(&self) -> String {
        short_link(&self.domain, &self.key)
    }

    /// The link object of the wire contract 4.5, with Dub's fields.
    #[must_use]
    pub fn shown(&self, figures: &Figures, tags: &[Tag]) -> Value {
        let mut link = Map::new();
        self.show_identity(&mut link);
        self.show_settings(&mut link);
        let mut put = |name: &str, value: Value| link.insert(name.to_owned(), value);
        put("clicks", self.clicks.into());
        put("leads", figures.leads.into());
        put("conversions", figures.conversions.into());
        put("sales", figures.sales.into());
        put("saleAmount", figures.sale_amount.into());
        if !figures.unconverted.is_empty() {
            put("unconverted", unconverted(&figures.unconverted));
        }
        put("lastClicked", iso(self.last_clicked));
        put("createdAt", self.created_at.to_iso().into());
        put("updatedAt", self.updated_at.to_iso().into());
        put("tagId", tags.first().map(|tag| tag.id.clone()).into());
        put("tags", tags.iter().map(Tag::shown).collect());
        put("identifier", Value::Null);
        Value::Object(link)
    }

    fn show_identity(&self, link: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Value| link.insert(name.to_owned(), value);
        put("id", self.id.as_str().into());
        put("domain", self.domain.as_str().into());
        put("key", self.key.as_str().into());
        put("url", self.url.as_str().into());
        put("baseUrl", base_url(&self.url).into());
        put("shortLink", self.short_link().into());
        put("qrCode", format!("https://{}/api/qr?url={}?qr=1", self.domain, self.short_link()).into());
        put("externalId", self.external_id.clone().into());
        put("tenantId", self.tenant_id.clone().into());
        put("programId", self.program_id.clone().into());
        put("partnerId", self.partner_id.clone().into());
        put("folderId", self.folder_id.clone().into());
        put("userId", Value::Null);
        put("projectId", self.workspace_id.as_str().into());
        put("workspaceId", self.workspace_id.as_str().into());
        for (name, value) in utm::NAMES.iter().zip(&self.utm) {
            put(name, value.clone().into());
        }
    }

    fn show_settings(&self, link: &mut Map<String, Value>) {
        let o = &self.options;
        let mut put = |name: &str, value: Value| link.insert(name.to_owned(), value);
        put("trackConversion", self.track_conversion.into());
        put("archived", self.archived.into());
        put("expiresAt", iso(self.expires_at));
        put("disabledAt", iso(self.disabled_at));
        put("linkRetentionCleanupDisabledAt", Value::Null);
        put("title", self.title.clone().into());
        put("description", self.description.clone().into());
        put("comments", self.comments.clone().into());
        put("isConversionCallback", o.is_conversion_callback.into());
        put("leadMagnetEnabled", o.lead_magnet_enabled.into());
        put("proxy", o.proxy.into());
        put("rewrite", o.rewrite.into());
        put("doIndex", o.do_index.into());
        put("publicStats", o.public_stats.into());
        put("password", o.password.as_ref().map(|_| PASSWORD_SHOWN).into());
        put("expiredUrl", o.expired_url.clone().into());
        put("image", o.image.clone().into());
        put("video", o.video.clone().into());
        put("ios", o.ios.clone().into());
        put("android", o.android.clone().into());
        put("geo", if o.geo.is_empty() { Value::Null } else { json!(o.geo) });
        put("testVariants", if o.test_variants.is_empty() { Value::Null } else { json!(o.test_variants) });
        put("testStartedAt", iso(o.test_started_at));
        put("testCompletedAt", iso(o.test_completed_at));
        put("webhookIds", json!(o.webhook_ids));
        put("rules", json!(o.rules));
        put("maxClicks", o.max_clicks.into());
        put("noInspect", o.no_inspect.into());
    }
}

/// `https://<domain>/<key>`, or the bare domain for its root link.
#[must_use]
pub fn short_link(domain: &str, link_key: &str) -> String {
    if link_key == key::ROOT { format!("https://{domain}") } else { format!("https://{domain}/{link_key}") }
}

/// The destination without query, fragment and closing slash; `None` when there is no destination.
#[must_use]
pub fn base_url(destination: &str) -> Option<String> {
    let mut url = Url::parse(destination).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// `[{"currency":"jpy","amount":5000}]`
#[must_use]
pub fn unconverted(amounts: &[(Currency, i64)]) -> Value {
    amounts.iter().map(|(currency, amount)| json!({"currency": currency, "amount": amount})).collect()
}

/// A date, or `null`.
#[must_use]
pub fn iso(at: Option<Millis>) -> Value {
    at.map(Millis::to_iso).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_links_and_base_urls() {
        assert_eq!(short_link("go.acme.com", "launch"), "https://go.acme.com/launch");
        assert_eq!(short_link("go.acme.com", "_root"), "https://go.acme.com");
        for (url, base) in [
            ("https://acme.com/x/?a=1#b", Some("https://acme.com/x")),
            ("https://acme.com", Some("https://acme.com")),
            ("", None),
        ] {
            assert_eq!(base_url(url).as_deref(), base, "{url}");
        }
    }

    /// What the SDKs insist on: every one of these names is in every link.
    #[test]
    fn a_link_has_every_field_of_the_contract() {
        let mut link = Link::new("link_1".to_owned(), "ws_1", Millis(1_902_589_200_000));
        (link.domain, link.key) = ("go.acme.com".to_owned(), "launch".to_owned());
        link.options.password = Some("hash".to_owned());
        let shown = link.shown(&Figures::default(), &[]);
        for name in "id domain key url baseUrl shortLink archived trackConversion isConversionCallback \
                     leadMagnetEnabled proxy rewrite doIndex publicStats expiresAt expiredUrl password title \
                     description image video ios android comments geo utm_source utm_medium utm_campaign utm_term \
                     utm_content testVariants testStartedAt testCompletedAt externalId tenantId programId partnerId \
                     folderId userId projectId clicks leads conversions sales saleAmount lastClicked createdAt \
                     updatedAt disabledAt identifier tagId tags webhookIds qrCode workspaceId"
            .split_whitespace()
        {
            assert!(shown.get(name).is_some(), "{name}");
        }
        assert_eq!(shown["createdAt"], "2030-04-16T17:00:00.000Z");
        assert_eq!(shown["qrCode"], "https://go.acme.com/api/qr?url=https://go.acme.com/launch?qr=1");
        assert_eq!(shown["password"], PASSWORD_SHOWN, "never the hash");
        assert_eq!(shown["unconverted"], Value::Null);
    }
}
