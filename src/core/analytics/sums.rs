//! Clicks of a report, read from what was counted ahead (`click_sums`).
//!
//! A window is cut in three: whole UTC days have a row per dimension, the hours before and after them are read from
//! rows that keep hours apart, and what is left over — part of an hour at either end, and all that is not summed
//! yet — is counted from the clicks themselves. Clicks that came after their hour was summed are added from
//! `late_clicks`. All of it is one statement, so it is of one moment.
//!
//! A filter on a property of the click is not answered here: the sums of one dimension know nothing of the others.

use super::dimension::{self, Dimension};
use super::summing::FEW;
use super::{Bucket, Filter, Group, Measure, Query, Question, bucket_list};
use crate::core::sql::Bind;
use crate::core::time::DAY_MS;

const HOUR_MS: i64 = 3_600_000;

/// How a grouping is made of one dimension's values.
struct Shape {
    dimension: Dimension,
    /// Over the value `v` of a sum, in the order of the group's keys.
    keys: &'static [&'static str],
    join: &'static str,
    only: &'static str,
}

const VALUE: &[&str] = &["v"];
const PAIR: &[&str] = &["v ->> 0", "v ->> 1"];
const LINKS: &str = " JOIN links l ON l.id = v";
const TAGS: &str = " JOIN link_tags lt ON lt.link_id = v";
const WITHOUT_QUERY: &[&str] =
    &["CASE WHEN instr(v, char(63)) > 0 THEN substr(v, 1, instr(v, char(63)) - 1) ELSE v END"];

/// The shape of a grouping, if its clicks are counted ahead.
fn shape(group: &Group) -> Option<Shape> {
    let plain = |dimension, keys| Shape { dimension, keys, join: "", only: "" };
    let linked = |join, keys, only| Shape { dimension: dimension::LINK, keys, join, only };
    Some(match group.name {
        "count" => plain(dimension::BY_TRIGGER, &[]),
        "timeseries" => plain(dimension::TIME, &[]),
        "continents" => Shape { only: "v <> ''", ..plain(dimension::CONTINENT, VALUE) },
        "countries" => Shape { only: "v <> 'Unknown'", ..plain(dimension::COUNTRY, VALUE) },
        "regions" => Shape {
            only: "v ->> 0 <> 'Unknown' AND v ->> 1 <> 'Unknown'",
            ..plain(dimension::BY_REGION, PAIR)
        },
        "cities" => Shape { only: "v ->> 1 <> 'Unknown'", ..plain(dimension::CITY, PAIR) },
        "devices" => plain(dimension::DEVICE, VALUE),
        "browsers" => plain(dimension::BROWSER, VALUE),
        "os" => plain(dimension::OS, VALUE),
        "triggers" | "trigger" => plain(dimension::BY_TRIGGER, VALUE),
        "referers" => plain(dimension::REFERER, VALUE),
        "referer_urls" => plain(dimension::REFERER_URL, VALUE),
        "top_links" => linked("", VALUE, ""),
        "top_urls" => Shape { only: "v <> ''", ..plain(dimension::URL, WITHOUT_QUERY) },
        "top_domains" => linked(LINKS, &["l.domain"], ""),
        "top_folders" => linked(LINKS, &["l.folder_id"], "l.folder_id IS NOT NULL"),
        "top_link_tags" => linked(TAGS, &["lt.tag_id"], ""),
        "top_base_urls" => linked(LINKS, &["l.base_url"], "l.base_url IS NOT NULL"),
        name if name.starts_with("utm_") => {
            Shape { only: "instr(v, char(63)) > 0", ..plain(dimension::URL, VALUE) }
        }
        _ => return None,
    })
}

/// Where a window is cut; every span has its end left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cuts {
    start: i64,
    end: i64,
    /// The whole hours.
    hours: (i64, i64),
    /// The whole UTC days.
    days: (i64, i64),
    /// The days of which only some hours are meant.
    partial: [i64; 2],
}

impl Cuts {
    /// `last` is the last instant of the window.
    fn new(start: i64, last: i64) -> Self {
        let end = last.saturating_add(1);
        let floor = |at: i64, width: i64| at.saturating_sub(at.rem_euclid(width));
        let ceil = |at: i64, width: i64| floor(at.saturating_add(width - 1), width);
        // Nothing whole: an empty span at the end, so that all is counted from the clicks.
        let whole = |from: i64, to: i64, width: i64| {
            let (first, last) = (ceil(from, width), floor(to, width));
            if first < last { (first, last) } else { (to, to) }
        };
        let hours = whole(start, end, HOUR_MS);
        let days = whole(hours.0, hours.1, DAY_MS);
        let within = |day: i64| day >= days.0 && day < days.1;
        // What no day begins with stands for none.
        let partial = [floor(hours.0, DAY_MS), floor(hours.1.saturating_sub(1), DAY_MS)]
            .map(|day| if within(day) || hours.0 == hours.1 { -1 } else { day });
        Self { start, end, hours, days, partial }
    }
}

/// The text of a query and its values, side by side.
#[derive(Default)]
struct Sql {
    text: String,
    binds: Vec<Bind>,
}

