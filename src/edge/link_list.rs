//! Lists and counts of links.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::api::link::Link;
use crate::core::api::link_filter::{GroupBy, LinkFilter};
use crate::core::api::paging::{Order, Page};
use crate::edge::figures::{self, Scope};
use crate::edge::listing::{self, Listing};
use crate::edge::{d1, link_rows};

/// Which links, in which order, which part of them.
pub(crate) struct Wanted<'a> {
    /// The conditions.
    pub filter: &'a LinkFilter,
    /// What they are sorted by.
    pub order: Order,
    /// Where to begin.
    pub page: &'a Page,
    /// How many.
    pub size: i64,
}

/// The links, or `None` when the cursor's id is not one of the workspace's links.
pub(crate) async fn list(env: &Env, scope: &Scope, wanted: &Wanted<'_>) -> Result<Option<Vec<Link>>> {
    let amounts = if wanted.order.name == "saleAmount" {
        let figures = figures::of_every_link(env, scope).await?;
        Some(figures.into_iter().map(|(id, found)| (id, found.sale_amount)).collect())
    } else {
        None
    };
    let list = Listing {
        columns: link_rows::COLUMNS,
        from: "links l",
        id: "l.id",
        owner: ("l.workspace_id", &scope.workspace_id),
        condition: wanted.filter.condition(&scope.workspace_id, None),
        order: wanted.order,
        page: wanted.page,
        size: wanted.size,
        amounts,
    };
    let rows: Option<Vec<link_rows::Row>> = listing::read(env, list).await?;
    rows.map(|rows| rows.into_iter().map(link_rows::Row::link).collect()).transpose()
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
