//! The short forms of schemas and of contents.

use serde_json::{Map, Value, json};

/// Fields of a schema whose value is a schema.
const SCHEMAS: [&str; 3] = ["items", "additionalProperties", "propertyNames"];
/// Fields of a schema whose value is a list of schemas.
const LISTS: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// A schema written out: texts are names, `is` names what the rest refines, `required: all` names every property.
pub fn schema(short: &Value) -> Result<Value, String> {
    let fields = match short {
        Value::String(name) => return named(name),
        Value::Array(list) => {
            let [item] = list.as_slice() else {
                return Err("a list names one schema, of its items".to_owned());
            };
            return Ok(json!({"type": "array", "items": schema(item)?}));
        }
        Value::Bool(_) => return Ok(short.clone()),
        Value::Object(fields) => fields,
        other => return Err(format!("{other} is no schema")),
    };
    let mut written = match fields.get("is") {
        Some(is) => match schema(is)? {
            Value::Object(written) => written,
            _ => Map::new(),
        },
        None => Map::new(),
    };
    for (name, value) in fields.iter().filter(|(name, _)| *name != "is") {
        let value = match name.as_str() {
            name if SCHEMAS.contains(&name) => schema(value)?,
            name if LISTS.contains(&name) => {
                let list = value.as_array().ok_or_else(|| format!("{name}: not a list"))?;
                list.iter().map(schema).collect::<Result<Vec<_>, _>>()?.into()
            }
            "properties" => {
                let properties = value.as_object().ok_or("properties: not a mapping")?;
                let written = properties.iter().map(|(name, value)| {
                    Ok((name.clone(), schema(value).map_err(|e| format!("{name}: {e}"))?))
                });
                Value::Object(written.collect::<Result<Map<_, _>, String>>()?)
            }
            "required" => required(value, fields.get("properties"))?,
            _ => value.clone(),
        };
        written.insert(name.clone(), value);
    }
    if written.contains_key("properties") && !written.contains_key("type") {
        written.insert("type".to_owned(), "object".into());
    }
    Ok(Value::Object(written))
}

/// `all`, `{allBut: […]}`, or a list as it is.
fn required(value: &Value, properties: Option<&Value>) -> Result<Value, String> {
    let names = || properties.and_then(Value::as_object).into_iter().flat_map(Map::keys);
    match value {
        Value::String(all) if all == "all" => Ok(names().cloned().collect()),
        Value::Object(but) => {
            let but = but.get("allBut").and_then(Value::as_array).ok_or("required: all, allBut, or names")?;
            if let Some(unknown) = but.iter().find(|name| !names().any(|known| *name == known)) {
                return Err(format!("required: allBut: {unknown} is no property"));
            }
            Ok(names().filter(|name| !but.iter().any(|except| except == *name)).cloned().collect())
        }
        other => Ok(other.clone()),
    }
}

/// `text`, `integer`, …; a name with a capital is a component's; `?` allows null.
fn named(name: &str) -> Result<Value, String> {
    if let Some(name) = name.strip_suffix('?') {
        let mut found = named(name)?;
        if let Some(kind) = found.get_mut("type") {
            *kind = json!([kind, "null"]);
            return Ok(found);
        }
        return Ok(json!({"anyOf": [found, {"type": "null"}]}));
    }
    Ok(match name {
        "text" => json!({"type": "string"}),
        "url" => json!({"type": "string", "format": "uri"}),
        "instant" => json!({"type": "string", "format": "date-time"}),
        "day" => json!({"type": "string", "format": "date"}),
        "integer" | "boolean" | "number" | "object" => json!({"type": name}),
        "null" => json!({"type": "null"}),
        "any" => json!({}),
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
            json!({"$ref": format!("#/components/schemas/{name}")})
        }
        unknown => return Err(format!("{unknown} is no schema")),
    })
}

/// Writes the field `schema` of a parameter or header out.
pub fn inner_schema(holder: &mut Value) -> Result<(), String> {
    if let Some(given) = holder.get_mut("schema") {
        *given = schema(given)?;
    }
    Ok(())
}

/// A body or an answer: `schema`, `example` and `examples` stand for JSON content; a text names a component.
pub fn content(holder: &mut Value) -> Result<(), String> {
    if let Value::String(name) = holder {
        *holder = json!({"$ref": format!("#/components/responses/{name}")});
        return Ok(());
    }
    let Value::Object(fields) = holder else { return Err("not a mapping".to_owned()) };
    let mut json = Map::new();
    if let Some(given) = fields.remove("schema") {
        json.insert("schema".to_owned(), schema(&given)?);
    }
    for name in ["example", "examples"] {
        if let Some(value) = fields.remove(name) {
            json.insert(name.to_owned(), value);
        }
    }
    if !json.is_empty() {
        fields.insert("content".to_owned(), json!({"application/json": json}));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        for (short, written) in [
            (json!("text"), json!({"type": "string"})),
            (json!("integer?"), json!({"type": ["integer", "null"]})),
            (json!(["Tag"]), json!({"type": "array", "items": {"$ref": "#/components/schemas/Tag"}})),
            (json!({"is": "text", "maxLength": 3}), json!({"type": "string", "maxLength": 3})),
            (
                json!({"required": "all", "properties": {"a": "text"}}),
                json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}),
            ),
            (
                json!({"required": {"allBut": ["b"]}, "properties": {"a": "any", "b": "any"}}),
                json!({"type": "object", "required": ["a"], "properties": {"a": {}, "b": {}}}),
            ),
        ] {
            assert_eq!(schema(&short), Ok(written), "{short}");
        }
        for wrong in [json!("strnig"), json!(1), json!({"required": {"allBut": ["x"]}, "properties": {}})] {
            assert!(schema(&wrong).is_err(), "{wrong}");
        }
    }
}
