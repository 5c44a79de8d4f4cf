//! Which events a report is about.

use super::Window;
use super::group::TRIGGER;
use crate::core::countries::{CONTINENTS, is_country};
use crate::core::problem::Problem;
use crate::core::sql::{Bind, Where};
use crate::core::utm;
use crate::core::validate::Query;

const MAX_VALUES: usize = 100;

/// The filters of `GET /analytics` and `GET /events`; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of the workspace, or 404.
    pub domain: Option<String>,
    /// Of the workspace, or 404.
    pub folder_id: Option<String>,
    /// One link; set by the route once it has found it.
    pub link_id: Option<String>,
    /// `cus_…` or `ext_…`; the route puts the customer's own id here.
    pub customer_id: Option<String>,
    links: Where,
    clicks: Where,
}

impl Filter {
    /// Reads the query. Link and customer are left to the route, which has to find them.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query) -> Result<Self, Problem> {
        let mut filter = Self {
            domain: query.text_up_to("domain", 190)?.map(str::to_ascii_lowercase),
            folder_id: query.text_up_to("folderId", 100)?.map(str::to_owned),
            customer_id: query.text_up_to("customerId", 300)?.map(str::to_owned),
            ..Self::default()
        };
        filter.read_links(query)?;
        filter.read_places(query)?;
        filter.read_clicks(query)?;
        Ok(filter)
    }

    fn read_links(&mut self, query: &Query) -> Result<(), Problem> {
        let links = &mut self.links;
        if let Some(domain) = &self.domain {
            links.and("l.domain = ?", [domain.as_str().into()]);
        }
        if let Some(folder) = &self.folder_id {
            links.and("l.folder_id = ?", [folder.as_str().into()]);
        }
        for (name, text) in [
            ("tenantId", "l.tenant_id = ?"),
            ("programId", "l.program_id = ?"),
            ("partnerId", "l.partner_id = ?"),
        ] {
            if let Some(value) = query.text_up_to(name, 255)? {
                links.and(text, [value.into()]);
            }
        }
        let mut tags = query.list("tagIds", MAX_VALUES)?;
        for name in ["tagId", "linkTagId"] {
            tags.extend(query.list(name, MAX_VALUES)?);
        }
        if !tags.is_empty() {
            let text =
                "l.id IN (SELECT link_id FROM link_tags WHERE tag_id IN (SELECT value FROM json_each(?)))";
            links.and(text, [Bind::list(tags)]);
        }
        if query.text("root").is_some() {
            let text = if query.boolean("root", false)? { "l.key = '_root'" } else { "l.key <> '_root'" };
            links.and(text, []);
        }
        Ok(())
    }

    fn read_places(&mut self, query: &Query) -> Result<(), Problem> {
        let clicks = &mut self.clicks;
        let countries = Values::of(query, "country")?;
        if let Some(unknown) = countries.list.iter().find(|code| !is_country(code)) {
            let text = format!("Invalid enum value. Expected a country code, received '{unknown}'");
            return Err(Problem::invalid("invalid_enum_value", "country", &text));
        }
        countries.add(clicks, "c.country IN (SELECT value FROM json_each(?))", NOT_COUNTRY);
        if let Some(region) = query.text_up_to("region", 20)? {
            let Some((country, region)) = region.split_once('-') else {
                return Err(Problem::invalid("custom", "region", "A region is written like US-CA"));
            };
            clicks.and("c.country = ? AND c.region = ?", [country.into(), region.into()]);
        }
        Values::of(query, "city")?.add(clicks, "c.city IN (SELECT value FROM json_each(?))", NOT_CITY);
        if let Some(continent) = query.choice("continent", &CONTINENTS)? {
            clicks.and("c.continent = ?", [continent.into()]);
        }
        Ok(())
    }

    fn read_clicks(&mut self, query: &Query) -> Result<(), Problem> {
        let clicks = &mut self.clicks;
        let named = |name: &str| Values::of(query, name).map(Values::capitalised);
        named("device")?.add(clicks, "c.device IN (SELECT value FROM json_each(?))", NOT_DEVICE);
        named("browser")?.add(clicks, "c.browser IN (SELECT value FROM json_each(?))", NOT_BROWSER);
        named("os")?.add(clicks, "c.os IN (SELECT value FROM json_each(?))", NOT_OS);
        Values::of(query, "referer")?.add(
            clicks,
            "c.referer IN (SELECT value FROM json_each(?))",
            NOT_REFERER,
        );
        if let Some(url) = query.text_up_to("refererUrl", 4096)? {
            let bare = url.split('?').next().unwrap_or(url);
            let text = "c.referer_url = ? OR substr(c.referer_url, 1, length(?) + 1) = ? || char(63)";
            clicks.and(text, [bare.into(), bare.into(), bare.into()]);
        }
        let urls = query.list("url", MAX_VALUES)?;
        if !urls.is_empty() {
            clicks.and("c.url IN (SELECT value FROM json_each(?))", [Bind::list(urls)]);
        }
        let mut trigger = query.choice("trigger", &["link", "qr", "pageview", "deeplink"])?;
        if query.text("qr").is_some() {
            trigger = Some(if query.boolean("qr", false)? { "qr" } else { "link" });
        }
        if let Some(trigger) = trigger {
            debug_assert_eq!(TRIGGER, "CASE WHEN c.qr = 1 THEN 'qr' ELSE c.source END");
            clicks.and("CASE WHEN c.qr = 1 THEN 'qr' ELSE c.source END = ?", [trigger.into()]);
        }
        for name in utm::NAMES {
            let values = query.list(name, MAX_VALUES)?;
            if values.is_empty() {
                continue;
            }
            if values.iter().any(|value| value.chars().count() > utm::MAX_CHARS) {
                let text = format!("String must contain at most {} character(s)", utm::MAX_CHARS);
                return Err(Problem::invalid("too_big", name, &text));
            }
            // The recorded URL with every parameter between ampersands; a value may be written in two ways.
            let text = "EXISTS (SELECT 1 FROM json_each(?) w WHERE \
                        instr(replace(replace(c.url, char(63), '&'), '#', '&') || '&', '&' || w.value || '&') > 0)";
            let written = values.iter().flat_map(|value| written(name, value));
            clicks.and(text, [Bind::list(written)]);
        }
        Ok(())
    }

    /// Whether the conditions look at clicks.
    #[must_use]
    pub fn needs_click(&self) -> bool {
        self.clicks != Where::default()
    }

    /// Whether it is about some links only.
    #[must_use]
    pub fn names_links(&self) -> bool {
        self.link_id.is_some() || self.links != Where::default()
    }

    /// The condition that the link id in `column` is one of those meant; `None` when all are.
    #[must_use]
    pub fn of_links(&self, column: &'static str, workspace_id: &str) -> Option<(String, Vec<Bind>)> {
        let mut all = Where::default();
        if let Some(id) = &self.link_id {
            all.and_made(&format!("{column} = ?"), vec![id.as_str().into()]);
        }
        if self.links != Where::default() {
            let text = format!(
                "{column} IN (SELECT l.id FROM links l WHERE l.workspace_id = ? AND {})",
                self.links.text()
            );
            all.and_made(&text, [&[workspace_id.into()], self.links.binds()].concat());
        }
        self.names_links().then(|| (all.text().to_owned(), all.binds().to_vec()))
    }

    /// The condition over `ev` and its click `c`.
    #[must_use]
    pub fn condition(&self, workspace_id: &str, window: Window) -> Where {
        let span: [Bind; 3] = [workspace_id.into(), window.start.0.into(), window.end.0.into()];
        self.within("ev.workspace_id = ? AND ev.at >= ? AND ev.at <= ?", span, workspace_id)
    }

    /// The condition for each of the buckets `b`. One range of time per bucket: with two of them SQLite may choose the
    /// whole window as the range of its index, for every bucket anew.
    #[must_use]
    pub fn condition_by_bucket(&self, workspace_id: &str, window: Window) -> Where {
        let span: [Bind; 3] =
            [workspace_id.into(), window.start.0.into(), window.end.0.saturating_add(1).into()];
        self.within(
            "ev.workspace_id = ? AND ev.at >= MAX(?, json_extract(b.value, '$[0]')) \
             AND ev.at < MIN(?, json_extract(b.value, '$[1]'))",
            span,
            workspace_id,
        )
    }

    fn within(&self, text: &'static str, span: [Bind; 3], workspace_id: &str) -> Where {
        let mut all = Where::default();
        all.and(text, span);
        if let Some((text, binds)) = self.of_links("ev.link_id", workspace_id) {
            all.and_made(&text, binds);
        }
        if self.needs_click() {
            all.and_made(self.clicks.text(), self.clicks.binds().to_vec());
        }
        all
    }

    /// Leads and sales of one customer.
    pub fn customer_of_events(&self, all: &mut Where) {
        if let Some(id) = &self.customer_id {
            all.and("ev.customer_id = ?", [id.as_str().into()]);
        }
    }

    /// Clicks of the devices (visitor ids) that clicks on the path of one customer came from.
    pub fn devices_of_clicks(&self, all: &mut Where) {
        if let Some(id) = &self.customer_id {
            let text = "ev.visitor <> '' AND ev.visitor IN (SELECT p.visitor \
                        FROM customers k, json_each(k.body, '$.touches') t \
                        JOIN clicks p ON p.workspace_id = k.workspace_id AND p.at = t.value ->> 'at' \
                        AND p.id = t.value ->> 'clickId' WHERE k.id = ?)";
            all.and(text, [id.as_str().into()]);
        }
    }

    /// Clicks of one customer: those on its path.
    pub fn customer_of_clicks(&self, all: &mut Where) {
        if let Some(id) = &self.customer_id {
            let text = "(ev.at, ev.id) IN (SELECT t.value ->> 'at', t.value ->> 'clickId' FROM customers k, \
                        json_each(k.body, '$.touches') t WHERE k.id = ?)";
            all.and(text, [id.as_str().into()]);
        }
    }
}

