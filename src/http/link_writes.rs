//! Making and changing links: what single, upsert and bulk requests have in common.

use worker::{D1Database, D1PreparedStatement, Env, console_error};

use crate::core::api::link::{Link, Tag};
use crate::core::api::link_body::{LinkBody, is_new_password};
use crate::core::problem::{Code, Problem};
use crate::core::time::Millis;
use crate::core::validate::Given;
use crate::core::webhook::Trigger;
use crate::core::{destination, domain, key, password, public_page};
use crate::edge::{d1, domains, entropy, folders, link_rows, links, tags, webhook_outbox};
use crate::http::auth::Caller;
use crate::http::failure::Failure;

/// How often a random key is drawn again when it is taken.
const KEY_ATTEMPTS: usize = 5;

/// A link with its tags, as stored.
pub(crate) type Stored = (Link, Vec<Tag>);

/// Makes a link.
pub(crate) async fn create(
    env: &Env,
    caller: &Caller,
    body: &LinkBody,
    now: Millis,
) -> Result<Stored, Failure> {
    let workspace_id = caller.workspace_id.as_str();
    let empty = Link::new(entropy::object_id("link_")?, workspace_id, now);
    let mut link = body.over(Link { track_conversion: caller.tracks_conversions, ..empty }, now);
    let given_key = body.key.clone().value().map(|text| key::parse_new(&text)).transpose();
    let given_key = given_key.map_err(|e| Problem::invalid("custom", "key", &e.to_string()))?;
    if link.url.is_empty() && given_key.as_deref() != Some(key::ROOT) {
        return Err(Problem::invalid("invalid_type", "url", "url is required").into());
    }
    link.domain = match body.domain.clone().value().filter(|domain| !domain.is_empty()) {
        Some(domain) => domain,
        None => domains::primary(env, workspace_id).await?.ok_or_else(no_domain)?,
    };
    check_domain(env, &link).await?;
    check_destinations(env, &link).await?;
    set_password(&mut link, body)?;
    set_public_page(&mut link)?;
    let tags = wanted_tags(env, workspace_id, body).await?.unwrap_or_default();
    link.folder_id = folder(env, workspace_id, body, None).await?;
    let attempts = if given_key.is_some() { 1 } else { KEY_ATTEMPTS };
    for attempt in 1..=attempts {
        link.key = match &given_key {
            Some(key) => key.clone(),
            None => random_key(body)?,
        };
        match insert(env, &link, &tags).await {
            Ok(()) => {
                // A missing copy is read from D1: the link works without it.
                if let Err(e) = links::write_through(env, &link.record()).await {
                    console_error!("alarm: KV write of {}/{} failed: {e}", link.domain, link.key);
                }
                return Ok((link, tags));
            }
            Err(e) if attempt < attempts && taken(&e) == Some(Taken::Key) => {}
            Err(e) => return Err(explain(e, &link)),
        }
    }
    Err(Problem::new(Code::Conflict, "No free random key was found. Try again.").into())
}

/// Changes a link. `old` is what is stored.
pub(crate) async fn update(env: &Env, old: &Link, body: &LinkBody, now: Millis) -> Result<Stored, Failure> {
    let workspace_id = old.workspace_id.as_str();
    let mut link = body.over(old.clone(), now);
    if old.key != key::ROOT {
        if let Some(domain) = body.domain.clone().value().filter(|domain| !domain.is_empty()) {
            link.domain = domain;
        }
        if let Some(text) = body.key.clone().value() {
            link.key =
                key::parse_new(&text).map_err(|e| Problem::invalid("custom", "key", &e.to_string()))?;
        }
    }
    if link.domain != old.domain {
        check_domain(env, &link).await?;
    }
    if link.destinations() != old.destinations() {
        check_destinations(env, &link).await?;
    }
    set_password(&mut link, body)?;
    set_public_page(&mut link)?;
    link.folder_id = folder(env, workspace_id, body, old.folder_id.clone()).await?;
    let tags = wanted_tags(env, workspace_id, body).await?;
    link.updated_at = now;
    let db = d1::database(env)?;
    let mut statements = vec![link_rows::update(&db, &link)?];
    if let Some(tags) = &tags {
        statements.extend(tags::assign(&db, &link.id, tags)?);
    }
    statements.push(told(&db, Trigger::LinkUpdated, workspace_id, &[&link], now)?);
    let results = db.batch(statements).await.map_err(|e| explain(e, &link))?;
    webhook_outbox::nudge(env, &webhook_outbox::entered(results.last())).await;
    if (&link.domain, &link.key) != (&old.domain, &old.key) {
        links::remove(env, &old.domain, &old.key).await?;
    }
    // If KV fails here the old destination would live on: the caller is told, and may simply ask again.
    links::write_through(env, &link.record()).await?;
    let tags = match tags {
        Some(tags) => tags,
        None => {
            tags::of_links(env, std::slice::from_ref(&link.id)).await?.remove(&link.id).unwrap_or_default()
        }
    };
    Ok((link, tags))
}

