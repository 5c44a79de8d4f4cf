//! The tags of somebody's page: as much of HTML as is needed to read what a page says of itself.

/// A tag that opens something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Its name in lower case.
    pub name: String,
    /// Its attributes: names in lower case, values decoded.
    pub attributes: Vec<(String, String)>,
    /// The page after it.
    pub after: &'a str,
}

impl Tag<'_> {
    /// The value of an attribute; the first counts, as in browsers.
    #[must_use]
    pub fn attribute(&self, wanted: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

/// The tags of a page in order, without what stands in comments, scripts and styles.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    /// Those of `html`.
    #[must_use]
    pub const fn of(html: &'a str) -> Self {
        Self { rest: html }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self.rest.find('<')?;
            self.rest = self.rest.get(start + 1..).unwrap_or_default();
            if let Some(comment) = self.rest.strip_prefix("!--") {
                self.rest = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            let name: String = self.rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            if name.is_empty() {
                continue;
            }
            let (attributes, after) = attributes(self.rest.get(name.len()..).unwrap_or_default());
            let name = name.to_ascii_lowercase();
            self.rest = after;
            if matches!(name.as_str(), "script" | "style") {
                let end = format!("</{name}");
                let named = |found: &[u8]| found.eq_ignore_ascii_case(end.as_bytes());
                let at = after.as_bytes().windows(end.len()).position(named).unwrap_or(after.len());
                self.rest = after.get(at..).unwrap_or_default();
            }
            return Some(Tag { name, attributes, after });
        }
    }
}

/// The attributes of a tag, and what follows it.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (found, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(rest.chars().next().map_or(1, char::len_utf8)));
        rest = after.trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (taken, left) = match quote {
                Some(quote) => {
                    let inner = after.get(1..).unwrap_or_default();
                    inner.split_once(quote).unwrap_or((inner, ""))
                }
                None => {
                    after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len()))
                }
            };
            (value, rest) = (taken, left);
        }
        found.push((name.to_ascii_lowercase(), decoded(value)));
    }
}

/// The few character references that titles and attributes have.
pub(crate) fn decoded(text: &str) -> String {
    let text =
        text.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&apos;", "'");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_what_only_looks_like_one_is_not() {
        let html = r#"<!-- <a> --><SCRIPT Defer src='/x.js' data-domains='{&quot;refer&quot;:"go.co"}'>"<b>"</Script
            ><p class=x>a < b</p><style><c></style><br/><script src=y>"#;
        let found: Vec<(String, Vec<(String, String)>)> =
            Tags::of(html).map(|tag| (tag.name, tag.attributes)).collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            found,
            [
                (
                    "script".to_owned(),
                    vec![
                        pair("defer", ""),
                        pair("src", "/x.js"),
                        pair("data-domains", r#"{"refer":"go.co"}"#)
                    ]
                ),
                ("p".to_owned(), vec![pair("class", "x")]),
                ("style".to_owned(), vec![]),
                ("br".to_owned(), vec![]),
                ("script".to_owned(), vec![pair("src", "y")]),
            ]
        );
    }
}
