//! What a request says about a link: the bodies of create, upsert, update and bulk.

use serde_json::Value;

use super::link::{Link, PASSWORD_SHOWN};
use crate::core::countries::is_country;
use crate::core::link::{Rule, Variant};
use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Text};
use crate::core::{destination, key, utm};

const MAX_TITLE: usize = 120;
const MAX_DESCRIPTION: usize = 240;
/// Longest free text; the contract has no limit, a store has.
const MAX_TEXT: usize = 10_000;
const MAX_TAGS: usize = 100;
const MAX_RULES: usize = 20;
const MAX_CONDITIONS: usize = 10;

/// A body, read and checked field by field; what needs a store (domain, tags, folder) is checked by the route.
#[derive(Debug, Clone)]
pub struct LinkBody {
    /// The destination, normalised.
    pub url: Given<String>,
    /// Lower case.
    pub domain: Given<String>,
    /// As given; [`key::parse_new`] has accepted it.
    pub key: Given<String>,
    /// Goes before a random key.
    pub prefix: Option<String>,
    /// Length of a random key.
    pub key_length: usize,
    /// Ids of tags; they win over names.
    pub tag_ids: Given<Vec<String>>,
    /// Names of tags.
    pub tag_names: Given<Vec<String>>,
    /// `fold_…`
    pub folder_id: Given<String>,
    /// In clear: the route hashes it.
    pub password: Given<String>,
    /// The owner's id for it.
    pub external_id: Given<String>,
    /// `wh_…`
    pub webhook_ids: Given<Vec<String>>,
    utm: [Given<String>; 5],
    reference: Given<String>,
    tenant_id: Given<String>,
    program_id: Given<String>,
    partner_id: Given<String>,
    flags: Flags,
    comments: Given<String>,
    title: Given<String>,
    description: Given<String>,
    image: Given<String>,
    video: Given<String>,
    expires_at: Given<Millis>,
    expired_url: Given<String>,
    ios: Given<String>,
    android: Given<String>,
    geo: Given<std::collections::BTreeMap<String, String>>,
    test_variants: Given<Vec<Variant>>,
    test_started_at: Given<Millis>,
    test_completed_at: Given<Millis>,
    rules: Given<Vec<Rule>>,
    max_clicks: Given<u32>,
}

#[derive(Debug, Clone)]
struct Flags {
    track_conversion: Given<bool>,
    archived: Given<bool>,
    disabled: Given<bool>,
    is_conversion_callback: Given<bool>,
    lead_magnet_enabled: Given<bool>,
    proxy: Given<bool>,
    rewrite: Given<bool>,
    do_index: Given<bool>,
    public_stats: Given<bool>,
    no_inspect: Given<bool>,
}

impl LinkBody {
    /// Reads the fields of one link.
    ///
    /// # Errors
    /// 422 for the first field that is wrong; 403 for a reserved key.
    pub fn parse(fields: &Fields<'_>) -> Result<Self, Problem> {
        let text = |name: &str, max: usize| fields.text(name, Text::up_to(max).trimmed());
        let mut tag_ids = fields.texts("tagIds", MAX_TAGS)?;
        if let (Given::Absent, given @ (Given::Null | Given::Value(_))) = (&tag_ids, text("tagId", 100)?) {
            tag_ids = given.map(|id| if id.is_empty() { Vec::new() } else { vec![id] });
        }
        let url = |name: &str| destination_of(fields, name);
        Ok(Self {
            url: url("url")?,
            domain: text("domain", key::MAX_CHARS)?.map(|domain| domain.to_ascii_lowercase()),
            key: key_of(fields)?,
            prefix: text("prefix", key::MAX_CHARS)?.value().map(|p| p.trim_matches('/').to_owned()),
            key_length: usize::try_from(fields.integer("keyLength", 3, 190)?.value().unwrap_or(7))
                .unwrap_or(7),
            tag_ids,
            tag_names: fields.texts("tagNames", MAX_TAGS)?,
            folder_id: empty_is_null(text("folderId", 100)?),
            password: empty_is_null(fields.text("password", Text::up_to(200))?),
            external_id: external_id(fields)?,
            webhook_ids: fields.texts("webhookIds", 100)?,
            utm: utm_of(fields)?,
            reference: text(utm::REF, utm::MAX_CHARS)?,
            tenant_id: empty_is_null(text("tenantId", 255)?),
            program_id: empty_is_null(text("programId", 255)?),
            partner_id: empty_is_null(text("partnerId", 255)?),
            flags: Flags::parse(fields)?,
            comments: text("comments", MAX_TEXT)?,
            title: empty_is_null(text("title", MAX_TEXT)?).map(|title| shortened(&title, MAX_TITLE)),
            description: empty_is_null(text("description", MAX_TEXT)?)
                .map(|description| shortened(&description, MAX_DESCRIPTION)),
            image: url("image")?,
            video: url("video")?,
            expires_at: fields.date("expiresAt")?,
            expired_url: url("expiredUrl")?,
            ios: url("ios")?,
            android: url("android")?,
            geo: geo(fields)?,
            test_variants: variants(fields)?,
            test_started_at: fields.date("testStartedAt")?,
            test_completed_at: fields.date("testCompletedAt")?,
            rules: rules(fields)?,
            max_clicks: fields
                .integer("maxClicks", 1, i64::from(u32::MAX))?
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        })
    }