const NOT_COUNTRY: &str = "c.country NOT IN (SELECT value FROM json_each(?))";
const NOT_CITY: &str = "c.city NOT IN (SELECT value FROM json_each(?))";
const NOT_DEVICE: &str = "c.device NOT IN (SELECT value FROM json_each(?))";
const NOT_BROWSER: &str = "c.browser NOT IN (SELECT value FROM json_each(?))";
const NOT_OS: &str = "c.os NOT IN (SELECT value FROM json_each(?))";
const NOT_REFERER: &str = "c.referer NOT IN (SELECT value FROM json_each(?))";

/// Values of a filter: these, or (the first begins with a hyphen) anything but these.
struct Values {
    list: Vec<String>,
    negated: bool,
}

impl Values {
    fn of(query: &Query, name: &str) -> Result<Self, Problem> {
        let list = query.list(name, MAX_VALUES)?;
        let negated = list.first().is_some_and(|first| first.starts_with('-'));
        let bare =
            |value: &str| if negated { value.trim_start_matches('-').to_owned() } else { value.to_owned() };
        Ok(Self { list: list.into_iter().map(bare).collect(), negated })
    }

    /// `mobile safari` → `Mobile Safari`, as clicks are stored; `iOS` stays.
    fn capitalised(self) -> Self {
        let word = |word: &str| {
            if word.eq_ignore_ascii_case("ios") {
                return "iOS".to_owned();
            }
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        };
        let words = |text: &String| text.split(' ').map(word).collect::<Vec<_>>().join(" ");
        Self { list: self.list.iter().map(words).collect(), negated: self.negated }
    }

