//! Sorted lists in D1, by offset or by cursor.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::{Env, Result};

use crate::core::api::paging::{Order, Page};
use crate::core::sql::{Bind, Where};
use crate::edge::d1;

/// A list to be read.
pub(crate) struct Listing<'a> {
    /// After `SELECT`.
    pub columns: &'a str,
    /// After `FROM`: a table with its alias, and joins.
    pub from: &'a str,
    /// The column that decides between equals and that cursors name.
    pub id: &'a str,
    /// The workspace's column; a cursor of another workspace is unknown.
    pub owner: (&'a str, &'a str),
    /// Which rows.
    pub condition: Where,
    /// What they are sorted by; `m.amount` is the amount of [`Listing::amounts`].
    pub order: Order,
    /// Where to begin.
    pub page: &'a Page,
    /// How many.
    pub size: i64,
    /// Money per id, when the order is by money: it must be converted before it can be compared.
    pub amounts: Option<HashMap<String, i64>>,
}

#[derive(Deserialize)]
struct Place {
    place: Value,
}

/// The rows, or `None` when there is no row with the cursor's id.
pub(crate) async fn read<T: DeserializeOwned>(env: &Env, list: Listing<'_>) -> Result<Option<Vec<T>>> {
    let db = d1::database(env)?;
    let amounts = list.amounts.unwrap_or_default();
    let amounts: Vec<Value> =
        amounts.into_iter().map(|(id, amount)| Value::from(vec![Value::from(id), amount.into()])).collect();
    let amounts = Bind::Text(Value::Array(amounts).to_string());
    let from = format!(
        "{} LEFT JOIN (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS amount \
         FROM json_each(?)) m ON m.id = {}",
        list.from, list.id
    );
    let (column, id_column) = (list.order.column, list.id);
    let backwards = matches!(list.page, Page::Before(_));
    let ascending = list.order.ascending != backwards;
    let mut seek = String::new();
    let mut seek_binds = Vec::new();
    let mut offset = 0;
    match list.page {
        Page::Number { page } => offset = page.saturating_sub(1).saturating_mul(list.size),
        Page::After(id) | Page::Before(id) => {
            let (owner, workspace_id) = list.owner;
            let query = format!("SELECT {column} AS place FROM {from} WHERE {id_column} = ? AND {owner} = ?");
            let binds = [amounts.clone(), id.as_str().into(), workspace_id.into()];
            let Some(place) = place(&d1::rows(&db, &query, &d1::binds(&binds)?).await?) else {
                return Ok(None);
            };
            let sign = if ascending { '>' } else { '<' };
            seek = format!(" AND ({column}, {id_column}) {sign} (?, ?)");
            seek_binds = vec![place, id.as_str().into()];
        }
    }
    let direction = if ascending { "ASC" } else { "DESC" };
    let query = format!(
        "SELECT {} FROM {from} WHERE {}{seek} ORDER BY {column} {direction}, {id_column} {direction} LIMIT ? OFFSET ?",
        list.columns,
        list.condition.text(),
    );
    let binds =
        [&[amounts], list.condition.binds(), &seek_binds, &[list.size.into(), offset.into()]].concat();
    let mut rows: Vec<T> = d1::rows(&db, &query, &d1::binds(&binds)?).await?;
    if backwards {
        rows.reverse();
    }
    Ok(Some(rows))
}

fn place(rows: &[Place]) -> Option<Bind> {
    match &rows.first()?.place {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "a count, a time or an amount, within 2^53")]
            number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)).map(Bind::Int)
        }
        _ => None,
    }
}
