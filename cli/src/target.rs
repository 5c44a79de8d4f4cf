//! The running instance a command speaks to: where it is, and what lets us in.

use std::path::PathBuf;

use clap::Args;
use pimms_edge::core::mode::Mode;
use serde_json::Value;

use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::http_client::{Answer, Client};
use crate::project::{DEFAULT_DATA, Project};
use crate::seed::{DEMO_KEY, Ready};
use crate::stripe::sign;
use crate::totals::Totals;

/// How to find the instance. Without `--url`, the one that runs on the data folder.
#[derive(Debug, Clone, Default, Args)]
pub struct Address {
    /// Where the instance is, such as `https://pimms.example.com`.
    #[arg(long, requires = "api_key")]
    url: Option<String>,
    /// Its API key.
    #[arg(long, value_name = "KEY", requires = "url")]
    api_key: Option<String>,
    /// Its Stripe signing secret of live mode (`whsec_…`).
    #[arg(long, value_name = "SECRET", requires = "url")]
    webhook_secret: Option<String>,
    /// Its Stripe signing secret of test mode.
    #[arg(long, value_name = "SECRET", requires = "url")]
    webhook_secret_test: Option<String>,
    /// Its workspace (`ws_…`), to which Stripe's events are delivered.
    #[arg(long, value_name = "ID", requires = "url")]
    workspace: Option<String>,
    /// The short link to click, when it is not the demo link.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// The data folder of the local instance.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
}

/// A link of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortLink {
    /// `link_…`
    pub id: String,
    /// Where a browser would go.
    pub url: String,
}

/// An instance that answered.
#[derive(Debug, Clone)]
pub struct Target {
    client: Client,
    base: String,
    api_key: String,
    workspace: Option<String>,
    link: Option<String>,
    secret: Option<String>,
    secret_test: Option<String>,
}

impl Target {
    /// Finds the instance and asks whether it is well.
    pub fn find(address: &Address) -> Result<Self, Failure> {
        let target = if let (Some(url), Some(api_key)) = (&address.url, &address.api_key) {
            Self {
                client: Client::new(url),
                base: url.trim_end_matches('/').to_owned(),
                api_key: api_key.clone(),
                workspace: address.workspace.clone(),
                link: address.link.clone(),
                secret: address.webhook_secret.clone(),
                secret_test: address.webhook_secret_test.clone(),
            }
        } else {
            let data = Project::find()?.data_folder(&address.data);
            Self { link: address.link.clone(), ..Self::of(&Ready::load(&data)?) }
        };
        let health = target.client.get("/_pimms/health").send();
        if health.is_ok_and(|answer| answer.status == 200) {
            return Ok(target);
        }
        Err(Failure::new(format!(
            "nothing answers at {}: start it with `cargo run` in another terminal, or name it with --url",
            target.base
        )))
    }

    /// The instance behind these addresses.
    #[must_use]
    pub fn of(ready: &Ready) -> Self {
        Self {
            client: Client::new(&ready.url),
            base: ready.url.clone(),
            api_key: ready.api_key.clone(),
            workspace: Some(ready.workspace_id.clone()),
            link: None,
            secret: Some(ready.webhook_secret.clone()),
            secret_test: Some(ready.webhook_secret_test.clone()),
        }
    }

    /// Its base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET` of the API.
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        let doing = || format!("GET {path}");
        let answer = self.client.get(path).bearer(&self.api_key).send()?.success().or_fail(doing)?;
        serde_json::from_slice(&answer.body).or_fail(doing)
    }

    /// `POST` of the API.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let doing = || format!("POST {path}");
        let answer =
            self.client.post(path).bearer(&self.api_key).json(body).send()?.success().or_fail(doing)?;
        serde_json::from_slice(&answer.body).or_fail(doing)
    }

    /// Any request to the API; the status is part of the answer.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let request = self.client.request(method, path).bearer(&self.api_key);
        match body {
            Some(body) => request.json(body).send(),
            None => request.send(),
        }
    }

    /// `GET /api/ledger/totals`.
    pub fn totals(&self) -> Result<Totals, Failure> {
        serde_json::from_value(self.get("/api/ledger/totals")?)
            .or_fail(|| "GET /api/ledger/totals gave something else than totals".into())
    }

    /// The link to click: `--link`, or the demo link.
    pub fn short_link(&self) -> Result<ShortLink, Failure> {
        let wanted = self.link.clone();
        let links = self.get("/api/links?pageSize=100")?;
        let found = links.as_array().into_iter().flatten().find(|link| match &wanted {
            Some(url) => text(link, "shortLink") == url.trim_end_matches('/'),
            None => text(link, "key") == DEMO_KEY,
        });
        let found = found.ok_or_else(|| {
            let wanted = wanted.as_deref().unwrap_or(DEMO_KEY);
            Failure::new(format!("there is no short link {wanted}: make one, or name another with --link"))
        })?;
        // A local instance serves its domains on its own address, whatever they are called.
        let local = self.base.contains("//127.0.0.1") || self.base.contains("//localhost");
        let url = if local {
            format!("{}/{}", self.base, text(found, "key"))
        } else {
            text(found, "shortLink").to_owned()
        };
        Ok(ShortLink { id: text(found, "id").to_owned(), url })
    }

    /// Delivers an event as Stripe would, signed now; the HTTP status is the answer.
    pub fn deliver(&self, mode: Mode, body: &str) -> Result<u16, Failure> {
        let (secret, option) = match mode {
            Mode::Live => (&self.secret, "--webhook-secret"),
            Mode::Test => (&self.secret_test, "--webhook-secret-test"),
        };
        let needed = |option: &str| Failure::new(format!("{option} is needed to deliver Stripe's events"));
        let secret = secret.as_deref().ok_or_else(|| needed(option))?;
        let workspace = self.workspace.as_deref().ok_or_else(|| needed("--workspace"))?;
        let answer = self
            .client
            .post(&format!("/stripe/webhook/{workspace}"))
            .header("stripe-signature", &sign(body, secret, clock::now_secs()))
            .header("content-type", "application/json")
            .body(body)
            .send()?;
        Ok(answer.status)
    }
}

/// A text field of a JSON object; `""` when there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