    /// `link` with what the body says. Domain, key, tags, folder and password are the route's.
    #[must_use]
    pub fn over(&self, mut link: Link, now: Millis) -> Link {
        let body = self.clone();
        if let Some(url) = body.url.value() {
            link.url = url;
        }
        let given = utm::NAMES.into_iter().zip(body.utm).chain([(utm::REF, body.reference)]);
        link.url = utm::merge(&link.url, &given.collect::<Vec<_>>());
        link.utm = utm::of_url(&link.url);
        link.external_id = body.external_id.over(link.external_id);
        link.tenant_id = body.tenant_id.over(link.tenant_id);
        link.program_id = body.program_id.over(link.program_id);
        link.partner_id = body.partner_id.over(link.partner_id);
        link.comments = body.comments.over(link.comments);
        link.title = body.title.over(link.title);
        link.description = body.description.over(link.description);
        link.expires_at = body.expires_at.over(link.expires_at);
        let o = &mut link.options;
        o.image = body.image.over(o.image.take());
        o.video = body.video.over(o.video.take());
        o.expired_url = body.expired_url.over(o.expired_url.take());
        o.ios = body.ios.over(o.ios.take());
        o.android = body.android.over(o.android.take());
        o.geo = body.geo.over(Some(std::mem::take(&mut o.geo))).unwrap_or_default();
        o.test_variants =
            body.test_variants.over(Some(std::mem::take(&mut o.test_variants))).unwrap_or_default();
        o.test_started_at = body.test_started_at.over(o.test_started_at);
        o.test_completed_at = body.test_completed_at.over(o.test_completed_at);
        o.rules = body.rules.over(Some(std::mem::take(&mut o.rules))).unwrap_or_default();
        o.max_clicks = body.max_clicks.over(o.max_clicks);
        o.webhook_ids = body.webhook_ids.over(Some(std::mem::take(&mut o.webhook_ids))).unwrap_or_default();
        body.flags.over(&mut link, now);
        link
    }
}

impl Flags {
    fn parse(fields: &Fields<'_>) -> Result<Self, Problem> {
        Ok(Self {
            track_conversion: fields.boolean("trackConversion")?,
            archived: fields.boolean("archived")?,
            disabled: fields.boolean("disabled")?,
            is_conversion_callback: fields.boolean("isConversionCallback")?,
            lead_magnet_enabled: fields.boolean("leadMagnetEnabled")?,
            proxy: fields.boolean("proxy")?,
            rewrite: fields.boolean("rewrite")?,
            do_index: fields.boolean("doIndex")?,
            public_stats: fields.boolean("publicStats")?,
            no_inspect: fields.boolean("noInspect")?,
        })
    }

    /// `null` of a flag is as good as absent.
    fn over(self, link: &mut Link, now: Millis) {
        let set = |flag: Given<bool>, to: &mut bool| {
            if let Some(value) = flag.value() {
                *to = value;
            }
        };
        set(self.track_conversion, &mut link.track_conversion);
        set(self.archived, &mut link.archived);
        match self.disabled.value() {
            Some(true) => link.disabled_at = link.disabled_at.or(Some(now)),
            Some(false) => link.disabled_at = None,
            None => {}
        }
        let o = &mut link.options;
        set(self.is_conversion_callback, &mut o.is_conversion_callback);
        set(self.lead_magnet_enabled, &mut o.lead_magnet_enabled);
        set(self.proxy, &mut o.proxy);
        set(self.rewrite, &mut o.rewrite);
        set(self.do_index, &mut o.do_index);
        set(self.public_stats, &mut o.public_stats);
        set(self.no_inspect, &mut o.no_inspect);
    }
}

/// Whether the password of a body is a new one, and not the stars it was shown as.
#[must_use]
pub fn is_new_password(password: &str) -> bool {
    password != PASSWORD_SHOWN
}