impl Sql {
    fn add(&mut self, text: &str, binds: impl IntoIterator<Item = Bind>) {
        self.text.push_str(text);
        self.binds.extend(binds);
    }
}

/// One query for the clicks of a report; `None` when only the clicks themselves can tell.
pub(super) fn query(q: &Question<'_>, filter: &Filter) -> Option<Query> {
    if filter.needs_click() || filter.customer_id.is_some() {
        return None;
    }
    let shape = shape(q.group)?;
    let cuts = Cuts::new(q.window.start.0, q.window.end.0);
    // Sums of one dimension over links know each link already.
    let is_by_link = shape.dimension == dimension::LINK;
    let scope = Scope {
        workspace_id: q.workspace_id,
        dimension: shape.dimension,
        filter,
        is_of_all_links: is_by_link || !filter.names_links(),
        buckets: q.group.is_series.then_some(q.buckets),
    };
    let shows_unknown = q.group.names_the_unknown() && !q.known_only;
    let mut columns: Vec<String> = Vec::new();
    for (n, key) in shape.keys.iter().enumerate() {
        columns.push(if shows_unknown {
            format!("COALESCE(NULLIF({key}, ''), 'Unknown') AS k{n}")
        } else {
            format!("{key} AS k{n}")
        });
    }
    if q.group.is_series {
        columns.push("b".to_owned());
    }
    let width = columns.len();
    columns.push("SUM(n) AS n".to_owned());
    let mut sql = Sql::default();
    sql.add(&format!("SELECT {} FROM (", columns.join(", ")), []);
    if q.group.is_series {
        scope.series(&cuts, &mut sql);
    } else {
        scope.values(&cuts, &mut sql);
    }
    sql.add(" UNION ALL ", []);
    scope.clicks(&cuts, &mut sql);
    sql.add(")", []);
    sql.add(shape.join, []);
    let mut conditions: Vec<&str> = Vec::new();
    if !shows_unknown && !shape.only.is_empty() {
        conditions.push(shape.only);
    }
    let mut links = Sql::default();
    if is_by_link && let Some((text, binds)) = filter.of_links("v", q.workspace_id) {
        links.add(&text, binds);
        conditions.push(&links.text);
    }
    if !conditions.is_empty() {
        sql.add(&format!(" WHERE {}", conditions.join(" AND ")), links.binds);
    }
    if width > 0 {
        let places: Vec<String> = (1..=width).map(|place| place.to_string()).collect();
        sql.add(&format!(" GROUP BY {}", places.join(", ")), []);
    }
    if q.group.is_capped {
        sql.add(&format!(" ORDER BY n DESC LIMIT {}", super::MAX_ROWS), []);
    }
    Some(Query { measure: Measure::Clicks, text: sql.text, binds: sql.binds })
}

struct Scope<'a> {
    workspace_id: &'a str,
    dimension: Dimension,
    filter: &'a Filter,
    is_of_all_links: bool,
    buckets: Option<&'a [Bucket]>,
}

