//! `POST /stripe/webhook/{workspaceId}` and `POST /stripe/webhook`.
//!
//! Limit → raw bytes → signature → parse once → Directory → 200. No branch answers 2xx before the Directory
//! has the event for good; nothing of an unverified body has any effect.
//!
//! | what | answer |
//! |---|---|
//! | too large | 413 |
//! | signature missing, wrong or old; mode of body and secret differ; not JSON | 400, one body for all |
//! | verified and kept, booked or parked, once or again | 200 |
//! | could not be kept | 503: Stripe sends it again for three days |

use worker::{Env, Request, Result, console_error};

use crate::core::click_id::Keys;
use crate::core::health;
use crate::core::ids;
use crate::core::ledger::fact::Fact;
use crate::core::ledger::messages::{Accepted, Delivery, Note, ParkedRow, Parking, ToDirectory};
use crate::core::mode::Mode;
use crate::core::problem::{Code, Problem};
use crate::core::sentences::Sentence;
use crate::core::stripe::event::{Event, MAX_BODY_BYTES, Reader};
use crate::core::stripe::{self, Reading, signature};
use crate::core::time::Millis;
use crate::edge::{click_proof, entropy, marks, objects, settings, stripe_settings};
use crate::http::failure::{Answer, Failure};
use crate::http::{body, respond};

/// The Directory that keeps events of accounts nobody has connected: no workspace has this id.
const PLATFORM: &str = "platform";

/// Handles a delivery to `/stripe{path}`.
pub(crate) async fn route(mut request: Request, env: &Env, path: &str) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let workspace_id = match segments.as_slice() {
        ["webhook"] => None,
        ["webhook", workspace_id] => Some(*workspace_id),
        _ => return Err(Problem::not_found("Endpoint").into()),
    };
    let verdict = match deliver(&mut request, env, workspace_id).await {
        Ok(verdict) => verdict,
        Err(failure) => {
            let refused = failure.problem().code.wire().1 < 500;
            let mark = if refused { health::WEBHOOK_REFUSED } else { health::WEBHOOK_FAILED };
            marks::note(env, mark, 0).await;
            return Err(failure);
        }
    };
    Ok(respond::json(200, &serde_json::json!({"received": true, "verdict": verdict}))?)
}

/// One body for every refusal: which check failed is nobody's business but ours.
fn refused() -> Problem {
    Problem::bad_request("The Stripe signature could not be verified.")
}

fn unavailable(error: &worker::Error) -> Failure {
    console_error!("webhook: {error}");
    Problem::new(Code::Unavailable, "The event could not be stored. Stripe will send it again.").into()
}

async fn deliver(
    request: &mut Request,
    env: &Env,
    workspace_id: Option<&str>,
) -> std::result::Result<String, Failure> {
    let bytes = body::read(request, MAX_BODY_BYTES).await?;
    let header = request.headers().get("stripe-signature").ok().flatten().unwrap_or_default();
    let modes = verified_modes(env, workspace_id, &header, &bytes).await?;
    let event = stripe::read(&bytes).map_err(|_| refused())?;
    let mode = event.envelope.mode;
    if !modes.contains(&mode) {
        return Err(refused().into());
    }
    let owner = owner(env, workspace_id, &event).await.map_err(|e| unavailable(&e))?;
    accept(env, owner.as_deref(), workspace_id, &event, &bytes).await.map_err(|e| unavailable(&e))
}

/// The modes whose secrets signed this body.
async fn verified_modes(
    env: &Env,
    workspace_id: Option<&str>,
    header: &str,
    body: &[u8],
) -> std::result::Result<Vec<Mode>, Failure> {
    let now = entropy::now();
    let mut modes = Vec::new();
    for mode in [Mode::Live, Mode::Test] {
        let secrets = match workspace_id {
            Some(workspace_id) => {
                stripe_settings::secrets(env, workspace_id, mode).await.map_err(|e| unavailable(&e))?
            }
            None => settings::platform_secrets(env, mode),
        };
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        if signature::verify(header, body, &secrets, now).is_ok() {
            modes.push(mode);
        }
    }
    if modes.is_empty() { Err(refused().into()) } else { Ok(modes) }
}

/// Whose event it is: of the path for the workspace's own account, of the account's owner at that time else.
async fn owner(env: &Env, workspace_id: Option<&str>, event: &Event<'_>) -> Result<Option<String>> {
    let account = event.envelope.account.as_str();
    if account.is_empty() {
        return Ok(workspace_id.map(str::to_owned));
    }
    let at = event.envelope.created.unwrap_or_else(entropy::now);
    let owner = stripe_settings::workspace_of_account(env, account, at).await?;
    // A workspace's own endpoint never speaks for another workspace.
    Ok(owner.filter(|owner| workspace_id.is_none_or(|path| path == owner)))
}

