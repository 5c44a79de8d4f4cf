//! Outbound webhooks: what is told, once, how it is signed, and what happens when nobody listens.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::project::Project;
use pimms_cli::stripe::{Build, Charge, Dispute, Event, Session};
use serde_json::{Value, json};

use crate::shared;
use crate::support::{Workspace, refused};
use crate::webhook_receiver::{Message, Receiver};

/// Makes a webhook: its id and its secret, which is shown this once.
fn webhook(workspace: &Workspace, url: &str, triggers: &[&str]) -> (String, String) {
    let made = workspace.post("/webhooks", &json!({"name": "Shop", "url": url, "triggers": triggers}));
    (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

fn of<'a>(messages: &'a [Message], event: &str) -> Vec<&'a Message> {
    messages.iter().filter(|message| message.event() == event).collect()
}

/// The states of a webhook's log, once none waits.
fn settled(workspace: &Workspace, id: &str, deliveries: usize) -> Value {
    workspace.settles(&format!("/webhooks/{id}/events"), |log| {
        let log = log.as_array().unwrap();
        log.len() == deliveries && log.iter().all(|row| row["state"] != "waiting")
    })
}

const ALL: [&str; 8] = [
    "link.created",
    "link.updated",
    "link.deleted",
    "link.clicked",
    "lead.created",
    "sale.created",
    "sale.refunded",
    "sale.disputed",
];

