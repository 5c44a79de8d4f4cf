//! The page people read: the document as HTML, without scripts.
//!
//! Everything from the document is escaped here, whoever wrote it; links lead within the page only.

use std::fmt::Write;

use pimms_edge::core::pages::escape;
use serde_json::{Map, Value};

use super::example;
use super::join::METHODS;

/// The page of a document.
#[must_use]
pub fn page(document: &Value) -> String {
    let title = escape(text(document, "/info/title"));
    let operations = operations(document);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"docs.css\">\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">To the content</a>\n<header><h1>{title}</h1>\
         <p>{} <a href=\"openapi.json\">OpenAPI 3.1 document</a></p></header>\n",
        marked(text(document, "/info/summary")),
    );
    navigation(&mut html, document, &operations);
    html.push_str("<main id=\"content\">\n<section id=\"overview\"><h2>Overview</h2>\n");
    paragraphs(&mut html, text(document, "/info/description"));
    html.push_str("</section>\n");
    for tag in list(document, "/tags") {
        let name = text(tag, "/name");
        let _ = writeln!(html, "<section id=\"{}\"><h2>{}</h2>", anchor("tag", name), escape(name));
        paragraphs(&mut html, text(tag, "/description"));
        for operation in operations.iter().filter(|operation| operation.tag == name) {
            show(&mut html, document, operation);
        }
        html.push_str("</section>\n");
    }
    schemas(&mut html, document);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// An operation with what it is found by.
pub(super) struct Operation<'a> {
    /// Lower case.
    pub method: &'a str,
    /// Below the server's address.
    pub path: &'a str,
    /// What the path is below of.
    pub server: &'a str,
    /// The first of its tags.
    pub tag: &'a str,
    /// What is said of it.
    pub said: &'a Value,
}

/// Every operation, by path.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in map(document, "/paths") {
        for method in METHODS {
            let Some(said) = item.get(method) else { continue };
            let server = item.pointer("/servers/0/url").or(document.pointer("/servers/0/url"));
            let server = server.and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
            found.push(Operation { method, path, server, tag: text(said, "/tags/0"), said });
        }
    }
    found
}