/// Deletes links of one workspace; their keys are free afterwards.
pub(crate) async fn delete(env: &Env, workspace_id: &str, gone: &[Link], now: Millis) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = gone.iter().map(|link| link.id.clone()).collect();
    let db = d1::database(env)?;
    let all: Vec<&Link> = gone.iter().collect();
    let results = db
        .batch(vec![
            link_rows::delete(&db, workspace_id, &ids, now)?,
            told(&db, Trigger::LinkDeleted, workspace_id, &all, now)?,
        ])
        .await?;
    webhook_outbox::nudge(env, &webhook_outbox::entered(results.last())).await;
    for link in gone {
        links::remove(env, &link.domain, &link.key).await?;
    }
    Ok(())
}

/// Whether an update by this body would leave the link as it is.
pub(crate) fn changes_nothing(old: &Link, body: &LinkBody, now: Millis) -> bool {
    let same = |given: &Given<String>, old: Option<&str>| match given {
        Given::Absent => true,
        Given::Null => old.is_none(),
        Given::Value(text) => Some(text.as_str()) == old,
    };
    let key = body.key.clone().map(|text| key::parse_new(&text).unwrap_or(text));
    body.over(old.clone(), now) == *old
        && (matches!(body.domain, Given::Null) || same(&body.domain, Some(&old.domain)))
        && (matches!(key, Given::Null) || same(&key, Some(&old.key)))
        && same(&body.folder_id, old.folder_id.as_deref())
        && !body.tag_ids.is_given()
        && !body.tag_names.is_given()
        && body.password.clone().value().is_none_or(|password| !is_new_password(&password))
}

/// Insists that the tags and the folder a body names exist.
pub(crate) async fn check_labels(env: &Env, workspace_id: &str, body: &LinkBody) -> Result<(), Failure> {
    wanted_tags(env, workspace_id, body).await?;
    folder(env, workspace_id, body, None).await.map(|_| ())
}

async fn insert(env: &Env, link: &Link, tags: &[Tag]) -> worker::Result<()> {
    let db = d1::database(env)?;
    let mut statements = vec![link_rows::insert(&db, link)?];
    if !tags.is_empty() {
        statements.extend(tags::assign(&db, &link.id, tags)?);
    }
    statements.push(told(&db, Trigger::LinkCreated, &link.workspace_id, &[link], link.created_at)?);
    let results = db.batch(statements).await?;
    webhook_outbox::nudge(env, &webhook_outbox::entered(results.last())).await;
    Ok(())
}

/// The statement that tells the workspace's webhooks.
fn told(
    db: &D1Database,
    trigger: Trigger,
    workspace_id: &str,
    links: &[&Link],
    now: Millis,
) -> worker::Result<D1PreparedStatement> {
    let ids: Vec<String> = links.iter().map(|link| link.id.clone()).collect();
    webhook_outbox::enter_links(db, trigger, workspace_id, &ids, now)
}

/// A public page has an address while it is on.
fn set_public_page(link: &mut Link) -> Result<(), Failure> {
    let secret = &mut link.options.public_page;
    if !link.options.public_stats {
        *secret = None;
    } else if secret.is_none() {
        *secret = Some(entropy::token(public_page::SECRET_CHARS)?);
    }
    Ok(())
}

