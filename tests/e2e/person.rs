//! A person asks what is stored and has it removed: from every table, every ledger and KV.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::stripe::{Build, Event, Session};
use rusqlite::types::Value as Sqlite;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; personal-build-77) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Where a text is stored: tables of all databases, and files of KV.
fn places_of(state: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(state) {
        if path.extension().is_some_and(|extension| extension == "sqlite") {
            found.extend(tables_of(&path, text));
        } else if path.components().any(|part| part.as_os_str() == "kv") {
            // A log of SQLite's is gone once its database was opened and closed.
            let bytes = fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(format!("KV {}", path.display()));
            }
        }
    }
    found
}

fn tables_of(path: &Path, text: &str) -> Vec<String> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = Vec::new();
    for name in names {
        let mut rows = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let width = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..width {
                let value = match row.get::<_, Sqlite>(column).unwrap() {
                    Sqlite::Text(value) => value.into_bytes(),
                    Sqlite::Blob(value) => value,
                    _ => continue,
                };
                if value.windows(text.len()).any(|window| window == text.as_bytes()) {
                    let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
                    found.push(format!("{folder} {name}: {}", String::from_utf8_lossy(&value)));
                }
            }
        }
    }
    found
}

/// Reads until it holds.
fn settles(instance: &Instance, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let found = instance.api("GET", path).send().unwrap().json();
        if wanted(&found) {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{path} stays {found}\n{}", instance.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn all_that_is_stored_of_a_person_is_told_and_can_be_removed() {
    let mut instance = Instance::start().unwrap();
    let post = |path: &str, body: &Value| {
        let answer =
            instance.api("POST", path).header("idempotency-key", &format!("key{path}")).json(body).send();
        let answer = answer.unwrap().success().unwrap();
        answer.json()
    };
    let switch = instance.api("PATCH", &format!("/api/workspaces/{}", instance.ready().workspace_id));
    switch.json(&json!({"storeVisitorAddresses": true})).send().unwrap().success().unwrap();
    let request = instance
        .client()
        .get("/launch")
        .header("user-agent", AGENT)
        .header("cf-connecting-ip", "203.0.113.77");
    let answer =
        request.cf(json!({"country": "US", "latitude": "37.77123", "longitude": "-1"})).send().unwrap();
    let click = answer.header("location").unwrap().split_once("pimms_id=").unwrap().1.to_owned();
    let click = click.split('&').next().unwrap().to_owned();
    settles(&instance, "/api/analytics?interval=24h", |count| count["clicks"] == 1);
    let person = json!({"externalId": "person-4711", "customerName": "Ada Lovelace", "customerEmail": "ada@person.example"});
    let mut lead = person.clone();
    lead["clickId"] = json!(click);
    lead["eventName"] = json!("Sign up");
    lead["metadata"] = json!({"shoe": "size-4242"});
    post("/api/track/lead", &lead);
    let written =
        json!({"externalId": "person-4711b", "name": "Ada Lovelace", "email": "ada@person.example"});
    let second = post("/api/customers", &written);
    let session = Session::paid("cs_1")
        .amount(2000, "usd")
        .intent("pi_1")
        .customer("cus_1")
        .external_id("person-4711")
        .email("ada@person.example");
    let event = Event::new("checkout.session.completed", session).at(now_secs());
    instance.webhook(&event.body()).unwrap().success().unwrap();
    let totals =
        settles(&instance, "/api/analytics?event=sales&interval=24h", |count| count["saleAmount"] == 2000);
    let told =
        instance.api("GET", "/api/customers/ext_person-4711/export").send().unwrap().success().unwrap();
    let names = [
        "ada@person.example",
        "Ada Lovelace",
        "person-4711",
        "size-4242",
        "personal-build-77",
        "203.0.113.77",
        "37.77123",
    ];
    for name in names {
        assert!(told.text().contains(name), "{name} is not told: {}", told.text());
    }
    let second = format!("/api/customers/{}", second["id"].as_str().unwrap());
    for path in ["/api/customers/ext_person-4711", second.as_str()] {
        instance.api("DELETE", path).send().unwrap().success().unwrap();
    }
    assert_eq!(
        settles(&instance, "/api/analytics?event=sales&interval=24h", |_| true),
        totals,
        "the money stays"
    );
    // The projection follows within moments.
    settles(&instance, "/api/customers", |list| list.as_array().is_some_and(Vec::is_empty));
    thread::sleep(Duration::from_secs(1));
    instance.stop();
    let state = instance.folder().join("state");
    assert!(!places_of(&state, &click).is_empty(), "the search finds nothing at all");
    for name in names {
        assert_eq!(places_of(&state, name), Vec::<String>::new(), "{name} is still stored");
    }
}

#[test]
fn addresses_are_stored_only_when_asked_for() {
    let workspace = crate::support::Workspace::new("addresses");
    let stored = |key: &str| {
        workspace.clicked(key);
        let rows = workspace.settles("/events?event=clicks", |rows| rows[0]["link"]["key"] == *key);
        rows[0]["click"]["ip"].clone()
    };
    assert_eq!(stored("before"), "");
    workspace.patch(&format!("/workspaces/{}", workspace.id), &json!({"storeVisitorAddresses": true}));
    assert_eq!(workspace.get(&format!("/workspaces/{}", workspace.id))["storeVisitorAddresses"], true);
}
