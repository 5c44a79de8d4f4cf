//! Customers by the month of their first sale, and what they brought in each month since.
//!
//! A month is a calendar month of the zone asked for. Which cohort a customer is in, and whether the filter holds
//! for it, is decided by its first sale; all that it brings afterwards counts, by whichever click.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MONEY, Statement, Subject, first_sales, fraction};
use crate::core::analytics::{Bucket, Granularity, Window, Zone, buckets};
use crate::core::api::link::unconverted;
use crate::core::figures::{Amounts, Sum};
use crate::core::money::Currency;
use crate::core::sql::Bind;
use crate::core::time::Millis;

/// Months of one report, at most: every cohort has a row for each month since.
pub const MAX_MONTHS: usize = 240;

/// The months from that of the first instant to the present one.
#[must_use]
pub fn months(window: Window, now: Millis, zone: &Zone) -> Vec<Bucket> {
    buckets(&Window { start: window.start, end: window.end.max(now), granularity: Granularity::Month }, zone)
}

/// A row of the queries: cohort and month by their places in the list of months.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Place {
    cohort: usize,
    #[serde(default)]
    month: usize,
    n: i64,
    #[serde(default)]
    customers: i64,
}

/// The queries: customers of each cohort; sales of each cohort and month; their money.
#[must_use]
pub fn queries(subject: &Subject<'_>, months: &[Bucket]) -> [Statement; 3] {
    let list: Vec<Value> = months.iter().map(|month| json!([month.start, month.end])).collect();
    let list = Bind::Text(Value::Array(list).to_string());
    let (people, people_binds) = first_sales::select(
        subject,
        "ev.customer_id, m.i AS cohort",
        " JOIN m ON ev.at >= m.s AND ev.at < m.e",
        &[],
    );
    let with = format!(
        "WITH m AS MATERIALIZED (SELECT key AS i, json_extract(value, '$[0]') AS s, \
         json_extract(value, '$[1]') AS e FROM json_each(?)), p AS MATERIALIZED ({people})"
    );
    let made = |rest: &str, binds: &[Bind]| {
        (format!("{with} {rest}"), [std::slice::from_ref(&list), people_binds.as_slice(), binds].concat())
    };
    let customers = made("SELECT cohort, COUNT(*) AS n FROM p GROUP BY 1", &[]);
    let sales = made(
        "SELECT p.cohort, m.i AS month, COUNT(*) AS n, COUNT(DISTINCT s.customer_id) AS customers FROM p \
         JOIN sales s ON s.customer_id = p.customer_id AND s.workspace_id = ? AND s.mode = ? \
         JOIN m ON s.at >= m.s AND s.at < m.e GROUP BY 1, 2",
        &subject.owner(),
    );
    // What moved before the first sale (a refund that came without its sale) is the first month's.
    let money = format!(
        "SELECT {MONEY}, p.cohort AS cohort, MAX(m.i, p.cohort) AS month FROM p JOIN entries e \
         ON e.customer_id = p.customer_id AND e.workspace_id = ? AND e.mode = ?{} \
         JOIN m ON e.at < m.e AND (e.at >= m.s OR m.i = 0) GROUP BY 1, 2, 3, 6, 7",
        subject.kind()
    );
    let money = made(&money, &[subject.currencies(), subject.owner()].concat());
    [customers, sales, money]
}

/// What one cohort did in one month.
#[derive(Debug, Clone, Default)]
struct Cell {
    customers: i64,
    sales: i64,
    money: Sum,
}

/// Cohorts that grow by the rows of one query after the other.
#[derive(Debug)]
pub struct Cohorts<'a> {
    months: &'a [Bucket],
    sizes: Vec<i64>,
    cells: Vec<Vec<Cell>>,
}

impl<'a> Cohorts<'a> {
    /// No customers yet.
    #[must_use]
    pub fn new(months: &'a [Bucket]) -> Self {
        let n = months.len();
        Self { months, sizes: vec![0; n], cells: vec![vec![Cell::default(); n]; n] }
    }

