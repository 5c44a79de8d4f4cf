//! A server that answers as Stripe's API does: lists with paging, filters by time, a rate limit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use pimms_cli::target::text;
use serde_json::{Value, json};

/// The key it accepts.
pub const KEY: &str = "rk_test_fake";

/// Lists by path, newest first, as Stripe's are.
#[derive(Clone)]
pub struct FakeStripe {
    url: String,
    lists: Arc<Mutex<BTreeMap<String, Vec<Value>>>>,
    requests: Arc<AtomicUsize>,
    limited: Arc<AtomicUsize>,
    changes: Arc<AtomicUsize>,
}

impl FakeStripe {
    /// Listens until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            lists: Arc::default(),
            requests: Arc::default(),
            limited: Arc::default(),
            changes: Arc::default(),
        };
        let serving = fake.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(&stream.unwrap());
            }
        });
        fake
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests were answered 429.
    pub fn limited(&self) -> usize {
        self.limited.load(Ordering::SeqCst)
    }

    /// What `path` lists from now on.
    pub fn list(&self, path: &str, mut objects: Vec<Value>) {
        objects.sort_by_key(|object| std::cmp::Reverse(object["created"].as_i64()));
        self.lists.lock().unwrap().insert(path.to_owned(), objects);
    }

    /// What `path` lists now.
    pub fn listed(&self, path: &str) -> Vec<Value> {
        self.lists.lock().unwrap().get(path).cloned().unwrap_or_default()
    }

    /// Changes a field of a webhook endpoint, as its owner may.
    pub fn change(&self, id: &str, field: &str, value: Value) {
        let mut lists = self.lists.lock().unwrap();
        let list = lists.get_mut("/v1/webhook_endpoints").unwrap();
        list.iter_mut().find(|object| object["id"] == id).unwrap()[field] = value;
    }

    /// How many webhook endpoints were made, changed or deleted by request.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    /// One request per connection.
    fn answer(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut lines = reader.by_ref().lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let length = headers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
        });
        let mut body = String::new();
        reader.take(length.unwrap_or(0)).read_to_string(&mut body).unwrap();
        let allowed = headers.iter().any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("authorization") && value.trim() == format!("Bearer {KEY}")
            })
        });
        let target = first.split(' ').nth(1).unwrap_or_default();
        let (status, body) = if !allowed {
            (401, json!({"error": {"message": "Invalid API Key provided"}}))
        } else if self.requests.fetch_add(1, Ordering::SeqCst) % 4 == 1 {
            self.limited.fetch_add(1, Ordering::SeqCst);
            (429, json!({"error": {"message": "Too many requests"}}))
        } else if let Some(path) =
            target.strip_prefix("/v1/webhook_endpoints").filter(|_| !first.starts_with("GET"))
        {
            (200, self.changed(first.starts_with("DELETE"), path.trim_start_matches('/'), &body))
        } else {
            self.page(target)
        };
        let body = body.to_string();
        let more = if status == 429 { "Retry-After: 0\r\n" } else { "" };
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Connection: close\r\n");
        let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
    }

    /// Makes, changes or deletes a webhook endpoint; its secret is told when it is made, and never again.
    fn changed(&self, is_deletion: bool, id: &str, form: &str) -> Value {
        let number = self.changes.fetch_add(1, Ordering::SeqCst);
        let mut lists = self.lists.lock().unwrap();
        let list = lists.get_mut("/v1/webhook_endpoints").unwrap();
        if is_deletion {
            list.retain(|object| object["id"] != id);
            return json!({"id": id, "deleted": true});
        }
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let all = |name: &str| {
            let found = fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
            found.collect::<Vec<String>>()
        };
        let events = json!(all("enabled_events[]"));
        if let Some(object) = list.iter_mut().find(|object| object["id"] == id) {
            object["enabled_events"] = events;
            return object.clone();
        }
        let mut object = json!({
            "id": format!("we_{number}"), "created": 2, "status": "enabled",
            "url": all("url").concat(), "enabled_events": events,
        });
        list.push(object.clone());
        object["secret"] = json!(format!("whsec_madebythestandin{number:04}"));
        object
    }

    fn page(&self, target: &str) -> (u16, Value) {
        let url = url::Url::parse(&format!("http://stripe{target}")).unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        let lists = self.lists.lock().unwrap();
        let Some(list) = lists.get(url.path()) else {
            return (404, json!({"error": {"message": format!("Unrecognized request URL {}", url.path())}}));
        };
        let created = |object: &Value| object["created"].as_i64().unwrap_or(0);
        let (from, to) = (number("created[gte]").unwrap_or(0), number("created[lte]").unwrap_or(i64::MAX));
        let found: Vec<&Value> = list.iter().filter(|o| (from..=to).contains(&created(o))).collect();
        let start = match query.get("starting_after") {
            None => 0,
            Some(id) => found.iter().position(|o| text(o, "id") == id).map_or(found.len(), |at| at + 1),
        };
        let limit = usize::try_from(number("limit").unwrap_or(10).clamp(1, 100)).unwrap();
        let page: Vec<&Value> = found.iter().skip(start).take(limit).copied().collect();
        let has_more = start + page.len() < found.len();
        (200, json!({"object": "list", "url": url.path(), "has_more": has_more, "data": page}))
    }
}
