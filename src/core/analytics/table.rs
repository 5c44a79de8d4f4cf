//! Rows of the queries, put together.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::credit::{MAX_CREDITS, credit};
use super::{Bucket, Event, Group, MAX_ROWS, Measure};
use crate::core::api::link::unconverted;
use crate::core::attribution::Model;
use crate::core::figures::{Amounts, Sum};
use crate::core::money::Currency;
use crate::core::time::Millis;

/// The numbers of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Recorded clicks.
    pub clicks: i64,
    /// Reported leads.
    pub leads: i64,
    /// Payments.
    pub sales: i64,
    /// Their money.
    pub money: Sum,
}

/// A row of a query: `k0`… are its keys, `b` its bucket.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    #[serde(default)]
    k0: Option<String>,
    #[serde(default)]
    k1: Option<String>,
    #[serde(default)]
    b: Option<usize>,
    pub(super) n: Option<i64>,
    #[serde(default)]
    currency: Option<Currency>,
    #[serde(default)]
    rate_day: Option<String>,
    #[serde(default)]
    each: Option<i64>,
    #[serde(default)]
    total: Option<i64>,
    /// Which of `touches` the row is about; none of them for what is unattributed.
    #[serde(default)]
    pub(super) touch: Option<usize>,
    #[serde(default)]
    pub(super) touches: Option<String>,
    #[serde(default)]
    pub(super) sale_at: Option<Millis>,
}

/// A report that grows by the rows of one query after the other.
#[derive(Debug)]
pub struct Table {
    group: &'static Group,
    model: Model,
    is_overfull: bool,
    rows: BTreeMap<(Vec<Option<String>>, usize), Metrics>,
}

impl Row {
    /// The money of the row.
    #[must_use]
    pub fn amounts(&self) -> Option<Amounts> {
        Some(Amounts {
            currency: self.currency?,
            rate_day: self.rate_day.clone().unwrap_or_default(),
            each: self.each,
            total: self.total?,
            n: self.n?,
        })
    }
}

impl Metrics {
    fn of(&self, event: Event) -> i64 {
        match event {
            Event::Clicks | Event::Composite => self.clicks,
            Event::Leads => self.leads,
            Event::Sales => self.sales,
        }
    }

    /// Largest first: by the metric asked for, then by the others.
    fn rank(&self, event: Event) -> [i64; 5] {
        [self.of(event), self.money.amount, self.sales, self.leads, self.clicks]
    }

    /// Writes the numbers into a row.
    pub fn show(&self, row: &mut Map<String, Value>) {
        row.insert("clicks".to_owned(), self.clicks.into());
        row.insert("leads".to_owned(), self.leads.into());
        row.insert("sales".to_owned(), self.sales.into());
        row.insert("saleAmount".to_owned(), self.money.amount.into());
        let rest = self.money.rest();
        if !rest.is_empty() {
            row.insert("unconverted".to_owned(), unconverted(&rest));
        }
    }
}

impl Table {
    /// An empty report.
    #[must_use]
    pub fn new(group: &'static Group, model: Model) -> Self {
        Self { group, model, is_overfull: false, rows: BTreeMap::new() }
    }

    /// Whether there was more to share out than one report may read; what it adds up to is then not the truth.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Adds the rows of a query.
    pub fn add(
        &mut self,
        measure: Measure,
        rows: Vec<Row>,
        convert: impl Fn(Currency, &str, i64) -> Option<i64>,
    ) {
        self.is_overfull |= measure == Measure::Credits && rows.len() > MAX_CREDITS;
        for row in rows {
            let shared = (measure == Measure::Credits).then(|| credit(self.model, &row, &convert));
            if shared.as_ref().is_some_and(|(sales, money)| *sales == 0 && *money == Sum::default()) {
                continue; // A touchpoint without a share is not a row.
            }
            let keys = [row.k0.clone(), row.k1.clone()].into_iter().take(self.group.keys.len()).collect();
            let Some(keys) = self.group.show(keys) else { continue };
            let metrics = self.rows.entry((keys, row.b.unwrap_or(0))).or_default();
            let n = row.n.unwrap_or(0);
            match measure {
                Measure::Clicks => metrics.clicks += n,
                Measure::Leads => metrics.leads += n,
                Measure::Sales => metrics.sales += n,
                Measure::Credits => {
                    if let Some((sales, money)) = shared {
                        metrics.sales += sales;
                        metrics.money.merge(&money);
                    }
                }
                Measure::Money => {
                    if let Some(amounts) = row.amounts() {
                        metrics.money.add(&amounts, &convert);
                    }
                }
            }
        }
    }