    fn cell(&mut self, place: &Place) -> Option<&mut Cell> {
        self.cells.get_mut(place.cohort)?.get_mut(place.month)
    }

    /// Rows of the first query.
    pub fn add_customers(&mut self, rows: &[Place]) {
        for row in rows {
            if let Some(size) = self.sizes.get_mut(row.cohort) {
                *size = row.n;
            }
        }
    }

    /// Rows of the second query.
    pub fn add_sales(&mut self, rows: &[Place]) {
        for row in rows {
            if let Some(cell) = self.cell(row) {
                (cell.sales, cell.customers) = (row.n, row.customers);
            }
        }
    }

    /// Rows of the third query: each is a place and its amounts.
    pub fn add_money(
        &mut self,
        rows: &[(Place, Amounts)],
        convert: impl Fn(Currency, &str, i64) -> Option<i64>,
    ) {
        for (place, amounts) in rows {
            if let Some(cell) = self.cell(place) {
                cell.money.add(amounts, &convert);
            }
        }
    }

    /// A row for every cohort that has customers, oldest first, each with a row for every month since.
    #[must_use]
    pub fn shown(&self) -> Value {
        let cohorts = self.months.iter().zip(&self.sizes).zip(&self.cells).enumerate();
        let shown =
            cohorts.filter(|(_, ((_, size), _))| **size > 0).map(|(first, ((month, size), cells))| {
                let (mut sales, mut sum) = (0_i64, Sum::default());
                let mut rows = Vec::new();
                for (offset, (bucket, cell)) in self.months.iter().zip(cells).skip(first).enumerate() {
                    sales = sales.saturating_add(cell.sales);
                    sum.merge(&cell.money);
                    let mut row = named(bucket);
                    row.insert("offset".to_owned(), offset.into());
                    row.insert("customers".to_owned(), cell.customers.into());
                    row.insert("sales".to_owned(), cell.sales.into());
                    worth(&mut row, &cell.money);
                    row.insert("cumulativeSaleAmount".to_owned(), sum.amount.into());
                    row.insert("ltv".to_owned(), fraction(sum.amount, *size));
                    rows.push(Value::Object(row));
                }
                let mut row = named(month);
                row.insert("customers".to_owned(), (*size).into());
                row.insert("sales".to_owned(), sales.into());
                worth(&mut row, &sum);
                row.insert("ltv".to_owned(), fraction(sum.amount, *size));
                row.insert("months".to_owned(), Value::Array(rows));
                Value::Object(row)
            });
        shown.collect()
    }
}

