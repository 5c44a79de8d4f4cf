//! What needs the running Worker: the first workspace, Stripe's endpoint, a test event, the health table.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pimms_edge::core::mode::Mode;
use serde_json::{Map, Value, json};

use super::endpoint::{self, Action, EVENTS};
use super::{Options, plan};
use crate::clock;
use crate::doctor::{self, Check};
use crate::failure::{Failure, OrFail};
use crate::files;
use crate::http_client::{Answer, Client};
use crate::identity::Identity;
use crate::progress::Progress;
use crate::stripe::sign;
use crate::stripe_api::StripeApi;
use crate::target::text;

/// How long a new instance may take to answer: a custom domain wants its certificate first.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// A deployed instance.
#[derive(Debug)]
pub struct Service<'a> {
    client: Client,
    url: String,
    identity: &'a Identity,
    data: &'a Path,
}

/// What Stripe told when an endpoint was made; kept beside the other secrets, since it tells only once.
struct Kept {
    id: String,
    secret: String,
}

impl<'a> Service<'a> {
    /// At `url`, with the keys of `identity`.
    #[must_use]
    pub fn new(url: &str, identity: &'a Identity, data: &'a Path) -> Self {
        Self { client: Client::new(url), url: url.to_owned(), identity, data }
    }

    /// Brings it to where it can be used; each part changes nothing when it is done already.
    ///
    /// # Errors
    /// When a part fails.
    pub fn settle(&self, options: &Options, config: &Map<String, Value>) -> Result<Vec<Check>, Failure> {
        let progress = Progress::new(5);
        progress.step(&format!("Instance at {}", self.url), || self.wait())?;
        progress.step("First workspace", || self.workspace(options, config))?;
        let mut mode = Mode::Live;
        progress.step("Stripe endpoint", || match &options.stripe.stripe_key {
            None => Ok("left out: no --stripe-key".into()),
            Some(key) => {
                mode = if key.contains("_test_") { Mode::Test } else { Mode::Live };
                self.endpoint(options, mode)
            }
        })?;
        progress.step("Signed test event", || self.test_event(mode))?;
        progress.step_giving("Health", || {
            let answer = self.client.get("/api/health").bearer(&self.identity.bootstrap_token).send()?;
            let checks = doctor::checks(&answer)?;
            Ok((doctor::summary(&checks), checks))
        })
    }

