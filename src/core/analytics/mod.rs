//! Analytics: which window, which groups, which queries, and what their rows add up to.
//!
//! Every metric is a query of its own on its own time axis: clicks by their time, leads by theirs, sales and the
//! entries that undo them by theirs. A country that had a sale but no click in the window is therefore a row like
//! any other. Money is converted per entry ([`crate::core::figures`]).
//!
//! Nothing here runs a query: [`plan`] gives text and values, [`Table`] takes the rows.

mod credit;
pub mod dimension;
mod filter;
mod group;
pub mod purging;
pub mod summing;
mod sums;
mod table;
mod window;
mod zone;

pub use credit::MAX_CREDITS;
pub use filter::Filter;
pub use group::{GROUPS, Group};
pub use table::{Metrics, Row, Table};
pub use window::{Bounds, Bucket, Granularity, INTERVALS, Window, buckets};
pub use zone::Zone;

use crate::core::attribution::Model;
use crate::core::mode::Mode;
use crate::core::money::{Currency, total_sql};
use crate::core::sql::Bind;

/// Which metrics are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Recorded clicks.
    Clicks,
    /// Reported leads.
    Leads,
    /// Payments and their money.
    Sales,
    /// All of them.
    Composite,
}

/// The words of `?event=`.
pub const EVENTS: [&str; 4] = ["clicks", "leads", "sales", "composite"];

impl Event {
    /// From one of [`EVENTS`]; clicks by default.
    #[must_use]
    pub fn of(word: Option<&str>) -> Self {
        match word {
            Some("leads") => Self::Leads,
            Some("sales") => Self::Sales,
            Some("composite") => Self::Composite,
            _ => Self::Clicks,
        }
    }

    fn measures(self, model: Model) -> &'static [Measure] {
        if model != Model::Last {
            return match self {
                Self::Clicks => &[Measure::Clicks],
                Self::Leads => &[Measure::Leads],
                Self::Sales => &[Measure::Credits],
                Self::Composite => &[Measure::Clicks, Measure::Leads, Measure::Credits],
            };
        }
        match self {
            Self::Clicks => &[Measure::Clicks],
            Self::Leads => &[Measure::Leads],
            Self::Sales => &[Measure::Sales, Measure::Money],
            Self::Composite => &[Measure::Clicks, Measure::Leads, Measure::Sales, Measure::Money],
        }
    }
}

/// One number per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Rows of `clicks`.
    Clicks,
    /// Quantities of `leads`.
    Leads,
    /// Rows of `sales`.
    Sales,
    /// Amounts of `entries`.
    Money,
    /// Sales and money as another model shares them: a row for each entry and touchpoint.
    Credits,
}

impl Measure {
    fn table(self) -> &'static str {
        match self {
            Self::Clicks => "clicks",
            Self::Leads => "leads",
            Self::Sales => "sales",
            Self::Money => "entries",
            Self::Credits => credit::CREDITED,
        }
    }
}

/// One query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What its rows are.
    pub measure: Measure,
    /// SQL.
    pub text: String,
    /// Its values, in order.
    pub binds: Vec<Bind>,
}

/// What is asked, apart from the filter.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// `ws_…`
    pub workspace_id: &'a str,
    /// Of leads and sales; clicks have none.
    pub mode: Mode,
    /// The workspace's currency.
    pub currency: Currency,
    /// Which metrics.
    pub event: Event,
    /// Payments only, without what undid them.
    pub gross: bool,
    /// By which attribution model sales and money are counted; a lead has one click only.
    pub model: Model,
    /// Leave out what has no known place, device or source; otherwise it is a row `Unknown`.
    pub known_only: bool,
    /// How rows are grouped.
    pub group: &'static Group,
    /// From when to when.
    pub window: Window,
    /// For a time series.
    pub buckets: &'a [Bucket],
}

/// Rows of one answer, at most. Source: wire contract 5.3.
pub const MAX_ROWS: usize = 5000;

/// The queries that answer a question. Clicks are read from their sums where those can tell.
#[must_use]
pub fn plan(question: &Question<'_>, filter: &Filter) -> Vec<Query> {
    let summed = |measure| (measure == Measure::Clicks).then(|| sums::query(question, filter)).flatten();
    let measures = question.event.measures(question.model).iter();
    measures.map(|measure| summed(*measure).unwrap_or_else(|| query(question, filter, *measure))).collect()
}