    /// The one row of a count.
    #[must_use]
    pub fn count(&self) -> Metrics {
        self.rows.values().next().cloned().unwrap_or_default()
    }

    /// The values of the first key, as in the rows: ids of links.
    #[must_use]
    pub fn first_keys(&self) -> Vec<String> {
        let mut found: Vec<String> =
            self.rows.keys().filter_map(|(keys, _)| keys.first().cloned().flatten()).collect();
        found.dedup();
        found
    }

    /// The rows of a list, largest first by `by`; a time series has a row for every bucket, in order.
    #[must_use]
    pub fn rows(&self, by: Event, buckets: &[Bucket]) -> Vec<(Map<String, Value>, Metrics)> {
        if self.group.is_series { self.series(buckets) } else { self.ranked(by) }
    }

    fn ranked(&self, by: Event) -> Vec<(Map<String, Value>, Metrics)> {
        let mut rows: Vec<(&Vec<Option<String>>, &Metrics)> =
            self.rows.iter().map(|((keys, _), metrics)| (keys, metrics)).collect();
        // Of equal rows the more specific first (more keys filled), then by their keys: the same on every call.
        let filled = |keys: &[Option<String>]| keys.iter().filter(|key| key.is_some()).count();
        rows.sort_by(|(a, x), (b, y)| {
            y.rank(by).cmp(&x.rank(by)).then_with(|| filled(b).cmp(&filled(a))).then_with(|| a.cmp(b))
        });
        rows.truncate(MAX_ROWS);
        rows.into_iter().map(|(keys, metrics)| (self.labelled(keys), metrics.clone())).collect()
    }

    fn series(&self, buckets: &[Bucket]) -> Vec<(Map<String, Value>, Metrics)> {
        let mut groups: Vec<&Vec<Option<String>>> = self.rows.keys().map(|(keys, _)| keys).collect();
        groups.dedup();
        let none = Vec::new();
        if self.group.keys.is_empty() {
            groups = vec![&none];
        }
        let mut rows = Vec::new();
        for keys in groups {
            for (at, bucket) in buckets.iter().enumerate() {
                let mut row = self.labelled(keys);
                row.insert("start".to_owned(), bucket.label.as_str().into());
                rows.push((row, self.rows.get(&(keys.clone(), at)).cloned().unwrap_or_default()));
            }
        }
        rows
    }