fn empty_is_null(given: Given<String>) -> Given<String> {
    match given {
        Given::Value(text) if text.is_empty() => Given::Null,
        given => given,
    }
}

fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let head: String = text.chars().take(max.saturating_sub(3)).collect();
    format!("{head}...")
}

fn destination_of(fields: &Fields<'_>, name: &str) -> Result<Given<String>, Problem> {
    // One character more than bytes allowed is enough to be refused there with the better sentence.
    let given = fields.text(name, Text::up_to(destination::MAX_BYTES + 1).trimmed())?;
    empty_is_null(given)
        .try_map(|text| destination::normalise(&text).map_err(|e| fields.refuse(name, &e.to_string())))
}

fn key_of(fields: &Fields<'_>) -> Result<Given<String>, Problem> {
    let given = empty_is_null(fields.text("key", Text::up_to(key::MAX_CHARS))?);
    given.try_map(|text| {
        key::parse_new(&text).map_err(|e| match e {
            key::KeyError::Reserved => {
                Problem::new(crate::core::problem::Code::Forbidden, format!("{e}: {text}"))
            }
            e => fields.refuse("key", &e.to_string()),
        })
    })
}

fn external_id(fields: &Fields<'_>) -> Result<Given<String>, Problem> {
    let given = fields.text("externalId", Text::up_to(259).trimmed())?;
    let given = given.map(|id| id.strip_prefix("ext_").unwrap_or(&id).to_owned());
    empty_is_null(given).try_map(|id| {
        let short = id.chars().count() <= 255;
        if short { Ok(id) } else { Err(fields.refuse("externalId", "at most 255 characters")) }
    })
}

fn utm_of(fields: &Fields<'_>) -> Result<[Given<String>; 5], Problem> {
    let mut values = [const { Given::Absent }; 5];
    for (name, slot) in utm::NAMES.iter().zip(values.iter_mut()) {
        *slot = fields.text(name, Text::up_to(utm::MAX_CHARS).trimmed())?;
    }
    Ok(values)
}

fn geo(fields: &Fields<'_>) -> Result<Given<std::collections::BTreeMap<String, String>>, Problem> {
    fields.object("geo")?.try_map(|map| {
        let inner = Fields::at(fields.raw("geo").value().unwrap_or(&Value::Null), fields.path("geo"))?;
        let mut found = std::collections::BTreeMap::new();
        for country in map.keys() {
            if !is_country(country) {
                let text = "Invalid enum value. Expected an ISO 3166-1 alpha-2 country code";
                return Err(Problem::invalid("invalid_enum_value", &inner.path(country), text));
            }
            if let Some(url) = destination_of(&inner, country)?.value() {
                found.insert(country.clone(), url);
            }
        }
        Ok(found)
    })
}

fn variants(fields: &Fields<'_>) -> Result<Given<Vec<Variant>>, Problem> {
    let path = fields.path("testVariants");
    fields.list("testVariants", 0, 4)?.try_map(|list| {
        if list.len() == 1 {
            let text = "Array must contain at least 2 element(s)";
            return Err(Problem::invalid("too_small", &path, text));
        }
        let read = |(index, item): (usize, &Value)| {
            let item = Fields::at(item, format!("{path}[{index}]"))?;
            let url = item.required("url", destination_of(&item, "url")?)?;
            let percentage = item.required("percentage", item.integer("percentage", 10, 90)?)?;
            Ok(Variant { url, percentage: u8::try_from(percentage).unwrap_or(10) })
        };
        list.iter().enumerate().map(read).collect()
    })
}

fn rules(fields: &Fields<'_>) -> Result<Given<Vec<Rule>>, Problem> {
    let path = fields.path("rules");
    fields.list("rules", 0, MAX_RULES)?.try_map(|list| {
        let read = |(index, item): (usize, &Value)| {
            let item = Fields::at(item, format!("{path}[{index}]"))?;
            let url = item.required("url", destination_of(&item, "url")?)?;
            let conditions = item.required("conditions", item.list("conditions", 1, MAX_CONDITIONS)?)?;
            let conditions = conditions.iter().enumerate().map(|(at, condition)| {
                serde_json::from_value(condition.clone()).map_err(|_| {
                    let text =
                        "A condition is one of language, query, after, before, browser, device, country";
                    item.refuse(&format!("conditions[{at}]"), text)
                })
            });
            Ok(Rule { conditions: conditions.collect::<Result<_, Problem>>()?, url })
        };
        list.iter().enumerate().map(read).collect()
    })
}

#[cfg(test)]
#[path = "link_body_tests.rs"]
mod tests;