/// The queries that answer a question from single rows alone: what [`plan`] is held against in tests.
#[must_use]
pub fn plan_from_rows(question: &Question<'_>, filter: &Filter) -> Vec<Query> {
    question.event.measures(question.model).iter().map(|measure| query(question, filter, *measure)).collect()
}

fn query(q: &Question<'_>, filter: &Filter, measure: Measure) -> Query {
    let group = q.group;
    let mut binds: Vec<Bind> = Vec::new();
    let shows_unknown = group.names_the_unknown() && !q.known_only;
    let column = |(n, key): (usize, &group::Key)| {
        if shows_unknown {
            format!("COALESCE(NULLIF({}, ''), 'Unknown') AS k{n}", key.sql)
        } else {
            format!("{} AS k{n}", key.sql)
        }
    };
    let mut columns: Vec<String> = group.keys.iter().enumerate().map(column).collect();
    if group.is_series {
        columns.push("b.key AS b".to_owned());
    }
    let width = columns.len();
    match measure {
        Measure::Clicks | Measure::Sales => columns.push("COUNT(*) AS n".to_owned()),
        Measure::Leads => columns.push("SUM(ev.quantity) AS n".to_owned()),
        Measure::Credits => columns.extend(credit::COLUMNS.map(str::to_owned)),
        Measure::Money => {
            columns.push("ev.currency AS currency".to_owned());
            columns.push("CASE WHEN ev.currency = ? THEN '' ELSE ev.rate_day END AS rate_day".to_owned());
            columns.push("CASE WHEN ev.currency = ? THEN NULL ELSE ev.amount END AS each".to_owned());
            columns.push(concat!(total_sql!("ev.amount"), " AS total").to_owned());
            columns.push("COUNT(*) AS n".to_owned());
            binds.extend([q.currency.as_str().into(), q.currency.as_str().into()]);
        }
    }
    let grouped = match measure {
        Measure::Money => width + 3,
        Measure::Credits => 0,
        Measure::Clicks | Measure::Leads | Measure::Sales => width,
    };
    let mut text = format!("SELECT {} FROM ", columns.join(", "));
    if group.is_series {
        // The buckets drive the join: each is one range of the index on (workspace_id, at).
        text.push_str("json_each(?) b CROSS JOIN ");
        binds.push(bucket_list(q.buckets));
    }
    text.push_str(measure.table());
    if measure == Measure::Credits {
        let (workspace_id, mode) = (q.workspace_id.into(), q.mode.as_str().into());
        binds.extend([workspace_id, mode, q.window.start.0.into(), q.window.end.0.into()]);
    }
    text.push_str(" ev");
    if measure != Measure::Clicks && (group.needs_click || filter.needs_click()) {
        text.push_str(" LEFT JOIN credited_clicks c ON c.click_id = ev.click_id");
    }
    text.push_str(group.join);
    let mut condition = if group.is_series {
        filter.condition_by_bucket(q.workspace_id, q.window)
    } else {
        filter.condition(q.workspace_id, q.window)
    };
    if measure != Measure::Clicks {
        condition.and("ev.mode = ?", [q.mode.as_str().into()]);
    }
    if matches!(measure, Measure::Money | Measure::Credits) && q.gross {
        condition.and("ev.kind = 'sale'", []);
    }
    if measure == Measure::Clicks {
        filter.customer_of_clicks(&mut condition);
    } else {
        filter.customer_of_events(&mut condition);
    }
    if !shows_unknown {
        for known in group.only {
            condition.and(known, []);
        }
    }
    text.push_str(" WHERE ");
    text.push_str(condition.text());
    binds.extend(condition.binds().iter().cloned());
    if grouped > 0 {
        let places: Vec<String> = (1..=grouped).map(|place| place.to_string()).collect();
        text.push_str(" GROUP BY ");
        text.push_str(&places.join(", "));
    }
    if measure == Measure::Credits {
        // One more than is read, so that what is too much is seen.
        text.push_str(" LIMIT ");
        text.push_str(&(MAX_CREDITS + 1).to_string());
    } else if group.is_capped && measure != Measure::Money {
        text.push_str(" ORDER BY n DESC LIMIT ");
        text.push_str(&MAX_ROWS.to_string());
    }
    if measure == Measure::Clicks {
        // A click is its own click row.
        text = text.replace(" clicks ev", " clicks c").replace("ev.", "c.");
    }
    Query { measure, text, binds }
}

