//! What rows of a report have in common.

use crate::core::utm;

/// One field of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in the answer.
    pub field: &'static str,
    /// Its expression: over the event `ev`, its click `c`, its link `l`.
    pub sql: &'static str,
}

/// How what a query groups by becomes what a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// As it is.
    None,
    /// The key is a URL; the row shows one of its UTM parameters.
    Utm(usize),
    /// The key is a URL; the row shows all of them.
    UtmCombination,
}

/// A value of `?groupBy=`.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What is grouped by.
    pub keys: &'static [Key],
    /// Fields that are the same in every row.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Conditions on the keys: rows of unknown places are left out.
    pub only: &'static [&'static str],
    /// Whether the keys or conditions look at the click.
    pub needs_click: bool,
    /// Further joins.
    pub join: &'static str,
    /// Whether there is a row per bucket of time, also where nothing happened.
    pub is_series: bool,
    /// Whether only the largest rows are given.
    pub is_capped: bool,
    /// What is done to the keys.
    pub fold: Fold,
}

const PLAIN: Group = Group {
    name: "",
    keys: &[],
    fixed: &[],
    only: &[],
    needs_click: false,
    join: "",
    is_series: false,
    is_capped: false,
    fold: Fold::None,
};

const CLICK: Group = Group { needs_click: true, ..PLAIN };
const URL: Group =
    Group { keys: &[Key { field: "url", sql: "c.url" }], only: &["instr(c.url, char(63)) > 0"], ..CLICK };
const ANY_REGION: (&str, &str) = ("region", "*");
const ANY_CITY: (&str, &str) = ("city", "*");
const LINK: &str = " JOIN links l ON l.id = ev.link_id";
const TAG: &str = " JOIN link_tags lt ON lt.link_id = ev.link_id";
/// The region of a click: `US-CA`.
pub(super) const REGION: &str =
    "CASE WHEN c.region = 'Unknown' THEN c.region ELSE c.country || '-' || c.region END";
const WITHOUT_QUERY_URL: &str =
    "CASE WHEN instr(c.url, char(63)) > 0 THEN substr(c.url, 1, instr(c.url, char(63)) - 1) ELSE c.url END";
/// The page that referred, without its query.
pub(super) const WITHOUT_QUERY_REFERER: &str = "CASE WHEN instr(c.referer_url, char(63)) > 0 \
    THEN substr(c.referer_url, 1, instr(c.referer_url, char(63)) - 1) ELSE c.referer_url END";
/// The trigger of a click.
pub(super) const TRIGGER: &str = "CASE WHEN c.qr = 1 THEN 'qr' ELSE c.source END";