fn random_key(body: &LinkBody) -> Result<String, Failure> {
    // Keys are looked up in lower case, so the capitals of base 62 would say nothing.
    let token = entropy::token(body.key_length.min(60))?.to_ascii_lowercase();
    let text = match body.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}/{token}"),
        None => token,
    };
    key::parse_new(&text).map_err(|e| Problem::invalid("custom", "prefix", &e.to_string()).into())
}

async fn check_domain(env: &Env, link: &Link) -> Result<(), Failure> {
    if domains::is_owned(env, &link.workspace_id, &link.domain).await? {
        return Ok(());
    }
    let text = format!("The domain {} is not one of this workspace's.", link.domain);
    Err(Problem::new(Code::Forbidden, text).into())
}

fn no_domain() -> Problem {
    Problem::new(Code::Forbidden, "This workspace has no domain yet. Add one first.")
}

/// No destination may lead back to a short link, or a visitor goes round in circles.
async fn check_destinations(env: &Env, link: &Link) -> Result<(), Failure> {
    if link.url.len() > destination::MAX_BYTES {
        let text = destination::DestinationError::TooLong.to_string();
        return Err(Problem::invalid("custom", "url", &text).into());
    }
    let hosts: Vec<String> = link
        .destinations()
        .into_iter()
        .filter_map(destination::host)
        // This machine serves other things on other ports.
        .filter(|host| host != domain::LOCAL)
        .collect();
    match domains::among(env, &hosts).await? {
        None => Ok(()),
        Some(domain) => {
            let text = format!("A destination must not be on a short-link domain ({domain})");
            Err(Problem::invalid("custom", "url", &text).into())
        }
    }
}

fn set_password(link: &mut Link, body: &LinkBody) -> worker::Result<()> {
    match &body.password {
        Given::Null => link.options.password = None,
        Given::Value(text) if is_new_password(text) => {
            link.options.password = Some(password::hash(text, entropy::random()?));
        }
        Given::Absent | Given::Value(_) => {}
    }
    Ok(())
}

/// The tags a body names; `None`: it names none, not even no tags. Ids win over names.
async fn wanted_tags(env: &Env, workspace_id: &str, body: &LinkBody) -> Result<Option<Vec<Tag>>, Failure> {
    let (wanted, found, field) = match (&body.tag_ids, &body.tag_names) {
        (Given::Value(ids), _) if !ids.is_empty() => {
            (ids, tags::by_ids(env, workspace_id, ids).await?, "tagIds")
        }
        (_, Given::Value(names)) if !names.is_empty() => {
            (names, tags::by_names(env, workspace_id, names).await?, "tagNames")
        }
        (Given::Absent, Given::Absent) => return Ok(None),
        _ => return Ok(Some(Vec::new())),
    };
    let known = |name: &String| {
        found.iter().any(|tag| if field == "tagIds" { tag.id == *name } else { same_name(&tag.name, name) })
    };
    let unknown: Vec<&str> = wanted.iter().filter(|name| !known(name)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(Some(found));
    }
    Err(Problem::invalid("custom", field, &format!("Unknown tags: {}", unknown.join(", "))).into())
}

fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The folder a link goes into.
async fn folder(
    env: &Env,
    workspace_id: &str,
    body: &LinkBody,
    old: Option<String>,
) -> Result<Option<String>, Failure> {
    let wanted = body.folder_id.clone().over(old.clone());
    if let Some(id) = wanted.as_deref().filter(|id| old.as_deref() != Some(*id))
        && !folders::exists(env, workspace_id, id).await?
    {
        return Err(Problem::not_found("Folder").into());
    }
    Ok(wanted)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Key,
    ExternalId,
}

/// Which unique index refused. SQLite names its columns.
fn taken(error: &worker::Error) -> Option<Taken> {
    let text = error.to_string();
    if !d1::is_unique_violation(error) {
        None
    } else if text.contains("links.external_id") {
        Some(Taken::ExternalId)
    } else {
        Some(Taken::Key)
    }
}

fn explain(error: worker::Error, link: &Link) -> Failure {
    match taken(&error) {
        Some(Taken::Key) => {
            let text = format!("The short link {} is already taken.", link.short_link());
            Problem::new(Code::Conflict, text).into()
        }
        Some(Taken::ExternalId) => {
            let text = "Another link of this workspace has this externalId.";
            Problem::new(Code::Conflict, text).into()
        }
        None => error.into(),
    }
}