/// `[[start, end], …]`
fn bucket_list(buckets: &[Bucket]) -> Bind {
    let list = buckets.iter().map(|bucket| serde_json::json!([bucket.start, bucket.end]));
    Bind::Text(serde_json::Value::Array(list.collect()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Millis;
    use crate::core::validate;

    fn question(group: &'static Group, buckets: &'static [Bucket]) -> Question<'static> {
        Question {
            workspace_id: "ws_1",
            mode: Mode::Live,
            currency: Currency::USD,
            event: Event::Composite,
            gross: false,
            model: Model::Last,
            known_only: true,
            group,
            window: Window { start: Millis(1), end: Millis(2), granularity: Granularity::Day },
            buckets,
        }
    }

    #[test]
    fn every_value_has_its_place_in_every_query() {
        let everything = "country=US,FR&region=US-CA&city=Paris&continent=EU&device=mobile&browser=chrome&os=iOS\
                          &trigger=qr&referer=(direct)&refererUrl=https://a.co&url=https://b.co&tagIds=t&folderId=f\
                          &root=false&utm_source=a&utm_term=b&tenantId=t&domain=d&customerId=c&linkId=l";
        for query in ["", everything] {
            let filter = Filter::parse(&validate::Query::parse(query)).unwrap();
            for (group, known_only) in GROUPS.iter().flat_map(|group| [(group, true), (group, false)]) {
                let last = Question { known_only, ..question(group, &[]) };
                let linear = Question { model: Model::Linear, ..last.clone() };
                let queries = [plan(&last, &filter), plan(&linear, &filter)];
                assert_eq!(queries.each_ref().map(Vec::len), [4, 3]);
                for query in queries.concat() {
                    assert_eq!(query.text.matches('?').count(), query.binds.len(), "{}", query.text);
                    assert_eq!(
                        query.text.contains("ev."),
                        query.measure != Measure::Clicks,
                        "{}",
                        query.text
                    );
                    let looks = query.text.matches("c.").count() > query.text.matches(".c").count();
                    assert!(!looks || query.text.contains("clicks c"), "{}", query.text);
                }
            }
        }
    }

    #[test]
    fn only_what_is_asked_for_is_queried() {
        let group = Group::find("count").unwrap();
        for (event, expected) in [
            (Event::Clicks, vec![Measure::Clicks]),
            (Event::Leads, vec![Measure::Leads]),
            (Event::Sales, vec![Measure::Sales, Measure::Money]),
        ] {
            let question = Question { event, ..question(group, &[]) };
            let measures: Vec<Measure> =
                plan(&question, &Filter::default()).iter().map(|q| q.measure).collect();
            assert_eq!(measures, expected);
        }
    }

    #[test]
    fn a_plain_count_looks_at_one_table() {
        let queries = plan_from_rows(&question(Group::find("count").unwrap(), &[]), &Filter::default());
        assert_eq!(
            queries[0].text,
            "SELECT COUNT(*) AS n FROM clicks c WHERE (c.workspace_id = ? AND c.at >= ? AND c.at <= ?)"
        );
        assert_eq!(
            queries[2].text,
            "SELECT COUNT(*) AS n FROM sales ev WHERE (ev.workspace_id = ? AND ev.at >= ? AND ev.at <= ?) \
             AND (ev.mode = ?)"
        );
    }

    #[test]
    fn gross_leaves_out_what_undid_sales() {
        let group = Group::find("count").unwrap();
        let gross = Question { gross: true, ..question(group, &[]) };
        assert!(plan(&gross, &Filter::default())[3].text.contains("ev.kind = 'sale'"));
        assert!(!plan(&question(group, &[]), &Filter::default())[3].text.contains("kind"));
    }

    #[test]
    fn money_whose_click_is_unknown_is_left_out_only_when_asked_to() {
        let group = Group::find("countries").unwrap();
        for (known_only, named, left_out) in [(true, 0, 1), (false, 1, 0)] {
            let queries = plan(&Question { known_only, ..question(group, &[]) }, &Filter::default());
            let money = &queries[3].text;
            assert!(money.contains("LEFT JOIN credited_clicks c"), "{money}");
            assert_eq!(money.matches("NULLIF(c.country, ''), 'Unknown')").count(), named, "{money}");
            assert_eq!(money.matches("c.country <> 'Unknown'").count(), left_out, "{money}");
        }
    }
}
