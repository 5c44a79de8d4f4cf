//! Many sources, one document.

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

use super::short;

/// Methods an operation can have. Source: OpenAPI 3.1, Path Item Object.
pub const METHODS: [&str; 6] = ["get", "put", "post", "patch", "delete", "head"];

/// Headers of every answer to a request with a key.
const RATE_HEADERS: [&str; 3] = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
/// What any request with a key may be refused with.
const ALWAYS: [u64; 6] = [400, 401, 403, 429, 500, 503];
/// What any request with a body may be refused with besides.
const WITH_BODY: [u64; 2] = [413, 422];
/// What any POST may be refused with besides, on account of its `Idempotency-Key`.
const WITH_IDEMPOTENCY: [u64; 3] = [409, 413, 422];

/// Joins sources (name and YAML text) and writes out what they say in short.
///
/// The short forms are described at the head of `api/openapi.yaml`.
pub fn joined(sources: &[(String, String)]) -> Result<Value, String> {
    let mut whole = Map::new();
    for (name, text) in sources {
        let Value::Object(part) = read(text).map_err(|e| format!("{name}: {e}"))? else {
            return Err(format!("{name}: not a mapping"));
        };
        merge(&mut whole, part, name, "")?;
    }
    for (name, schema) in entries(&mut whole, &["components", "schemas"]) {
        *schema = short::schema(schema).map_err(|e| format!("schema {name}: {e}"))?;
    }
    for (name, parameter) in entries(&mut whole, &["components", "parameters"]) {
        short::inner_schema(parameter).map_err(|e| format!("parameter {name}: {e}"))?;
    }
    for (name, header) in entries(&mut whole, &["components", "headers"]) {
        short::inner_schema(header).map_err(|e| format!("header {name}: {e}"))?;
    }
    for (name, response) in entries(&mut whole, &["components", "responses"]) {
        short::content(response).map_err(|e| format!("response {name}: {e}"))?;
        let is_of_api = response.get("x-outside-limits").is_none();
        add_headers(response, is_of_api, name == "RateLimited");
    }
    for (path, item) in entries(&mut whole, &["paths"]) {
        let Value::Object(item) = item else { return Err(format!("{path}: not a mapping")) };
        for (method, operation) in item.iter_mut().filter(|(name, _)| METHODS.contains(&name.as_str())) {
            written_out(path, method, operation).map_err(|e| format!("{method} {path}: {e}"))?;
        }
    }
    Ok(Value::Object(whole))
}

/// YAML as JSON, with `<<` resolved; names may be numbers.
fn read(text: &str) -> Result<Value, String> {
    let mut yaml: Yaml = serde_norway::from_str(text).map_err(|e| e.to_string())?;
    yaml.apply_merge().map_err(|e| e.to_string())?;
    json_of(yaml)
}

fn json_of(yaml: Yaml) -> Result<Value, String> {
    let name = |yaml: Yaml| match yaml {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        other => Err(format!("{other:?} is no name")),
    };
    match yaml {
        Yaml::Mapping(map) => {
            let entries = map.into_iter().map(|(key, value)| Ok((name(key)?, json_of(value)?)));
            Ok(Value::Object(entries.collect::<Result<_, String>>()?))
        }
        Yaml::Sequence(list) => Ok(Value::Array(list.into_iter().map(json_of).collect::<Result<_, _>>()?)),
        plain => serde_json::to_value(plain).map_err(|e| e.to_string()),
    }
}

/// Mappings are joined; anything said twice is a mistake.
fn merge(
    into: &mut Map<String, Value>,
    part: Map<String, Value>,
    source: &str,
    at: &str,
) -> Result<(), String> {
    for (name, value) in part {
        let place = format!("{at}/{name}");
        match (into.get_mut(&name), value) {
            (None, value) => {
                into.insert(name, value);
            }
            (Some(Value::Object(known)), Value::Object(value)) => merge(known, value, source, &place)?,
            (Some(Value::Array(known)), Value::Array(value)) if at.is_empty() => known.extend(value),
            _ => return Err(format!("{source}: {place} is said twice")),
        }
    }
    Ok(())
}

