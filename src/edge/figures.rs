//! What links brought: sums over the ledger's rows, in the workspace's currency.

use std::collections::HashMap;

use serde::Deserialize;
use worker::{D1Database, Env, Result};

use crate::core::api::link::Figures;
use crate::core::figures::{Amounts, Sum};
use crate::core::mode::Mode;
use crate::core::money::Currency;
use crate::core::sql::Bind;
use crate::edge::{d1, exchange};

/// Whose figures, and how money is shown.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// `ws_…`
    pub workspace_id: String,
    /// Live and test never mix.
    pub mode: Mode,
    /// The workspace's currency.
    pub currency: Currency,
}

#[derive(Deserialize)]
struct Leads {
    link_id: String,
    n: i64,
}

#[derive(Deserialize)]
struct Sales {
    link_id: String,
    n: i64,
    conversions: i64,
}

#[derive(Deserialize)]
struct Money {
    link_id: String,
    currency: Currency,
    rate_day: String,
    each: Option<i64>,
    total: i64,
    n: i64,
}

impl Money {
    fn split(self) -> (String, Amounts) {
        let Self { link_id, currency, rate_day, each, total, n } = self;
        (link_id, Amounts { currency, rate_day, each, total, n })
    }
}

/// The figures of some links; a link without any is not in the answer.
pub(crate) async fn of_links(env: &Env, scope: &Scope, ids: &[String]) -> Result<HashMap<String, Figures>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    of(env, scope, "link_id IN (SELECT value FROM json_each(?))", &[Bind::list(ids)]).await
}

/// The figures of every link of the workspace that has any.
pub(crate) async fn of_workspace(env: &Env, scope: &Scope) -> Result<HashMap<String, Figures>> {
    of(env, scope, "link_id IS NOT NULL", &[]).await
}

async fn of(env: &Env, scope: &Scope, which: &str, binds: &[Bind]) -> Result<HashMap<String, Figures>> {
    let db = d1::database(env)?;
    let scoped = [&[scope.workspace_id.as_str().into(), scope.mode.as_str().into()], binds].concat();
    let currency: Bind = scope.currency.as_str().into();
    let money = [&[currency.clone(), currency], scoped.as_slice()].concat();
    let filter = format!("WHERE workspace_id = ? AND mode = ? AND {which}");
    let statements = vec![
        query(
            &db,
            &format!("SELECT link_id, SUM(quantity) AS n FROM leads {filter} GROUP BY link_id"),
            &scoped,
        )?,
        query(
            &db,
            &format!(
                "SELECT link_id, COUNT(*) AS n, COUNT(DISTINCT customer_id) AS conversions \
                 FROM sales {filter} GROUP BY link_id"
            ),
            &scoped,
        )?,
        query(
            &db,
            &format!(
                "SELECT link_id, currency, CASE WHEN currency = ? THEN '' ELSE rate_day END AS rate_day, \
                 CASE WHEN currency = ? THEN NULL ELSE amount END AS each, SUM(amount) AS total, COUNT(*) AS n \
                 FROM entries {filter} GROUP BY 1, 2, 3, 4"
            ),
            &money,
        )?,
    ];
    let mut answers = db.batch(statements).await?.into_iter();
    let mut figures: HashMap<String, Figures> = HashMap::new();
    for row in answers.next().map(|answer| answer.results::<Leads>()).transpose()?.unwrap_or_default() {
        figures.entry(row.link_id).or_default().leads = row.n;
    }
    for row in answers.next().map(|answer| answer.results::<Sales>()).transpose()?.unwrap_or_default() {
        let found = figures.entry(row.link_id).or_default();
        (found.sales, found.conversions) = (row.n, row.conversions);
    }
    let money = answers.next().map(|answer| answer.results::<Money>()).transpose()?.unwrap_or_default();
    let money: Vec<(String, Amounts)> = money.into_iter().map(Money::split).collect();
    let rates = exchange::rates(env, scope, money.iter().map(|(_, amounts)| amounts)).await?;
    let mut sums: HashMap<String, Sum> = HashMap::new();
    for (link_id, amounts) in money {
        sums.entry(link_id).or_default().add(&amounts, |from, day, amount| rates.convert(from, day, amount));
    }
    for (link_id, sum) in sums {
        let found = figures.entry(link_id).or_default();
        (found.sale_amount, found.unconverted) = (sum.amount, sum.rest());
    }
    Ok(figures)
}

fn query(db: &D1Database, text: &str, binds: &[Bind]) -> Result<worker::D1PreparedStatement> {
    d1::statement(db, text, &d1::binds(binds)?)
}
