//! Stripe's API, lists above all: paging, rate limit and back-off.
//!
//! Source: Stripe, "Pagination" (`limit`, `starting_after`, `has_more`) and "Rate limits" (429).

use std::collections::VecDeque;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::http_client::{Answer, Client, Request};
use crate::target::text;

/// Stripe's largest page.
const PAGE: usize = 100;

/// How often one request is sent before we give up: with the pauses below, about 30 s.
const ATTEMPTS: u32 = 7;

/// The first pause after a refusal; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The version lists are asked for: invoices name what paid them only when expanded, in every version.
const API_VERSION: &str = "2025-03-31.basil";

/// How to reach Stripe.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// A restricted key (`rk_…`): `replay` and `reconcile` read events, charges and invoices, `deploy` writes webhook
    /// endpoints.
    #[arg(long, value_name = "KEY", env = "STRIPE_API_KEY", hide_env_values = true)]
    pub stripe_key: Option<String>,
    /// Stripe's API, or something that answers like it.
    #[arg(long, value_name = "URL", default_value = "https://api.stripe.com")]
    pub stripe_url: String,
}

/// Stripe's API with a key.
#[derive(Debug, Clone)]
pub struct StripeApi {
    client: Client,
    key: String,
}

/// The items of a list, page after page, as they are asked for.
#[derive(Debug)]
pub struct Pages<'a> {
    api: &'a StripeApi,
    path: &'a str,
    query: String,
    page: VecDeque<Value>,
    after: Option<String>,
    more: bool,
}

impl StripeApi {
    /// With the key of the options, which must be there.
    pub fn new(options: &Access) -> Result<Self, Failure> {
        let key = options.stripe_key.clone().ok_or_else(|| {
            Failure::new("--stripe-key rk_… (or STRIPE_API_KEY) is needed to speak to Stripe")
        })?;
        // What was given is not repeated: it may be another secret.
        if !["rk_", "sk_"].iter().any(|prefix| key.starts_with(prefix)) {
            return Err(Failure::new(
                "--stripe-key (or STRIPE_API_KEY) wants a key that begins with rk_ or sk_",
            ));
        }
        Ok(Self { client: Client::new(&options.stripe_url), key })
    }

    /// Everything under `path` (`/v1/events`) that `query` asks for (`&created[gte]=…`), newest first.
    #[must_use]
    pub fn list<'a>(&'a self, path: &'a str, query: &str) -> Pages<'a> {
        Pages { api: self, path, query: query.to_owned(), page: VecDeque::new(), after: None, more: true }
    }

    /// A change: `form` are the fields of its body.
    pub fn send(&self, method: &str, path: &str, form: &[(String, String)]) -> Result<Value, Failure> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let fields = form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        // One key for all attempts: what Stripe did without telling us is not done twice.
        let key = format!("pimms-{}-{}", clock::now().0, std::process::id());
        attempt(path, || {
            let request = self.client.request(method, path).header("idempotency-key", &key);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            self.signed(request).body(body.clone()).send()
        })
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        attempt(path, || self.signed(self.client.get(path)).send())
    }

    fn signed<'a>(&self, request: Request<'a>) -> Request<'a> {
        request.bearer(&self.key).header("stripe-version", API_VERSION)
    }
}

/// Asks again while Stripe has no time.
fn attempt(path: &str, request: impl Fn() -> Result<Answer, Failure>) -> Result<Value, Failure> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let answer = request();
        match &answer {
            Ok(answer) if !may_pass(answer.status) => return read(path, answer),
            _ if attempt == ATTEMPTS => return read(path, &answer?),
            _ => {}
        }
        sleep(answer.ok().and_then(|answer| retry_after(&answer)).unwrap_or(pause));
        pause *= 2;
        attempt += 1;
    }
}

/// Whether the same request may succeed later.
fn may_pass(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Stripe's own wish, when it has one; at most a minute.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds: u64 = answer.header("retry-after")?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(60)))
}

fn read(path: &str, answer: &Answer) -> Result<Value, Failure> {
    let body = answer.json();
    if answer.status == 200 {
        return Ok(body);
    }
    let reason = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default().to_owned();
    let path = path.split('?').next().unwrap_or_default();
    Err(Failure::new(format!("Stripe answered {} to {path}: {reason}", answer.status)))
}

impl Pages<'_> {
    fn turn(&mut self) -> Result<(), Failure> {
        let after = self.after.as_deref().map(|id| format!("&starting_after={id}")).unwrap_or_default();
        let path = format!("{}?limit={PAGE}{}{after}", self.path, self.query);
        let answer = self.api.get(&path)?;
        let items = answer.get("data").and_then(Value::as_array);
        let items = items
            .ok_or_else(|| format!("no list under {}", self.path))
            .or_fail(|| "Stripe's answer".into())?;
        self.more = answer.get("has_more").and_then(Value::as_bool).unwrap_or(false) && !items.is_empty();
        self.after = items.last().map(|item| text(item, "id").to_owned());
        self.page = items.iter().cloned().collect();
        Ok(())
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Value, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && self.more
            && let Err(failure) = self.turn()
        {
            self.more = false;
            return Some(Err(failure));
        }
        self.page.pop_front().map(Ok)
    }
}
