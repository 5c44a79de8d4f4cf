//! The fields of a JSON object.

use serde_json::{Map, Value};

use crate::core::money::MAX_MINOR;
use crate::core::problem::Problem;
use crate::core::time::Millis;

/// A JSON object being read, and where it stands in the body.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
}

/// A field that may be missing, `null`, or there: three things an update must tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given<T> {
    /// Not in the body: leave it as it is.
    Absent,
    /// `null`: clear it.
    Null,
    /// This.
    Value(T),
}

/// What a text must be like. Lengths are in characters.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    min: usize,
    max: usize,
    trimmed: bool,
}

impl Text {
    /// Any text up to `max` characters.
    #[must_use]
    pub const fn up_to(max: usize) -> Self {
        Self { min: 0, max, trimmed: false }
    }

    /// Blanks around it are dropped before it is measured.
    #[must_use]
    pub const fn trimmed(self) -> Self {
        Self { trimmed: true, ..self }
    }

    /// At least `min` characters.
    #[must_use]
    pub const fn at_least(self, min: usize) -> Self {
        Self { min, ..self }
    }
}

impl<T> Given<T> {
    /// The value; `None` for absent and `null` alike.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// What an update makes of `old`: absent keeps it, `null` clears it.
    pub fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Absent => old,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// Whether the body has the field, be it `null`.
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Changes the value, if there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Value(value) => Given::Value(change(value)),
        }
    }

    /// Changes the value, if there is one, by something that may refuse.
    ///
    /// # Errors
    /// What `change` says.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Given<U>, E> {
        Ok(match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Value(value) => Given::Value(change(value)?),
        })
    }
}

impl<'a> Fields<'a> {
    /// The body itself, which must be an object.
    ///
    /// # Errors
    /// 422 when it is anything else.
    pub fn root(value: &'a Value) -> Result<Self, Problem> {
        Self::at(value, String::new())
    }

    /// An object at `at` (`links[0]`, `[3]`).
    ///
    /// # Errors
    /// 422 when it is anything else.
    pub fn at(value: &'a Value, at: String) -> Result<Self, Problem> {
        match value {
            Value::Object(map) => Ok(Self { map, at }),
            other => Err(wrong_type(&at, "object", other)),
        }
    }

    /// The field's path as a message names it.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Refuses `name` with a sentence of one's own: `custom: <path>: <text>`.
    #[must_use]
    pub fn refuse(&self, name: &str, text: &str) -> Problem {
        Problem::invalid("custom", &self.path(name), text)
    }

    /// Insists on a value.
    ///
    /// # Errors
    /// 422 `invalid_type: amount: amount is required` when it is absent or `null`.
    pub fn required<T>(&self, name: &str, given: Given<T>) -> Result<T, Problem> {
        given
            .value()
            .ok_or_else(|| Problem::invalid("invalid_type", &self.path(name), &format!("{name} is required")))
    }

    /// The raw value.
    #[must_use]
    pub fn raw(&self, name: &str) -> Given<&'a Value> {
        match self.map.get(name) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => Given::Value(value),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// 422: not a text, too short, too long.
    pub fn text(&self, name: &str, rule: Text) -> Result<Given<String>, Problem> {
        self.raw(name).try_map(|value| self.text_of(name, value, rule))
    }

