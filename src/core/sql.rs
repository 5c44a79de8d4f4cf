//! Conditions of a query, as data: constant text and bound values.
//!
//! The text of a condition is `'static`, so nothing a caller sends can become part of it.

/// A value to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A text.
    Text(String),
    /// An integer within ±2^53.
    Int(i64),
    /// NULL.
    Null,
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bind {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Bind {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Option<String>> for Bind {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl From<Option<i64>> for Bind {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }
}

impl Bind {
    /// Several texts as one value, for `IN (SELECT value FROM json_each(?))`: D1 binds at most 100 values.
    pub fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter().map(|text| text.as_ref().into()).collect::<Vec<serde_json::Value>>();
        Self::Text(serde_json::Value::Array(texts).to_string())
    }
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Where {
    text: String,
    binds: Vec<Bind>,
}

impl Where {
    /// Adds a condition; every `?` in it takes the next of `binds`.
    pub fn and(&mut self, text: &'static str, binds: impl IntoIterator<Item = Bind>) {
        self.and_made(text, binds.into_iter().collect());
    }

    /// Adds a condition put together from other conditions, which are constants themselves.
    pub(crate) fn and_made(&mut self, text: &str, binds: Vec<Bind>) {
        if !self.text.is_empty() {
            self.text.push_str(" AND ");
        }
        self.text.push('(');
        self.text.push_str(text);
        self.text.push(')');
        self.binds.extend(binds);
    }

    /// After `WHERE`.
    #[must_use]
    pub fn text(&self) -> &str {
        if self.text.is_empty() { "1" } else { &self.text }
    }

    /// In the order of the question marks.
    #[must_use]
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_joined_and_values_stay_in_order() {
        let mut found = Where::default();
        assert_eq!(found.text(), "1");
        found.and("a = ?", ["x".into()]);
        found.and("b = ? OR c = ?", [1.into(), Bind::list(["'", "\""])]);
        assert_eq!(found.text(), "(a = ?) AND (b = ? OR c = ?)");
        assert_eq!(found.binds(), [Bind::from("x"), Bind::Int(1), Bind::from(r#"["'","\""]"#)]);
    }
}
