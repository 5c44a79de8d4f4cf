//! Many links at once, and links by their destination.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use worker::{Context, Env, Request};

use crate::core::access::Permission;
use crate::core::api::link::{Figures, Link};
use crate::core::api::link_body::LinkBody;
use crate::core::key;
use crate::core::problem::{Code, Problem};
use crate::core::validate::{Fields, Query};
use crate::edge::link_rows::{self, Selector};
use crate::edge::{domains, entropy};
use crate::http::failure::{Answer, Failure};
use crate::http::links::{answer, existing, read, scope, shown};
use crate::http::{auth, body, link_writes, query, respond};

const MAX_LINKS: usize = 100;
/// A hundred links with everything a link can have.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// How many links are written at the same time.
const AT_ONCE: usize = 10;

/// `POST /links/bulk`: what could be made, in order, then what could not and why.
pub(crate) async fn create(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let value = body::json(&mut request, BODY_LIMIT_BYTES).await?;
    let wrapped = json!({ "links": value });
    let list = Fields::root(&wrapped)?
        .list("links", 1, MAX_LINKS)
        .map_err(|e| at_root(&e))?
        .value()
        .unwrap_or_default();
    let bodies = list
        .iter()
        .enumerate()
        .map(|(at, item)| LinkBody::parse(&Fields::at(item, format!("[{at}]"))?))
        .collect::<Result<Vec<_>, Problem>>()?;
    refuse_twins(&bodies)?;
    let now = entropy::now();
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for (bodies, items) in bodies.chunks(AT_ONCE).zip(list.chunks(AT_ONCE)) {
        let writes = bodies.iter().map(|body| link_writes::create(env, &caller, body, now));
        for (outcome, item) in join_all(writes).await.into_iter().zip(items) {
            match outcome {
                Ok((link, tags)) => made.push(link.shown(&Figures::default(), &tags)),
                Err(failure) => refused.push(refusal(failure, item)?),
            }
        }
    }
    made.extend(refused);
    Ok(respond::json(200, &made)?)
}

/// `PATCH /links/bulk`: the same change to many links.
pub(crate) async fn update(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let value = body::json(&mut request, BODY_LIMIT_BYTES).await?;
    let fields = Fields::root(&value)?;
    let ids = fields.texts("linkIds", MAX_LINKS)?.value().unwrap_or_default();
    let external = fields.texts("externalIds", MAX_LINKS)?.value().unwrap_or_default();
    // What one link only can have is not for many.
    let mut data = fields.required("data", fields.object("data")?)?.clone();
    for name in ["domain", "key", "externalId", "prefix", "keyLength"] {
        data.remove(name);
    }
    let data = Value::Object(data);
    let wanted = LinkBody::parse(&Fields::at(&data, "data".to_owned())?)?;
    let selectors: Vec<(Selector, &String)> = if ids.is_empty() {
        let bare = |id: &String| Selector::ExternalId(id.strip_prefix("ext_").unwrap_or(id).to_owned());
        external.iter().map(|id| (bare(id), id)).collect()
    } else {
        ids.iter().map(|id| (Selector::of(id), id)).collect()
    };
    if selectors.is_empty() {
        return Ok(respond::json(200, &"No links to update")?);
    }
    link_writes::check_labels(env, &caller.workspace_id, &wanted).await?;
    let now = entropy::now();
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    for some in selectors.chunks(AT_ONCE) {
        let writes = some.iter().map(|(selector, _)| async {
            let old = existing(env, &caller, selector).await?;
            link_writes::update(env, &old, &wanted, now).await
        });
        for (outcome, (_, id)) in join_all(writes).await.into_iter().zip(some) {
            match outcome {
                Ok((link, _)) => changed.push(link),
                Err(failure) => refused.push(refusal(failure, &json!({ "id": id }))?),
            }
        }
    }
    let mut rows = shown(env, &scope(&caller, &query(&request)?)?, changed).await?;
    rows.extend(refused);
    Ok(respond::json(200, &rows)?)
}

/// `DELETE /links/bulk?linkIds=`: unknown ids are passed over.
pub(crate) async fn delete(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksWrite).await?;
    let query = query(request)?;
    let ids = query.list("linkIds", MAX_LINKS)?;
    if ids.is_empty() {
        return Err(Problem::bad_request("Give the links to delete in `linkIds`.").into());
    }
    let mut gone: Vec<Link> = Vec::new();
    for id in ids {
        if let Some(link) = link_rows::find(env, &caller.workspace_id, &Selector::of(id)).await?
            && !gone.iter().any(|known| known.id == link.id)
        {
            gone.push(link);
        }
    }
    link_writes::delete(env, &caller.workspace_id, &gone, entropy::now()).await?;
    Ok(respond::json(200, &json!({"deletedCount": gone.len()}))?)
}