    fn wait(&self) -> Result<String, Failure> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            match self.client.get("/_pimms/health").send() {
                Ok(answer) if answer.status == 200 => return Ok("answers".into()),
                _ if Instant::now() < deadline => sleep(Duration::from_secs(1)),
                _ => {
                    return Err(Failure::new(format!(
                        "{} does not answer yet: is its zone in this Cloudflare account? Run the same command again",
                        self.url
                    )));
                }
            }
        }
    }

    /// The first workspace; asking for the same one again changes nothing.
    fn workspace(&self, options: &Options, config: &Map<String, Value>) -> Result<String, Failure> {
        if self.api("GET", "/api/workspaces", None)?.status == 200 {
            return Ok("is there".into());
        }
        let host = self.url.split("://").nth(1).unwrap_or_default();
        let host = host.split([':', '/']).next().unwrap_or_default();
        let body = json!({
            "workspaceId": self.identity.workspace_id,
            "name": options.workspace,
            "slug": slug(&options.workspace),
            "domain": plan::first_domain(config).unwrap_or(host),
            "apiKey": self.identity.api_key,
        });
        let answer = self
            .client
            .post("/_pimms/bootstrap")
            .bearer(&self.identity.bootstrap_token)
            .json(&body)
            .send()?;
        match answer.status {
            200 => Ok("created".into()),
            404 => Err(Failure::new(format!(
                "the instance has other secrets than {}: copy that file from where it was first deployed",
                self.data.join("instance.json").display()
            ))),
            _ => Err(self.unexpected("the first workspace", &answer)),
        }
    }

    fn endpoint(&self, options: &Options, mode: Mode) -> Result<String, Failure> {
        let stripe = StripeApi::new(&options.stripe)?;
        let url = format!("{}{}", self.url, self.webhook_path());
        let mut found = None;
        for endpoint in stripe.list("/v1/webhook_endpoints", "") {
            let endpoint = endpoint?;
            if text(&endpoint, "url") == url {
                found = Some(endpoint);
            }
        }
        let mut kept = self.kept(mode)?;
        if let Some(endpoint) = &found {
            // The secret of an endpoint that is no more is of no use.
            kept = kept.filter(|kept| kept.id == text(endpoint, "id"));
        }
        let held = self.held(mode)?;
        let events = |fields: &mut Vec<(String, String)>| {
            fields.extend(EVENTS.iter().map(|event| ("enabled_events[]".to_owned(), (*event).to_owned())));
        };
        let action = endpoint::decide(found.as_ref(), kept.is_some() || !held.is_empty());
        let words = match action {
            Action::Keep => "is registered",
            Action::Update(id) => {
                let mut fields = vec![("disabled".to_owned(), "false".to_owned())];
                events(&mut fields);
                stripe.send("POST", &format!("/v1/webhook_endpoints/{id}"), &fields)?;
                "corrected"
            }
            Action::Create | Action::Replace(_) => {
                if let Action::Replace(id) = action {
                    stripe.send("DELETE", &format!("/v1/webhook_endpoints/{id}"), &[])?;
                }
                let mut fields =
                    vec![("url".to_owned(), url), ("description".to_owned(), "pimms-edge".to_owned())];
                events(&mut fields);
                let created = stripe.send("POST", "/v1/webhook_endpoints", &fields)?;
                kept = Some(self.keep(mode, text(&created, "id"), text(&created, "secret"))?);
                "registered"
            }
        };
        if let Some(kept) = &kept
            && !held.iter().any(|end| kept.secret.ends_with(end.as_str()))
        {
            self.store_secrets()?;
        }
        Ok(format!("{words}, {} events, {} mode", EVENTS.len(), mode.as_str()))
    }

    /// Gives the instance the secrets that are kept here, of both modes: one list replaces another.
    fn store_secrets(&self) -> Result<(), Failure> {
        let mut secrets = Vec::new();
        for mode in [Mode::Live, Mode::Test] {
            match self.kept(mode)? {
                Some(kept) => secrets.push(json!({"mode": mode.as_str(), "secret": kept.secret})),
                None if self.held(mode)?.is_empty() => {}
                None => {
                    return Err(Failure::new(format!(
                        "the instance has a signing secret of {} mode that is not known here: give it both with PUT /api/stripe",
                        mode.as_str()
                    )));
                }
            }
        }
        let answer = self.api("PUT", "/api/stripe", Some(&json!({"signingSecrets": secrets})))?;
        if answer.status == 200 { Ok(()) } else { Err(self.unexpected("PUT /api/stripe", &answer)) }
    }

    /// The ends of the secrets that the instance has of a mode.
    fn held(&self, mode: Mode) -> Result<Vec<String>, Failure> {
        let answer = self.api("GET", "/api/stripe", None)?;
        if answer.status != 200 {
            return Err(self.unexpected("GET /api/stripe", &answer));
        }
        let answer = answer.json();
        let secrets = answer.get("signingSecrets").and_then(Value::as_array).into_iter().flatten();
        let secrets = secrets.filter(|secret| text(secret, "mode") == mode.as_str());
        Ok(secrets.map(|secret| text(secret, "lastFour").to_owned()).collect())
    }

    fn kept_file(&self, mode: Mode) -> PathBuf {
        self.data.join(format!("stripe-{}.json", mode.as_str()))
    }

    fn kept(&self, mode: Mode) -> Result<Option<Kept>, Failure> {
        let path = self.kept_file(mode);
        let Some(file) = files::read_if_any(&path)? else { return Ok(None) };
        let file: Value = serde_json::from_str(&file).or_fail(|| format!("{} is damaged", path.display()))?;
        Ok(Some(Kept { id: text(&file, "id").to_owned(), secret: text(&file, "secret").to_owned() }))
    }

    fn keep(&self, mode: Mode, id: &str, secret: &str) -> Result<Kept, Failure> {
        if secret.is_empty() {
            return Err(Failure::new(
                "Stripe made an endpoint and did not tell its secret: run the same command again",
            ));
        }
        files::write_private(&self.kept_file(mode), &json!({"id": id, "secret": secret}).to_string())?;
        Ok(Kept { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// Sends an event of a kind that states nothing, signed like Stripe's: the whole way is tried, no figure moves.
    fn test_event(&self, mode: Mode) -> Result<String, Failure> {
        let Some(kept) = self.kept(mode)? else { return Ok("left out: no signing secret here".into()) };
        let now = clock::now_secs();
        let body = json!({
            "id": format!("evt_pimms_deploy_{now}"), "object": "event", "type": "pimms.deploy_test",
            "created": now, "livemode": mode == Mode::Live, "data": {"object": {}},
        });
        let body = body.to_string();
        let answer = self
            .client
            .post(&self.webhook_path())
            .header("stripe-signature", &sign(&body, &kept.secret, now))
            .header("content-type", "application/json")
            .body(body)
            .send()?;
        if answer.status == 200 {
            Ok("accepted".into())
        } else {
            Err(self.unexpected("the test event", &answer))
        }
    }

    fn webhook_path(&self) -> String {
        format!("/stripe/webhook/{}", self.identity.workspace_id)
    }

    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let request = self.client.request(method, path).bearer(&self.identity.api_key);
        match body {
            Some(body) => request.json(body).send(),
            None => request.send(),
        }
    }

    fn unexpected(&self, what: &str, answer: &Answer) -> Failure {
        Failure::new(format!("{what}: {} answered {} {}", self.url, answer.status, answer.text()))
    }
}

/// `Acme & Söhne` → `acme-s-hne`; `main` when that leaves too little.
fn slug(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let parts: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let slug = parts.join("-");
    if slug.len() < 3 { "main".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        for (name, expected) in [("Main", "main"), ("Acme & Co", "acme-co"), (" x ", "main"), ("a--b", "a-b")]
        {
            assert_eq!(slug(name), expected, "{name}");
        }
    }
}
