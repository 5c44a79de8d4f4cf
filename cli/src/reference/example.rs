//! A call of each operation, as a shell takes it.

use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::page::{Operation, examples, is_true, list, resolved, text};

/// `curl` with the operation's own example; `$API` and `$KEY` are the reader's.
pub(super) fn curl(document: &Value, operation: &Operation<'_>) -> String {
    let said = operation.said;
    let mut call = "curl".to_owned();
    if operation.method != "get" {
        let _ = write!(call, " -X {}", operation.method.to_uppercase());
    }
    let _ = write!(call, " \"{}{}{}\"", base(operation), filled(operation.path), query(document, said));
    if said.get("security").is_none_or(|named| named.as_array().is_some_and(|named| !named.is_empty())) {
        call.push_str(" \\\n  -H \"Authorization: Bearer $KEY\"");
    }
    if let Some(body) = said.pointer("/requestBody/content/application~1json") {
        call.push_str(" \\\n  -H 'Content-Type: application/json'");
        let example = examples(body).first().map(ToString::to_string).unwrap_or_default();
        let _ = write!(call, " \\\n  -d '{}'", example.replace('\'', "'\\''"));
    }
    call
}

/// The variable with the server's address: `https://api.acme.com` or `https://go.acme.com/api`.
fn base(operation: &Operation<'_>) -> &'static str {
    if operation.server.is_empty() { "$HOST" } else { "$API" }
}

/// `{id}` becomes `${ID}`. What a shell would read inside quotation marks is left out.
fn filled(path: &str) -> String {
    let parts =
        path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                format!("${{{}}}", name.to_uppercase())
            }
            None => part.chars().filter(|c| !matches!(c, '"' | '$' | '`' | '\\' | '!')).collect(),
        });
    parts.collect::<Vec<_>>().join("/")
}

/// The parameters that must be there.
fn query(document: &Value, said: &Value) -> String {
    let given = list(said, "/parameters").iter().map(|given| resolved(document, given));
    let needed =
        given.filter(|parameter| is_true(parameter, "required") && text(parameter, "/in") == "query");
    let pairs: Vec<String> = needed
        .map(|parameter| {
            let name = text(parameter, "/name");
            let example = parameter.get("example").and_then(Value::as_str).unwrap_or(name);
            format!("{name}={}", utf8_percent_encode(example, NON_ALPHANUMERIC))
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