/// The entries of a mapping deep inside.
fn entries<'a>(
    whole: &'a mut Map<String, Value>,
    path: &[&str],
) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    let mut found = Some(whole);
    for name in path {
        found = found.and_then(|map| map.get_mut(*name)).and_then(Value::as_object_mut);
    }
    found.into_iter().flatten()
}

/// Writes an operation out: parameters, body, answers, refusals.
fn written_out(path: &str, method: &str, operation: &mut Value) -> Result<(), String> {
    let Value::Object(operation) = operation else { return Err("not a mapping".to_owned()) };
    parameters(path, method, operation)?;
    let has_query = operation.get("parameters").and_then(Value::as_array).is_some_and(|all| {
        // Those of components are of the query, but for the header.
        all.iter().any(|one| {
            one["in"] == "query" || one["$ref"].as_str().is_some_and(|name| !name.ends_with("Key"))
        })
    });
    let has_body = operation.get("requestBody").is_some();
    if let Some(body) = operation.get_mut("requestBody") {
        short::content(body)?;
        if let Value::Object(body) = body {
            body.entry("required").or_insert(Value::Bool(true));
        }
    }
    let has_key = takes_key(operation);
    if let Some(Value::String(permission)) = operation.remove("permission") {
        operation.insert("x-permission".to_owned(), permission.into());
    } else if operation.get("security").is_none() {
        return Err("no permission is named".to_owned());
    }
    let Some(Value::Object(responses)) = operation.get_mut("responses") else {
        return Err("no responses".to_owned());
    };
    for response in responses.values_mut() {
        short::content(response)?;
        add_headers(response, has_key, false);
        if has_key && is_once(path, method) {
            add_header(response, "Idempotent-Replayed");
        }
    }
    let mut refusals: Vec<u64> = Vec::new();
    if has_key {
        refusals.extend(ALWAYS);
    }
    if has_body && has_key {
        refusals.extend(WITH_BODY);
    }
    if has_key && has_query {
        refusals.push(422);
    }
    if has_key && is_once(path, method) {
        refusals.extend(WITH_IDEMPOTENCY);
    }
    if let Some(errors) = operation.remove("errors") {
        let errors = errors.as_array().ok_or("errors: not a list")?;
        refusals.extend(errors.iter().filter_map(Value::as_u64));
    }
    refusals.sort_unstable();
    refusals.dedup();
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return Ok(()) };
    for status in refusals {
        let name = refusal(status).ok_or_else(|| format!("no refusal is known for {status}"))?;
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"$ref": format!("#/components/responses/{name}")}));
    }
    Ok(())
}

/// Whether a key is sent: the ordinary one, or another that `security` names.
fn takes_key(operation: &Map<String, Value>) -> bool {
    operation.get("security").is_none_or(|named| named.as_array().is_some_and(|named| !named.is_empty()))
}

/// Whether an `Idempotency-Key` is looked at: a new API key is shown once and kept nowhere.
fn is_once(path: &str, method: &str) -> bool {
    method == "post" && !path.starts_with("/tokens")
}

/// `query:` and `path:` become parameters; names become references.
fn parameters(path: &str, method: &str, operation: &mut Map<String, Value>) -> Result<(), String> {
    let mut found = Vec::new();
    let described = operation.remove("path").unwrap_or_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let mut schema = match described.get(name) {
            Some(text @ Value::String(_)) => json!({"type": "string", "minLength": 1, "description": text}),
            Some(schema) => short::schema(schema)?,
            None => return Err(format!("the parameter {name} of the path is not described")),
        };
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        found.push(json!({"name": name, "in": "path", "required": true,
            "description": description, "schema": schema}));
    }
    let named = operation.remove("parameters").unwrap_or_else(|| json!([]));
    for name in named.as_array().into_iter().flatten() {
        let name = name.as_str().ok_or("parameters: give names; others go into query")?;
        found.push(json!({"$ref": format!("#/components/parameters/{name}")}));
    }
    if let Some(query) = operation.remove("query") {
        for (name, schema) in query.as_object().ok_or("query: not a mapping")? {
            found.push(query_parameter(name, schema)?);
        }
    }
    if takes_key(operation) && is_once(path, method) {
        found.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    if !found.is_empty() {
        operation.insert("parameters".to_owned(), found.into());
    }
    Ok(())
}