    fn text_of(&self, name: &str, value: &Value, rule: Text) -> Result<String, Problem> {
        let Value::String(text) = value else {
            return Err(wrong_type(&self.path(name), "string", value));
        };
        let text = if rule.trimmed { text.trim() } else { text };
        let length = text.chars().count();
        if length < rule.min {
            let text = format!("String must contain at least {} character(s)", rule.min);
            return Err(Problem::invalid("too_small", &self.path(name), &text));
        }
        if length > rule.max {
            let text = format!("String must contain at most {} character(s)", rule.max);
            return Err(Problem::invalid("too_big", &self.path(name), &text));
        }
        Ok(text.to_owned())
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// 422, as [`Fields::text`] and [`Fields::required`].
    pub fn required_text(&self, name: &str, rule: Text) -> Result<String, Problem> {
        self.required(name, self.text(name, rule)?)
    }

    /// A whole number of `min..=max`. `4900.0` is whole; `"4900"` is a text.
    ///
    /// # Errors
    /// 422: not a number, not whole, too small, too big.
    pub fn integer(&self, name: &str, min: i64, max: i64) -> Result<Given<i64>, Problem> {
        self.raw(name).try_map(|value| {
            let path = self.path(name);
            let number = match value {
                Value::Number(number) => number,
                other => return Err(wrong_type(&path, "number", other)),
            };
            let number = match number.as_i64() {
                Some(number) => number,
                None => whole(number.as_f64().unwrap_or(f64::NAN)).map_err(|not| match not {
                    NotWhole::Fraction => {
                        Problem::invalid("invalid_type", &path, "Expected integer, received float")
                    }
                    NotWhole::Large => too_big(&path, max),
                    NotWhole::Small => too_small(name, &path, min),
                })?,
            };
            if number < min {
                return Err(too_small(name, &path, min));
            }
            if number > max { Err(too_big(&path, max)) } else { Ok(number) }
        })
    }

    /// An amount in minor units: whole, ≥ 0, exact in every store.
    ///
    /// # Errors
    /// 422, as [`Fields::integer`].
    pub fn amount(&self, name: &str) -> Result<Given<i64>, Problem> {
        self.integer(name, 0, MAX_MINOR)
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// 422: anything else.
    pub fn boolean(&self, name: &str) -> Result<Given<bool>, Problem> {
        self.raw(name).try_map(|value| match value {
            Value::Bool(value) => Ok(*value),
            other => Err(wrong_type(&self.path(name), "boolean", other)),
        })
    }

    /// One of a few words.
    ///
    /// # Errors
    /// 422 `invalid_enum_value`, naming them.
    pub fn choice(&self, name: &str, words: &[&'static str]) -> Result<Given<&'static str>, Problem> {
        self.text(name, Text::up_to(1000))?
            .try_map(|text| choose(&text, words).ok_or_else(|| not_a_choice(&self.path(name), words, &text)))
    }

    /// An e-mail address.
    ///
    /// # Errors
    /// 422 `invalid_string: customerEmail: Invalid email`.
    pub fn email(&self, name: &str, max: usize) -> Result<Given<String>, Problem> {
        self.text(name, Text::up_to(max).trimmed())?.try_map(|text| {
            if email_is_plausible(&text) {
                Ok(text)
            } else {
                Err(Problem::invalid("invalid_string", &self.path(name), "Invalid email"))
            }
        })
    }

    /// A date: RFC 3339, or a plain day as midnight UTC. An empty text clears it, like `null`.
    ///
    /// # Errors
    /// 422 `invalid_date`.
    pub fn date(&self, name: &str) -> Result<Given<Millis>, Problem> {
        match self.text(name, Text::up_to(100).trimmed())? {
            Given::Value(text) if text.is_empty() => Ok(Given::Null),
            given => given.try_map(|text| Millis::parse(&text).ok_or_else(|| bad_date(&self.path(name)))),
        }
    }

    /// A JSON object, kept as it is.
    ///
    /// # Errors
    /// 422: anything else.
    pub fn object(&self, name: &str) -> Result<Given<&'a Map<String, Value>>, Problem> {
        self.raw(name).try_map(|value| match value {
            Value::Object(map) => Ok(map),
            other => Err(wrong_type(&self.path(name), "object", other)),
        })
    }

    /// An array of `min..=max` values.
    ///
    /// # Errors
    /// 422: anything else, too few, too many.
    pub fn list(&self, name: &str, min: usize, max: usize) -> Result<Given<&'a [Value]>, Problem> {
        self.raw(name).try_map(|value| match value {
            Value::Array(list) => bounded(&self.path(name), list, min, max),
            other => Err(wrong_type(&self.path(name), "array", other)),
        })
    }

    /// Several texts: an array of them, or one text with commas. Blanks around them and empty ones are dropped.
    ///
    /// # Errors
    /// 422: anything else, or more than `max`.
    pub fn texts(&self, name: &str, max: usize) -> Result<Given<Vec<String>>, Problem> {
        self.raw(name).try_map(|value| {
            let found: Vec<String> = match value {
                Value::String(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
                Value::Array(list) => list
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        self.text_of(&format!("{name}[{index}]"), item, Text::up_to(1000).trimmed())
                    })
                    .collect::<Result<_, _>>()?,
                other => return Err(wrong_type(&self.path(name), "array", other)),
            };
            let found: Vec<String> = found.into_iter().filter(|text| !text.is_empty()).collect();
            bounded(&self.path(name), &found, 0, max)?;
            Ok(found)
        })
    }
}

/// Whether a text has the shape of an e-mail address: something, one `@`, a dotted name. No more is knowable.
#[must_use]
pub fn email_is_plausible(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let clean = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && !part.chars().any(|c| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(c, '@' | ',' | ';' | '<' | '>' | '"' | '(' | ')')
            })
    };
    clean(local) && clean(domain) && domain.contains('.')
}