impl Scope<'_> {
    /// Which sums: `x.workspace_id = … AND x.link_id … AND x.dimension = … AND x.span = …`.
    fn sums(&self, span: &'static str, sql: &mut Sql) {
        sql.add("x.workspace_id = ?", [self.workspace_id.into()]);
        match self.filter.of_links("x.link_id", self.workspace_id) {
            Some((text, binds)) if !self.is_of_all_links => sql.add(&format!(" AND {text}"), binds),
            _ => sql.add(" AND x.link_id = ''", []),
        }
        sql.add(" AND x.dimension = ? AND x.span = ?", [self.dimension.name.into(), span.into()]);
    }

    /// Values of days, of hours of days that are over, and of hours of the day that is not.
    fn values(&self, cuts: &Cuts, sql: &mut Sql) {
        sql.add("SELECT e.key AS v, e.value AS n FROM click_sums x, json_each(x.counts) e WHERE ", []);
        self.sums("day", sql);
        sql.add(" AND x.at >= ? AND x.at < ?", [cuts.days.0.into(), cuts.days.1.into()]);
        sql.add(
            " UNION ALL SELECT substr(e.key, 4) AS v, e.value AS n FROM click_sums x, json_each(x.counts) e WHERE ",
            [],
        );
        self.sums("hours", sql);
        sql.add(
            " AND x.at IN (?, ?) AND x.at + substr(e.key, 1, 2) * 3600000 >= ? \
             AND x.at + substr(e.key, 1, 2) * 3600000 < ?",
            [cuts.partial[0], cuts.partial[1], cuts.hours.0, cuts.hours.1].map(Bind::Int),
        );
        // Hours of the day that is not over are summed for all links together only.
        if self.is_of_all_links {
            sql.add(
                " UNION ALL SELECT e.key AS v, e.value AS n FROM click_sums x, json_each(x.counts) e WHERE ",
                [],
            );
            self.sums("hour", sql);
            sql.add(" AND x.at >= ? AND x.at < ?", [cuts.hours.0.into(), cuts.hours.1.into()]);
        }
    }

    /// Quarters of an hour, each in its bucket.
    fn series(&self, cuts: &Cuts, sql: &mut Sql) {
        let spans: &[_] =
            if self.is_of_all_links { &[("day", DAY_MS), ("hour", HOUR_MS)] } else { &[("day", DAY_MS)] };
        for (n, (span, width)) in spans.iter().copied().enumerate() {
            sql.add(if n == 0 { "" } else { " UNION ALL " }, []);
            sql.add("SELECT b.key AS b, '' AS v, e.value AS n FROM ", []);
            self.bucket_source(sql);
            sql.add(" CROSS JOIN click_sums x CROSS JOIN json_each(x.counts) e WHERE ", []);
            self.sums(span, sql);
            sql.add(
                " AND x.at > json_extract(b.value, '$[0]') - ? AND x.at < json_extract(b.value, '$[1]') \
                 AND e.key * 900000 >= json_extract(b.value, '$[0]') AND e.key * 900000 < json_extract(b.value, '$[1]') \
                 AND e.key * 900000 >= ? AND e.key * 900000 < ?",
                [width, cuts.hours.0, cuts.hours.1].map(Bind::Int),
            );
        }
    }

    fn bucket_source(&self, sql: &mut Sql) {
        sql.add("json_each(?) b", [bucket_list(self.buckets.unwrap_or_default())]);
    }

    /// What the sums do not cover: both ends of the window, what is not summed yet, and what came late; of single links
    /// also the days on which they had few clicks.
    fn clicks(&self, cuts: &Cuts, sql: &mut Sql) {
        // Links have their sums when the day is over, all links together when the hour is.
        let until = if self.is_of_all_links { "hours" } else { "days" };
        let summed =
            format!("MIN(?, COALESCE((SELECT {until} FROM click_sums_until WHERE workspace_id = ?), 0))");
        let workspace = || Bind::from(self.workspace_id);
        let (first, last) = (Bind::Int(cuts.hours.0), Bind::Int(cuts.hours.1));
        self.counted(sql, |sql| {
            sql.add("clicks c WHERE (", []);
            if cuts.start < cuts.hours.0 {
                let range = self.range("c.at", "?", "?");
                sql.add(
                    &format!("(c.workspace_id = ? AND {range}) OR "),
                    [workspace(), cuts.start.into(), first.clone()],
                );
            }
            sql.add(
                &format!(
                    "(c.workspace_id = ? AND {}))",
                    self.range("c.at", &format!("MAX(?, {summed})"), "?")
                ),
                [workspace(), first.clone(), last.clone(), workspace(), cuts.end.into()],
            );
        });
        sql.add(" UNION ALL ", []);
        self.counted(sql, |sql| {
            sql.add(
                &format!(
                    "late_clicks y CROSS JOIN clicks c ON c.workspace_id = y.workspace_id AND c.at = y.at \
                     AND c.id = y.id WHERE y.workspace_id = ? AND {}",
                    self.range("y.at", "?", &summed)
                ),
                [workspace(), first.clone(), last.clone(), workspace()],
            );
        });
        if self.is_of_all_links {
            return;
        }
        sql.add(" UNION ALL ", []);
        self.counted(sql, |sql| {
            sql.add(
                "click_sums x CROSS JOIN json_each(x.counts) e CROSS JOIN clicks c \
                 ON c.workspace_id = x.workspace_id AND c.at = e.value AND c.id = e.key WHERE ",
                [],
            );
            Self { dimension: Dimension { name: FEW, ..self.dimension }, ..*self }.sums("day", sql);
            sql.add(
                &format!(" AND x.at > ? - 86400000 AND x.at < ? AND {}", self.range("e.value", "?", &summed)),
                [first.clone(), last.clone(), first, last, workspace()],
            );
        });
    }

    /// `column` within a span, and within the bucket if there are any. One range only: see
    /// [`Filter::condition_by_bucket`].
    fn range(&self, column: &str, from: &str, to: &str) -> String {
        if self.buckets.is_some() {
            format!(
                "{column} >= MAX({from}, json_extract(b.value, '$[0]')) \
                 AND {column} < MIN({to}, json_extract(b.value, '$[1]'))"
            )
        } else {
            format!("{column} >= {from} AND {column} < {to}")
        }
    }

    /// Clicks of a source (`… WHERE …`), counted by value or bucket.
    fn counted(&self, sql: &mut Sql, source: impl FnOnce(&mut Sql)) {
        if self.buckets.is_some() {
            sql.add("SELECT b.key AS b, '' AS v, COUNT(*) AS n FROM ", []);
            self.bucket_source(sql);
            sql.add(" CROSS JOIN ", []);
        } else {
            sql.add(&format!("SELECT {} AS v, COUNT(*) AS n FROM ", self.dimension.sql), []);
        }
        source(sql);
        if let Some((text, binds)) = self.filter.of_links("c.link_id", self.workspace_id) {
            sql.add(&format!(" AND {text}"), binds);
        }
        sql.add(" GROUP BY 1", []);
    }
}
