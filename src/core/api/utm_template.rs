//! UTM templates: sets of values that a workspace uses again and again.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::utm::{MAX_CHARS, NAMES, Utm};
use crate::core::validate::{Fields, Given, Text};

/// A row of `utm_templates`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct UtmTemplate {
    /// `utm_…`
    pub id: String,
    /// Unique within the workspace, in any case.
    pub name: String,
    /// Where visitors come from.
    pub utm_source: Option<String>,
    /// By which kind of thing.
    pub utm_medium: Option<String>,
    /// For which occasion.
    pub utm_campaign: Option<String>,
    /// By which word.
    pub utm_term: Option<String>,
    /// By which of several.
    pub utm_content: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl UtmTemplate {
    /// Its values, in the order of [`NAMES`].
    #[must_use]
    pub fn values(&self) -> [Option<&str>; 5] {
        [&self.utm_source, &self.utm_medium, &self.utm_campaign, &self.utm_term, &self.utm_content]
            .map(|value| value.as_deref())
    }

    /// What a body makes of it; a new one must have a name. Absent fields stay, `null` and `""` clear.
    ///
    /// # Errors
    /// 422.
    pub fn changed(self, body: &Value, is_new: bool) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let name = fields.text("name", Text::up_to(50).trimmed().at_least(1))?;
        let name = if is_new || name == Given::Null {
            fields.required("name", name)?
        } else {
            name.value().unwrap_or_else(|| self.name.clone())
        };
        let mut utm: Utm = self.values().map(|value| value.map(str::to_owned));
        for (name, slot) in NAMES.iter().zip(utm.iter_mut()) {
            let given = fields.text(name, Text::up_to(MAX_CHARS).trimmed())?;
            *slot = given.over(slot.take()).filter(|value| !value.is_empty());
        }
        let [utm_source, utm_medium, utm_campaign, utm_term, utm_content] = utm;
        Ok(Self { name, utm_source, utm_medium, utm_campaign, utm_term, utm_content, ..self })
    }

    /// As the API shows it.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), self.id.as_str().into());
        shown.insert("name".to_owned(), self.name.as_str().into());
        for (name, value) in NAMES.iter().zip(self.values()) {
            shown.insert((*name).to_owned(), value.into());
        }
        shown.insert("createdAt".to_owned(), self.created_at.to_iso().into());
        shown.insert("updatedAt".to_owned(), self.updated_at.to_iso().into());
        Value::Object(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_body_makes_of_a_template() {
        let new =
            |body: Value| UtmTemplate::default().changed(&body, true).map_err(|problem| problem.message);
        let first =
            new(json!({"name": " Mail ", "utm_source": "news", "utm_term": "", "utm_medium": null})).unwrap();
        assert_eq!((first.name.as_str(), first.values()), ("Mail", [Some("news"), None, None, None, None]));
        for (body, expected) in [
            (json!({}), Ok(["Mail", "news"])),
            (json!({"utm_source": null, "utm_content": "x"}), Ok(["Mail", "x"])),
            (json!({"name": "Post", "utm_source": " mail "}), Ok(["Post", "mail"])),
            (json!({"name": null}), Err("invalid_type: name: name is required")),
            (json!({"name": ""}), Err("too_small: name: ")),
            (json!({"utm_term": 7}), Err("invalid_type: utm_term: ")),
            (json!({"utm_term": "x".repeat(191)}), Err("too_big: utm_term: ")),
        ] {
            let found = first.clone().changed(&body, false).map_err(|problem| problem.message);
            match expected {
                Ok([name, value]) => {
                    let found = found.unwrap();
                    let values: Vec<&str> = found.values().into_iter().flatten().collect();
                    assert_eq!((found.name.as_str(), values), (name, vec![value]), "{body}");
                }
                Err(start) => assert!(found.unwrap_err().starts_with(start), "{body}"),
            }
        }
        for body in [json!({}), json!({"name": "x".repeat(51)}), json!([])] {
            assert!(new(body.clone()).is_err(), "{body}");
        }
        assert_eq!(first.shown()["utm_medium"], Value::Null);
    }
}