fn navigation(html: &mut String, document: &Value, operations: &[Operation<'_>]) {
    html.push_str("<nav aria-label=\"Contents\"><ul>\n<li><a href=\"#overview\">Overview</a></li>\n");
    for tag in list(document, "/tags") {
        let name = text(tag, "/name");
        let _ = writeln!(html, "<li><a href=\"#{}\">{}</a><ul>", anchor("tag", name), escape(name));
        for operation in operations.iter().filter(|operation| operation.tag == name) {
            let id = escape(text(operation.said, "/operationId"));
            let summary = marked(text(operation.said, "/summary"));
            let _ = writeln!(html, "<li><a href=\"#{id}\">{summary}</a></li>");
        }
        html.push_str("</ul></li>\n");
    }
    html.push_str("<li><a href=\"#schemas\">Schemas</a></li>\n</ul></nav>\n");
}

fn show(html: &mut String, document: &Value, operation: &Operation<'_>) {
    let said = operation.said;
    let id = escape(text(said, "/operationId"));
    let old = if is_true(said, "deprecated") { " <small>deprecated</small>" } else { "" };
    let _ = write!(
        html,
        "<article id=\"{id}\"><h3>{}{old} <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to this operation\">#</a></h3>\n\
         <p class=\"route\"><b class=\"{}\">{}</b> <code>{}</code></p>\n",
        marked(text(said, "/summary")),
        operation.method,
        operation.method.to_uppercase(),
        escape(&format!("{}{}", operation.server, operation.path)),
    );
    paragraphs(html, text(said, "/description"));
    match said.get("x-permission").and_then(Value::as_str) {
        Some(permission) => {
            let _ = writeln!(html, "<p>Permission: <code>{}</code></p>", escape(permission));
        }
        None if said.pointer("/security/0").is_some() => {
            html.push_str("<p>With a publishable key, which may stand in a page.</p>\n");
        }
        None => html.push_str("<p>No API key is needed.</p>\n"),
    }
    let parameters: Vec<&Value> =
        list(said, "/parameters").iter().map(|given| resolved(document, given)).collect();
    if !parameters.is_empty() {
        let rows = parameters.iter().map(|parameter| Row {
            name: text(parameter, "/name"),
            place: text(parameter, "/in"),
            is_required: is_true(parameter, "required"),
            is_old: is_true(parameter, "deprecated"),
            schema: parameter.get("schema").unwrap_or(&Value::Null),
            description: text(parameter, "/description"),
        });
        table(html, "Parameters", text(said, "/operationId"), rows);
    }
    if let Some(schema) = said.pointer("/requestBody/content/application~1json/schema") {
        html.push_str("<h4>Body</h4>\n");
        body(html, text(said, "/operationId"), schema);
    }
    let _ = write!(
        html,
        "<h4>Example</h4>\n<pre><code>{}</code></pre>\n",
        escape(&example::curl(document, operation))
    );
    answers(html, document, said);
    html.push_str("</article>\n");
}

fn body(html: &mut String, of: &str, schema: &Value) {
    if schema.get("properties").is_some() {
        properties(html, of, schema);
    } else {
        let _ = writeln!(html, "<p>{}</p>", kind(schema));
    }
}

fn answers(html: &mut String, document: &Value, said: &Value) {
    html.push_str("<h4>Answers</h4>\n<dl>\n");
    for (status, given) in map(said, "/responses") {
        let response = resolved(document, given);
        let _ = write!(
            html,
            "<dt><code>{}</code></dt><dd>{}",
            escape(status),
            marked(text(response, "/description"))
        );
        if let Some(schema) = response.pointer("/content/application~1json/schema") {
            let _ = write!(html, " {}", kind(schema));
        }
        html.push_str("</dd>\n");
    }
    html.push_str("</dl>\n");
    let success = map(said, "/responses").find(|(status, _)| status.starts_with('2'));
    let content = success.and_then(|(_, response)| response.pointer("/content/application~1json"));
    for example in content.into_iter().flat_map(examples) {
        let _ = writeln!(html, "<pre><code>{}</code></pre>", escape(&pretty(example)));
    }
}

/// The example or examples of a body or an answer.
pub(super) fn examples(content: &Value) -> Vec<&Value> {
    let many = content.get("examples").and_then(Value::as_object);
    let many = many.into_iter().flat_map(Map::values).filter_map(|example| example.get("value"));
    content.get("example").into_iter().chain(many).collect()
}

fn schemas(html: &mut String, document: &Value) {
    html.push_str("<section id=\"schemas\"><h2>Schemas</h2>\n");
    for (name, schema) in map(document, "/components/schemas") {
        let _ = writeln!(html, "<article id=\"{}\"><h3>{}</h3>", anchor("schema", name), escape(name));
        paragraphs(html, text(schema, "/description"));
        if schema.get("properties").is_some() {
            properties(html, name, schema);
        } else {
            let _ = writeln!(html, "<p>{}</p>", kind(schema));
        }
        html.push_str("</article>\n");
    }
    html.push_str("</section>\n");
}

fn properties(html: &mut String, of: &str, schema: &Value) {
    let required: Vec<&str> = list(schema, "/required").iter().filter_map(Value::as_str).collect();
    let rows = map(schema, "/properties").map(|(name, schema)| Row {
        name,
        place: "",
        is_required: required.contains(&name.as_str()),
        is_old: is_true(schema, "deprecated"),
        schema,
        description: text(schema, "/description"),
    });
    table(html, "Fields", of, rows);
}

struct Row<'a> {
    name: &'a str,
    place: &'a str,
    is_required: bool,
    is_old: bool,
    schema: &'a Value,
    description: &'a str,
}

/// `of`: what the rows belong to, for those who hear the page.
fn table<'a>(html: &mut String, caption: &str, of: &str, rows: impl Iterator<Item = Row<'a>>) {
    let of = escape(of);
    let _ = writeln!(
        html,
        "<div class=\"wide\" role=\"region\" aria-label=\"{caption} of {of}\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">{caption}</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>"
    );
    for row in rows {
        let mut marks = String::new();
        for (is_so, word) in [(row.is_required, "always"), (row.is_old, "deprecated")] {
            if is_so {
                let word = if row.place.is_empty() || word != "always" { word } else { "required" };
                let _ = write!(marks, " <small>{word}</small>");
            }
        }
        if matches!(row.place, "path" | "header") {
            let _ = write!(marks, " <small>{}</small>", row.place);
        }
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><code>{}</code>{marks}</th><td>{}</td><td>{}</td></tr>",
            escape(row.name),
            kind(row.schema),
            marked(row.description)
        );
    }
    html.push_str("</tbody></table></div>\n");
}

