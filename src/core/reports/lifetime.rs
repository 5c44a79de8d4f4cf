//! What customers are worth, by what made them customers: the link, campaign, country … of their first sale.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::cohorts::worth;
use super::{MONEY, Statement, Subject, first_sales, fraction};
use crate::core::analytics::{Group, MAX_ROWS};
use crate::core::figures::{Amounts, Sum};
use crate::core::money::Currency;

/// What customers can be grouped by; the words are those of `GET /analytics`.
pub const GROUPINGS: [&str; 10] = [
    "top_links",
    "utm_sources",
    "utm_mediums",
    "utm_campaigns",
    "utm_terms",
    "utm_contents",
    "countries",
    "continents",
    "devices",
    "referers",
];

/// A row of the queries.
#[derive(Debug, Clone, Deserialize)]
pub struct Counted {
    /// What is grouped by.
    pub k: Option<String>,
    n: i64,
}

/// The queries: customers of each group, their sales, their money.
#[must_use]
pub fn queries(subject: &Subject<'_>, group: &Group) -> [Statement; 3] {
    let key = group.keys.first().map_or("NULL", |key| key.sql);
    let key = if group.names_the_unknown() && key.starts_with("c.") {
        format!("COALESCE(NULLIF({key}, ''), 'Unknown') AS k")
    } else {
        format!("{key} AS k")
    };
    let of_owner = |table: char| {
        format!(
            "{table}.customer_id = ev.customer_id AND {table}.workspace_id = ev.workspace_id AND {table}.mode = ev.mode"
        )
    };
    let count = format!("COUNT(*) AS n, {key}");
    let mut customers = first_sales::select(subject, &count, "", &[]);
    let sold = format!(" JOIN sales s ON {}", of_owner('s'));
    let mut sales = first_sales::select(subject, &count, &sold, &[]);
    let moved = format!(" JOIN entries e ON {}{}", of_owner('e'), subject.kind());
    let mut money = first_sales::select(subject, &format!("{MONEY}, {key}"), &moved, &subject.currencies());
    for (query, by) in [(&mut customers, "2"), (&mut sales, "2"), (&mut money, "1, 2, 3, 6")] {
        query.0.push_str(" GROUP BY ");
        query.0.push_str(by);
    }
    [customers, sales, money]
}

#[derive(Debug, Clone, Default)]
struct Worth {
    customers: i64,
    sales: i64,
    money: Sum,
}

/// Groups that grow by the rows of one query after the other.
#[derive(Debug)]
pub struct Lifetimes {
    group: &'static Group,
    rows: BTreeMap<Option<String>, Worth>,
}

impl Lifetimes {
    /// No customers yet.
    #[must_use]
    pub fn new(group: &'static Group) -> Self {
        Self { group, rows: BTreeMap::new() }
    }

    /// The group that a key of a query belongs to; `None` for customers of whom it is not known.
    fn at(&mut self, key: Option<&String>) -> &mut Worth {
        let shown = self.group.show(vec![key.cloned()]);
        self.rows.entry(shown.and_then(|keys| keys.into_iter().next().flatten())).or_default()
    }

    /// Rows of the first query.
    pub fn add_customers(&mut self, rows: &[Counted]) {
        for row in rows {
            self.at(row.k.as_ref()).customers += row.n;
        }
    }

    /// Rows of the second query.
    pub fn add_sales(&mut self, rows: &[Counted]) {
        for row in rows {
            self.at(row.k.as_ref()).sales += row.n;
        }
    }

    /// Rows of the third query: each is a key and its amounts.
    pub fn add_money(
        &mut self,
        rows: &[(Counted, Amounts)],
        convert: impl Fn(Currency, &str, i64) -> Option<i64>,
    ) {
        for (key, amounts) in rows {
            self.at(key.k.as_ref()).money.add(amounts, &convert);
        }
    }

    /// The values of the key.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.rows.keys().flatten().cloned().collect()
    }

    /// The rows, most money first; what is not known of a customer is `null` or `Unknown`.
    #[must_use]
    pub fn shown(&self) -> Vec<Map<String, Value>> {
        let mut rows: Vec<(&Option<String>, &Worth)> = self.rows.iter().collect();
        rows.sort_by(|(a, x), (b, y)| {
            (y.money.amount, y.customers).cmp(&(x.money.amount, x.customers)).then_with(|| a.cmp(b))
        });
        rows.truncate(MAX_ROWS);
        let field = self.group.fields().first().copied().unwrap_or("key");
        let show = |(key, found): (&Option<String>, &Worth)| {
            let mut row = Map::new();
            row.insert(field.to_owned(), key.clone().into());
            row.insert("customers".to_owned(), found.customers.into());
            row.insert("sales".to_owned(), found.sales.into());
            worth(&mut row, &found.money);
            row.insert("ltv".to_owned(), fraction(found.money.amount, found.customers));
            row
        };
        rows.into_iter().map(show).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_grouping_has_one_key() {
        for name in GROUPINGS {
            let group = Group::find(name).unwrap();
            assert_eq!((group.keys.len(), group.fields().len()), (1, 1), "{name}");
            assert!(group.join.is_empty() && !group.is_series, "{name}");
        }
    }

    #[test]
    fn campaigns_come_from_the_url_of_the_first_click() {
        let counted = |key: Option<&str>, n: i64| Counted { k: key.map(str::to_owned), n };
        let dollars = |total: i64| Amounts {
            currency: Currency::USD,
            rate_day: String::new(),
            each: None,
            total,
            n: 1,
        };
        let (a, b) = (Some("https://a.co/?utm_campaign=x"), Some("https://b.co/?q=1&utm_campaign=x"));
        let mut found = Lifetimes::new(Group::find("utm_campaigns").unwrap());
        found.add_customers(&[
            counted(a, 1),
            counted(b, 2),
            counted(Some("https://c.co/"), 1),
            counted(None, 4),
        ]);
        found.add_sales(&[counted(a, 2), counted(b, 2), counted(None, 4)]);
        found.add_money(
            &[(counted(a, 1), dollars(100)), (counted(b, 1), dollars(900)), (counted(None, 1), dollars(10))],
            |_, _, amount| Some(amount),
        );
        let rows: Vec<Value> = found.shown().into_iter().map(Value::Object).collect();
        assert_eq!(
            rows,
            [
                json!({"utm_campaign": "x", "customers": 3, "sales": 4, "saleAmount": 1000, "ltv": "333.3333"}),
                json!({"utm_campaign": null, "customers": 5, "sales": 4, "saleAmount": 10, "ltv": "2.0000"}),
            ]
        );
    }
}
