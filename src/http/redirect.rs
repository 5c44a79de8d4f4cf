//! Short links: reads the request, finds the link, lets `core::redirect` decide, answers, then records.

use worker::{Context, Env, Request, Response, Result, console_error};

use crate::core::click::{self, Visit};
use crate::core::link::LinkRecord;
use crate::core::password;
use crate::core::redirect::{self, Decision, Given, Lock, Missing, Outcome};
use crate::core::{domain, key, public_page, site_files};
use crate::edge::d1_clicks::Admitted;
use crate::edge::links::{self, Found};
use crate::edge::{arrivals, click_queue, d1_clicks, domain_records, password_attempts, visitors};
use crate::http::asked::Asked;
use crate::http::failure::Failure;
use crate::http::{body, respond};

/// How much of a posted password form is read.
const FORM_LIMIT_BYTES: usize = 4 * 1024;

/// Answers a request whose path is no route of ours.
pub(crate) async fn answer(request: Request, env: &Env, ctx: &Context) -> Result<Response> {
    let asked = Asked::read(&request, env)?;
    let language = asked.facts().accept_language.to_owned();
    let answer = answer_asked(request, env, ctx, asked).await;
    answer.or_else(|e| {
        console_error!("alarm: a short link could not be answered: {e}");
        respond::outcome(&redirect::unavailable(&language), false)
    })
}

async fn answer_asked(mut request: Request, env: &Env, ctx: &Context, asked: Asked) -> Result<Response> {
    if !matches!(asked.method.as_str(), "GET" | "HEAD" | "POST") {
        return respond::failure(&Failure::WrongMethod("GET, HEAD, POST".into()), "a short link");
    }
    let Some(domain) = domain::of_host(&asked.host) else {
        return outcome(&asked, &redirect::without_link(Missing::Link, None, &asked.facts()));
    };
    if let Some(file) = site_files::of_path(&asked.path) {
        let record = if file.is_of_domain() { domain_records::find(env, &domain).await? } else { None };
        return respond::file(file.content(&format!("https://{domain}"), record.as_deref()));
    }
    if let Some(address) = site_files::new_link_address(&asked.path, asked.facts().query, &domain) {
        return respond::moved(307, &address);
    }
    if let Some(key) = asked.path.strip_prefix('/').and_then(|path| path.strip_prefix(key::PUBLIC_PAGES)) {
        return public_page(env, &asked, &domain, key).await;
    }
    let made = link(&mut request, env, &asked, &domain).await?;
    let response = outcome(&asked, &made)?;
    if let Some(draft) = made.visit {
        ctx.wait_until(record(env.clone(), draft, asked));
    }
    if let Some(arrival) = made.arrival {
        ctx.wait_until(arrivals::send(env.clone(), arrival));
    }
    Ok(response)
}

/// Where the public page of a link is. Source: wire contract 2.1.
async fn public_page(env: &Env, asked: &Asked, domain: &str, key: &str) -> Result<Response> {
    if let Some(wanted) = key::of_path(key)
        && let Found::Link(link) = links::find(env, domain, &wanted.key).await
        && let Some(id) = public_page::of(&link.id, &link.options)
    {
        return respond::moved(307, &format!("https://{}/app/share/{id}", asked.host));
    }
    outcome(asked, &without_link(env, Missing::Link, domain, asked).await?)
}