    fn labelled(&self, keys: &[Option<String>]) -> Map<String, Value> {
        let fixed = self.group.fixed.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let keys = self.group.fields().into_iter().zip(keys);
        fixed.chain(keys.map(|(name, value)| (name.to_owned(), value.clone().into()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(value: Value) -> Vec<Row> {
        serde_json::from_value(value).unwrap()
    }

    fn shown(table: &Table, by: Event, buckets: &[Bucket]) -> Value {
        let show = |(mut row, metrics): (Map<String, Value>, Metrics)| {
            metrics.show(&mut row);
            Value::Object(row)
        };
        table.rows(by, buckets).into_iter().map(show).collect()
    }

    fn no_rate(_: Currency, _: &str, _: i64) -> Option<i64> {
        None
    }

    #[test]
    fn metrics_of_one_key_meet_in_one_row() {
        let mut table = Table::new(Group::find("countries").unwrap(), Model::Last);
        table.add(Measure::Clicks, rows(json!([{"k0": "FR", "n": 3}, {"k0": "US", "n": 5}])), no_rate);
        table.add(Measure::Sales, rows(json!([{"k0": "DE", "n": 1}, {"k0": "FR", "n": 2}])), no_rate);
        let money = json!([
            {"k0": "FR", "currency": "usd", "rate_day": "", "each": null, "total": 4900, "n": 2},
            {"k0": "DE", "currency": "mnt", "rate_day": "2030-01-01", "each": 7, "total": 7, "n": 1}
        ]);
        table.add(Measure::Money, rows(money), no_rate);
        let row = |country: &str, clicks: i64, sales: i64, amount: i64| {
            json!({"country": country, "region": "*", "city": "*", "clicks": clicks, "leads": 0, "sales": sales,
                "saleAmount": amount})
        };
        let mut germany = row("DE", 0, 1, 0);
        germany["unconverted"] = json!([{"currency": "mnt", "amount": 7}]);
        assert_eq!(
            shown(&table, Event::Composite, &[]),
            json!([row("US", 5, 0, 0), row("FR", 3, 2, 4900), germany])
        );
        assert_eq!(shown(&table, Event::Sales, &[])[0]["country"], "FR");
    }

    #[test]
    fn urls_fold_to_their_utm_values() {
        let mut table = Table::new(Group::find("utm_sources").unwrap(), Model::Last);
        let clicks = json!([
            {"k0": "https://a.co/?utm_source=x", "n": 1}, {"k0": "https://b.co/?q=1&utm_source=x", "n": 2},
            {"k0": "https://a.co/?utm_medium=m", "n": 9}
        ]);
        table.add(Measure::Clicks, rows(clicks.clone()), no_rate);
        let expected = json!([{"utm_source": "x", "clicks": 3, "leads": 0, "sales": 0, "saleAmount": 0}]);
        assert_eq!(shown(&table, Event::Clicks, &[]), expected);
        let mut table = Table::new(Group::find("utm_combinations").unwrap(), Model::Last);
        table.add(Measure::Clicks, rows(clicks), no_rate);
        let found = shown(&table, Event::Clicks, &[]);
        assert_eq!((found[0]["utm_medium"].as_str(), found[0]["utm_source"].is_null()), (Some("m"), true));
        assert_eq!(found.as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_series_has_a_row_for_every_bucket() {
        let bucket = |n: i64| Bucket { start: Millis(n), end: Millis(n + 1), label: format!("day {n}") };
        let buckets = [bucket(0), bucket(1), bucket(2)];
        let mut table = Table::new(Group::find("timeseries").unwrap(), Model::Last);
        table.add(Measure::Leads, rows(json!([{"b": 1, "n": 4}])), no_rate);
        let found = shown(&table, Event::Composite, &buckets);
        assert_eq!(found.as_array().unwrap().len(), 3);
        assert_eq!(found[1], json!({"start": "day 1", "clicks": 0, "leads": 4, "sales": 0, "saleAmount": 0}));
        let empty = Table::new(Group::find("timeseries").unwrap(), Model::Last);
        assert_eq!(shown(&empty, Event::Composite, &buckets).as_array().unwrap().len(), 3);
        let mut links = Table::new(Group::find("link_timeseries").unwrap(), Model::Last);
        links.add(
            Measure::Leads,
            rows(json!([{"k0": "a", "b": 1, "n": 4}, {"k0": "b", "b": 0, "n": 1}])),
            no_rate,
        );
        assert_eq!(shown(&links, Event::Composite, &buckets).as_array().unwrap().len(), 6);
        assert_eq!(links.first_keys(), ["a", "b"]);
    }

    #[test]
    fn an_empty_count_is_zero() {
        let mut table = Table::new(Group::find("count").unwrap(), Model::Last);
        table.add(Measure::Leads, rows(json!([{"n": null}])), no_rate);
        assert_eq!(table.count(), Metrics::default());
    }

    /// An entry of 100 dollars, as the query gives it for one of two touchpoints.
    fn shared(link: &str, touch: usize) -> Value {
        let touches =
            json!([{"clickId": "a", "linkId": "l1", "at": 1}, {"clickId": "b", "linkId": "l2", "at": 2}]);
        json!({"k0": link, "currency": "usd", "rate_day": "", "each": 100, "total": 100, "n": 1, "touch": touch,
            "touches": touches.to_string(), "sale_at": 3})
    }

    #[test]
    fn a_touchpoint_without_a_share_is_no_row() {
        let dollars = |_: Currency, _: &str, amount: i64| Some(amount);
        for (model, expected) in
            [(Model::First, vec![("l1", 1, 100)]), (Model::Linear, vec![("l2", 1, 50), ("l1", 0, 50)])]
        {
            let mut table = Table::new(Group::find("top_links").unwrap(), model);
            table.add(Measure::Credits, rows(json!([shared("l1", 0), shared("l2", 1)])), dollars);
            let found = shown(&table, Event::Sales, &[]);
            let found: Vec<(&str, i64, i64)> = found
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    (
                        row["link"].as_str().unwrap(),
                        row["sales"].as_i64().unwrap(),
                        row["saleAmount"].as_i64().unwrap(),
                    )
                })
                .collect();
            assert_eq!(found, expected, "{model:?}");
        }
    }

    #[test]
    fn more_than_can_be_shared_out_is_said() {
        for (rows_read, is_overfull) in [(MAX_CREDITS, false), (MAX_CREDITS + 1, true)] {
            let row = rows(json!([{"n": 0}])).remove(0);
            let mut table = Table::new(Group::find("count").unwrap(), Model::Linear);
            table.add(Measure::Credits, vec![row.clone(); rows_read], no_rate);
            assert_eq!(table.is_overfull(), is_overfull);
            let mut sales = Table::new(Group::find("count").unwrap(), Model::Last);
            sales.add(Measure::Sales, vec![row; rows_read], no_rate);
            assert!(!sales.is_overfull());
        }
    }
}
