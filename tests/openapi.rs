//! The API's document against the sources: routes, parameters, fields, words; and against itself.
//!
//! What the Worker really answers is held against it in `tests/e2e/openapi.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing step ends the test"
)]

mod openapi_document;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use openapi_document::{Document, METHODS};
use pimms_edge::core::analytics::{EVENTS, GROUPS, INTERVALS};
use pimms_edge::core::api::{customer, labels, link_filter, methods};
use pimms_edge::core::attribution::MODELS;
use pimms_edge::core::problem::Code;
use serde_json::Value;
use syn::visit::Visit;
use syn::{Arm, Expr, ItemFn, Lit, Pat};

static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::read);

/// Routes that are nobody's API: the tool that starts an instance uses the first, the dashboard's own pages the others
/// (they are refused to every other site).
const INTERNAL: [(&str, &str); 8] = [
    ("post", "/_pimms/bootstrap"),
    ("post", "/session"),
    ("get", "/session"),
    ("delete", "/session"),
    ("delete", "/session/all"),
    ("get", "/session/access"),
    ("get", "/script/check"),
    ("post", "/session/link"),
];

// ---- the document itself ----

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut used = BTreeSet::new();
    references(&DOCUMENT.whole, &mut used);
    for name in &used {
        assert!(DOCUMENT.whole.pointer(&name[1..]).is_some(), "{name} leads nowhere");
    }
    for kind in ["schemas", "parameters", "headers", "responses"] {
        for name in DOCUMENT.whole["components"][kind].as_object().unwrap().keys() {
            let name = format!("#/components/{kind}/{name}");
            assert!(used.contains(&name), "{name} is used nowhere");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(name)) = fields.get("$ref") {
                found.insert(name.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_operation_is_complete() {
    assert_eq!(DOCUMENT.whole["openapi"], "3.1.0");
    let tags: BTreeSet<&str> =
        DOCUMENT.whole["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for operation in DOCUMENT.operations() {
        let place = format!("{} {}", operation.method, operation.path);
        let said = operation.said;
        let id = said["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no operationId"));
        assert!(ids.insert(id), "{id} names two operations");
        assert!(said["summary"].is_string(), "{place} has no summary");
        assert!(tags.contains(said["tags"][0].as_str().unwrap()), "{place} has no known tag");
        let responses = said["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place} never succeeds");
        if said.get("security").is_none() {
            for status in ["400", "401", "403", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{place} says nothing of {status}");
            }
            assert!(said["x-permission"].is_string(), "{place} needs no permission");
        }
        let known = [
            "operationId",
            "tags",
            "summary",
            "description",
            "deprecated",
            "security",
            "x-permission",
            "parameters",
            "requestBody",
            "responses",
        ];
        assert_eq!(strangers(said, &known), Vec::<&String>::new(), "{place}");
        assert_eq!(
            strangers(&said["requestBody"], &["content", "required"]),
            Vec::<&String>::new(),
            "{place}"
        );
        for (status, response) in responses {
            let response = DOCUMENT.resolved(response);
            let known = ["description", "headers", "content", "x-outside-limits"];
            assert_eq!(strangers(response, &known), Vec::<&String>::new(), "{place} {status}");
            assert!(response["description"].is_string(), "{place} {status} is not described");
            let kinds: Vec<&Value> = response["content"].as_object().unwrap().values().collect();
            assert!(
                !kinds.is_empty() && kinds.iter().all(|kind| kind["schema"].is_object()),
                "{place} {status}"
            );
        }
        let mut names: Vec<(&str, &str)> = DOCUMENT
            .parameters(&operation)
            .iter()
            .map(|found| (found["name"].as_str().unwrap(), found["in"].as_str().unwrap()))
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{place} has a parameter twice");
    }
    let unknown = DOCUMENT.whole["paths"].as_object().unwrap().values().flat_map(|item| {
        item.as_object()
            .unwrap()
            .keys()
            .filter(|name| !METHODS.contains(&name.as_str()) && *name != "servers")
    });
    assert_eq!(unknown.count(), 0, "a path has something that is no operation");
}

/// Names of an object that are none of those known.
fn strangers<'a>(value: &'a Value, known: &[&str]) -> Vec<&'a String> {
    let names = value.as_object().into_iter().flat_map(|fields| fields.keys());
    names.filter(|name| !known.contains(&name.as_str())).collect()
}