/// Gives the event to the Directory; the words are for Stripe's own delivery log.
async fn accept(
    env: &Env,
    owner: Option<&str>,
    path: Option<&str>,
    event: &Event<'_>,
    body: &[u8],
) -> Result<String> {
    let envelope = &event.envelope;
    let mut note = Note {
        event_id: envelope.id.clone().unwrap_or_else(|| format!("body_{}", ids::sha256_hex(body))),
        event_type: envelope.event_type.clone(),
        at: envelope.created.unwrap_or_else(entropy::now),
        account: envelope.account.clone(),
        verdict: Sentence::Accepted.say(&[]),
    };
    let keeper = owner.or(path).unwrap_or(PLATFORM);
    let policy = settings::first_policy(keeper, envelope.mode);
    let mut delivery =
        Delivery { policy, note: note.clone(), facts: Vec::new(), claim: None, apart: false, parked: None };
    let Some(owner) = owner else {
        let reason = if envelope.account.is_empty() {
            Sentence::NoAccount.say(&[])
        } else {
            Sentence::UnknownAccount.say(&[&envelope.account])
        };
        note.verdict = Sentence::Parked.say(&[&reason]);
        let raw = String::from_utf8(body.to_vec()).ok();
        delivery.note = note.clone();
        delivery.parked = Some(Parking { reason, raw });
        send(env, keeper, envelope.mode, delivery).await?;
        return Ok(note.verdict);
    };
    match read(env, owner, event).await? {
        Reading::Facts(facts) => delivery.facts = facts,
        Reading::Ignored => note.verdict = Sentence::Ignored.say(&[]),
        Reading::Unusable(reason) => {
            note.verdict = Sentence::Unusable.say(&[&reason]);
            delivery.parked = Some(Parking { reason, raw: None });
        }
        Reading::Deauthorized => {
            stripe_settings::disconnect(env, &envelope.account, note.at).await?;
            note.verdict = Sentence::Disconnected.say(&[&envelope.account]);
        }
    }
    delivery.note = note.clone();
    send(env, owner, envelope.mode, delivery).await?;
    Ok(note.verdict)
}

/// What the event states, with ids issued elsewhere proven by their click rows where possible.
async fn read(env: &Env, workspace_id: &str, event: &Event<'_>) -> Result<Reading> {
    let keys: Keys = settings::click_id_keys(env)?;
    let reading = event.reading(&Reader { keys: &keys, workspace_id });
    let Reading::Facts(mut facts) = reading else { return Ok(reading) };
    prove(env, workspace_id, &mut facts).await;
    Ok(Reading::Facts(facts))
}

async fn prove(env: &Env, workspace_id: &str, facts: &mut [Fact]) {
    for touch in facts.iter_mut().filter_map(|fact| fact.body.touches_mut()).flatten() {
        click_proof::prove(env, workspace_id, touch).await;
    }
}

async fn send(env: &Env, workspace_id: &str, mode: Mode, delivery: Delivery) -> Result<Accepted> {
    let stub = objects::directory(env, workspace_id, mode)?;
    objects::call(&stub, &ToDirectory::Accept(Box::new(delivery))).await
}

/// Books what waited for accounts that are connected now. Call it after the connection is stored.
pub(crate) async fn reconsider(env: &Env, workspace_id: &str, accounts: &[String]) -> Result<()> {
    for mode in [Mode::Live, Mode::Test] {
        for keeper in [workspace_id, PLATFORM] {
            let stub = objects::directory(env, keeper, mode)?;
            let waiting: Vec<ParkedRow> =
                objects::call(&stub, &ToDirectory::Waiting { accounts: accounts.to_vec() }).await?;
            let mut booked = Vec::new();
            for row in waiting {
                if rebook(env, workspace_id, &row).await? {
                    booked.push(row.key);
                }
            }
            if !booked.is_empty() {
                let () = objects::call(&stub, &ToDirectory::Unpark { keys: booked }).await?;
            }
        }
    }
    Ok(())
}

/// Reads a parked body again; it was verified when it came. `false`: still not this workspace's.
async fn rebook(env: &Env, workspace_id: &str, row: &ParkedRow) -> Result<bool> {
    let Some(raw) = &row.raw else { return Ok(false) };
    let Ok(event) = stripe::read(raw.as_bytes()) else { return Ok(false) };
    let at = event.envelope.created.unwrap_or(Millis::default());
    let owner = stripe_settings::workspace_of_account(env, &event.envelope.account, at).await?;
    if owner.as_deref() != Some(workspace_id) {
        return Ok(false);
    }
    accept(env, owner.as_deref(), None, &event, raw.as_bytes()).await?;
    Ok(true)
}
