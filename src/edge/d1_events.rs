//! The stream of clicks, leads, sales and what undid them.

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, D1Result, Env, Result};

use crate::core::analytics::{Filter, Window};
use crate::core::api::cursor::Cursor;
use crate::core::api::event::{self, Click, Event, Found, Kind, Person};
use crate::core::sql::{Bind, Where};
use crate::core::time::Millis;
use crate::edge::figures::Scope;
use crate::edge::{codec, d1};

/// How many values D1 binds in one statement.
const MAX_BINDS: usize = 100;

/// Which part of the stream is wanted.
pub(crate) struct Wanted<'a> {
    /// Of which kinds.
    pub kinds: &'a [Kind],
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
    /// Only what comes after this place.
    pub cursor: Option<&'a Cursor>,
    /// How many.
    pub limit: i64,
    /// After how many.
    pub offset: i64,
}

impl Wanted<'_> {
    fn direction(&self) -> &'static str {
        if self.ascending { "ASC" } else { "DESC" }
    }
}

pub(super) const CLICK: &str = "c.id AS click_id, c.at AS click_at, c.url AS click_url, c.continent, c.country, c.region, c.city, \
    c.device, c.browser, c.os, c.ua, c.ip, c.qr, c.source, c.referer, c.referer_url";
pub(super) const PERSON: &str = "k.id AS customer_id, k.external_id AS customer_external_id, k.name AS customer_name, \
    k.email AS customer_email, k.avatar AS customer_avatar, k.created_at AS customer_created_at, \
    k.first_sale_at AS customer_first_sale_at, json_array_length(k.body, '$.touches') AS customer_clicks";

/// The rows, in order: by time, then by id, whatever their kinds.
pub(crate) async fn list(env: &Env, scope: &Scope, wanted: &Wanted<'_>) -> Result<Vec<Found>> {
    let db = d1::database(env)?;
    if let [kind] = wanted.kinds {
        let answer = statement(&db, scope, wanted, *kind, (wanted.limit, wanted.offset))?.all().await?;
        return found(*kind, &answer);
    }
    // Any of the kinds may have all rows of the page, so each is read as far as the page reaches.
    let reach = wanted.offset.saturating_add(wanted.limit);
    let statements = wanted.kinds.iter().map(|kind| statement(&db, scope, wanted, *kind, (reach, 0)));
    let answers = db.batch(statements.collect::<Result<Vec<_>>>()?).await?;
    let mut all = Vec::new();
    for (kind, answer) in wanted.kinds.iter().zip(&answers) {
        all.extend(found(*kind, answer)?);
    }
    let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(event::merged(all, wanted.ascending, count(wanted.offset), count(wanted.limit)))
}

/// The last of the first `limit` rows, when there are more.
pub(crate) async fn end_of_part(env: &Env, scope: &Scope, wanted: &Wanted<'_>) -> Result<Option<Cursor>> {
    #[derive(Deserialize)]
    struct Place {
        at: i64,
        id: String,
    }
    let direction = wanted.direction();
    let (mut terms, mut binds) = (Vec::new(), Vec::new());
    for kind in wanted.kinds {
        let condition = condition(scope, wanted, *kind);
        terms.push(format!(
            "SELECT * FROM (SELECT ev.at AS at, ev.id AS id FROM {} WHERE {} \
             ORDER BY ev.at {direction}, ev.id {direction} LIMIT ?)",
            table(*kind),
            condition.text()
        ));
        binds.extend_from_slice(condition.binds());
        binds.push(wanted.limit.saturating_add(1).into());
    }
    let query =
        format!("{} ORDER BY at {direction}, id {direction} LIMIT 2 OFFSET ?", terms.join(" UNION ALL "));
    binds.push(wanted.limit.saturating_sub(1).into());
    if binds.len() > MAX_BINDS {
        // Some dozen filters on all kinds at once: such a list is written whole.
        return Ok(None);
    }
    let mut places: Vec<Place> = d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await?;
    let has_more = places.len() > 1;
    places.truncate(1);
    Ok(places.pop().filter(|_| has_more).map(|place| Cursor { at: Millis(place.at), id: place.id }))
}

