//! The demo workspace of a local instance, and the addresses a person or a script needs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::http_client::Client;
use crate::identity::Identity;

/// The short-link domain of the demo workspace: whatever is asked of this machine's loopback.
pub const SHORT_DOMAIN: &str = pimms_edge::core::domain::LOCAL;

/// The key of the demo link.
pub const DEMO_KEY: &str = "launch";

/// Where the demo link leads.
pub const DEMO_DESTINATION: &str = "https://example.com/pricing";

/// Where everything is, once an instance serves. One line of JSON with `--json`.
///
/// Also kept as `running.json` in the data folder while the instance runs, for the other commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// `http://127.0.0.1:8787`
    pub url: String,
    /// Base of the API.
    pub api_url: String,
    /// Bearer token of the demo workspace.
    pub api_key: String,
    /// `ws_…`
    pub workspace_id: String,
    /// The domain of the demo workspace's short links.
    pub short_domain: String,
    /// A short link to click.
    pub demo_link: String,
    /// Where Stripe would send its events.
    pub webhook_url: String,
    /// Signs events of live mode.
    pub webhook_secret: String,
    /// Signs events of test mode.
    pub webhook_secret_test: String,
    /// The web app.
    pub dashboard_url: String,
    /// The web app, signed in: once, and soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_url: Option<String>,
}

impl Ready {
    /// The addresses of an instance at `url`.
    #[must_use]
    pub fn new(url: &str, identity: &Identity) -> Self {
        Self {
            url: url.to_owned(),
            api_url: format!("{url}/api"),
            api_key: identity.api_key.clone(),
            workspace_id: identity.workspace_id.clone(),
            short_domain: SHORT_DOMAIN.to_owned(),
            demo_link: format!("{url}/{DEMO_KEY}"),
            webhook_url: format!("{url}/stripe/webhook/{}", identity.workspace_id),
            webhook_secret: identity.webhook_secret.clone(),
            webhook_secret_test: identity.webhook_secret_test.clone(),
            dashboard_url: format!("{url}/app"),
            sign_in_url: None,
        }
    }

    /// With a link that signs in to the dashboard once, within a quarter of an hour. What follows `#` is never sent to a
    /// server by a browser, nor written to a log.
    pub fn with_sign_in(mut self, client: &Client) -> Result<Self, Failure> {
        let answer = client.post("/api/session/link").bearer(&self.api_key).send()?.success()?.json();
        let token = answer.get("token").and_then(serde_json::Value::as_str);
        self.sign_in_url = token.map(|token| format!("{}#sign-in={token}", self.dashboard_url));
        Ok(self)
    }

    /// The instance that runs on this data folder.
    pub fn load(data: &Path) -> Result<Self, Failure> {
        let path = data.join("running.json");
        let text = files::read_if_any(&path)?.ok_or_else(|| {
            Failure::new(format!(
                "nothing runs on {}: start it with `cargo run` in another terminal",
                data.display()
            ))
        })?;
        serde_json::from_str(&text).or_fail(|| format!("{} is damaged", path.display()))
    }

    /// Leaves the addresses for the other commands.
    pub fn save(&self, data: &Path) -> Result<(), Failure> {
        files::write_private(&data.join("running.json"), &self.json_line()?)
    }

    /// The one line of `--json`.
    pub fn json_line(&self) -> Result<String, Failure> {
        serde_json::to_string(self).or_fail(|| "cannot write JSON".into())
    }

    /// The same for a person.
    #[must_use]
    pub fn table(&self) -> String {
        let rows = [
            ("Dashboard", &self.dashboard_url),
            ("API", &self.api_url),
            ("API key", &self.api_key),
            ("Short link", &self.demo_link),
            ("Stripe webhook", &self.webhook_url),
            ("Signing secret", &self.webhook_secret),
            ("  of test mode", &self.webhook_secret_test),
        ];
        let mut text = String::new();
        if let Some(url) = &self.sign_in_url {
            text = format!(
                "  {:<16} {url}\n  {:<16} (opens the dashboard once, for 15 minutes from now)\n",
                "Sign in", ""
            );
        }
        text.extend(rows.iter().map(|(name, value)| format!("  {name:<16} {value}\n")));
        text
    }
}

/// Creates the demo workspace with its domain, key, Stripe secrets and link. Calling it again changes nothing.
pub fn seed(client: &Client, identity: &Identity) -> Result<(), Failure> {
    let body = json!({
        "workspaceId": identity.workspace_id,
        "name": "Demo",
        "slug": "demo",
        "domain": SHORT_DOMAIN,
        "apiKey": identity.api_key,
        "signingSecrets": [
            {"mode": "live", "secret": identity.webhook_secret},
            {"mode": "test", "secret": identity.webhook_secret_test},
        ],
        "demoLink": {"key": DEMO_KEY, "url": DEMO_DESTINATION},
    });
    let answer = client.post("/_pimms/bootstrap").bearer(&identity.bootstrap_token).json(&body).send()?;
    answer.success().map(|_| ()).or_fail(|| {
        "the demo workspace could not be created; --fresh starts with an empty state. The Worker".into()
    })
}