/// `PUT /links/upsert`: the link that has this destination, changed if need be; made if there is none.
///
/// Compared is the destination as it would be stored, UTM fields included, so that asking again finds it.
pub(crate) async fn upsert(mut request: Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(&request, env, ctx, Permission::LinksWrite).await?;
    let wanted = read(&mut request).await?;
    let (workspace_id, now) = (caller.workspace_id.as_str(), entropy::now());
    let url = wanted.over(Link::new(String::new(), workspace_id, now), now).url;
    if url.is_empty() {
        return Err(Problem::invalid("invalid_type", "url", "url is required").into());
    }
    let scope = scope(&caller, &query(&request)?)?;
    let Some(old) = link_rows::by_url(env, workspace_id, &url).await? else {
        let (link, tags) = link_writes::create(env, &caller, &wanted, now).await?;
        return Ok(respond::json(200, &link.shown(&Figures::default(), &tags))?);
    };
    if link_writes::changes_nothing(&old, &wanted, now) {
        let links = shown(env, &scope, vec![old]).await?;
        return Ok(respond::json(200, &links.into_iter().next().unwrap_or(Value::Null))?);
    }
    let stored = link_writes::update(env, &old, &wanted, now).await?;
    answer(env, &scope, stored).await
}

/// `GET /links/random`: a key that is free.
pub(crate) async fn random(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let domain = domain_of(env, &caller, &query(request)?).await?;
    for _ in 0..5 {
        let key = entropy::token(7)?.to_ascii_lowercase();
        let taken = Selector::Key(domain.clone(), key.clone());
        if link_rows::find(env, &caller.workspace_id, &taken).await?.is_none() {
            return Ok(respond::json(200, &key)?);
        }
    }
    Err(Problem::new(Code::Conflict, "No free random key was found. Try again.").into())
}

/// `GET /links/exists`: `{"error": null}` when the key is free on the domain, else why it cannot be had.
pub(crate) async fn exists(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let domain = domain_of(env, &caller, &query).await?;
    let text = query.text_up_to("key", 1000)?.unwrap_or_default();
    let key = key::parse_new(text).map_err(|e| match e {
        key::KeyError::Reserved => Problem::new(Code::Forbidden, e.to_string()),
        e => Problem::invalid("custom", "key", &e.to_string()),
    })?;
    let selector = Selector::Key(domain, key);
    if link_rows::find(env, &caller.workspace_id, &selector).await?.is_some() {
        return Err(Problem::new(Code::Conflict, "This key is already taken.").into());
    }
    Ok(respond::json(200, &json!({"error": null}))?)
}

async fn domain_of(env: &Env, caller: &auth::Caller, query: &Query) -> Result<String, Failure> {
    let not_found = || Problem::not_found("Domain");
    match query.text_up_to("domain", 190)? {
        Some(domain) => {
            let domain = domain.to_ascii_lowercase();
            let owned = domains::is_owned(env, &caller.workspace_id, &domain).await?;
            if owned { Ok(domain) } else { Err(not_found().into()) }
        }
        None => Ok(domains::primary(env, &caller.workspace_id).await?.ok_or_else(not_found)?),
    }
}

/// Two of a batch with the same key, or the same external id, cannot both be made.
fn refuse_twins(bodies: &[LinkBody]) -> Result<(), Problem> {
    let (mut keys, mut external) = (HashSet::new(), HashSet::new());
    for body in bodies {
        if let Some(text) = body.key.clone().value() {
            let key = key::parse_new(&text).unwrap_or(text);
            if !keys.insert((body.domain.clone().value(), key.clone())) {
                return Err(Problem::bad_request(format!("The key {key} is in the batch twice.")));
            }
        }
        if let Some(id) = body.external_id.clone().value()
            && !external.insert(id.clone())
        {
            return Err(Problem::bad_request(format!("The externalId {id} is in the batch twice.")));
        }
    }
    Ok(())
}

/// What stands in the list in place of a link. A store that fails fails the request.
fn refusal(failure: Failure, link: &Value) -> Result<Value, Failure> {
    match failure {
        Failure::Refused(problem) => {
            let message = problem.message.trim_end_matches('.');
            Ok(json!({"link": link, "error": message, "code": problem.code.wire().0}))
        }
        other => Err(other),
    }
}

/// A bulk body is the array itself.
fn at_root(problem: &Problem) -> Problem {
    Problem::new(problem.code, problem.message.replace(": links: ", ": : "))
}