/// What the rows of a kind are read from, each with its click, its customer and, for what undoes one, its sale.
fn table(kind: Kind) -> String {
    let (table, sale) = match kind {
        Kind::Click => {
            return "clicks ev JOIN clicks c ON c.workspace_id = ev.workspace_id AND c.at = ev.at AND c.id = ev.id"
                .to_owned();
        }
        Kind::Lead => ("leads", ""),
        Kind::Sale => ("sales", ""),
        Kind::Refund | Kind::Dispute => ("entries", " LEFT JOIN sales s ON s.id = ev.sale_id"),
    };
    format!(
        "{table} ev{sale} LEFT JOIN credited_clicks p ON p.click_id = ev.click_id LEFT JOIN clicks c \
         ON c.workspace_id = ev.workspace_id AND c.at = p.at AND c.id = p.id \
         LEFT JOIN customers k ON k.id = ev.customer_id"
    )
}

/// Which rows of one kind are wanted.
fn condition(scope: &Scope, wanted: &Wanted<'_>, kind: Kind) -> Where {
    let mut condition = wanted.filter.condition(&scope.workspace_id, wanted.window);
    if kind == Kind::Click && wanted.of_devices {
        wanted.filter.devices_of_clicks(&mut condition);
    } else if kind == Kind::Click {
        wanted.filter.customer_of_clicks(&mut condition);
    } else {
        condition.and("ev.mode = ?", [scope.mode.as_str().into()]);
        wanted.filter.customer_of_events(&mut condition);
    }
    match kind {
        Kind::Refund => condition.and("ev.kind = 'refund'", []),
        Kind::Dispute => condition.and("ev.kind IN ('dispute', 'reinstated')", []),
        Kind::Click | Kind::Lead | Kind::Sale => {}
    }
    match wanted.attributed {
        Some(true) => condition.and("ev.link_id IS NOT NULL", []),
        Some(false) => condition.and("ev.link_id IS NULL", []),
        None => {}
    }
    if let Some(Cursor { at, id }) = wanted.cursor {
        let after = if wanted.ascending { "(ev.at, ev.id) > (?, ?)" } else { "(ev.at, ev.id) < (?, ?)" };
        condition.and(after, [at.0.into(), id.as_str().into()]);
    }
    condition
}

/// The query of one kind.
fn statement(
    db: &D1Database,
    scope: &Scope,
    wanted: &Wanted<'_>,
    kind: Kind,
    (limit, offset): (i64, i64),
) -> Result<D1PreparedStatement> {
    let condition = condition(scope, wanted, kind);
    let own = match kind {
        Kind::Click => "",
        Kind::Lead => "ev.click_id AS event_click_id, ev.event_name, ev.quantity, ev.metadata, ",
        Kind::Sale => {
            "ev.click_id AS event_click_id, ev.event_name, ev.amount, ev.currency, ev.processor, ev.invoice_id, "
        }
        Kind::Refund | Kind::Dispute => {
            "ev.click_id AS event_click_id, ev.kind, ev.amount, ev.currency, ev.sale_id, ev.reference, \
             s.at AS sale_at, s.processor, s.invoice_id, "
        }
    };
    let person = if kind == Kind::Click { String::new() } else { format!(", {PERSON}") };
    let (table, direction) = (table(kind), wanted.direction());
    let query = format!(
        "SELECT ev.id, ev.at, ev.link_id, {own}{CLICK}{person} FROM {table} WHERE {} \
         ORDER BY ev.at {direction}, ev.id {direction} LIMIT ? OFFSET ?",
        condition.text()
    );
    let page: [Bind; 2] = [limit.into(), offset.into()];
    d1::statement(db, &query, &d1::binds(&[condition.binds(), &page].concat())?)
}

/// One row is three things; each reads what is its own.
fn found(kind: Kind, answer: &D1Result) -> Result<Vec<Found>> {
    let events: Vec<Event> = answer.results()?;
    let clicks: Vec<Click> = answer.results()?;
    let persons: Vec<Person> = answer.results()?;
    if events.len() != clicks.len() || events.len() != persons.len() {
        return Err(codec::missing("a row"));
    }
    let rows = events.into_iter().zip(clicks).zip(persons);
    Ok(rows.map(|((event, click), person)| Found { kind, event, click, person }).collect())
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