    fn add(self, to: &mut Where, one_of: &'static str, none_of: &'static str) {
        if !self.list.is_empty() {
            to.and(if self.negated { none_of } else { one_of }, [Bind::list(self.list)]);
        }
    }
}

/// `utm_source=a+b` and `utm_source=a%20b`.
fn written(name: &str, value: &str) -> [String; 2] {
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    [format!("{name}={form}"), format!("{name}={percent}")]
}

#[cfg(test)]
mod tests {
    use super::super::Granularity;
    use super::*;
    use crate::core::time::Millis;

    fn condition(query: &str) -> Result<Where, Problem> {
        let window = Window { start: Millis(1), end: Millis(2), granularity: Granularity::Day };
        Ok(Filter::parse(&Query::parse(query))?.condition("ws_1", window))
    }

    #[test]
    fn filters_and_their_values() {
        for (query, text, value) in [
            ("country=US,FR", "c.country IN", r#"["US","FR"]"#),
            ("country=-US,-FR", "c.country NOT IN", r#"["US","FR"]"#),
            ("region=US-CA", "c.country = ? AND c.region = ?", "CA"),
            ("browser=mobile%20safari", "c.browser IN", r#"["Mobile Safari"]"#),
            ("os=ios", "c.os IN", r#"["iOS"]"#),
            ("refererUrl=https://a.co/x?y=1", "c.referer_url = ?", "https://a.co/x"),
            ("qr=true", "ELSE c.source END = ?", "qr"),
            ("utm_source=a%20b", "json_each(?) w", r#"["utm_source=a+b","utm_source=a%20b"]"#),
            ("tagId=t1&tagIds=t2", "link_tags", r#"["t2","t1"]"#),
            ("root=true", "l.key = '_root'", "ws_1"),
        ] {
            let found = condition(query).unwrap();
            assert!(found.text().contains(text), "{query}: {}", found.text());
            assert!(found.binds().contains(&value.into()), "{query}: {:?}", found.binds());
            assert_eq!(
                found.text().matches('?').count() - usize::from(found.text().contains("'?'")),
                found.binds().len(),
                "{query}: {}",
                found.text()
            );
        }
    }

    #[test]
    fn what_is_refused() {
        for query in [
            "country=UK",
            "country=us",
            "region=California",
            "continent=XX",
            "trigger=nfc",
            "root=maybe",
            "qr=perhaps",
        ] {
            assert!(condition(query).is_err(), "{query}");
        }
        assert!(condition(&format!("utm_source={}", "x".repeat(191))).is_err());
    }

    #[test]
    fn values_never_become_text() {
        let attack = "')--' OR 1=1";
        for name in
            "domain folderId tenantId tagIds city device browser os referer refererUrl url utm_term region"
                .split_whitespace()
        {
            let pair = if name == "region" { format!("US-{attack}") } else { attack.to_owned() };
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &pair).finish();
            assert!(!condition(&query).unwrap().text().contains("1=1"), "{name}");
        }
    }
}
