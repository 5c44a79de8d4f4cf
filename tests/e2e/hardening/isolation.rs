//! Tenants are apart: every operation, called by another workspace with the ids of the first, finds nothing,
//! changes nothing and tells nothing.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use pimms_cli::clock::now_secs;
use pimms_cli::http_client::Answer;
use pimms_cli::stripe::{Build, Customer, Event, Session};
use serde_json::{Value, json};

use super::operations::{Call, Door, calls, is_civil};
use crate::support::Workspace;

/// Stands in every text that the first workspace keeps, and in nothing that the other sends.
const MARK: &str = "zqxjkv";

/// What a workspace has: one of everything.
struct Estate {
    workspace: Workspace,
    /// Resource to the id of the one it has.
    ids: BTreeMap<String, String>,
    click: String,
}

impl Estate {
    fn new() -> Self {
        let workspace = Workspace::new("estate");
        let mut ids = BTreeMap::new();
        let marked = |text: &str| format!("{MARK} {text}");
        let tag = workspace.post("/tags", &json!({"name": marked("tag")}));
        let folder =
            workspace.post("/folders", &json!({"name": marked("folder"), "description": marked("x")}));
        let link = workspace.post(
            "/links",
            &json!({"key": "estate", "url": format!("https://{MARK}.example/"), "title": marked("title"),
                "comments": marked("comment"), "tagIds": [tag["id"]], "folderId": folder["id"],
                "externalId": "estate-link", "tenantId": "estate-tenant", "partnerId": "estate-partner",
                "utm_campaign": format!("{MARK}-campaign"), "password": format!("{MARK}-password")}),
        );
        let (_, click) = workspace.clicked("clicked");
        workspace.post(
            "/track/lead",
            &json!({"clickId": click, "eventName": marked("lead"), "externalId": "estate-customer",
                "customerName": marked("name"), "customerEmail": format!("{MARK}@shop.example"),
                "metadata": {"note": marked("note")}}),
        );
        let now = now_secs();
        let customer = Customer::new("cus_estate").metadata("pimmsCustomerId", "estate-customer");
        workspace.stripe(&Event::new("customer.created", customer).at(now + 1));
        let session =
            Session::paid("cs_estate").amount(4900, "usd").intent("pi_estate").customer("cus_estate");
        let session = session.external_id("estate-customer");
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now + 2));
        let found =
            workspace.settles("/customers?externalId=estate-customer", |found| found[0]["sales"] == 1);
        let body = json!({"name": marked("webhook"), "url": format!("https://{MARK}.example/hook"),
            "triggers": ["link.created"]});
        let webhook = workspace.post("/webhooks", &body);
        workspace.post("/links", &json!({"key": "told", "url": format!("https://{MARK}.example/told")}));
        let log = format!("/webhooks/{}/events", webhook["id"].as_str().unwrap());
        let told = workspace.settles(&log, |log| log[0]["state"] == "dead");
        let mut keep = |name: &str, value: &Value| {
            ids.insert(name.to_owned(), value.as_str().unwrap().to_owned());
        };
        keep("tags", &tag["id"]);
        keep("folders", &folder["id"]);
        keep("links", &link["id"]);
        keep("customers", &found[0]["id"]);
        keep("sales", &json!("cs_estate"));
        keep("domains", &json!(workspace.domain));
        keep("workspaces", &json!(workspace.id));
        keep("webhooks", &webhook["id"]);
        keep("deliveries", &told[0]["event_id"]);
        // Whatever else can be made from its example.
        for call in calls().iter().filter(|call| call.is_about_one() && call.door == Door::Key) {
            let resource = call.resource();
            if ids.contains_key(resource) {
                continue;
            }
            let maker = calls().into_iter().find(|m| m.method == "POST" && m.path == format!("/{resource}"));
            let maker = maker.unwrap_or_else(|| panic!("no example makes one of {resource}: make one here"));
            let mut body = maker.body.unwrap();
            body["name"] = marked("made").into();
            let made = workspace.post(&maker.path, &body);
            ids.insert(resource.to_owned(), made["id"].as_str().unwrap().to_owned());
        }
        Self { workspace, ids, click }
    }

    /// The id for a path.
    fn fill(&self, call: &Call, place: &str) -> String {
        match (call.resource(), place) {
            ("analytics", "eventOrGroup" | "event") => "clicks".to_owned(),
            ("analytics", _) => "top_links".to_owned(),
            ("webhooks", "eventId") => self.ids["deliveries"].clone(),
            (resource, _) => self.ids[resource].clone(),
        }
    }

    /// The value that names something of this workspace in a query or a body.
    fn value(&self, name: &str) -> Option<&str> {
        Some(match name {
            "linkId" | "linkIds" => &self.ids["links"],
            "tagId" | "tagIds" | "linkTagId" => &self.ids["tags"],
            "folderId" => &self.ids["folders"],
            "customerId" => &self.ids["customers"],
            "domain" => &self.workspace.domain,
            "externalId" => "estate-customer",
            "key" => "estate",
            "tenantId" => "estate-tenant",
            "partnerId" => "estate-partner",
            "clickId" => &self.click,
            _ => return None,
        })
    }

    /// The example of an operation with this workspace's ids in it.
    fn body(&self, call: &Call, owner: &Workspace) -> Option<Value> {
        let mut body = call.body.clone()?;
        if let Some(fields) = body.as_object_mut() {
            for (name, value) in fields.iter_mut() {
                match (value.is_array(), self.value(name)) {
                    (true, Some(id)) => *value = json!([id]),
                    (false, Some(id)) => *value = json!(id),
                    _ => {}
                }
            }
            for (name, value) in [("newWorkspaceId", &owner.id), ("newWorkspaceKey", &owner.key)] {
                if fields.contains_key(name) {
                    fields.insert(name.to_owned(), json!(value));
                }
            }
            if call.path.ends_with("/{id}/transfer") {
                fields.insert("domain".to_owned(), json!(owner.domain));
            }
        }
        Some(body)
    }

    /// Everything it can read of itself, once nothing moves any more.
    fn settled_picture(&self) -> BTreeMap<String, String> {
        let mut before = self.picture();
        for _ in 0..50 {
            thread::sleep(Duration::from_millis(300));
            let now = self.picture();
            if now == before {
                return now;
            }
            before = now;
        }
        panic!("the workspace does not come to rest");
    }

    fn picture(&self) -> BTreeMap<String, String> {
        let key = &self.workspace.key;
        let mut found = BTreeMap::new();
        for call in calls().iter().filter(|call| call.method == "GET" && call.door == Door::Key) {
            if ["getRandomKey", "getFxRates"].contains(&call.id.as_str()) {
                continue;
            }
            let required: Vec<_> = call.required.iter().map(|name| self.pair(name)).collect();
            let answer =
                call.request(|place| self.fill(call, place), &required, None).bearer(key).send().unwrap();
            let is_known = answer.status == 200 || !call.is_about_one();
            assert!(is_known, "its own {}: {} {}", call.id, answer.status, answer.text());
            let mut shown = answer.json();
            forget_times(&mut shown);
            let shown = if shown.is_null() { answer.text() } else { shown.to_string() };
            found.insert(call.id.clone(), shown);
        }
        found
    }

    fn pair(&self, name: &str) -> (String, String) {
        (name.to_owned(), self.value(name).unwrap_or("x").to_owned())
    }
}