#[test]
fn a_story_is_told_once_each_and_signed_in_both_forms() {
    let workspace = Workspace::new("webhooks-story");
    let receiver = Receiver::start();
    let body = json!({"name": "All", "url": receiver.url("/all"), "triggers": ALL, "allLinks": true});
    let made = workspace.post("/webhooks", &body);
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_") && secret.len() == 38, "{secret}");

    let (link, click) = workspace.clicked("launch");
    receiver.wait("/all", 2);
    workspace.post(
        "/track/lead",
        &json!({"clickId": click, "eventName": "Sign up", "externalId": "u1", "customerName": "Ada",
            "customerEmail": "ada@example.com", "metadata": {"plan": "pro"}}),
    );
    receiver.wait("/all", 3);
    let session = Session::paid("cs_h").amount(4900, "usd").intent("pi_h").customer("cus_h");
    let sale =
        Event::new("checkout.session.completed", session.metadata("pimmsCustomerId", "u1")).at(now_secs());
    workspace.stripe(&sale);
    receiver.wait("/all", 4);
    let charge = Charge::succeeded("ch_h").intent("pi_h").customer("cus_h").amount(4900, "usd").refunded(900);
    let refund = Event::new("charge.refunded", charge).at(now_secs());
    workspace.stripe(&refund);
    receiver.wait("/all", 5);
    let dispute = Dispute::opened("dp_h", "ch_h").intent("pi_h").amount(4000, "usd");
    let dispute = Event::new("charge.dispute.funds_withdrawn", dispute).at(now_secs());
    workspace.stripe(&dispute);
    receiver.wait("/all", 6);
    assert_eq!(workspace.call("PATCH", &format!("/links/{link}"), Some(&json!({"title": "New"}))).0, 200);
    receiver.wait("/all", 7);
    assert_eq!(workspace.call("DELETE", &format!("/links/{link}"), None).0, 200);
    let told = receiver.wait("/all", 8);

    let kinds: BTreeSet<&str> = told.iter().map(Message::event).collect();
    assert_eq!(kinds, BTreeSet::from(ALL));
    let ids: BTreeSet<&str> = told.iter().map(|m| m.body["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), told.len()), (8, 8));
    for message in &told {
        message.verify(secret);
        assert!(message.id().starts_with("msg_"), "{}", message.id());
    }
    let lead = &of(&told, "lead.created")[0].body["data"];
    assert_eq!((lead["click"]["id"].as_str(), lead["link"]["id"].as_str()), (Some(&*click), Some(&*link)));
    assert_eq!(lead["customer"]["email"], "ada@example.com");
    assert_eq!(lead["metadata"], json!({"plan": "pro"}));
    let sale_told = &of(&told, "sale.created")[0].body["data"];
    assert_eq!((&sale_told["sale"]["amount"], &sale_told["sale"]["currency"]), (&json!(4900), &json!("usd")));
    assert_eq!(sale_told["link"]["sales"], 1, "the link's figures include the sale");
    assert_eq!(
        of(&told, "sale.refunded")[0].body["data"]["refund"],
        json!({"amount": 900, "total": 900, "currency": "usd"})
    );
    assert_eq!(
        of(&told, "sale.disputed")[0].body["data"]["dispute"],
        json!({"amount": 4000, "total": 4000, "currency": "usd"})
    );
    assert_eq!(of(&told, "link.updated")[0].body["data"]["title"], "New");

    // What Stripe says again is nothing new; nor is a rebuild of the read model.
    for event in [&sale, &refund, &dispute] {
        workspace.stripe(event);
    }
    workspace.post("/ledger/rebuild", &json!({}));
    let log = settled(&workspace, id, 8);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.at("/all").len(), 8);
    for row in log.as_array().unwrap() {
        assert_eq!(
            (&row["http_status"], &row["state"], &row["attempts"]),
            (&json!(200), &json!("delivered"), &json!(1))
        );
        assert_eq!(row["response_body"], "200 it is");
        let sent = told.iter().find(|message| message.body["id"] == row["event_id"]).unwrap();
        assert_eq!((&sent.body, sent.id()), (&row["request_body"], row["message_id"].as_str().unwrap()));
    }
}

#[test]
fn only_listed_links_tell_of_clicks() {
    let workspace = Workspace::new("webhooks-clicks");
    let receiver = Receiver::start();
    let link = workspace
        .post("/links", &json!({"domain": workspace.domain, "key": "told", "url": "https://shop.example/"}));
    let body = json!({"name": "Clicks", "url": receiver.url("/clicks"), "linkIds": [link["id"]]});
    let made = workspace.post("/webhooks", &body);
    assert_eq!(made["triggers"], json!(["link.clicked"]));
    workspace.clicked("silent");
    let clicks = [126, 127].map(|chrome| workspace.click("told", chrome));
    let told = receiver.wait("/clicks", 2);
    workspace.settles(&format!("/links/{}", link["id"].as_str().unwrap()), |link| link["clicks"] == 2);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(receiver.at("/clicks").len(), 2);
    for message in &told {
        assert_eq!((message.event(), &message.body["data"]["link"]["key"]), ("link.clicked", &json!("told")));
        message.verify(made["secret"].as_str().unwrap());
    }
    let ids: BTreeSet<&str> = told.iter().map(|m| m.body["data"]["click"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, clicks.iter().map(String::as_str).collect());
}

#[test]
fn what_fails_is_tried_again_under_the_same_id_put_aside_and_delivered_again() {
    let workspace = Workspace::new("webhooks-retries");
    let receiver = Receiver::start();
    let (flaky, secret) = webhook(&workspace, &receiver.url("/status/503/2"), &["link.created"]);
    let (gone, _) = webhook(&workspace, &receiver.url("/status/410"), &["link.created"]);
    let (moved, _) = webhook(&workspace, &receiver.url("/status/302"), &["link.created"]);
    let (down, _) = webhook(&workspace, &receiver.url("/open"), &["link.created"]);
    receiver.becomes(500);
    workspace.post("/links", &json!({"domain": workspace.domain, "url": "https://shop.example/"}));

    let tried = receiver.wait("/status/503/2", 3);
    assert!(tried.iter().all(|m| m.id() == tried[0].id() && m.text == tried[0].text), "{tried:?}");
    for message in &tried {
        message.verify(&secret);
    }
    let row = &settled(&workspace, &flaky, 1)[0];
    assert_eq!(
        (&row["state"], &row["attempts"], &row["http_status"]),
        (&json!("delivered"), &json!(3), &json!(200))
    );
    // 410: never again.
    let row = &settled(&workspace, &gone, 1)[0];
    assert_eq!(
        (&row["state"], &row["attempts"], &row["http_status"]),
        (&json!("dead"), &json!(1), &json!(410))
    );
    // Redirects lead nobody anywhere.
    let row = &settled(&workspace, &moved, 1)[0];
    assert_eq!(
        (&row["state"], &row["attempts"], &row["http_status"]),
        (&json!("dead"), &json!(8), &json!(302))
    );
    assert!(receiver.at("/stolen").is_empty());

    let row = settled(&workspace, &down, 1)[0].clone();
    assert_eq!(
        (&row["state"], &row["attempts"], &row["http_status"]),
        (&json!("dead"), &json!(8), &json!(500))
    );
    assert_eq!(workspace.get(&format!("/webhooks/{down}"))["consecutiveFailures"], 1);
    receiver.becomes(200);
    let event = row["event_id"].as_str().unwrap();
    let again = format!("/webhooks/{down}/events/{event}/redeliver");
    assert_eq!(workspace.call("POST", &again, None).0, 202);
    let tried = receiver.wait("/open", 9);
    assert_eq!((tried[8].id(), &tried[8].text), (tried[0].id(), &tried[0].text));
    assert_eq!(settled(&workspace, &down, 1)[0]["state"], "delivered");
    assert_eq!(workspace.get(&format!("/webhooks/{down}"))["consecutiveFailures"], 0);
    let stranger = Workspace::new("webhooks-stranger");
    refused(&stranger.call("POST", &again, None), 404, "not_found");
}

#[test]
fn twenty_failures_in_a_row_disable_until_somebody_enables() {
    let workspace = Workspace::new("webhooks-disabled");
    let receiver = Receiver::start();
    let (id, _) = webhook(&workspace, &receiver.url("/open"), &["link.created"]);
    receiver.becomes(410);
    let bulk: Vec<Value> = (0..22)
        .map(|n| json!({"domain": workspace.domain, "key": format!("b{n}"), "url": "https://shop.example/"}))
        .collect();
    workspace.post("/links/bulk", &json!(bulk));
    let one = format!("/webhooks/{id}");
    let disabled = workspace.settles(&one, |webhook| !webhook["disabledAt"].is_null());
    assert!(disabled["consecutiveFailures"].as_i64().unwrap() >= 20, "{disabled}");
    settled(&workspace, &id, 22);
    let before = receiver.at("/open").len();
    assert!((20..=22).contains(&before), "{before}");
    receiver.becomes(200);
    workspace.post("/links", &json!({"domain": workspace.domain, "url": "https://shop.example/unheard"}));
    let event = workspace.get(&format!("{one}/events"))[0]["event_id"].as_str().unwrap().to_owned();
    refused(&workspace.call("POST", &format!("{one}/events/{event}/redeliver"), None), 409, "conflict");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(receiver.at("/open").len(), before, "nothing is sent while it is disabled");
    let enabled = workspace.post(&format!("{one}/enable"), &json!({}));
    assert_eq!((&enabled["disabledAt"], &enabled["consecutiveFailures"]), (&Value::Null, &json!(0)));
    workspace.post("/links", &json!({"domain": workspace.domain, "url": "https://shop.example/heard"}));
    let told = receiver.wait("/open", before + 1);
    assert_eq!(told[before].body["data"]["url"], "https://shop.example/heard");
}

#[test]
fn settings_are_checked_and_secrets_shown_once() {
    let workspace = Workspace::new("webhooks-settings");
    let receiver = Receiver::start();
    let url = receiver.url("/settings");
    let (id, secret) = webhook(&workspace, &url, &["link.created"]);
    let one = format!("/webhooks/{id}");
    for shown in [
        workspace.get(&one),
        workspace.get("/webhooks")[0].clone(),
        workspace.patch(&one, &json!({"name": "Other"})),
    ] {
        assert_eq!(shown["secret"], format!("whsec_...{}", &secret[secret.len() - 4..]));
    }
    let again = json!({"name": "Again", "url": url, "triggers": ["link.created"]});
    refused(&workspace.call("POST", "/webhooks", Some(&again)), 409, "conflict");
    let unknown = json!({"name": "x", "url": receiver.url("/x"), "linkIds": ["link_nobodys"]});
    refused(&workspace.call("POST", "/webhooks", Some(&unknown)), 400, "bad_request");
    for url in [
        "http://example.com/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00::1]/",
        "https://0x7f000001.example.internal/",
        "https://printer.local/",
        "ftp://example.com/",
        "https://user:pass@example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://100.64.0.1/",
        "http://0.0.0.0/",
        "https://[::ffff:10.0.0.1]/",
        "https://metadata.google.internal/",
    ] {
        let body = json!({"name": "x", "url": url, "triggers": ["link.created"]});
        refused(&workspace.call("POST", "/webhooks", Some(&body)), 422, "unprocessable_entity");
        refused(&workspace.call("PATCH", &one, Some(&json!({"url": url}))), 422, "unprocessable_entity");
    }
    // Both secrets sign for a day.
    let rotated = workspace.post(&format!("{one}/rotate-secret"), &json!({}));
    let newer = rotated["secret"].as_str().unwrap();
    assert_ne!(newer, secret);
    let tried = workspace.post(&format!("{one}/test"), &json!({"trigger": "sale.refunded"}));
    assert_eq!((&tried["http_status"], &tried["event"]), (&json!(200), &json!("sale.refunded")));
    let told = receiver.wait("/settings", 1);
    told[0].verify(newer);
    assert_eq!(told[0].header("webhook-signature").split(' ').count(), 2);
    assert_eq!(workspace.get(&format!("{one}/events")), json!([]), "a sample is not logged");
    let stranger = Workspace::new("webhooks-other");
    for (method, path) in [
        ("GET", one.clone()),
        ("PATCH", one.clone()),
        ("DELETE", one.clone()),
        ("POST", format!("{one}/test")),
    ] {
        refused(
            &stranger.call(method, &path, Some(&json!({})).filter(|_| method != "GET")),
            404,
            "not_found",
        );
    }
    assert_eq!(workspace.call("DELETE", &one, None), (200, json!({"id": id})));
    refused(&workspace.call("GET", &one, None), 404, "not_found");
}

#[test]
fn what_becomes_one_customer_is_told_once() {
    let workspace = Workspace::new("webhooks-merge");
    let receiver = Receiver::start();
    webhook(&workspace, &receiver.url("/merge"), &["lead.created", "sale.created"]);
    let (_, click) = workspace.clicked("merge");
    // Known by your id with a lead, known by Stripe's with a payment, and found to be one by the third event.
    workspace.post("/track/lead", &json!({"clickId": click, "eventName": "Sign up", "externalId": "m1"}));
    receiver.wait("/merge", 1);
    let guest = Session::paid("cs_m1").amount(700, "usd").intent("pi_m1").customer("cus_m");
    workspace.stripe(&Event::new("checkout.session.completed", guest).at(now_secs()));
    let known = Session::paid("cs_m2").amount(800, "usd").intent("pi_m2").customer("cus_m");
    let known =
        Event::new("checkout.session.completed", known.metadata("pimmsCustomerId", "m1")).at(now_secs());
    workspace.stripe(&known);
    let told = receiver.wait("/merge", 3);
    workspace.stripe(&known);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.at("/merge").len(), 3, "{:?}", receiver.at("/merge"));
    let mut amounts: Vec<i64> = of(&told, "sale.created")
        .iter()
        .map(|m| m.body["data"]["sale"]["amount"].as_i64().unwrap())
        .collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [700, 800]);
}

