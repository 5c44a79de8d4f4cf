//! What links and customers brought: sums over the ledger's rows, in the workspace's currency.

use std::collections::HashMap;

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::api::link::Figures;
use crate::core::figures::{Amounts, Sum};
use crate::core::mode::Mode;
use crate::core::money::{Currency, total_sql};
use crate::core::sql::Bind;
use crate::edge::{codec, d1, exchange};

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
    owner: String,
    n: i64,
}

#[derive(Deserialize)]
struct Sales {
    owner: String,
    n: i64,
    conversions: i64,
}

#[derive(Deserialize)]
struct Money {
    owner: String,
    currency: Currency,
    rate_day: String,
    each: Option<i64>,
    total: i64,
    n: i64,
}

impl Money {
    fn split(self) -> (String, Amounts) {
        let Self { owner, currency, rate_day, each, total, n } = self;
        (owner, Amounts { currency, rate_day, each, total, n })
    }
}

const AMONG_LINKS: &str = "link_id IN (SELECT value FROM json_each(?))";
const AMONG_CUSTOMERS: &str = "customer_id IN (SELECT value FROM json_each(?))";

/// The figures of some links; a link without any is not in the answer.
pub(crate) async fn of_links(env: &Env, scope: &Scope, ids: &[String]) -> Result<HashMap<String, Figures>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    of(env, scope, "link_id", AMONG_LINKS, &[Bind::list(ids)]).await
}

/// The figures of every link of the workspace that has any.
pub(crate) async fn of_every_link(env: &Env, scope: &Scope) -> Result<HashMap<String, Figures>> {
    of(env, scope, "link_id", "link_id IS NOT NULL", &[]).await
}

/// The figures of some customers; one without any is not in the answer.
pub(crate) async fn of_customers(
    env: &Env,
    scope: &Scope,
    ids: &[String],
) -> Result<HashMap<String, Figures>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    of(env, scope, "customer_id", AMONG_CUSTOMERS, &[Bind::list(ids)]).await
}

/// The figures of every customer of the workspace that has any.
pub(crate) async fn of_every_customer(env: &Env, scope: &Scope) -> Result<HashMap<String, Figures>> {
    of(env, scope, "customer_id", "1", &[]).await
}

/// What is left of some sales.
pub(crate) async fn of_sales(env: &Env, scope: &Scope, ids: &[String]) -> Result<HashMap<String, Sum>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (query, binds) =
        money(scope, "sale_id", "sale_id IN (SELECT value FROM json_each(?))", &[Bind::list(ids)]);
    let rows: Vec<Money> = d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await?;
    sums(env, scope, rows).await
}

/// What some entries moved.
pub(crate) async fn of_entries(env: &Env, scope: &Scope, ids: &[String]) -> Result<HashMap<String, Sum>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (query, binds) = money(scope, "id", "id IN (SELECT value FROM json_each(?))", &[Bind::list(ids)]);
    let rows: Vec<Money> = d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await?;
    sums(env, scope, rows).await
}

async fn of(
    env: &Env,
    scope: &Scope,
    owner: &str,
    which: &str,
    binds: &[Bind],
) -> Result<HashMap<String, Figures>> {
    let db = d1::database(env)?;
    let scoped = [&[scope.workspace_id.as_str().into(), scope.mode.as_str().into()], binds].concat();
    let filter = format!("WHERE workspace_id = ? AND mode = ? AND {which} GROUP BY {owner}");
    let leads = format!("SELECT {owner} AS owner, SUM(quantity) AS n FROM leads {filter}");
    let sales = format!(
        "SELECT {owner} AS owner, COUNT(*) AS n, COUNT(DISTINCT customer_id) AS conversions FROM sales {filter}"
    );
    let (amounts, amount_binds) = money(scope, owner, which, binds);
    let statements = vec![
        d1::statement(&db, &leads, &d1::binds(&scoped)?)?,
        d1::statement(&db, &sales, &d1::binds(&scoped)?)?,
        d1::statement(&db, &amounts, &d1::binds(&amount_binds)?)?,
    ];
    let mut answers = db.batch(statements).await?.into_iter();
    let mut next = || answers.next().ok_or_else(|| codec::missing("an answer of the batch"));
    let mut figures: HashMap<String, Figures> = HashMap::new();
    for row in next()?.results::<Leads>()? {
        figures.entry(row.owner).or_default().leads = row.n;
    }
    for row in next()?.results::<Sales>()? {
        let found = figures.entry(row.owner).or_default();
        (found.sales, found.conversions) = (row.n, row.conversions);
    }
    for (owner, sum) in sums(env, scope, next()?.results()?).await? {
        let found = figures.entry(owner).or_default();
        (found.sale_amount, found.unconverted) = (sum.amount, sum.rest());
    }
    Ok(figures)
}

/// The query of [`Money`] rows: entries grouped so that each distinct amount is converted once.
fn money(scope: &Scope, owner: &str, which: &str, binds: &[Bind]) -> (String, Vec<Bind>) {
    let currency: Bind = scope.currency.as_str().into();
    let query = format!(
        "SELECT {owner} AS owner, currency, CASE WHEN currency = ? THEN '' ELSE rate_day END AS rate_day, \
         CASE WHEN currency = ? THEN NULL ELSE amount END AS each, {} AS total, COUNT(*) AS n \
         FROM entries WHERE workspace_id = ? AND mode = ? AND {which} GROUP BY 1, 2, 3, 4",
        total_sql!("amount")
    );
    let scoped = [scope.workspace_id.as_str().into(), scope.mode.as_str().into()];
    (query, [&[currency.clone(), currency], scoped.as_slice(), binds].concat())
}

async fn sums(env: &Env, scope: &Scope, rows: Vec<Money>) -> Result<HashMap<String, Sum>> {
    let rows: Vec<(String, Amounts)> = rows.into_iter().map(Money::split).collect();
    let rates = exchange::rates(env, scope, rows.iter().map(|(_, amounts)| amounts)).await?;
    let mut sums: HashMap<String, Sum> = HashMap::new();
    for (owner, amounts) in rows {
        sums.entry(owner).or_default().add(&amounts, |from, day, amount| rates.convert(from, day, amount));
    }
    Ok(sums)
}
