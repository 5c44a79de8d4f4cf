//! Which links a list or a count means.

use crate::core::problem::Problem;
use crate::core::sql::{Bind, Where};
use crate::core::time::Millis;
use crate::core::utm;
use crate::core::validate::Query;

/// How many values a filter takes.
const MAX_VALUES: usize = 100;

/// The filters of `GET /links` and `GET /links/count`; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct LinkFilter {
    /// Of the workspace, or 404.
    pub domain: Option<String>,
    /// `fold_…`, or 404; `None`: everywhere.
    pub folder_id: Option<String>,
    tag_ids: Vec<String>,
    tag_names: Vec<String>,
    with_tags: bool,
    search: Option<String>,
    tenant_id: Option<String>,
    program_id: Option<String>,
    partner_id: Option<String>,
    user_id: Option<String>,
    link_ids: Vec<String>,
    utm: Vec<(&'static str, Vec<String>)>,
    urls: Vec<String>,
    show_archived: bool,
    everywhere: bool,
    clicked: Option<(Millis, Millis)>,
}

/// The field that a count groups by; a filter on it is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    /// As the caller names it and as rows carry it.
    pub name: &'static str,
    /// What the query groups by.
    pub column: &'static str,
}

/// The groupings of `GET /links/count`.
pub const GROUPINGS: [GroupBy; 10] = [
    GroupBy { name: "domain", column: "l.domain" },
    GroupBy { name: "tagId", column: "lt.tag_id" },
    GroupBy { name: "userId", column: "NULL" },
    GroupBy { name: "folderId", column: "l.folder_id" },
    GroupBy { name: "url", column: "l.base_url" },
    GroupBy { name: "utm_source", column: "l.utm_source" },
    GroupBy { name: "utm_medium", column: "l.utm_medium" },
    GroupBy { name: "utm_campaign", column: "l.utm_campaign" },
    GroupBy { name: "utm_term", column: "l.utm_term" },
    GroupBy { name: "utm_content", column: "l.utm_content" },
];

impl LinkFilter {
    /// Reads the query. `clicked` is the window on the last click, when one is asked for.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query, clicked: Option<(Millis, Millis)>) -> Result<Self, Problem> {
        let list = |name: &str| -> Result<Vec<String>, Problem> {
            Ok(query.list(name, MAX_VALUES)?.into_iter().map(str::to_owned).collect())
        };
        let text = |name: &str| -> Result<Option<String>, Problem> {
            Ok(query.text_up_to(name, 1000)?.map(str::to_owned))
        };
        let mut tag_ids = list("tagIds")?;
        if tag_ids.is_empty() {
            tag_ids = list("tagId")?;
        }
        let mut utm_values = Vec::new();
        for name in utm::NAMES {
            let values = list(name)?;
            if !values.is_empty() {
                utm_values.push((name, values));
            }
        }
        Ok(Self {
            domain: text("domain")?.map(|domain| domain.to_ascii_lowercase()),
            folder_id: text("folderId")?,
            tag_names: if tag_ids.is_empty() { list("tagNames")? } else { Vec::new() },
            tag_ids,
            with_tags: query.boolean("withTags", false)?,
            search: text("search")?,
            tenant_id: text("tenantId")?,
            program_id: text("programId")?,
            partner_id: text("partnerId")?,
            user_id: text("userId")?,
            link_ids: list("linkIds")?,
            utm: utm_values,
            urls: list("url")?,
            show_archived: query.boolean("showArchived", false)?,
            everywhere: query.boolean("inFolders", false)?,
            clicked,
        })
    }

    /// The same, also of links in folders when nothing says which links are meant.
    #[must_use]
    pub fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }

    /// The condition over `links AS l`. A filter on what is `grouped` does not apply.
    #[must_use]
    pub fn condition(&self, workspace_id: &str, grouped: Option<GroupBy>) -> Where {
        let mut all = Where::default();
        let applies = |name: &str| grouped.is_none_or(|group| group.name != name);
        all.and("l.workspace_id = ? AND l.deleted_at IS NULL", [workspace_id.into()]);
        if !self.show_archived {
            all.and("l.archived = 0", []);
        }
        let mut equal = |text: &'static str, value: &Option<String>| {
            if let Some(value) = value {
                all.and(text, [value.as_str().into()]);
            }
        };
        if applies("domain") {
            equal("l.domain = ?", &self.domain);
        }
        if applies("folderId") {
            equal("l.folder_id = ?", &self.folder_id);
        }
        let everywhere =
            self.everywhere || self.folder_id.is_some() || self.narrows() || !applies("folderId");
        equal("l.tenant_id = ?", &self.tenant_id);
        equal("l.program_id = ?", &self.program_id);
        equal("l.partner_id = ?", &self.partner_id);
        if applies("userId") {
            // Links belong to workspaces here, not to users.
            equal("? IS NULL", &self.user_id);
        }
        if let Some(search) = &self.search {
            // `instr`, not LIKE: nothing to escape, and no limit on the pattern.
            let text = "instr(lower(CASE WHEN l.key = '_root' THEN 'https://' || l.domain \
                        ELSE 'https://' || l.domain || '/' || l.key END), lower(?)) > 0 \
                        OR instr(lower(l.url), lower(?)) > 0";
            all.and(text, [search.as_str().into(), search.as_str().into()]);
        }
        if !everywhere {
            all.and("l.folder_id IS NULL", []);
        }
        self.lists(&mut all, applies);
        if let Some((start, end)) = self.clicked {
            all.and("l.last_clicked >= ? AND l.last_clicked < ?", [start.0.into(), end.0.into()]);
        }
        all
    }

    /// Whether anything but the folder says which links are meant. If nothing does, a list shows what is in no
    /// folder: wire contract 4.6.
    fn narrows(&self) -> bool {
        let texts = [&self.domain, &self.search, &self.tenant_id, &self.program_id, &self.partner_id];
        let lists = [&self.tag_ids, &self.tag_names, &self.link_ids, &self.urls];
        texts.iter().any(|text| text.is_some())
            || lists.iter().any(|list| !list.is_empty())
            || !self.utm.is_empty()
            || self.with_tags
    }

    fn lists(&self, all: &mut Where, applies: impl Fn(&str) -> bool) {
        if !self.link_ids.is_empty() {
            let (external, ids): (Vec<&str>, Vec<&str>) =
                self.link_ids.iter().map(String::as_str).partition(|id| id.starts_with("ext_"));
            let external = external.iter().filter_map(|id| id.strip_prefix("ext_"));
            let text = "l.id IN (SELECT value FROM json_each(?)) \
                        OR l.external_id IN (SELECT value FROM json_each(?))";
            all.and(text, [Bind::list(ids), Bind::list(external)]);
        }
        if !self.urls.is_empty() && applies("url") {
            let urls = self.urls.iter().map(|url| super::link::base_url(url).unwrap_or_else(|| url.clone()));
            all.and("l.base_url IN (SELECT value FROM json_each(?))", [Bind::list(urls)]);
        }
        for (name, values) in self.utm.iter().filter(|(name, _)| applies(name)) {
            let text = match *name {
                "utm_source" => "l.utm_source IN (SELECT value FROM json_each(?))",
                "utm_medium" => "l.utm_medium IN (SELECT value FROM json_each(?))",
                "utm_campaign" => "l.utm_campaign IN (SELECT value FROM json_each(?))",
                "utm_term" => "l.utm_term IN (SELECT value FROM json_each(?))",
                _ => "l.utm_content IN (SELECT value FROM json_each(?))",
            };
            all.and(text, [Bind::list(values)]);
        }
        if !applies("tagId") {
            return;
        }
        if !self.tag_ids.is_empty() {
            let text =
                "l.id IN (SELECT link_id FROM link_tags WHERE tag_id IN (SELECT value FROM json_each(?)))";
            all.and(text, [Bind::list(&self.tag_ids)]);
        }
        if !self.tag_names.is_empty() {
            let text = "l.id IN (SELECT lt.link_id FROM link_tags lt JOIN tags t ON t.id = lt.tag_id \
                        WHERE t.workspace_id = l.workspace_id \
                          AND lower(t.name) IN (SELECT lower(value) FROM json_each(?)))";
            all.and(text, [Bind::list(&self.tag_names)]);
        }
        if self.with_tags {
            all.and("EXISTS (SELECT 1 FROM link_tags lt WHERE lt.link_id = l.id)", []);
        }
    }
}