#[test]
fn a_forgotten_person_is_gone_from_the_log() {
    let workspace = Workspace::new("webhooks-person");
    let receiver = Receiver::start();
    let body = json!({"name": "All", "url": receiver.url("/person"), "triggers": ["lead.created"], "allLinks": true});
    let id = workspace.post("/webhooks", &body)["id"].as_str().unwrap().to_owned();
    let (_, click) = workspace.clicked("person");
    let lead = json!({"clickId": click, "eventName": "Sign up", "externalId": "p1", "customerEmail": "mark@example.com"});
    workspace.post("/track/lead", &lead);
    receiver.wait("/person", 2);
    let log = settled(&workspace, &id, 2).to_string();
    assert!(log.contains("mark@example.com") && log.contains(&click), "{log}");
    assert_eq!(workspace.call("DELETE", "/customers/ext_p1", None).0, 200);
    workspace.settles(&format!("/webhooks/{id}/events"), |log| {
        let rows = log.as_array().unwrap();
        rows.iter().all(|row| row["request_body"].is_null()) && !log.to_string().contains("mark@example.com")
    });
    assert!(!shared().log().contains("mark@example.com"));
}

#[test]
fn a_person_who_is_forgotten_while_a_message_is_under_way_stays_forgotten() {
    let workspace = Workspace::new("webhooks-under-way");
    let receiver = Receiver::start();
    let body =
        json!({"name": "Slow", "url": receiver.url("/slow"), "triggers": ["lead.created"], "allLinks": true});
    let id = workspace.post("/webhooks", &body)["id"].as_str().unwrap().to_owned();
    let (_, click) = workspace.clicked("slow");
    let lead = json!({"clickId": click, "eventName": "Sign up", "externalId": "s1", "customerEmail": "late@example.com"});
    workspace.post("/track/lead", &lead);
    // It has arrived and is not answered yet.
    let is_lead = |message: &Message| message.event() == "lead.created";
    let started = Instant::now();
    while !receiver.at("/slow").iter().any(is_lead) {
        assert!(started.elapsed() < Duration::from_secs(40), "{}", shared().log());
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(workspace.call("DELETE", "/customers/ext_s1", None).0, 200);
    let log = workspace.settles(&format!("/webhooks/{id}/events"), |log| {
        log.as_array()
            .unwrap()
            .iter()
            .any(|row| row["event"] == "lead.created" && row["state"] == "delivered")
    });
    assert!(!log.to_string().contains("late@example.com"), "{log}");
    thread::sleep(Duration::from_secs(3));
    let log = workspace.get(&format!("/webhooks/{id}/events"));
    assert!(!log.to_string().contains("late@example.com"), "{log}");
}

/// Runs a program that reads a message on standard input and says whether it is genuine.
fn asked(program: &str, arguments: &[&str], message: &Value) -> Option<bool> {
    let child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(message.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    Some(String::from_utf8(output.stdout).unwrap().trim().eq_ignore_ascii_case("true"))
}

#[test]
fn the_documentation_says_how_to_check_a_message() {
    let workspace = Workspace::new("webhooks-documented");
    let receiver = Receiver::start();
    let (id, secret) = webhook(&workspace, &receiver.url("/documented"), &["sale.created"]);
    workspace.post(&format!("/webhooks/{id}/test"), &json!({}));
    let told = &receiver.wait("/documented", 1)[0];
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), told.header(name).into())).collect();
    let page = fs::read_to_string(Project::find().unwrap().path("docs/webhooks.md")).unwrap();
    let block = |fence: &str| page.split(fence).nth(1).unwrap().split("```").next().unwrap().to_owned();
    let node = format!(
        "{}\nimport {{ readFileSync }} from 'node:fs';\nconst m = JSON.parse(readFileSync(0));\n\
         console.log(isGenuine(m.headers, m.body, m.secret));",
        block("```js webhook\n").replace("export function", "function")
    );
    let python = format!(
        "{}\nimport json, sys\nm = json.load(sys.stdin)\n\
         print(is_genuine(m['headers'], m['body'].encode(), m['secret']))",
        block("```python\n")
    );
    for (body, secret, expected) in [
        (told.text.as_str(), secret.as_str(), true),
        (&told.text.replace("4900", "9900"), &secret, false),
        (&told.text, "whsec_0123456789abcdef0123456789abcdef", false),
    ] {
        let message = json!({"headers": headers, "body": body, "secret": secret});
        assert_eq!(
            asked("node", &["--input-type=module", "-e", &node], &message),
            Some(expected),
            "{message}"
        );
        // Not every machine has Python.
        assert_ne!(asked("python3", &["-c", &python], &message), Some(!expected), "{message}");
    }
}
