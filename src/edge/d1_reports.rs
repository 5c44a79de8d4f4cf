//! The queries of the reports about people.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{D1Result, Env, Result};

use crate::core::analytics::{Bucket, Event, Group, Question};
use crate::core::attribution::Model;
use crate::core::figures::Amounts;
use crate::core::reports::cohorts::{self, Cohorts};
use crate::core::reports::funnel::{self, Funnel};
use crate::core::reports::lifetime::{self, Lifetimes};
use crate::core::reports::{Statement, Subject};
use crate::edge::figures::Scope;
use crate::edge::{codec, d1, d1_analytics, exchange};

/// Clicks and what became of them.
pub(crate) async fn funnel(env: &Env, scope: &Scope, subject: &Subject<'_>) -> Result<Funnel> {
    #[derive(Deserialize)]
    struct Count {
        n: i64,
    }
    let group = Group::find("count").ok_or_else(|| codec::missing("the grouping of a count"))?;
    // Clicks are counted where `GET /analytics` counts them: from sums, when there are any.
    let question = Question {
        workspace_id: subject.workspace_id,
        mode: subject.mode,
        currency: subject.currency,
        event: Event::Clicks,
        gross: subject.gross,
        model: Model::Last,
        known_only: true,
        group,
        window: subject.window,
        buckets: &[],
    };
    let clicks = d1_analytics::report(env, &question, subject.filter).await?.count().clicks;
    let [steps, sales, money] =
        run(env, [funnel::steps(subject), funnel::sales(subject), funnel::money(subject)]).await?;
    let sales: Vec<Count> = sales.results()?;
    let mut found = Funnel {
        clicks,
        steps: steps.results()?,
        sales: sales.first().map_or(0, |row| row.n),
        ..Funnel::default()
    };
    let amounts: Vec<Amounts> = money.results()?;
    let rates = exchange::rates(env, scope, amounts.iter()).await?;
    for group in &amounts {
        found.money.add(group, |from, day, amount| rates.convert(from, day, amount));
    }
    Ok(found)
}

/// Customers by the month of their first sale.
pub(crate) async fn cohorts<'a>(
    env: &Env,
    scope: &Scope,
    subject: &Subject<'_>,
    months: &'a [Bucket],
) -> Result<Cohorts<'a>> {
    let [customers, sales, money] = run(env, cohorts::queries(subject, months)).await?;
    let mut found = Cohorts::new(months);
    found.add_customers(&customers.results::<cohorts::Place>()?);
    found.add_sales(&sales.results::<cohorts::Place>()?);
    let rows = both(&money)?;
    let rates = exchange::rates(env, scope, rows.iter().map(|(_, amounts)| amounts)).await?;
    found.add_money(&rows, |from, day, amount| rates.convert(from, day, amount));
    Ok(found)
}

/// What customers brought, by what made them customers.
pub(crate) async fn lifetimes(
    env: &Env,
    scope: &Scope,
    subject: &Subject<'_>,
    group: &'static Group,
) -> Result<Lifetimes> {
    let [customers, sales, money] = run(env, lifetime::queries(subject, group)).await?;
    let mut found = Lifetimes::new(group);
    found.add_customers(&customers.results::<lifetime::Counted>()?);
    found.add_sales(&sales.results::<lifetime::Counted>()?);
    let rows = both(&money)?;
    let rates = exchange::rates(env, scope, rows.iter().map(|(_, amounts)| amounts)).await?;
    found.add_money(&rows, |from, day, amount| rates.convert(from, day, amount));
    Ok(found)
}

/// The answers of several queries of one moment.
async fn run(env: &Env, queries: [Statement; 3]) -> Result<[D1Result; 3]> {
    let db = d1::database(env)?;
    let statements = queries
        .iter()
        .map(|(text, values)| d1::statement(&db, text, &d1::binds(values)?))
        .collect::<Result<Vec<_>>>()?;
    db.batch(statements).await?.try_into().map_err(|_| codec::missing("an answer of the batch"))
}

/// Rows that are a place and an amount.
fn both<T: DeserializeOwned>(answer: &D1Result) -> Result<Vec<(T, Amounts)>> {
    let places: Vec<T> = answer.results()?;
    let amounts: Vec<Amounts> = answer.results()?;
    Ok(places.into_iter().zip(amounts).collect())
}
