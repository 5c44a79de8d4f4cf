//! JSON text to a value, strictly: one document, no name twice.
//!
//! `serde_json::Value` takes the last of two equal names; a proxy or a log in front of us may take the first.
//! Of an amount given twice neither is right.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::core::problem::Problem;

/// Reads a body. Depth is bounded by `serde_json` (128).
///
/// # Errors
/// 400 with where and why it is not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::bad_request("Invalid JSON: the body is empty."));
    }
    serde_json::from_slice::<Strict>(bytes)
        .map(|strict| strict.0)
        .map_err(|error| Problem::bad_request(format!("Invalid JSON: {error}.")))
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the name {name:?} is given twice")));
            }
            let Strict(value) = entries.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::problem::Code;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in
            ["null", "true", "-3", "1.5", "\"a\\u0041\"", "[1,[2],{}]", r#"{"a":{"b":[null]},"c":1e3}"#]
        {
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text.as_bytes()).unwrap(), plain, "{text}");
        }
    }

    #[test]
    fn what_is_not_one_json_document_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let texts = [
            "",
            "  \n",
            "{",
            "{'a':1}",
            "a=1&b=2",
            "{} {}",
            "\u{feff}{}",
            r#"{"amount":1,"amount":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            "1e999",
            "\"\\ud800\"",
            deep.as_str(),
        ];
        for text in texts {
            let problem = parse(text.as_bytes()).unwrap_err();
            assert_eq!(problem.code, Code::BadRequest, "{text}");
            assert!(problem.message.starts_with("Invalid JSON: "), "{}", problem.message);
        }
        assert!(parse(&[0xff, 0xfe]).is_err());
    }
}
