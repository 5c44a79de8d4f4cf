//! The instance itself: it answers, keeps its state over a power cut, and leaves nothing behind.

use std::thread::sleep;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::identity::Identity;
use pimms_cli::instance::Instance;
use pimms_cli::seed::{DEMO_DESTINATION, DEMO_KEY};
use pimms_cli::stripe::{Event, Session};
use serde_json::{Value, json};

use crate::money::{Provider, of_the_bank};
use crate::shared;
use crate::support::Workspace;

#[test]
fn it_answers() {
    let answer = shared().client().get("/_pimms/health").send().unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})), "{}", shared().log());
}

#[test]
fn it_starts_again_after_a_power_cut() {
    let mut instance = Instance::start().unwrap();
    let folder = instance.folder().to_path_buf();
    let before = instance.ready().url.clone();
    instance.kill9();
    assert!(instance.client().get("/_pimms/health").send().is_err(), "nothing may answer after a kill");
    instance.restart().unwrap();
    assert_ne!(instance.ready().url, before);
    let answer = instance.client().get(&format!("/{DEMO_KEY}")).send().unwrap();
    assert_eq!(answer.status, 302, "{}\n{}", answer.text(), instance.log());
    assert!(answer.header("location").is_some_and(|to| to.starts_with(DEMO_DESTINATION)), "{answer:?}");
    drop(instance);
    assert!(!folder.exists(), "{} was left behind", folder.display());
}

#[test]
fn a_workspace_sees_when_stripe_last_spoke_to_it() {
    let acme = Workspace::new("health");
    let row = || {
        let table = acme.call("GET", "/health", None).1;
        let rows = table["checks"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["name"] == "last-webhook").unwrap()["status"].clone()
    };
    assert_eq!(row(), "yellow");
    acme.stripe(&Event::new("checkout.session.completed", Session::paid("cs_health").amount(100, "usd")));
    assert_eq!(row(), "green");
}

/// An instance with a malformed secret, whose rates come from a stand-in.
#[test]
fn what_is_wrong_has_its_row_and_strangers_learn_only_that_something_is() {
    let provider = Provider::start();
    let variables = [("FX_URL", provider.url.as_str()), ("CLICK_ID_KEYS", "1:short")];
    let instance = Instance::start_with(&variables).unwrap();
    let token = Identity::load_or_create(instance.folder()).unwrap().bootstrap_token;
    let key = instance.ready().api_key.clone();
    let ask = |bearer: &str| {
        let answer = instance.client().get("/api/health").bearer(bearer).send().unwrap();
        (answer.status, answer.json())
    };
    let row = |bearer: &str, name: &str| {
        let (status, answer) = ask(bearer);
        let rows = answer["checks"].as_array().unwrap_or_else(|| panic!("{status} {answer}")).clone();
        let row = rows.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{answer}"));
        (
            row["status"].as_str().unwrap().to_owned(),
            row["figure"].as_str().unwrap().to_owned(),
            row["action"].clone(),
        )
    };
    let is = |name: &str, status: &str, figure: &str| {
        let found = row(&token, name);
        assert_eq!(found.0, status, "{name}: {found:?}\n{}", instance.log());
        assert!(found.1.contains(figure), "{name}: {found:?}");
        assert_eq!(found.2 == "", status == "green", "{name}: {found:?}");
    };

    is("bindings", "green", "complete");
    is("secrets", "red", "CLICK_ID_KEYS");
    is("kv", "green", "answers");
    is("schema", "green", "_");
    is("crons", "yellow", "none");
    is("exchange-rates", "yellow", "none");
    is("dead-letters", "green", "0");
    is("last-webhook", "yellow", "none");
    is("outbox", "green", "empty");

    // The dead letter takes its ten attempts meanwhile.
    let faults = |body: &Value| instance.client().request("PUT", "/_pimms/faults").json(body).send().unwrap();
    assert_eq!(faults(&json!({"unreadable": true})).status, 200);
    provider.answers(200, &of_the_bank("2020-01-02", "200"));
    let cron = instance.client().post("/_pimms/cron?cron=0+5+*+*+*").send().unwrap();
    assert_eq!(cron.status, 200, "{}", instance.log());
    is("exchange-rates", "red", "2020-01-02");
    is("crons", "green", "s ago");

    let refused = instance.client().post(&format!("/stripe/webhook/{}", instance.ready().workspace_id));
    assert_eq!(refused.header("stripe-signature", "t=1,v1=00").body("{}").send().unwrap().status, 400);
    is("webhook-failures", "yellow", "refused");
    // Without keys no click id can be checked: what comes is refused for Stripe to repeat.
    let paid = Event::new("checkout.session.completed", Session::paid("cs_h").amount(100, "usd"));
    let paid = paid.sign(&instance.ready().webhook_secret, now_secs()).body;
    assert_eq!(instance.webhook(&paid).unwrap().status, 503);
    is("webhook-failures", "red", "503");
    assert_eq!(row(&key, "webhook-failures").0, "red", "a key that administers sees the table");

    let limited = json!({"name": "limited", "scopes": ["links.read"]});
    let limited = instance.api("POST", "/api/tokens").json(&limited).send().unwrap();
    let limited = limited.json()["token"].as_str().unwrap_or("no key").to_owned();
    for stranger in [limited.as_str(), "pimms_000000000000000000000000", "x"] {
        assert_eq!(ask(stranger), (503, json!({"status": "failing"})), "{stranger}");
    }
    let stranger = instance.client().get("/api/health").send().unwrap();
    assert_eq!((stranger.status, stranger.json()), (503, json!({"status": "failing"})));

    let started = Instant::now();
    while row(&token, "dead-letters").1 == "0" {
        assert!(started.elapsed() < Duration::from_mins(1), "no dead letter\n{}", instance.log());
        sleep(Duration::from_millis(200));
    }
    is("dead-letters", "red", "1");
    // The cron put a message into the queue, and somebody took it.
    is("queue", "green", "behind");

    assert_eq!(faults(&json!({"d1": true})).status, 200);
    is("schema", "red", "does not answer");
    assert_eq!(ask("").0, 503);
}