fn check(schema: &Value, place: &str, known: &BTreeSet<&str>) {
    let Some(fields) = schema.as_object() else {
        assert!(schema.is_boolean(), "{place}: {schema} is no schema");
        return;
    };
    for (name, value) in fields {
        assert!(known.contains(name.as_str()), "{place}: {name} is no keyword");
        match name.as_str() {
            "items" | "additionalProperties" => check(value, &format!("{place}/{name}"), known),
            "anyOf" | "oneOf" => {
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|one| check(one, &format!("{place}/{name}"), known));
            }
            "properties" => {
                for (name, value) in value.as_object().unwrap() {
                    check(value, &format!("{place}/{name}"), known);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn schemas_say_nothing_that_json_schema_does_not_know() {
    let known: BTreeSet<&str> = [
        "$ref",
        "type",
        "enum",
        "const",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "items",
        "minItems",
        "maxItems",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "anyOf",
        "oneOf",
        "description",
        "deprecated",
        "default",
        "example",
    ]
    .into();
    for (name, schema) in DOCUMENT.whole["components"]["schemas"].as_object().unwrap() {
        check(schema, name, &known);
    }
    for operation in DOCUMENT.operations() {
        for parameter in DOCUMENT.parameters(&operation) {
            check(&parameter["schema"], operation.path, &known);
        }
        for response in operation.said["responses"].as_object().unwrap().values() {
            for kind in DOCUMENT.resolved(response)["content"].as_object().unwrap().values() {
                check(&kind["schema"], operation.path, &known);
            }
        }
        if let Some(schema) = operation.said.pointer("/requestBody/content/application~1json/schema") {
            check(schema, operation.path, &known);
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut count = 0;
    let mut check = |place: &str, content: &Value| {
        let many = content["examples"].as_object().into_iter().flat_map(|many| many.values());
        for example in content.get("example").into_iter().chain(many.map(|one| &one["value"])) {
            let mistakes = DOCUMENT.mistakes(&content["schema"], example);
            assert!(mistakes.is_empty(), "{place}: {example}: {mistakes:?}");
            count += 1;
        }
    };
    for operation in DOCUMENT.operations() {
        let place = format!("{} {}", operation.method, operation.path);
        check(&place, &operation.said["requestBody"]["content"]["application/json"]);
        for response in operation.said["responses"].as_object().unwrap().values() {
            check(&place, &DOCUMENT.resolved(response)["content"]["application/json"]);
        }
        if operation.said["requestBody"].is_object() && operation.base == "/api" {
            let content = &operation.said["requestBody"]["content"]["application/json"];
            assert!(content.get("example").is_some(), "{place}: the body has no example");
        }
    }
    assert!(count > 50, "{count}");
    // The check can fail.
    let link = serde_json::json!({"$ref": "#/components/schemas/Deleted"});
    assert_eq!(DOCUMENT.mistakes(&link, &serde_json::json!({"id": "a"})).len(), 0);
    assert_eq!(DOCUMENT.mistakes(&link, &serde_json::json!({"id": "a", "more": 1})).len(), 1);
    assert_eq!(DOCUMENT.mistakes(&link, &serde_json::json!({})).len(), 1);
}

// ---- the routes ----

/// Method and path; what stands in a variable's place is `{}`, any number of segments `*`.
type Route = (String, String);

#[derive(Default)]
struct Router {
    known: BTreeSet<Route>,
    /// Those of `src/http/api.rs`, with the browsers' own preflight requests.
    of_api: BTreeSet<Route>,
}

/// The arms of every `match` of a file, each with its function.
fn arms(file: &str) -> Vec<(String, Arm)> {
    #[derive(Default)]
    struct Arms {
        function: String,
        found: Vec<(String, Arm)>,
    }
    impl<'ast> Visit<'ast> for Arms {
        fn visit_item_fn(&mut self, item: &'ast ItemFn) {
            self.function = item.sig.ident.to_string();
            syn::visit::visit_item_fn(self, item);
        }
        fn visit_arm(&mut self, arm: &'ast Arm) {
            self.found.push((self.function.clone(), arm.clone()));
        }
    }
    let mut arms = Arms::default();
    arms.visit_file(&syn::parse_file(&read(&root().join(file))).unwrap());
    assert!(!arms.found.is_empty(), "{file} has no routes");
    arms.found
}

/// The alternatives of a pattern.
fn either(pattern: &Pat) -> Vec<&Pat> {
    match pattern {
        Pat::Or(or) => or.cases.iter().flat_map(either).collect(),
        Pat::Paren(paren) => either(&paren.pat),
        other => vec![other],
    }
}

fn literal(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Lit(found) => match &found.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The methods a pattern names; empty for any.
fn methods(pattern: &Pat) -> Vec<String> {
    either(pattern)
        .into_iter()
        .filter_map(|one| match one {
            Pat::Path(path) => Some(path.path.segments.last().unwrap().ident.to_string().to_lowercase()),
            Pat::Wild(_) => None,
            _ => panic!("a method is matched in a way this test does not know"),
        })
        .collect()
}

/// The paths that a pattern of segments names.
fn paths(pattern: &Pat, guard: Option<&Expr>) -> Vec<String> {
    let mut found = Vec::new();
    for one in either(pattern) {
        let Pat::Slice(slice) = one else { panic!("segments are matched in a way this test does not know") };
        let mut some = vec![String::new()];
        for segment in &slice.elems {
            let mut next = Vec::new();
            for end in either(segment) {
                let ends: Vec<String> = match end {
                    Pat::Ident(name) if name.subpat.is_some() => {
                        (0..=most(guard)).map(|n| "/{}".repeat(n)).collect()
                    }
                    Pat::Ident(_) | Pat::Wild(_) => vec!["/{}".to_owned()],
                    other => {
                        vec![format!("/{}", literal(other).unwrap())]
                    }
                };
                next.extend(
                    some.iter().flat_map(|begin| ends.iter().map(move |end| format!("{begin}{end}"))),
                );
            }
            some = next;
        }
        found.extend(some);
    }
    found
}

/// How many segments `path.len() <= 2` allows.
fn most(guard: Option<&Expr>) -> usize {
    let Some(Expr::Binary(compared)) = guard else { panic!("any number of segments without a limit") };
    match &*compared.right {
        Expr::Lit(found) => match &found.lit {
            Lit::Int(number) => number.base10_parse().unwrap(),
            _ => panic!("a limit that is no number"),
        },
        _ => panic!("a limit that is no number"),
    }
}

fn router() -> Router {
    let mut router = Router::default();
    for (function, arm) in arms("src/http/api.rs") {
        let guard = arm.guard.as_ref().map(|(_, guard)| &**guard);
        match &arm.pat {
            Pat::Wild(_) => {}
            Pat::Tuple(tuple) => {
                let methods = methods(&tuple.elems[0]);
                if methods.is_empty() {
                    assert!(is_handed_on(&tuple.elems[1]), "a route for any method in {function}");
                    continue;
                }
                let found = paths(&tuple.elems[1], guard);
                let each =
                    methods.iter().flat_map(|m| found.iter().map(move |path| (m.clone(), path.clone())));
                router.of_api.extend(each);
            }
            _ => panic!("an arm in {function} of a kind this test does not know"),
        }
    }
    router.known.extend(router.of_api.iter().cloned());
    for (_, arm) in arms("src/http/mod.rs") {
        let Pat::Tuple(tuple) = &arm.pat else { continue };
        let methods = methods(&tuple.elems[0]);
        match (literal(&tuple.elems[1]), literal(&tuple.elems[2]), methods.as_slice()) {
            // In the local runtime alone, for tests.
            (Some(_), Some(_), [_]) if said_of(arm.guard.as_ref()).contains("is_local") => {}
            (Some(first), Some(rest), [method]) => {
                router.known.insert((method.clone(), format!("/{first}{rest}")));
            }
            (Some(first), None, [method]) if first == "stripe" => {
                let found =
                    arms("src/http/stripe_webhook.rs").into_iter().filter(|(_, arm)| is_slice(&arm.pat));
                for path in found.flat_map(|(_, arm)| paths(&arm.pat, None)) {
                    router.known.insert((method.clone(), format!("/stripe{path}")));
                }
            }
            (Some(first), None, []) if first == "api" || first == "stripe" => {}
            (_, None, []) if said_of(arm.guard.as_ref()).contains("is_call") => {
                router.known.extend(calls().into_iter().map(|path| ("post".to_owned(), path)));
            }
            found => panic!("a route of a kind this test does not know: {found:?}"),
        }
    }
    // Preflight requests are the browser's own.
    router.known.retain(|(method, _)| method != "options");
    router
}

/// The names in a guard.
fn said_of(guard: Option<&(syn::token::If, Box<Expr>)>) -> String {
    #[derive(Default)]
    struct Names(String);
    impl<'ast> Visit<'ast> for Names {
        fn visit_ident(&mut self, name: &'ast proc_macro2::Ident) {
            self.0.push_str(&name.to_string());
        }
    }
    let mut names = Names::default();
    if let Some((_, guard)) = guard {
        names.visit_expr(guard);
    }
    names.0
}

/// What `reported::is_call` lists.
fn calls() -> Vec<String> {
    let source = read(&root().join("src/http/reported.rs"));
    let list = source.split_once("fn is_call").and_then(|(_, rest)| rest.split_once("\n}")).unwrap().0;
    let found: Vec<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(found.len() > 3, "{found:?}");
    found
}

fn is_slice(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Slice(_))
}

/// `["tags" | "folders", ..]`: another function looks further.
fn is_handed_on(pattern: &Pat) -> bool {
    either(pattern).into_iter().all(|one| match one {
        Pat::Slice(slice) => matches!(slice.elems.last(), Some(Pat::Rest(_))),
        _ => false,
    })
}

fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_documented_and_every_documented_operation_is_a_route() {
    let mut known = router().known;
    assert!(known.len() > 50, "{known:?}");
    for (method, path) in INTERNAL {
        assert!(known.remove(&(method.to_owned(), path.to_owned())), "{method} {path} is gone");
    }
    let documented: BTreeSet<Route> =
        DOCUMENT.operations().iter().map(|found| (found.method.to_owned(), shape(found.path))).collect();
    let missing: Vec<&Route> = known.difference(&documented).collect();
    assert!(missing.is_empty(), "add to api/*.yaml: {missing:?}");
    let gone: Vec<&Route> = documented.difference(&known).collect();
    assert!(gone.is_empty(), "documented, but no route: {gone:?}");
}

/// What a 405 says in `Allow` is what the routes say: of each path, the methods of all routes that it fits.
#[test]
fn a_path_says_which_methods_it_knows() {
    let routes = router().of_api;
    assert!(routes.len() > 80, "{routes:?}");
    let segments = |path: &str| -> Vec<String> {
        path.trim_start_matches('/').split('/').map(|part| part.replace("{}", "some-id")).collect()
    };
    let fits = |pattern: &str, path: &[String]| {
        let parts: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
        parts.len() == path.len()
            && parts.iter().zip(path).all(|(part, segment)| *part == "{}" || part == segment)
    };
    for (_, path) in &routes {
        let path = segments(path);
        let known: BTreeSet<String> = routes
            .iter()
            .filter(|(_, pattern)| fits(pattern, &path))
            .map(|(method, _)| method.to_uppercase())
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let allowed = methods::allowed(&path).unwrap_or_default();
        let allowed: BTreeSet<String> = allowed.split(", ").map(str::to_owned).collect();
        assert_eq!(allowed, known, "correct ROUTES in src/core/api/methods.rs: {path:?}");
    }
}

// ---- parameters and fields ----

/// What the sources ask for by name.
#[derive(Default)]
struct Names {
    /// `query.text("…")` and its like.
    query: BTreeSet<String>,
    /// `fields.text("…")` and its like.
    body: BTreeSet<String>,
    /// Every text at all.
    texts: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.texts.insert(text.value());
    }
    fn visit_macro(&mut self, found: &'ast syn::Macro) {
        // The texts inside `json!` and the like.
        let text = found.tokens.to_string();
        self.texts.extend(text.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let named = match call.args.first() {
            Some(Expr::Lit(first)) => match &first.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        };
        let on = match &*call.receiver {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            Expr::Call(inner) => match &*inner.func {
                // `query(request)?` asked at once.
                Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                _ => None,
            },
            Expr::Try(inner) => match &*inner.expr {
                Expr::Call(call) => match &*call.func {
                    Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let method = call.method.to_string();
        let asks = ["text", "text_up_to", "list", "integer", "boolean", "choice", "date", "page_size"];
        let reads = [
            "text",
            "required_text",
            "texts",
            "list",
            "integer",
            "amount",
            "boolean",
            "choice",
            "date",
            "email",
            "object",
            "raw",
        ];
        match (named, on.as_deref()) {
            (Some(name), Some("query")) if asks.contains(&method.as_str()) => {
                self.query.insert(name);
            }
            (Some(name), Some("fields" | "item" | "inner")) if reads.contains(&method.as_str()) => {
                self.body.insert(name);
            }
            _ => {}
        }
        syn::visit::visit_expr_method_call(self, call);
    }
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn names() -> Names {
    let mut names = Names::default();
    let mut open = vec![root().join("src/core"), root().join("src/http")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .is_some_and(|stem| !["bootstrap", "session", "site_check", "faults", "upkeep"].contains(&stem))
        {
            names.visit_file(&syn::parse_file(&read(&path)).unwrap());
        }
    }
    names
}

#[test]
fn every_parameter_that_is_read_is_documented_and_the_other_way_round() {
    let names = names();
    let documented: BTreeSet<String> = DOCUMENT
        .operations()
        .iter()
        .flat_map(|operation| {
            let found = DOCUMENT.parameters(operation).into_iter().filter(|found| found["in"] == "query");
            found.map(|found| found["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert!(names.query.len() > 20, "{:?}", names.query);
    let missing: Vec<&String> = names.query.difference(&documented).collect();
    assert!(missing.is_empty(), "parameters to add to api/*.yaml: {missing:?}");
    let gone: Vec<&String> = documented.difference(&names.texts).collect();
    assert!(gone.is_empty(), "parameters that nothing reads: {gone:?}");
}

#[test]
fn every_field_that_is_read_is_documented_and_the_other_way_round() {
    let names = names();
    let mut documented = BTreeSet::new();
    for operation in DOCUMENT.operations().iter().filter(|operation| operation.base == "/api") {
        if let Some(schema) = operation.said.pointer("/requestBody/content/application~1json/schema") {
            properties(schema, &mut documented);
        }
    }
    assert!(names.body.len() > 40, "{:?}", names.body);
    // The root of a list in bulk is read under this name.
    let missing: Vec<&String> = names.body.difference(&documented).filter(|name| *name != "links").collect();
    assert!(missing.is_empty(), "fields to add to api/*.yaml: {missing:?}");
    let gone: Vec<&String> = documented.difference(&names.texts).filter(|name| !is_condition(name)).collect();
    assert!(gone.is_empty(), "fields that nothing reads: {gone:?}");
}

/// Fields that serde reads.
fn is_condition(name: &str) -> bool {
    ["language", "query", "after", "before", "browser", "device", "country", "name", "value"].contains(&name)
}

fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    let schema = DOCUMENT.resolved(schema);
    if let Some(fields) = schema["properties"].as_object() {
        for (name, schema) in fields {
            found.insert(name.clone());
            properties(schema, found);
        }
    }
    for name in ["anyOf", "oneOf"] {
        schema[name].as_array().into_iter().flatten().for_each(|one| properties(one, found));
    }
    if schema["items"].is_object() {
        properties(&schema["items"], found);
    }
}

// ---- words ----

/// The words of every parameter or schema of a name, which must agree wherever they stand.
fn words(name: &str) -> BTreeSet<String> {
    let mut lists: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut take = |schema: &Value| {
        if let Some(words) = DOCUMENT.resolved(schema)["enum"].as_array() {
            let mut words: Vec<String> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            words.sort_unstable();
            lists.insert(words);
        }
    };
    take(&DOCUMENT.whole["components"]["schemas"][name]);
    for operation in DOCUMENT.operations() {
        for parameter in DOCUMENT.parameters(&operation) {
            if parameter["name"] == name {
                take(&parameter["schema"]);
            }
        }
    }
    assert_eq!(lists.len(), 1, "{name}: {lists:?}");
    lists.into_iter().next().unwrap().into_iter().collect()
}

#[test]
fn words_are_those_of_the_code() {
    let set = |words: &[&str]| -> BTreeSet<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    assert_eq!(words("Grouping"), set(&GROUPS.iter().map(|group| group.name).collect::<Vec<_>>()));
    assert_eq!(words("interval"), set(&INTERVALS));
    assert_eq!(words("model"), set(&MODELS.map(|(name, _)| name)));
    assert_eq!(words("TagColor"), set(&labels::COLORS));
    assert_eq!(words("LinkOrder"), set(&link_filter::ORDERS.map(|(name, _)| name)));
    assert_eq!(words("CustomerOrder"), set(&customer::ORDERS.map(|(name, _)| name)));
    let of = |path: &str, name: &str| -> BTreeSet<String> {
        let operation = &DOCUMENT.whole["paths"][path]["get"];
        let found =
            operation["parameters"].as_array().unwrap().iter().find(|found| found["name"] == name).unwrap();
        let words = found["schema"]["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("/analytics", "event"), set(&EVENTS));
    assert_eq!(of("/links/count", "groupBy"), set(&link_filter::GROUPINGS.map(|group| group.name)));
    let codes = [
        Code::BadRequest,
        Code::Unauthorized,
        Code::Forbidden,
        Code::ExceededLimit,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::Conflict,
        Code::TooLarge,
        Code::Unprocessable,
        Code::RateLimited,
        Code::Unavailable,
        Code::Internal,
    ];
    let error = &DOCUMENT.whole["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]
        ["enum"];
    let documented: BTreeSet<String> =
        error.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(documented, set(&codes.map(|code| code.wire().0)));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