fn query_parameter(name: &str, given: &Value) -> Result<Value, String> {
    let mut schema = short::schema(given)?;
    let Value::Object(fields) = &mut schema else { return Err(format!("{name}: not a schema")) };
    let mut parameter = Map::new();
    parameter.insert("name".to_owned(), name.into());
    parameter.insert("in".to_owned(), "query".into());
    for moved in ["description", "deprecated", "required", "example"] {
        if let Some(value) = fields.remove(moved) {
            parameter.insert(moved.to_owned(), value);
        }
    }
    if fields.get("type").and_then(Value::as_str) == Some("array") {
        parameter.insert("style".to_owned(), "form".into());
        parameter.insert("explode".to_owned(), false.into());
    }
    parameter.insert("schema".to_owned(), schema);
    Ok(parameter.into())
}

fn refusal(status: u64) -> Option<&'static str> {
    Some(match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        413 => "TooLarge",
        422 => "Unprocessable",
        429 => "RateLimited",
        500 => "Internal",
        503 => "Unavailable",
        _ => return None,
    })
}

fn add_headers(response: &mut Value, has_key: bool, is_over: bool) {
    for name in RATE_HEADERS.into_iter().filter(|_| has_key) {
        add_header(response, name);
    }
    if is_over {
        add_header(response, "Retry-After");
    }
}

fn add_header(response: &mut Value, name: &str) {
    let Value::Object(response) = response else { return };
    if response.contains_key("$ref") {
        return;
    }
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    if let Value::Object(headers) = headers {
        headers.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(texts: &[&str]) -> Result<Value, String> {
        let sources: Vec<(String, String)> =
            texts.iter().enumerate().map(|(n, text)| (format!("{n}.yaml"), (*text).to_owned())).collect();
        joined(&sources)
    }

    #[test]
    fn sources_are_joined_and_nothing_is_said_twice() {
        let one = "components: {schemas: {A: text}}";
        let two = "components: {schemas: {B: {is: 'A?', description: b}}}";
        let whole = join(&[one, two]).unwrap();
        assert_eq!(whole["components"]["schemas"]["A"], json!({"type": "string"}));
        let b = &whole["components"]["schemas"]["B"];
        assert_eq!(b["anyOf"], json!([{"$ref": "#/components/schemas/A"}, {"type": "null"}]));
        assert!(join(&[one, one]).unwrap_err().contains("/components/schemas/A is said twice"));
    }

    #[test]
    fn an_operation_is_written_out() {
        let text = "
paths:
  /links/{id}:
    patch:
      permission: links.write
      path: {id: Its id.}
      query: {ids: {is: [text], maxItems: 3, description: Some.}}
      requestBody: {schema: A}
      responses: {200: {description: Done., schema: A}}
      errors: [404]
components: {schemas: {A: text}}";
        let whole = join(&[text]).unwrap();
        let operation = &whole["paths"]["/links/{id}"]["patch"];
        assert_eq!(operation["parameters"][0]["name"], "id");
        assert_eq!(operation["parameters"][1]["explode"], false);
        assert_eq!(operation["parameters"][1]["schema"]["items"], json!({"type": "string"}));
        let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "400", "401", "403", "404", "413", "422", "429", "500", "503"]);
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/A");
        assert_eq!(operation["x-permission"], "links.write");
    }

    #[test]
    fn what_is_left_out_is_a_mistake() {
        for (text, message) in [
            ("paths: {/a: {get: {responses: {200: {description: x}}}}}", "no permission"),
            ("paths: {/a: {get: {permission: x}}}", "no responses"),
            ("paths: {'/a/{b}': {get: {permission: x, responses: {}}}}", "parameter b"),
            ("- 1", "not a mapping"),
        ] {
            let refused = join(&[text]).unwrap_err();
            assert!(refused.contains(message), "{text}: {refused}");
        }
    }
}