/// When a key was last used moves with every picture.
fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| name != "lastUsed");
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(list) => list.iter_mut().for_each(forget_times),
        _ => {}
    }
}

/// Nothing of the first workspace is in an answer to the other, but what the other said itself.
fn tells_nothing(what: &str, estate: &Estate, answer: &Answer, sent: &str) {
    is_civil(what, answer);
    let told = format!("{}{:?}", answer.text(), answer.headers);
    assert!(!told.contains(MARK), "{what} tells {told}");
    let secrets = estate.ids.values().chain([&estate.workspace.key, &estate.workspace.secret]);
    for id in secrets.filter(|id| !sent.contains(id.as_str())) {
        assert!(!told.contains(id.as_str()), "{what} tells {id}: {told}");
    }
}

#[test]
fn another_workspace_finds_changes_and_learns_nothing_through_any_operation() {
    let estate = Estate::new();
    let stranger = Workspace::new("stranger");
    let before = estate.settled_picture();
    assert!(before.values().filter(|shown| shown.contains(MARK)).count() > 10, "the marks are to be seen");
    let mut count = 0;
    for call in calls().iter().filter(|call| call.door == Door::Key) {
        let body = estate.body(call, &stranger);
        let base: Vec<_> = call.required.iter().map(|name| estate.pair(name)).collect();
        // Alone; naming the other workspace; and with each parameter that can name something of it.
        let mut queries = vec![base.clone(), [base.clone(), vec![workspace_id(&estate)]].concat()];
        let naming = call.query.iter().filter(|name| estate.value(name).is_some());
        queries.extend(naming.map(|name| [base.clone(), vec![estate.pair(name)]].concat()));
        for query in queries {
            let fill = |place: &str| estate.fill(call, place);
            let sent = format!("{} {body:?}", call.address(fill, &query));
            let request = call.request(fill, &query, body.as_ref()).bearer(&stranger.key);
            let answer = request.header("x-workspace-id", &estate.workspace.id).send().unwrap();
            let what = format!("{} {sent}", call.id);
            tells_nothing(&what, &estate, &answer, &sent);
            if call.is_about_one() {
                assert_eq!(answer.status, 404, "{what}: {}", answer.text());
            }
            count += 1;
        }
    }
    assert!(count >= 300, "{count}");
    let after = estate.picture();
    for (id, shown) in &before {
        assert_eq!(Some(shown), after.get(id), "{id} shows something else than before");
    }
    // The same requests are right for the owner, or their refusal would prove nothing.
    let (last, first): (Vec<Call>, Vec<Call>) = calls()
        .into_iter()
        .filter(|call| call.door == Door::Key && call.is_about_one())
        .partition(|call| call.method == "DELETE");
    for call in first.iter().chain(&last) {
        if call.path.ends_with("/transfer") || call.id == "deleteDomain" {
            continue;
        }
        let body = estate.body(call, &estate.workspace);
        let request = call.request(|place| estate.fill(call, place), &[], body.as_ref());
        let answer = request.bearer(&estate.workspace.key).send().unwrap();
        is_civil(&call.id, &answer);
        assert_ne!(answer.status, 404, "{}: {}", call.id, answer.text());
        if call.method == "DELETE" && call.resource() == "tokens" {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

fn workspace_id(estate: &Estate) -> (String, String) {
    ("workspaceId".to_owned(), estate.workspace.id.clone())
}