/// The answer of the link that is asked for.
async fn link(request: &mut Request, env: &Env, asked: &Asked, domain: &str) -> Result<Outcome> {
    let facts = asked.facts();
    let Some(wanted) = key::of_path(&asked.path) else {
        return without_link(env, Missing::Link, domain, asked).await;
    };
    if key::is_unsupported(&wanted.key) {
        return Ok(redirect::unsupported());
    }
    let link = match links::find(env, domain, &wanted.key).await {
        Found::Link(link) => link,
        Found::Nothing => return without_link(env, Missing::Link, domain, asked).await,
        Found::Unavailable => return Ok(redirect::unavailable(facts.accept_language)),
    };
    let secrets = visitors::secrets(env);
    if asked.method == "POST" {
        let given = posted_password(request).await;
        return match (link.options.password.is_some(), given) {
            (true, Some(given)) => match try_password(env, asked, &link, &given).await {
                Ok(outcome) => Ok(redirect::password_answer(&link, &facts, &secrets, outcome)),
                Err(e) => {
                    console_error!("alarm: a password could not be tried: {e}");
                    Ok(redirect::unavailable(facts.accept_language))
                }
            },
            _ => without_link(env, Missing::Link, domain, asked).await,
        };
    }
    let lock = match facts.parameter("pw").filter(|_| link.options.password.is_some()) {
        None => Lock::Closed,
        Some(given) => match try_password(env, asked, &link, &given).await {
            Ok(Given::Right) => Lock::Opened,
            Ok(wrong) => return Ok(redirect::password_answer(&link, &facts, &secrets, wrong)),
            Err(e) => {
                console_error!("alarm: a password could not be tried: {e}");
                return Ok(redirect::unavailable(facts.accept_language));
            }
        },
    };
    let mut decision = redirect::decide(&link, &wanted, &facts, &secrets, lock);
    if let Decision::Answer(outcome) = &mut decision
        && let Some(most) = outcome.max_clicks
        && !is_admitted(env, asked, outcome, &link, most).await
    {
        decision = redirect::spent(&link);
    }
    match decision {
        Decision::Answer(outcome) => Ok(*outcome),
        Decision::AskDomain(missing) => without_link(env, missing, domain, asked).await,
    }
}

async fn without_link(env: &Env, missing: Missing, domain: &str, asked: &Asked) -> Result<Outcome> {
    let record = domain_records::find(env, domain).await;
    let record = record.inspect_err(|e| console_error!("alarm: domain {domain} could not be read: {e}"));
    Ok(redirect::without_link(missing, record.ok().flatten().as_deref(), &asked.facts()))
}

/// Whether a link of limited clicks is open to this visit, which is stored on the way.
///
/// When D1 cannot say, it is: a redirect survives a store being down.
async fn is_admitted(env: &Env, asked: &Asked, outcome: &mut Outcome, link: &LinkRecord, most: u32) -> bool {
    let visit = outcome.visit.clone().map(|draft| visit_of(env, draft, asked));
    let visit = visit.filter(|visit| click::judge(visit).is_none());
    match d1_clicks::admit(env, &link.id, most, visit).await {
        Ok(Admitted::Stored) => {
            outcome.visit = None;
            true
        }
        Ok(Admitted::Open) => true,
        Ok(Admitted::Spent) => false,
        Err(e) => {
            console_error!("alarm: the clicks of {} could not be counted, letting one in: {e}", link.id);
            true
        }
    }
}

async fn posted_password(request: &mut Request) -> Option<String> {
    let bytes = body::read(request, FORM_LIMIT_BYTES).await.ok()?;
    let mut fields = url::form_urlencoded::parse(&bytes);
    fields.find(|(name, _)| name == "password").map(|(_, value)| value.into_owned())
}

/// Looks at a password, unless too many were wrong lately.
async fn try_password(env: &Env, asked: &Asked, link: &LinkRecord, given: &str) -> Result<Given> {
    let who = visitors::address_mark(env, &asked.ip, asked.now)?;
    let Some(attempt) = password_attempts::begin(env, &link.id, &who, asked.now).await? else {
        return Ok(Given::TooMany);
    };
    if !password::verify(given, link.options.password.as_deref().unwrap_or_default()) {
        return Ok(Given::Wrong);
    }
    if let Err(e) = attempt.forget(env).await {
        console_error!("a right password stays counted as an attempt: {e}");
    }
    Ok(Given::Right)
}

fn outcome(asked: &Asked, made: &Outcome) -> Result<Response> {
    respond::outcome(made, asked.method == "HEAD")
}

/// Everything that happens after the answer.
async fn record(env: Env, draft: click::Draft, asked: Asked) {
    let visit = visit_of(&env, draft, &asked);
    click_queue::send(&env, visit).await;
}

fn visit_of(env: &Env, draft: click::Draft, asked: &Asked) -> Visit {
    let mut place = visitors::place(&asked.cf);
    if place.country.is_empty() {
        place.country.clone_from(&asked.country);
    }
    let mut visit = Visit::new(draft, &asked.facts(), place);
    visitors::mark(env, &mut visit, &asked.ip, &asked.user_agent);
    visit
}
