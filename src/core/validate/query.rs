//! The parameters of a query string.

use super::fields::{NotWhole, bad_date, choose, not_a_choice, too_big, too_small, whole};
use crate::core::mode::Mode;
use crate::core::problem::Problem;
use crate::core::time::Millis;

/// How far offset paging goes; beyond, use cursors. Source: wire contract 1.8.
const MAX_PAGE: i64 = 1000;

/// A query string, decoded. An empty value is as good as none.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=1&b=2`, without the question mark.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() }
    }

    /// The first value of `name` that is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(found, value)| found == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The names that were given, in order, as often as they came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// The same as [`Query::text`], refused when longer than `max` characters.
    ///
    /// # Errors
    /// 422 `too_big`.
    pub fn text_up_to(&self, name: &str, max: usize) -> Result<Option<&str>, Problem> {
        match self.text(name) {
            Some(text) if text.chars().count() > max => {
                let text = format!("String must contain at most {max} character(s)");
                Err(Problem::invalid("too_big", name, &text))
            }
            found => Ok(found),
        }
    }

    /// Every value of `name`: given repeatedly (also as `name[]`), or with commas.
    ///
    /// # Errors
    /// 422 when there are more than `max`.
    pub fn list(&self, name: &str, max: usize) -> Result<Vec<&str>, Problem> {
        let bracketed = format!("{name}[]");
        let given = self.pairs.iter().filter(|(found, _)| *found == name || *found == bracketed);
        let parts = given.flat_map(|(_, value)| value.split(',')).map(str::trim);
        let list: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        if list.len() > max {
            let text = format!("Array must contain at most {max} element(s)");
            return Err(Problem::invalid("too_big", name, &text));
        }
        Ok(list)
    }

    /// A whole number of `min..=max`.
    ///
    /// # Errors
    /// 422: not a number, not whole, out of range.
    pub fn integer(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let number =
            number.ok_or_else(|| Problem::invalid("invalid_type", name, "Expected number, received nan"))?;
        let number = whole(number).map_err(|not| match not {
            NotWhole::Fraction => Problem::invalid("invalid_type", name, "Expected integer, received float"),
            NotWhole::Large => too_big(name, max),
            NotWhole::Small => too_small(name, name, min),
        })?;
        if number < min {
            return Err(too_small(name, name, min));
        }
        if number > max { Err(too_big(name, max)) } else { Ok(Some(number)) }
    }

    /// `true` or `false`; `default` when not given.
    ///
    /// # Errors
    /// 422: anything else.
    pub fn boolean(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.text(name) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(text) => Err(not_a_choice(name, &["true", "false"], text)),
        }
    }

    /// One of a few words.
    ///
    /// # Errors
    /// 422 `invalid_enum_value`, naming them.
    pub fn choice(&self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>, Problem> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => choose(text, words).map(Some).ok_or_else(|| not_a_choice(name, words, text)),
        }
    }

    /// RFC 3339, or a plain day as midnight UTC.
    ///
    /// # Errors
    /// 422 `invalid_date`.
    pub fn date(&self, name: &str) -> Result<Option<Millis>, Problem> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => Millis::parse(text).map(Some).ok_or_else(|| bad_date(name)),
        }
    }

    /// `?mode=live|test`, live unless said otherwise.
    ///
    /// # Errors
    /// 422: anything else.
    pub fn mode(&self) -> Result<Mode, Problem> {
        let word = self.choice("mode", &["live", "test"])?;
        Ok(word.and_then(Mode::parse).unwrap_or_default())
    }

    /// `?page=` from 1 on, of a list that has no cursor.
    ///
    /// # Errors
    /// 422: not whole, below 1, above 1000.
    pub fn page(&self) -> Result<i64, Problem> {
        self.page_or("")
    }

    /// `?page=` from 1 on. `further`: how the list is read beyond the last page.
    ///
    /// # Errors
    /// 422: not whole, below 1, above 1000.
    pub fn page_or(&self, further: &str) -> Result<i64, Problem> {
        if self.integer("page", 1, i64::MAX)?.is_some_and(|page| page > MAX_PAGE) {
            return Err(Problem::invalid("too_big", "page", &format!("Max page is {MAX_PAGE}.{further}")));
        }
        Ok(self.integer("page", 1, MAX_PAGE)?.unwrap_or(1))
    }

    /// `?pageSize=` (or another `name`), at most and by default `max`.
    ///
    /// # Errors
    /// 422 `too_big: pageSize: Max page size is 100.`
    pub fn page_size(&self, name: &str, default: i64, max: i64) -> Result<i64, Problem> {
        if self.integer(name, 1, i64::MAX)?.is_some_and(|size| size > max) {
            return Err(Problem::invalid("too_big", name, &format!("Max page size is {max}.")));
        }
        Ok(self.integer(name, 1, max)?.unwrap_or(default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let query = Query::parse("a=&a=x%20y&n=3&b=true&l=a,b&l=c&l[]=d&day=2030-04-16&mode=test&+=1");
        assert_eq!(query.text("a"), Some("x y"));
        assert_eq!(query.text("gone"), None);
        assert_eq!(query.integer("n", 1, 5), Ok(Some(3)));
        assert_eq!(query.boolean("b", false), Ok(true));
        assert_eq!(query.boolean("gone", true), Ok(true));
        assert_eq!(query.list("l", 9).unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(query.date("day"), Ok(Some(Millis(1_902_528_000_000))));
        assert_eq!(query.mode(), Ok(Mode::Test));
        assert_eq!(Query::default().mode(), Ok(Mode::Live));
        assert_eq!(Query::default().page(), Ok(1));
        assert_eq!(Query::default().page_size("pageSize", 50, 100), Ok(50));
    }

    #[test]
    fn problems_name_the_parameter() {
        for (text, expected) in [
            ("page=0", "too_small: page: Number must be greater than or equal to 1"),
            ("page=-1", "too_small: page: Number must be greater than or equal to 1"),
            ("page=1.5", "invalid_type: page: Expected integer, received float"),
            ("page=abc", "invalid_type: page: Expected number, received nan"),
            ("page=NaN", "invalid_type: page: Expected number, received nan"),
            ("page=1e300", "too_big: page: Number must be less than or equal to 9223372036854775807"),
            ("page=1001", "too_big: page: Max page is 1000."),
            ("pageSize=101", "too_big: pageSize: Max page size is 100."),
            ("pageSize=1000000000", "too_big: pageSize: Max page size is 100."),
            ("pageSize=0", "too_small: pageSize: Number must be greater than or equal to 1"),
            (
                "flag=yes",
                "invalid_enum_value: flag: Invalid enum value. Expected 'true' | 'false', received 'yes'",
            ),
            (
                "mode=prod",
                "invalid_enum_value: mode: Invalid enum value. Expected 'live' | 'test', received 'prod'",
            ),
            ("day=today", "invalid_date: day: Invalid date: use RFC 3339, such as 2030-04-16T17:00:00Z"),
            ("ids=a,b,c", "too_big: ids: Array must contain at most 2 element(s)"),
            ("q=abcdef", "too_big: q: String must contain at most 5 character(s)"),
        ] {
            let query = Query::parse(text);
            let found = query
                .page()
                .and_then(|_| query.page_size("pageSize", 100, 100))
                .and_then(|_| query.boolean("flag", false))
                .and_then(|_| query.mode())
                .and_then(|_| query.date("day"))
                .and_then(|_| query.list("ids", 2))
                .and_then(|_| query.text_up_to("q", 5))
                .map(|_| ());
            assert_eq!(found.unwrap_err().message, expected, "{text}");
        }
    }
}