/// The word of `words` that equals `text`.
pub(super) fn choose(text: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().find(|word| **word == text).copied()
}

pub(super) fn not_a_choice(path: &str, words: &[&str], text: &str) -> Problem {
    let listed: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let text: String = text.chars().take(100).collect();
    let text = format!("Invalid enum value. Expected {}, received '{text}'", listed.join(" | "));
    Problem::invalid("invalid_enum_value", path, &text)
}

pub(super) fn bad_date(path: &str) -> Problem {
    Problem::invalid("invalid_date", path, "Invalid date: use RFC 3339, such as 2030-04-16T17:00:00Z")
}

pub(super) fn too_big(path: &str, max: i64) -> Problem {
    Problem::invalid("too_big", path, &format!("Number must be less than or equal to {max}"))
}

pub(super) fn too_small(name: &str, path: &str, min: i64) -> Problem {
    let text = if min == 0 {
        format!("{name} cannot be negative")
    } else {
        format!("Number must be greater than or equal to {min}")
    };
    Problem::invalid("too_small", path, &text)
}

pub(super) enum NotWhole {
    Fraction,
    Large,
    Small,
}

/// A JavaScript number as an integer, within the range where that is exact.
pub(super) fn whole(number: f64) -> Result<i64, NotWhole> {
    #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is exact")]
    let limit = MAX_MINOR as f64;
    if number > limit {
        return Err(NotWhole::Large);
    }
    if number < -limit {
        return Err(NotWhole::Small);
    }
    if number.fract() != 0.0 || number.is_nan() {
        return Err(NotWhole::Fraction);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, checked above")]
    Ok(number as i64)
}

fn bounded<'a, T>(path: &str, list: &'a [T], min: usize, max: usize) -> Result<&'a [T], Problem> {
    if list.len() < min {
        let text = format!("Array must contain at least {min} element(s)");
        return Err(Problem::invalid("too_small", path, &text));
    }
    if list.len() > max {
        let text = format!("Array must contain at most {max} element(s)");
        return Err(Problem::invalid("too_big", path, &text));
    }
    Ok(list)
}

