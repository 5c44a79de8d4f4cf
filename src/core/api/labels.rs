//! Tags and folders: names that links are sorted by.

use serde_json::{Value, json};

use crate::core::problem::Problem;
use crate::core::sql::Where;
use crate::core::time::Millis;
use crate::core::validate::{Fields, Given, Query, Text};

/// The colours a tag may have. Source: wire contract 6.2.
pub const COLORS: [&str; 7] = ["red", "yellow", "green", "blue", "purple", "pink", "brown"];

/// What a body says about a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagBody {
    /// 1–50 characters.
    pub name: String,
    /// `None`: any, or the old one.
    pub color: Option<&'static str>,
}

/// What a body says about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderBody {
    /// 1–190 characters.
    pub name: Option<String>,
    /// Free text.
    pub description: Given<String>,
    /// `write`, `read`, or nobody but its owner.
    pub access_level: Given<&'static str>,
}

/// A row of `folders`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Folder {
    /// `fold_…`
    pub id: String,
    /// Shown.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// `write`, `read`, or none.
    pub access_level: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// How many links are in it, when asked for.
    #[serde(default)]
    pub links: i64,
}

impl TagBody {
    /// Reads the body; `tag` is the deprecated form of `name`.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let rule = Text::up_to(50).trimmed().at_least(1);
        let name = match fields.text("name", rule)?.value() {
            Some(name) => Some(name),
            None => fields.text("tag", rule)?.value(),
        };
        let name = name.ok_or_else(|| fields.refuse("name", "Name is required."))?;
        Ok(Self { name, color: fields.choice("color", &COLORS)?.value() })
    }
}

impl FolderBody {
    /// Reads the body; a new folder must have a name.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value, is_new: bool) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let name = fields.text("name", Text::up_to(190).trimmed().at_least(1))?;
        let name = if is_new { Some(fields.required("name", name)?) } else { name.value() };
        Ok(Self {
            name,
            description: fields.text("description", Text::up_to(500))?,
            access_level: fields.choice("accessLevel", &["write", "read"])?,
        })
    }
}

impl Folder {
    /// The folder object of the wire contract 6.3.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "type": "default",
            "accessLevel": self.access_level,
            "linkCount": self.links,
            "createdAt": self.created_at.to_iso(),
            "updatedAt": self.updated_at.to_iso(),
        })
    }
}

/// Which tags or folders (`x`) a list or count means.
///
/// # Errors
/// 422.
pub fn condition(query: &Query, workspace_id: &str) -> Result<Where, Problem> {
    let mut all = Where::default();
    all.and("x.workspace_id = ?", [workspace_id.into()]);
    if let Some(search) = query.text_up_to("search", 190)? {
        all.and("instr(lower(x.name), lower(?)) > 0", [search.into()]);
    }
    let ids = query.list("ids", 100)?;
    if !ids.is_empty() {
        all.and("x.id IN (SELECT value FROM json_each(?))", [crate::core::sql::Bind::list(ids)]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let tag = |body: Value| TagBody::parse(&body).map_err(|problem| problem.message);
        assert_eq!(tag(json!({"name": " a "})), Ok(TagBody { name: "a".to_owned(), color: None }));
        assert_eq!(tag(json!({"tag": "a", "color": "red"})).unwrap().color, Some("red"));
        for (body, message) in [
            (json!({}), "custom: name: "),
            (json!({"name": ""}), "too_small: name: "),
            (json!({"name": "x".repeat(51)}), "too_big: name: "),
            (json!({"name": "a", "color": "black"}), "invalid_enum_value: color: "),
        ] {
            assert!(tag(body.clone()).unwrap_err().starts_with(message), "{body}");
        }
        let folder =
            |body: Value, is_new| FolderBody::parse(&body, is_new).map_err(|problem| problem.message);
        assert!(folder(json!({}), true).unwrap_err().starts_with("invalid_type: name: "));
        assert_eq!(folder(json!({}), false).unwrap().name, None);
        assert_eq!(folder(json!({"accessLevel": null}), false).unwrap().access_level, Given::Null);
        assert!(folder(json!({"name": "a", "accessLevel": "own"}), true).is_err());
    }
}
