//! What several modules need: a workspace of one's own in the shared instance.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::http_client::Answer;
use pimms_cli::identity::Identity;
use pimms_cli::instance::Instance;
use pimms_cli::stripe::Event;
use serde_json::{Value, json};

use crate::shared;

/// A workspace that no other test knows.
#[derive(Clone)]
pub struct Workspace {
    /// `ws_…`
    pub id: String,
    /// What Stripe signs its live events with.
    pub secret: String,
    /// Its API key.
    pub key: String,
    /// Its short-link domain.
    pub domain: String,
}

impl Workspace {
    /// Creates it. `name` must differ from other tests'.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let identity = Identity::generate().unwrap();
        let slug = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let domain = format!("{slug}.example");
        let body = json!({
            "workspaceId": identity.workspace_id, "name": name, "slug": slug, "domain": domain,
            "apiKey": identity.api_key,
            "signingSecrets": [
                {"mode": "live", "secret": identity.webhook_secret},
                {"mode": "test", "secret": identity.webhook_secret_test}
            ]
        });
        let token = bootstrap_token();
        let answer = shared().client().post("/_pimms/bootstrap").bearer(&token).json(&body).send().unwrap();
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), shared().log());
        Self { id: identity.workspace_id, secret: identity.webhook_secret, key: identity.api_key, domain }
    }

    /// Delivers a Stripe event to the workspace's own address; it must be accepted. Gives the verdict.
    pub fn stripe(&self, event: &Event) -> String {
        let sent = event.sign(&self.secret, now_secs());
        let request = shared().client().post(&format!("/stripe/webhook/{}", self.id));
        let answer = request.header("stripe-signature", &sent.signature).body(sent.body).send().unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["verdict"].as_str().unwrap().to_owned()
    }

    /// Makes a link and clicks it as a browser does: its id and the click's.
    pub fn clicked(&self, key: &str) -> (String, String) {
        let body = json!({"domain": self.domain, "key": key, "url": "https://shop.example/"});
        let link = self.post("/links", &body);
        (link["id"].as_str().unwrap().to_owned(), self.click(key, 126))
    }

    /// Clicks a link as Chrome of this version does: the click's id. Another version is another visitor.
    pub fn click(&self, key: &str, chrome: u32) -> String {
        let request = shared().client().get(&format!("/{key}")).header("x-pimms-host", &self.domain);
        let browser = format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36"
        );
        let answer = request.header("user-agent", &browser).send().unwrap();
        let location = answer.header("location").unwrap().to_owned();
        location.split_once("pimms_id=").unwrap().1.to_owned()
    }

    /// Reads `path` until `wanted` holds of it; the projection follows within moments.
    pub fn settles(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let found = self.get(path);
            if wanted(&found) {
                return found;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{path} stays {found}\n{}", shared().log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Any request to the API with the workspace's key: status and JSON.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, path, body);
        (answer.status, answer.json())
    }

    /// The same, as it came.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let client = shared().client();
        let mut request = client.request(method, &format!("/api{path}")).bearer(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().unwrap()
    }

    /// What a GET gives; it must succeed.
    pub fn get(&self, path: &str) -> Value {
        self.succeed("GET", path, None)
    }

    /// What a POST gives; it must succeed.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.succeed("POST", path, Some(body))
    }

    /// What a PATCH gives; it must succeed.
    pub fn patch(&self, path: &str, body: &Value) -> Value {
        self.succeed("PATCH", path, Some(body))
    }

    /// What another method gives; it must succeed.
    pub fn succeeds(&self, method: &str, path: &str, body: &Value) -> Value {
        self.succeed(method, path, Some(body))
    }

    fn succeed(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}\n{}", shared().log());
        answer
    }

    /// Where a visitor of the domain is sent, or the status when nowhere.
    pub fn visit(&self, path: &str) -> String {
        let answer = shared()
            .client()
            .get(path)
            .header("host", &self.domain)
            .header("x-pimms-host", &self.domain)
            .send()
            .unwrap();
        answer.header("location").map_or_else(|| answer.status.to_string(), str::to_owned)
    }
}

/// Does what the crons do, as if it were `now`: sums clicks and, if `purge`, deletes old ones.
pub fn upkeep(now_ms: i64, purge: bool) {
    let once = || {
        let body = json!({"now": now_ms, "purge": purge});
        let answer = shared().client().post("/_pimms/upkeep").json(&body).send().unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["steps"].as_i64().unwrap()
    };
    while once() == 10 {}
}

/// Starts the instance again with `entry` around the built Worker, which is its `./plain.js`, and another configuration.
pub fn wrap(instance: &mut Instance, entry: &str, configure: impl FnOnce(&mut Value)) {
    instance.stop();
    let build = instance.folder().join("build");
    fs::rename(build.join("entry.js"), build.join("plain.js")).unwrap();
    fs::write(build.join("entry.js"), entry).unwrap();
    let path = instance.folder().join("wrangler.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    configure(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    instance.restart().unwrap();
}

/// Insists on a refusal in the form of the contract.
pub fn refused((status, body): &(u16, Value), expected: u16, code: &str) {
    assert_eq!((*status, body["error"]["code"].as_str()), (expected, Some(code)), "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
}

fn bootstrap_token() -> String {
    Identity::load_or_create(shared().folder()).unwrap().bootstrap_token
}
