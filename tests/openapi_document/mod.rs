//! The API's document, as tests look at it: its operations, and schemas that bodies are held against.

#![expect(clippy::panic, reason = "a failing step ends the test")]

use jsonschema::Validator;
use pimms_cli::project::Project;
use pimms_cli::reference;
use serde_json::{Value, json};

/// Methods of operations.
pub const METHODS: [&str; 6] = ["get", "put", "post", "patch", "delete", "head"];

/// The document, and its schemas once more, strict.
pub struct Document {
    /// As it is served.
    pub whole: Value,
    strict: Value,
}

/// One operation.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    /// Lower case.
    pub method: &'a str,
    /// With `{…}`.
    pub path: &'a str,
    /// What the path is below of: `/api`, or nothing.
    pub base: &'a str,
    /// What is said of it.
    pub said: &'a Value,
}

impl Document {
    /// Joined from its sources.
    pub fn read() -> Self {
        let whole = reference::document(&Project::find().unwrap()).unwrap();
        let mut strict = whole["components"].clone();
        make_strict(&mut strict);
        Self { whole, strict }
    }

    /// Every operation.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut found = Vec::new();
        for (path, item) in self.whole["paths"].as_object().unwrap() {
            for method in METHODS {
                let Some(said) = item.get(method) else { continue };
                let server = item.pointer("/servers/0/url").unwrap_or(&self.whole["servers"][0]["url"]);
                let base = server.as_str().unwrap().trim_end_matches('/');
                found.push(Operation { method, path, base, said });
            }
        }
        found
    }

    /// What `$ref` names; the value itself when it has none.
    pub fn resolved<'a>(&'a self, given: &'a Value) -> &'a Value {
        match given["$ref"].as_str() {
            Some(name) => self.whole.pointer(&name[1..]).unwrap_or_else(|| panic!("{name} leads nowhere")),
            None => given,
        }
    }

    /// Parameters with their references resolved.
    pub fn parameters<'a>(&'a self, operation: &'a Operation<'a>) -> Vec<&'a Value> {
        let given = operation.said["parameters"].as_array();
        given.into_iter().flatten().map(|given| self.resolved(given)).collect()
    }

    /// Everything that is wrong with a body or an answer under a schema. Fields that no schema names are wrong.
    pub fn mistakes(&self, schema: &Value, instance: &Value) -> Vec<String> {
        let errors = self.validator(schema);
        errors.iter_errors(instance).map(|e| format!("{}: {e}", e.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut root = schema.clone();
        make_strict(&mut root);
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        root["components"] = self.strict.clone();
        jsonschema::options()
            .should_validate_formats(true)
            .build(&root)
            .unwrap_or_else(|e| panic!("{e}: {schema}"))
    }
}

/// An object has the fields that its schema names and no others.
fn make_strict(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(make_strict),
        Value::Object(fields) => {
            // A property may itself be called `properties`; none is.
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            for (name, value) in fields.iter_mut() {
                if !matches!(name.as_str(), "example" | "examples" | "default" | "enum" | "const") {
                    make_strict(value);
                }
            }
        }
        _ => {}
    }
}
