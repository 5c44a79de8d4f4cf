//! The queries of a report.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::analytics::{Filter, Question, Row, Table, plan};
use crate::core::time::Millis;
use crate::edge::figures::Scope;
use crate::edge::{d1, exchange};

/// Runs a report's queries in one moment and puts their rows together.
pub(crate) async fn report(env: &Env, question: &Question<'_>, filter: &Filter) -> Result<Table> {
    let db = d1::database(env)?;
    let queries = plan(question, filter);
    let statements = queries
        .iter()
        .map(|query| d1::statement(&db, &query.text, &d1::binds(&query.binds)?))
        .collect::<Result<Vec<_>>>()?;
    let scope = Scope {
        workspace_id: question.workspace_id.to_owned(),
        mode: question.mode,
        currency: question.currency,
    };
    let mut table = Table::new(question.group, question.model);
    for (query, answer) in queries.iter().zip(db.batch(statements).await?) {
        let rows: Vec<Row> = answer.results()?;
        let amounts: Vec<_> = rows.iter().filter_map(Row::amounts).collect();
        let rates = exchange::rates(env, &scope, amounts.iter()).await?;
        table.add(query.measure, rows, |from, day, amount| rates.convert(from, day, amount));
    }
    Ok(table)
}

/// When a workspace's records begin: its creation, or the earliest event if that is earlier.
pub(crate) async fn beginning(env: &Env, workspace_id: &str) -> Result<Millis> {
    #[derive(Deserialize)]
    struct RowOfOne {
        at: Option<Millis>,
    }
    let query = "SELECT MIN(at) AS at FROM (\
                   SELECT created_at AS at FROM workspaces WHERE id = ?1 \
                   UNION ALL SELECT MIN(at) FROM clicks WHERE workspace_id = ?1 \
                   UNION ALL SELECT MIN(at) FROM click_sums WHERE workspace_id = ?1 AND link_id = '' \
                     AND dimension = 'trigger' AND span = 'day' \
                   UNION ALL SELECT MIN(at) FROM leads WHERE workspace_id = ?1 AND mode IN ('live', 'test') \
                   UNION ALL SELECT MIN(at) FROM entries WHERE workspace_id = ?1 AND mode IN ('live', 'test'))";
    let row: Option<RowOfOne> = d1::first(&d1::database(env)?, query, &[d1::text(workspace_id)]).await?;
    Ok(row.and_then(|row| row.at).unwrap_or_default())
}