/// A schema in a few words, as HTML.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
        return format!("<a href=\"#{}\">{}</a>", anchor("schema", name), escape(name));
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(kinds) = schema.get(word).and_then(Value::as_array)
            && schema.get("properties").is_none()
        {
            return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let mut words = String::new();
    if let Some(value) = schema.get("const") {
        let _ = write!(words, "<code>{}</code>", escape(&value.to_string()));
    } else if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let choices: Vec<String> =
            choices.iter().map(|choice| format!("<code>{}</code>", escape(&bare(choice)))).collect();
        words.push_str(&choices.join(" "));
    } else {
        words.push_str(&named(schema));
    }
    for (limit, value) in limits(schema) {
        let _ = write!(words, ", {limit} {}", escape(&bare(value)));
    }
    if schema.get("properties").is_some() {
        words.push_str(&fields(schema));
    } else if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        let _ = write!(words, " of {}", kind(values));
    }
    words
}

fn named(schema: &Value) -> String {
    let one = |name: &str| match (name, schema.get("format").and_then(Value::as_str)) {
        ("string", Some(format)) => escape(format).into_owned(),
        ("string", None) => "text".to_owned(),
        ("array", _) => match schema.get("items") {
            Some(items) => format!("list of {}", kind(items)),
            None => "list".to_owned(),
        },
        (name, _) => escape(name).into_owned(),
    };
    match schema.get("type") {
        Some(Value::String(name)) => one(name),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// The fields of an object inside another: names and kinds alone.
fn fields(schema: &Value) -> String {
    let fields = map(schema, "/properties").map(|(name, schema)| {
        format!(
            "<li><code>{}</code>: {} {}</li>",
            escape(name),
            kind(schema),
            marked(text(schema, "/description"))
        )
    });
    format!("<ul>{}</ul>", fields.collect::<String>())
}

fn limits(schema: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let names = [
        ("minLength", "at least"),
        ("maxLength", "at most"),
        ("minimum", "from"),
        ("maximum", "to"),
        ("minItems", "at least"),
        ("maxItems", "at most"),
        ("default", "default"),
    ];
    names.into_iter().filter_map(|(name, word)| Some((word, schema.get(name)?)))
}

/// A text without its quotation marks, anything else as JSON.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// What a `$ref` within the document names.
pub(super) fn resolved<'a>(document: &'a Value, given: &'a Value) -> &'a Value {
    let named = given.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
    named.and_then(|pointer| document.pointer(pointer)).unwrap_or(given)
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn map<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

pub(super) fn is_true(value: &Value, name: &str) -> bool {
    value.get(name) == Some(&Value::Bool(true))
}

/// An `id`: letters, digits and hyphens.
fn anchor(kind: &str, name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{kind}-{name}")
}

fn paragraphs(html: &mut String, text: &str) {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let _ = writeln!(html, "<p>{}</p>", marked(paragraph));
    }
}

/// Escaped, with what stands between backticks as code.
fn marked(text: &str) -> String {
    let mut html = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick marks nothing.
    let is_whole = parts.len() % 2 == 1;
    for (index, part) in parts.iter().enumerate() {
        match (is_whole, index % 2) {
            (true, 1) => {
                let _ = write!(html, "<code>{}</code>", escape(part));
            }
            (false, _) if index > 0 => {
                let _ = write!(html, "`{}", escape(part));
            }
            _ => html.push_str(&escape(part)),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_of_the_document_becomes_markup() {
        let evil = "<script>alert(1)</script>\"'";
        let document = json!({
            "info": {"title": evil, "summary": evil, "description": format!("{evil}\n\n`{evil}` {evil}")},
            "servers": [{"url": "/api"}],
            "tags": [{"name": evil, "description": evil}],
            "paths": {evil: {"post": {
                "operationId": evil, "tags": [evil], "summary": evil, "description": evil, "x-permission": evil,
                "parameters": [{"name": evil, "in": "query", "required": true, "description": evil,
                    "schema": {"type": evil, "enum": [evil], "default": evil}}],
                "requestBody": {"content": {"application/json": {"example": {evil: evil},
                    "schema": {"properties": {evil: {"const": evil, "description": evil}}}}}},
                "responses": {evil: {"description": evil}, "200": {"description": evil, "content":
                    {"application/json": {"example": evil, "schema": {"$ref": format!("#/components/schemas/{evil}")}}}}}
            }}},
            "components": {"schemas": {evil: {"type": "array", "items": {"type": "string", "format": evil}}}}
        });
        let html = page(&document);
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("alert(1)</"), "{html}");
        assert_eq!(html.matches('<').count(), html.matches('>').count(), "{html}");
    }

    #[test]
    fn backticks_mark_code() {
        for (text, html) in [
            ("a `b` c", "a <code>b</code> c"),
            ("`<`", "<code>&lt;</code>"),
            ("one ` only", "one ` only"),
            ("", ""),
        ] {
            assert_eq!(marked(text), html, "{text}");
        }
    }
}