fn wrong_type(path: &str, expected: &str, found: &Value) -> Problem {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Problem::invalid("invalid_type", path, &format!("Expected {expected}, received {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn problems_name_the_field() {
        let body = json!({
            "amount": 10.5, "negative": -1, "huge": 1e300, "text": 7, "long": "abcdef", "empty": " ",
            "email": "ada", "word": "green", "date": "in 2 days", "flag": "true", "list": [1], "null": null,
            "map": [], "ids": ["a", 2], "quoted": "5",
        });
        let fields = Fields::root(&body).unwrap();
        let rows: Vec<(String, &str)> = vec![
            (message(Fields::root(&json!([]))), "invalid_type: : Expected object, received array"),
            (
                message(fields.required("gone", fields.amount("gone").unwrap())),
                "invalid_type: gone: gone is required",
            ),
            (
                message(fields.required("null", fields.amount("null").unwrap())),
                "invalid_type: null: null is required",
            ),
            (message(fields.amount("amount")), "invalid_type: amount: Expected integer, received float"),
            (message(fields.amount("negative")), "too_small: negative: negative cannot be negative"),
            (message(fields.amount("quoted")), "invalid_type: quoted: Expected number, received string"),
            (
                message(fields.amount("huge")),
                "too_big: huge: Number must be less than or equal to 9007199254740991",
            ),
            (
                message(fields.text("text", Text::up_to(5))),
                "invalid_type: text: Expected string, received number",
            ),
            (
                message(fields.text("long", Text::up_to(5))),
                "too_big: long: String must contain at most 5 character(s)",
            ),
            (
                message(fields.text("empty", Text::up_to(5).trimmed().at_least(1))),
                "too_small: empty: String must contain at least 1 character(s)",
            ),
            (message(fields.email("email", 100)), "invalid_string: email: Invalid email"),
            (
                message(fields.choice("word", &["red", "blue"])),
                "invalid_enum_value: word: Invalid enum value. Expected 'red' | 'blue', received 'green'",
            ),
            (
                message(fields.date("date")),
                "invalid_date: date: Invalid date: use RFC 3339, such as 2030-04-16T17:00:00Z",
            ),
            (message(fields.boolean("flag")), "invalid_type: flag: Expected boolean, received string"),
            (message(fields.list("list", 2, 4)), "too_small: list: Array must contain at least 2 element(s)"),
            (message(fields.list("list", 0, 0)), "too_big: list: Array must contain at most 0 element(s)"),
            (message(fields.object("map")), "invalid_type: map: Expected object, received array"),
            (message(fields.texts("ids", 9)), "invalid_type: ids[1]: Expected string, received number"),
        ];
        for (found, expected) in rows {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn paths_of_nested_objects() {
        let item = json!({"url": 1});
        let fields = Fields::at(&item, "[0]".to_owned()).unwrap();
        assert_eq!(
            message(fields.text("url", Text::up_to(9))),
            "invalid_type: [0].url: Expected string, received number"
        );
    }

    #[test]
    fn values_are_read() {
        let body = json!({
            "n": 4900.0, "t": " a ", "e": "ada@x.io", "d": "2030-04-16", "none": "", "c": "a, b,,c", "l": ["x", " "]
        });
        let fields = Fields::root(&body).unwrap();
        assert_eq!(fields.amount("n").unwrap(), Given::Value(4900));
        assert_eq!(fields.text("t", Text::up_to(1).trimmed()).unwrap(), Given::Value("a".to_owned()));
        assert_eq!(fields.email("e", 100).unwrap().value().as_deref(), Some("ada@x.io"));
        assert_eq!(fields.date("d").unwrap(), Given::Value(Millis(1_902_528_000_000)));
        assert_eq!(fields.date("none").unwrap(), Given::Null);
        assert_eq!(fields.texts("c", 9).unwrap().value().unwrap(), ["a", "b", "c"]);
        assert_eq!(fields.texts("l", 9).unwrap().value().unwrap(), ["x"]);
        assert_eq!(fields.texts("gone", 9).unwrap(), Given::Absent);
    }

    #[test]
    fn an_update_tells_absent_from_null() {
        assert_eq!(Given::Absent.over(Some(1)), Some(1));
        assert_eq!(Given::Null.over(Some(1)), None);
        assert_eq!(Given::Value(2).over(Some(1)), Some(2));
    }

    #[test]
    fn e_mail_addresses() {
        for good in ["a@b.co", "ada+tag@sub.example.com", "o'hara@x.io", "é@bücher.de"] {
            assert!(email_is_plausible(good), "{good}");
        }
        for bad in
            ["", "@", "a@", "@b.co", "a@b", "a b@c.de", "a@b@c.de", "a@.co", "a@b..co", "<a@b.co>", "a@b.co."]
        {
            assert!(!email_is_plausible(bad), "{bad}");
        }
    }
}