/// What links are sorted by; `m.amount` is the money of a link.
pub const ORDERS: [(&str, &str); 7] = [
    ("createdAt", "l.created_at"),
    ("clicks", "l.clicks"),
    ("saleAmount", "COALESCE(m.amount, 0)"),
    ("lastClicked", "COALESCE(l.last_clicked, 0)"),
    ("utm_source", "COALESCE(l.utm_source, '')"),
    ("utm_medium", "COALESCE(l.utm_medium, '')"),
    ("utm_campaign", "COALESCE(l.utm_campaign, '')"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(query: &str) -> Where {
        LinkFilter::parse(&Query::parse(query), None).unwrap().condition("ws_1", None)
    }

    #[test]
    fn filters_are_joined_by_and() {
        let found = condition(
            "utm_source=a&utm_medium=b,c&tagIds=tag_1&search=x&domain=Go.acme.com&showArchived=true",
        );
        for part in [
            "(l.workspace_id = ? AND l.deleted_at IS NULL)",
            "(l.domain = ?)",
            "(l.utm_source IN (SELECT value FROM json_each(?)))",
            "(l.utm_medium IN (SELECT value FROM json_each(?)))",
            "FROM link_tags WHERE tag_id IN",
        ] {
            assert!(found.text().contains(part), "{part} in {}", found.text());
        }
        assert!(!found.text().contains("archived"));
        assert_eq!(found.text().matches('?').count(), found.binds().len());
        assert!(found.binds().contains(&"go.acme.com".into()));
    }

    #[test]
    fn without_filters_what_is_in_no_folder() {
        assert!(condition("").text().contains("(l.folder_id IS NULL)"));
        assert!(condition("sortBy=clicks&page=2").text().contains("(l.folder_id IS NULL)"));
        assert!(!condition("search=x").text().contains("folder_id"));
        assert!(!condition("inFolders=true").text().contains("folder_id"));
        assert!(condition("folderId=fold_1").text().contains("(l.folder_id = ?)"));
    }

    #[test]
    fn values_never_become_text() {
        let attack = "')--' OR 1=1";
        for name in
            "domain folderId tagIds tagNames search tenantId programId partnerId userId linkIds url utm_term"
                .split_whitespace()
        {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair(name, attack).finish();
            let found = condition(&query);
            assert!(!found.text().contains("1=1"), "{name}");
            assert_eq!(found.text().matches('?').count(), found.binds().len(), "{name}");
        }
    }

    #[test]
    fn a_filter_on_the_grouped_field_is_ignored() {
        let filter = LinkFilter::parse(&Query::parse("domain=a.co&utm_term=x&tagIds=t"), None).unwrap();
        for group in GROUPINGS {
            let found = filter.condition("ws_1", Some(group));
            assert_eq!(found.text().contains("l.domain = ?"), group.name != "domain");
            assert_eq!(found.text().contains("l.utm_term IN"), group.name != "utm_term");
            assert_eq!(found.text().contains("link_tags"), group.name != "tagId");
        }
    }
}
