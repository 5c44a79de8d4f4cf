//! Lists and counts of links.

use serde::Deserialize;
use serde_json::Value;
use worker::{Env, Result};

use crate::core::api::link::Link;
use crate::core::api::link_filter::{GroupBy, LinkFilter, Order, Page};
use crate::core::sql::Bind;
use crate::edge::figures::{self, Scope};
use crate::edge::{d1, link_rows};

/// Which links, in which order, which part of them.
pub(crate) struct Wanted<'a> {
    /// The conditions.
    pub filter: &'a LinkFilter,
    /// What they are sorted by; the id decides between equals.
    pub order: Order,
    /// Where to begin.
    pub page: &'a Page,
    /// How many.
    pub size: i64,
}

/// The links, or `None` when the cursor's id is not one of the workspace's links.
pub(crate) async fn list(env: &Env, scope: &Scope, wanted: &Wanted<'_>) -> Result<Option<Vec<Link>>> {
    let db = d1::database(env)?;
    let amounts: Bind = amounts(env, scope, wanted.order).await?.into();
    let from = "FROM links l LEFT JOIN \
        (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS amount FROM json_each(?)) m \
        ON m.id = l.id";
    let column = wanted.order.column;
    let condition = wanted.filter.condition(&scope.workspace_id, None);
    let backwards = matches!(wanted.page, Page::Before(_));
    let ascending = wanted.order.ascending != backwards;
    let mut seek = String::new();
    let mut seek_binds = Vec::new();
    let mut offset = 0;
    match wanted.page {
        Page::Number { page } => offset = page.saturating_sub(1).saturating_mul(wanted.size),
        Page::After(id) | Page::Before(id) => {
            let query = format!("SELECT {column} AS place {from} WHERE l.id = ? AND l.workspace_id = ?");
            let binds = [amounts.clone(), id.as_str().into(), scope.workspace_id.as_str().into()];
            let Some(place) = place(&d1::rows(&db, &query, &d1::binds(&binds)?).await?) else {
                return Ok(None);
            };
            let sign = if ascending { '>' } else { '<' };
            seek = format!(" AND ({column}, l.id) {sign} (?, ?)");
            seek_binds = vec![place, id.as_str().into()];
        }
    }
    let direction = if ascending { "ASC" } else { "DESC" };
    let query = format!(
        "SELECT {} {from} WHERE {}{seek} ORDER BY {column} {direction}, l.id {direction} LIMIT ? OFFSET ?",
        link_rows::COLUMNS,
        condition.text(),
    );
    let binds = [&[amounts], condition.binds(), &seek_binds, &[wanted.size.into(), offset.into()]].concat();
    let rows: Vec<link_rows::Row> = d1::rows(&db, &query, &d1::binds(&binds)?).await?;
    let mut links = rows.into_iter().map(link_rows::Row::link).collect::<Result<Vec<_>>>()?;
    if backwards {
        links.reverse();
    }
    Ok(Some(links))
}

/// How many links there are.
pub(crate) async fn count(env: &Env, workspace_id: &str, filter: &LinkFilter) -> Result<i64> {
    #[derive(Deserialize)]
    struct Row {
        n: i64,
    }
    let condition = filter.condition(workspace_id, None);
    let query = format!("SELECT COUNT(*) AS n FROM links l WHERE {}", condition.text());
    let row: Option<Row> = d1::first(&d1::database(env)?, &query, &d1::binds(condition.binds())?).await?;
    Ok(row.map_or(0, |row| row.n))
}

/// One group of a count.
#[derive(Debug, Deserialize)]
pub(crate) struct Group {
    /// What they have in common.
    pub value: Option<String>,
    /// How many.
    pub n: i64,
}

/// How many links there are of each kind, most first, at most 1000 kinds.
pub(crate) async fn count_by(
    env: &Env,
    workspace_id: &str,
    filter: &LinkFilter,
    by: GroupBy,
) -> Result<Vec<Group>> {
    let condition = filter.condition(workspace_id, Some(by));
    let join = if by.name == "tagId" { "JOIN link_tags lt ON lt.link_id = l.id" } else { "" };
    let query = format!(
        "SELECT {} AS value, COUNT(*) AS n FROM links l {join} WHERE {} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1000",
        by.column,
        condition.text()
    );
    d1::rows(&d1::database(env)?, &query, &d1::binds(condition.binds())?).await
}

/// `[[link id, money], …]` when the order is by money, which must be converted before it can be compared.
async fn amounts(env: &Env, scope: &Scope, order: Order) -> Result<String> {
    if order.name != "saleAmount" {
        return Ok("[]".to_owned());
    }
    let figures = figures::of_workspace(env, scope).await?;
    let pairs =
        figures.into_iter().map(|(id, found)| Value::from(vec![Value::from(id), found.sale_amount.into()]));
    Ok(Value::Array(pairs.collect()).to_string())
}

#[derive(Deserialize)]
struct Place {
    place: Value,
}

fn place(rows: &[Place]) -> Option<Bind> {
    match &rows.first()?.place {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "a count or a time, far below 2^53")]
            number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)).map(Bind::Int)
        }
        _ => None,
    }
}
