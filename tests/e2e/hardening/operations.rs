//! Every operation of the API's document as a request that could be sent: a path with ids in it, and the body of
//! its example.

use std::sync::LazyLock;

use pimms_cli::http_client::{Answer, Request};
use serde_json::Value;

use crate::openapi_document::{Document, Operation};
use crate::shared;

/// The document, read once.
pub static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::read);

/// How an operation lets its caller in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// By a secret key of a workspace.
    Key,
    /// By a key that stands in pages.
    Publishable,
    /// Open, or by a signature of its own.
    Open,
}

/// An operation, ready to be filled in.
#[derive(Clone)]
pub struct Call {
    /// `getLink`
    pub id: String,
    /// `GET`
    pub method: String,
    /// With `{…}`, without `/api`.
    pub path: String,
    /// What it is below of.
    pub base: String,
    /// Who comes in.
    pub door: Door,
    /// Names of its query's parameters.
    pub query: Vec<String>,
    /// Those of them that it cannot do without.
    pub required: Vec<String>,
    /// The example of its body, when it has one.
    pub body: Option<Value>,
}

impl Call {
    fn of(operation: &Operation<'_>) -> Self {
        let door = match operation.said.get("security") {
            None => Door::Key,
            Some(doors) if doors[0]["PublishableKey"].is_array() => Door::Publishable,
            Some(_) => Door::Open,
        };
        let parameters = DOCUMENT.parameters(operation);
        let queries = parameters.iter().filter(|found| found["in"] == "query");
        let name = |found: &&&Value| found["name"].as_str().unwrap().to_owned();
        let content = &operation.said["requestBody"]["content"]["application/json"];
        let named = content["examples"].as_object().and_then(|all| all.values().next());
        let example = content.get("example").or_else(|| named.map(|found| &found["value"])).cloned();
        Self {
            id: operation.said["operationId"].as_str().unwrap().to_owned(),
            method: operation.method.to_uppercase(),
            path: operation.path.to_owned(),
            base: operation.base.to_owned(),
            door,
            query: queries.clone().map(|found| name(&found)).collect(),
            required: queries.filter(|found| found["required"] == true).map(|found| name(&found)).collect(),
            body: content
                .is_object()
                .then(|| example.unwrap_or_else(|| Value::Object(serde_json::Map::new()))),
        }
    }

    /// `links` of `/links/{id}`.
    pub fn resource(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// Names of the parameters in its path.
    pub fn places(&self) -> Vec<&str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// Whether it is about one thing, which its path names.
    pub fn is_about_one(&self) -> bool {
        !self.places().is_empty() && self.resource() != "analytics"
    }

    /// The request, with `fill` in place of what the path leaves open, this query and this body.
    pub fn request(
        &self,
        fill: impl Fn(&str) -> String,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Request<'static> {
        let request = shared().client().request(&self.method, &self.address(fill, query));
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Where it goes, so filled.
    pub fn address(&self, fill: impl Fn(&str) -> String, query: &[(String, String)]) -> String {
        let mut path = self.path.clone();
        for place in self.places() {
            path = path.replace(&format!("{{{place}}}"), &encoded(&fill(place)));
        }
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        format!("{}{path}?{}", self.base, query.join("&"))
    }
}

/// Every operation, those that delete last.
pub fn calls() -> Vec<Call> {
    let mut calls: Vec<Call> = DOCUMENT.operations().iter().map(Call::of).collect();
    calls.sort_by_key(|call| call.method == "DELETE");
    assert!(calls.len() > 90, "{}", calls.len());
    calls
}

/// What must hold of any answer, whoever asked for what: it is no failure of ours, and says nothing of how we work.
pub fn is_civil(what: &str, answer: &Answer) {
    let text = answer.text();
    assert!(answer.status < 500, "{what}: {} {text}\n{}", answer.status, shared().log());
    for internal in
        ["SQLITE", "D1_ERROR", "SELECT ", "INSERT ", "panicked", ".rs:", "    at ", "RustError", "wasm"]
    {
        assert!(!text.contains(internal), "{what}: {internal:?} in {text}");
    }
    if answer.status >= 400 && answer.header("content-type") == Some("application/json") {
        let error = answer.json();
        assert!(
            error["error"]["code"].is_string() && error["error"]["message"].is_string(),
            "{what}: {text}"
        );
    }
}

/// Percent-encoded, so that it is one part of a path or one value of a query.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
