//! The stream of clicks, leads or sales.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::analytics::{Filter, Window};
use crate::core::api::event::{Click, Event, Kind, Person};
use crate::edge::figures::Scope;
use crate::edge::{codec, d1};

/// Which part of the stream is wanted.
pub(crate) struct Wanted<'a> {
    /// Of which kind.
    pub kind: Kind,
    /// Which of them.
    pub filter: &'a Filter,
    /// From when to when.
    pub window: Window,
    /// Oldest first.
    pub ascending: bool,
    /// Of clicks: also those that the customer's devices made on the workspace's links before or besides its path.
    pub of_devices: bool,
    /// Only those with (`true`) or without (`false`) a link.
    pub attributed: Option<bool>,
    /// How many.
    pub limit: i64,
    /// After how many.
    pub offset: i64,
}

const CLICK: &str = "c.id AS click_id, c.at AS click_at, c.url AS click_url, c.continent, c.country, c.region, c.city, \
    c.device, c.browser, c.os, c.ua, c.ip, c.qr, c.source, c.referer, c.referer_url";
const PERSON: &str = "k.id AS customer_id, k.external_id AS customer_external_id, k.name AS customer_name, \
    k.email AS customer_email, k.avatar AS customer_avatar, k.created_at AS customer_created_at, \
    k.first_sale_at AS customer_first_sale_at, json_array_length(k.body, '$.touches') AS customer_clicks";

/// The rows, in order.
pub(crate) async fn list(
    env: &Env,
    scope: &Scope,
    wanted: &Wanted<'_>,
) -> Result<Vec<(Event, Click, Person)>> {
    let mut condition = wanted.filter.condition(&scope.workspace_id, wanted.window);
    if wanted.kind == Kind::Click && wanted.of_devices {
        wanted.filter.devices_of_clicks(&scope.workspace_id, &mut condition);
    } else if wanted.kind == Kind::Click {
        wanted.filter.customer_of_clicks(&mut condition);
    } else {
        condition.and("ev.mode = ?", [scope.mode.as_str().into()]);
        wanted.filter.customer_of_events(&mut condition);
    }
    match wanted.attributed {
        Some(true) => condition.and("ev.link_id IS NOT NULL", []),
        Some(false) => condition.and("ev.link_id IS NULL", []),
        None => {}
    }
    let joins = "LEFT JOIN clicks c ON c.id = ev.click_id LEFT JOIN customers k ON k.id = ev.customer_id";
    let (columns, from) = match wanted.kind {
        Kind::Click => (
            format!("ev.id, ev.at, ev.link_id, {CLICK}"),
            "clicks ev JOIN clicks c ON c.id = ev.id".to_owned(),
        ),
        Kind::Lead => (
            format!(
                "ev.id, ev.at, ev.link_id, ev.click_id AS event_click_id, ev.event_name, ev.quantity, ev.metadata, \
                 {CLICK}, {PERSON}"
            ),
            format!("leads ev {joins}"),
        ),
        Kind::Sale => (
            format!(
                "ev.id, ev.at, ev.link_id, ev.click_id AS event_click_id, ev.event_name, ev.amount, ev.currency, \
                 ev.processor, ev.invoice_id, {CLICK}, {PERSON}"
            ),
            format!("sales ev {joins}"),
        ),
    };
    let direction = if wanted.ascending { "ASC" } else { "DESC" };
    let query = format!(
        "SELECT {columns} FROM {from} WHERE {} ORDER BY ev.at {direction}, ev.id {direction} LIMIT ? OFFSET ?",
        condition.text()
    );
    let binds = [condition.binds(), &[wanted.limit.into(), wanted.offset.into()]].concat();
    let statement = d1::statement(&d1::database(env)?, &query, &d1::binds(&binds)?)?;
    // One row is three things; each reads what is its own.
    let answer = statement.all().await?;
    let events: Vec<Event> = answer.results()?;
    let clicks: Vec<Click> = answer.results()?;
    let persons: Vec<Person> = answer.results()?;
    if events.len() != clicks.len() || events.len() != persons.len() {
        return Err(codec::missing("a row"));
    }
    Ok(events
        .into_iter()
        .zip(clicks)
        .zip(persons)
        .map(|((event, click), person)| (event, click, person))
        .collect())
}

/// Whether the workspace has, or had, this link: statistics of a deleted one stay.
pub(crate) async fn link_exists(env: &Env, workspace_id: &str, id: &str) -> Result<bool> {
    #[derive(Deserialize)]
    struct Row {}
    let query = "SELECT id FROM links WHERE id = ?1 AND workspace_id = ?2";
    let row: Option<Row> =
        d1::first(&d1::database(env)?, query, &[d1::text(id), d1::text(workspace_id)]).await?;
    Ok(row.is_some())
}