/// Every grouping. Source: wire contract 5.3, and Dub's own.
pub static GROUPS: [Group; 26] = [
    Group { name: "count", ..PLAIN },
    Group { name: "timeseries", is_series: true, ..PLAIN },
    Group {
        name: "link_timeseries",
        keys: &[Key { field: "link_id", sql: "ev.link_id" }],
        only: &["ev.link_id IS NOT NULL"],
        is_series: true,
        ..PLAIN
    },
    Group {
        name: "continents",
        keys: &[Key { field: "continent", sql: "c.continent" }],
        only: &["c.continent <> ''"],
        ..CLICK
    },
    Group {
        name: "countries",
        keys: &[Key { field: "country", sql: "c.country" }],
        fixed: &[ANY_REGION, ANY_CITY],
        only: &["c.country <> 'Unknown'"],
        ..CLICK
    },
    Group {
        name: "regions",
        keys: &[Key { field: "country", sql: "c.country" }, Key { field: "region", sql: REGION }],
        fixed: &[ANY_CITY],
        only: &["c.country <> 'Unknown' AND c.region <> 'Unknown'"],
        ..CLICK
    },
    Group {
        name: "cities",
        keys: &[Key { field: "country", sql: "c.country" }, Key { field: "city", sql: "c.city" }],
        fixed: &[ANY_REGION],
        only: &["c.city <> 'Unknown'"],
        ..CLICK
    },
    Group {
        name: "devices",
        keys: &[Key { field: "device", sql: "c.device" }],
        only: &["c.id IS NOT NULL"],
        ..CLICK
    },
    Group {
        name: "browsers",
        keys: &[Key { field: "browser", sql: "c.browser" }],
        only: &["c.id IS NOT NULL"],
        ..CLICK
    },
    Group { name: "os", keys: &[Key { field: "os", sql: "c.os" }], only: &["c.id IS NOT NULL"], ..CLICK },
    Group {
        name: "triggers",
        keys: &[Key { field: "trigger", sql: TRIGGER }],
        only: &["c.id IS NOT NULL"],
        ..CLICK
    },
    Group {
        name: "referers",
        keys: &[Key { field: "referer", sql: "c.referer" }],
        only: &["c.id IS NOT NULL"],
        is_capped: true,
        ..CLICK
    },
    Group {
        name: "referer_urls",
        keys: &[Key { field: "refererUrl", sql: WITHOUT_QUERY_REFERER }],
        only: &["c.id IS NOT NULL"],
        is_capped: true,
        ..CLICK
    },
    Group {
        name: "top_links",
        keys: &[Key { field: "link", sql: "ev.link_id" }],
        only: &["ev.link_id IS NOT NULL"],
        is_capped: true,
        ..PLAIN
    },
    Group {
        name: "top_urls",
        keys: &[Key { field: "url", sql: WITHOUT_QUERY_URL }],
        only: &["c.url <> ''"],
        is_capped: true,
        ..CLICK
    },
    Group { name: "utm_sources", fold: Fold::Utm(0), ..URL },
    Group { name: "utm_mediums", fold: Fold::Utm(1), ..URL },
    Group { name: "utm_campaigns", fold: Fold::Utm(2), ..URL },
    Group { name: "utm_terms", fold: Fold::Utm(3), ..URL },
    Group { name: "utm_contents", fold: Fold::Utm(4), ..URL },
    Group { name: "utm_combinations", fold: Fold::UtmCombination, ..URL },
    Group {
        name: "top_domains",
        keys: &[Key { field: "domain", sql: "l.domain" }],
        join: LINK,
        is_capped: true,
        ..PLAIN
    },
    Group {
        name: "top_folders",
        keys: &[Key { field: "folderId", sql: "l.folder_id" }],
        only: &["l.folder_id IS NOT NULL"],
        join: LINK,
        is_capped: true,
        ..PLAIN
    },
    Group {
        name: "top_link_tags",
        keys: &[Key { field: "tagId", sql: "lt.tag_id" }],
        join: TAG,
        is_capped: true,
        ..PLAIN
    },
    Group {
        name: "top_base_urls",
        keys: &[Key { field: "url", sql: "l.base_url" }],
        only: &["l.base_url IS NOT NULL"],
        join: LINK,
        is_capped: true,
        ..PLAIN
    },
    // Deprecated name of `triggers`.
    Group {
        name: "trigger",
        keys: &[Key { field: "trigger", sql: TRIGGER }],
        only: &["c.id IS NOT NULL"],
        ..CLICK
    },
];

impl Group {
    /// The grouping of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.name == name)
    }

    /// Whether an event whose click says nothing of the keys can be a row of its own, named `Unknown`.
    #[must_use]
    pub fn names_the_unknown(&self) -> bool {
        self.needs_click && self.fold == Fold::None
    }

    /// The names of the fields that a row's keys fill.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        match self.fold {
            Fold::None => self.keys.iter().map(|key| key.field).collect(),
            Fold::Utm(at) => utm::NAMES.get(at).copied().into_iter().collect(),
            Fold::UtmCombination => utm::NAMES.to_vec(),
        }
    }

    /// What the row of a query's keys shows; `None` leaves it out.
    #[must_use]
    pub fn show(&self, keys: Vec<Option<String>>) -> Option<Vec<Option<String>>> {
        let of_url = |keys: &[Option<String>]| {
            keys.first().and_then(Option::as_deref).map(utm::of_url).unwrap_or_default()
        };
        match self.fold {
            Fold::None => Some(keys),
            Fold::Utm(at) => of_url(&keys).into_iter().nth(at).flatten().map(|value| vec![Some(value)]),
            Fold::UtmCombination => {
                let values = of_url(&keys);
                values.iter().any(Option::is_some).then(|| values.to_vec())
            }
        }
    }
}
