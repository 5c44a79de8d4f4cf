//! Redirects while stores fail, and clicks under redelivery. Instances of their own: their stores are broken on
//! purpose.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::stripe::{Event, Session};
use serde_json::json;

use crate::redirect::{CHROME, location};

fn switch(instance: &Instance, faults: &serde_json::Value) {
    let answer = instance.client().request("PUT", "/_pimms/faults").json(faults).send().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn make(instance: &Instance, key: &str) -> String {
    let body = json!({"url": format!("https://shop.example/{key}"), "key": key, "trackConversion": true});
    let answer = instance.api("POST", "/api/links").json(&body).send().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Where a browser is sent, or the status.
fn visit(instance: &Instance, key: &str, user_agent: &str) -> String {
    let request = instance.client().get(&format!("/{key}")).header("user-agent", user_agent);
    let answer = request.send().unwrap();
    let location = answer.header("location").map(|to| to.split('?').next().unwrap().to_owned());
    location.unwrap_or_else(|| answer.status.to_string())
}

fn clicks(instance: &Instance, id: &str) -> i64 {
    let answer = instance.api("GET", &format!("/api/links/{id}")).send().unwrap();
    answer.json()["clicks"].as_i64().unwrap()
}

fn settles(instance: &Instance, id: &str, count: i64) {
    let started = Instant::now();
    while clicks(instance, id) != count {
        let found = clicks(instance, id);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{found} instead of {count}\n{}",
            instance.log()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whoever comes back from a checkout is told of directly.
fn comes_back_without_queue(instance: &Instance, link_id: &str) {
    make(instance, "x/thankyou");
    let answer = instance.client().get("/known").header("user-agent", &format!("{CHROME} Edg/101.0"));
    let click = location(&answer.send().unwrap()).split_once("pimms_id=").unwrap().1.to_owned();
    let back = instance
        .client()
        .get("/x/thankyou?session_id=cs_live_q1")
        .header("cookie", &format!("pimms_id={click}"));
    assert_eq!(back.header("user-agent", CHROME).send().unwrap().status, 302);
    let session = Session::paid("cs_live_q1").amount(4900, "usd").intent("pi_q1");
    let paid = Event::new("checkout.session.completed", session).at(now_secs());
    let body = paid.sign(&instance.ready().webhook_secret, now_secs()).body;
    assert_eq!(instance.webhook(&body).unwrap().status, 200);
    let started = Instant::now();
    loop {
        let sale = instance.api("GET", "/api/sales/cs_live_q1").send().unwrap();
        if sale.status == 200 && sale.json()["receipt"]["rule"] == "thank_you" {
            assert_eq!(sale.json()["link"]["id"], link_id, "{}", sale.text());
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{}\n{}", sale.text(), instance.log());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_redirect_survives_each_store_and_clicks_are_counted_once() {
    let mut instance = Instance::start().unwrap();
    let id = make(&instance, "known");

    // The queue delivers everything twice; counters do not move twice.
    switch(&instance, &json!({"twice": true}));
    for n in 0..40 {
        assert_eq!(visit(&instance, "known", &format!("{CHROME} Edg/{n}.0")), "https://shop.example/known");
    }
    settles(&instance, &id, 40);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(clicks(&instance, &id), 40, "the second copies have come by now");

    // The queue refuses: the click goes to D1 at once.
    switch(&instance, &json!({"twice": false, "queue": true}));
    visit(&instance, "known", &format!("{CHROME} Edg/100.0"));
    settles(&instance, &id, 41);
    comes_back_without_queue(&instance, &id);
    switch(&instance, &json!({"queue": false}));

    // KV fails: a link that only D1 knows redirects.
    switch(&instance, &json!({"kv": true}));
    let fresh = json!({"url": "https://shop.example/fresh", "key": "fresh"});
    assert_eq!(
        instance.api("POST", "/api/links").json(&fresh).send().unwrap().status,
        200,
        "made without its copy"
    );
    assert_eq!(visit(&instance, "fresh", CHROME), "https://shop.example/fresh");

    // Both fail: what this isolate knows redirects; of the rest nobody can say, and the page says so.
    switch(&instance, &json!({"d1": true}));
    assert_eq!(visit(&instance, "fresh", CHROME), "https://shop.example/fresh");
    assert_eq!(visit(&instance, "unknown", CHROME), "503");

    // Memory is gone and D1 fails: KV is enough.
    instance.restart().unwrap();
    switch(&instance, &json!({"d1": true}));
    assert_eq!(visit(&instance, "known", CHROME), "https://shop.example/known");
    assert_eq!(visit(&instance, "unknown", CHROME), "503", "not 404: D1 was not asked");

    // A record that cannot be read is a miss: D1 knows.
    instance.kill9();
    let damaged = damage(&instance.folder().join("state"));
    assert!(damaged > 0, "a record of KV was damaged");
    instance.restart().unwrap();
    assert_eq!(visit(&instance, "known", CHROME), "https://shop.example/known");
    let started = Instant::now();
    while !instance.log().contains("is unreadable") {
        // What the runtime prints comes a moment later.
        assert!(started.elapsed() < Duration::from_secs(10), "an alarm\n{}", instance.log());
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(visit(&instance, "known", CHROME), "https://shop.example/known");
}

/// Overwrites every value that the local KV keeps; it keeps each in a file of its own.
fn damage(state: &Path) -> usize {
    let mut damaged = 0;
    let mut folders = vec![state.join("v3/kv")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent().is_some_and(|parent| parent.ends_with("blobs")) {
                let length = fs::read(&path).unwrap().len();
                fs::write(&path, "x".repeat(length)).unwrap();
                damaged += 1;
            }
        }
    }
    damaged
}
