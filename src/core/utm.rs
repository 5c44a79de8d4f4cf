//! UTM parameters: part of a destination, and columns of a link.
//!
//! One truth: the columns say what the destination's query says. Fields of a request are set on the URL first
//! and read back from it.

use url::Url;

use crate::core::validate::Given;

/// The names, in the order of the columns.
pub const NAMES: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
/// A sixth, set on the URL but not kept as a column.
pub const REF: &str = "ref";
/// Longest value. Source: wire contract 5.1.
pub const MAX_CHARS: usize = 190;

/// The values of [`NAMES`], in that order.
pub type Utm = [Option<String>; 5];

/// The UTM parameters in a destination's query.
#[must_use]
pub fn of_url(destination: &str) -> Utm {
    let mut found: Utm = Utm::default();
    let Ok(url) = Url::parse(destination) else { return found };
    for (name, value) in url.query_pairs() {
        for (known, slot) in NAMES.iter().zip(found.iter_mut()) {
            if name == *known && slot.is_none() && !value.is_empty() {
                *slot = Some(value.chars().take(MAX_CHARS).collect());
            }
        }
    }
    found
}

/// Sets given values on a destination: a text replaces or adds the parameter, `null` or `""` removes it.
///
/// A `+` in a value means a space. The query is left as it stands, byte for byte, when nothing differs. App
/// schemes (`mailto:` …) have no UTM parameters.
#[must_use]
pub fn merge(destination: &str, given: &[(&str, Given<String>)]) -> String {
    let Ok(mut url) = Url::parse(destination) else { return destination.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return destination.to_owned();
    }
    let old: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut pairs = old.clone();
    for (name, value) in given {
        let value = match value {
            Given::Absent => continue,
            Given::Null => String::new(),
            Given::Value(text) => text.replace('+', " "),
        };
        set(&mut pairs, name, &value);
    }
    if pairs == old {
        return destination.to_owned();
    }
    if pairs.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    let mut place = pairs.iter().position(|(found, _)| found == name);
    if value.is_empty() {
        pairs.retain(|(found, _)| found != name);
        return;
    }
    // The first keeps its place, further ones go: as `URLSearchParams.set` does.
    let mut index = 0;
    pairs.retain(|(found, _)| {
        let keep = found != name || Some(index) == place;
        index += 1;
        keep
    });
    match place.take().and_then(|place| pairs.get_mut(place)) {
        Some(pair) => value.clone_into(&mut pair.1),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Given<String> {
        Given::Value(text.to_owned())
    }

    #[test]
    fn fields_are_set_on_the_url() {
        for (url, given, expected) in [
            ("https://a.com", vec![("utm_source", value("x"))], "https://a.com/?utm_source=x"),
            ("https://a.com/?flag", vec![], "https://a.com/?flag"),
            (
                "https://a.com/?flag&utm_source=x",
                vec![("utm_source", value("x"))],
                "https://a.com/?flag&utm_source=x",
            ),
            (
                "https://a.com/?utm_source=b&utm_medium=c",
                vec![("utm_source", value("a"))],
                "https://a.com/?utm_source=a&utm_medium=c",
            ),
            (
                "https://a.com/?x=1&utm_source=b&utm_source=c#top",
                vec![("utm_source", value("a b"))],
                "https://a.com/?x=1&utm_source=a+b#top",
            ),
            ("https://a.com/", vec![("utm_source", value("a+b"))], "https://a.com/?utm_source=a+b"),
            ("https://a.com/?utm_source=a", vec![("utm_source", Given::Null)], "https://a.com/"),
            ("https://a.com/?utm_source=a&y=1", vec![("utm_source", value(""))], "https://a.com/?y=1"),
            (
                "https://a.com/?utm_source=a",
                vec![("utm_source", Given::Absent)],
                "https://a.com/?utm_source=a",
            ),
            ("mailto:a@b.co", vec![("utm_source", value("a"))], "mailto:a@b.co"),
            ("", vec![("utm_source", value("a"))], ""),
        ] {
            assert_eq!(merge(url, &given), expected, "{url} {given:?}");
        }
    }

    #[test]
    fn columns_are_read_from_the_url() {
        let found = of_url("https://a.com/?utm_source=x+y&utm_content=&utm_term=t&utm_term=u&ref=z");
        assert_eq!(found, [Some("x y".to_owned()), None, None, Some("t".to_owned()), None]);
        assert_eq!(of_url("not a url"), Utm::default());
    }
}