/// `{"month": "2030-03", "start": "2030-03-01T00:00:00.000+0100"}`
fn named(bucket: &Bucket) -> Map<String, Value> {
    let month: String = bucket.label.chars().take(7).collect();
    let row = [("month", month), ("start", bucket.label.clone())];
    row.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// Writes money into a row.
pub(super) fn worth(row: &mut Map<String, Value>, sum: &Sum) {
    row.insert("saleAmount".to_owned(), sum.amount.into());
    if !sum.rest().is_empty() {
        row.insert("unconverted".to_owned(), unconverted(&sum.rest()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse(text).unwrap()
    }

    fn window(start: &str, end: &str) -> Window {
        Window { start: at(start), end: at(end), granularity: Granularity::Day }
    }

    /// Paris in 2030: summer time from 31 March 01:00 UTC to 27 October 01:00 UTC.
    fn paris() -> Zone {
        let changes =
            [("2029-10-28T01:00:00Z", 60), ("2030-03-31T01:00:00Z", 120), ("2030-10-27T01:00:00Z", 60)];
        Zone::new(changes.map(|(from, minutes)| (at(from), minutes)).to_vec())
    }

    #[test]
    fn months_are_those_of_the_zone() {
        for (zone, start, end, now, expected) in [
            (
                Zone::default(),
                "2030-01-15",
                "2030-02-01T00:00:00Z",
                "2030-01-20",
                vec![
                    ("2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"),
                    ("2030-02-01T00:00:00Z", "2030-03-01T00:00:00Z"),
                ],
            ),
            // 23:30 UTC on the last of February is March in Paris; April begins in summer time.
            (
                paris(),
                "2030-02-28T23:30:00Z",
                "2030-03-01T00:00:00Z",
                "2030-04-02",
                vec![
                    ("2030-02-28T23:00:00Z", "2030-03-31T22:00:00Z"),
                    ("2030-03-31T22:00:00Z", "2030-04-30T22:00:00Z"),
                ],
            ),
            // October is an hour longer.
            (
                paris(),
                "2030-10-05",
                "2030-10-06",
                "2030-10-31T22:59:59Z",
                vec![("2030-09-30T22:00:00Z", "2030-10-31T23:00:00Z")],
            ),
            (
                Zone::new(vec![(Millis(0), -210)]),
                "2030-01-01T03:00:00Z",
                "2030-01-01T03:00:00Z",
                "2030-01-01T03:29:59Z",
                vec![("2029-12-01T03:30:00Z", "2030-01-01T03:30:00Z")],
            ),
        ] {
            let found = months(window(start, end), at(now), &zone);
            let found: Vec<(Millis, Millis)> = found.iter().map(|month| (month.start, month.end)).collect();
            let expected: Vec<(Millis, Millis)> =
                expected.iter().map(|(from, to)| (at(from), at(to))).collect();
            assert_eq!(found, expected, "{start}");
        }
    }

    #[test]
    fn money_is_cumulated_and_divided_to_be_shown() {
        let months = months(window("2030-01-15", "2030-03-15"), at("2030-03-20"), &Zone::default());
        let mut cohorts = Cohorts::new(&months);
        let place = |cohort, month, n, customers| Place { cohort, month, n, customers };
        let money = |total: i64, currency: &str| Amounts {
            currency: Currency::parse(currency).unwrap(),
            rate_day: "2030-01-15".to_owned(),
            each: (currency != "usd").then_some(total),
            total,
            n: 1,
        };
        cohorts.add_customers(&[place(0, 0, 3, 0), place(1, 0, 1, 0)]);
        cohorts.add_sales(&[place(0, 0, 4, 3), place(0, 2, 1, 1), place(1, 1, 1, 1), place(9, 9, 1, 1)]);
        let rows = [
            (place(0, 0, 0, 0), money(4900, "usd")),
            (place(0, 2, 0, 0), money(-900, "usd")),
            (place(0, 2, 0, 0), money(50, "gbp")),
            (place(1, 1, 0, 0), money(7, "mnt")),
        ];
        cohorts.add_money(&rows, |from, _, amount| (from.as_str() == "gbp").then_some(amount * 2));
        let shown = cohorts.shown();
        for (path, expected) in [
            ("/0/month", json!("2030-01")),
            ("/0/customers", json!(3)),
            ("/0/sales", json!(5)),
            ("/0/saleAmount", json!(4100)),
            ("/0/ltv", json!("1366.6667")),
            ("/0/months/0/customers", json!(3)),
            ("/0/months/0/ltv", json!("1633.3333")),
            ("/0/months/1/sales", json!(0)),
            ("/0/months/1/cumulativeSaleAmount", json!(4900)),
            ("/0/months/2/offset", json!(2)),
            ("/0/months/2/saleAmount", json!(-800)),
            ("/0/months/2/cumulativeSaleAmount", json!(4100)),
            ("/1/month", json!("2030-02")),
            ("/1/months/0/month", json!("2030-02")),
            ("/1/months/0/unconverted", json!([{"currency": "mnt", "amount": 7}])),
            ("/1/months/1/month", json!("2030-03")),
        ] {
            assert_eq!(shown.pointer(path), Some(&expected), "{path}: {shown}");
        }
        assert_eq!([shown[0]["months"].as_array(), shown.as_array()].map(|rows| rows.unwrap().len()), [3, 2]);
    }
}
