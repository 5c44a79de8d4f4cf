//! The languages a visitor reads.

/// The tags of an `Accept-Language` header (`fr-CA`, `en`, `*`), most wanted first; refused ones left out.
#[must_use]
pub fn accepted(header: &str) -> Vec<&str> {
    /// No person lists more.
    const MOST: usize = 32;
    let mut tags: Vec<(&str, u16)> = header
        .split(',')
        .take(MOST)
        .filter_map(|part| {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1000), thousandths)?;
            let tag = tag.trim();
            (weight > 0 && !tag.is_empty()).then_some((tag, weight))
        })
        .collect();
    tags.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    tags.into_iter().map(|(tag, _)| tag).collect()
}

/// Whether a tag is the wanted language: `fr` is `fr-CA` as well, `fr-CA` is only itself.
#[must_use]
pub fn is(tag: &str, wanted: &str) -> bool {
    tag.eq_ignore_ascii_case(wanted)
        || tag.split_once('-').is_some_and(|(language, _)| language.eq_ignore_ascii_case(wanted))
}

/// Whether our pages are shown in French: it is wanted before English.
#[must_use]
pub fn prefers_french(header: &str) -> bool {
    let tags = accepted(header);
    tags.iter().find(|tag| is(tag, "fr") || is(tag, "en")).is_some_and(|tag| is(tag, "fr"))
}

/// `0.8` as 800. Source: RFC 9110 §12.4.2. `None` for anything else.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_follows_the_weights() {
        for (header, expected) in [
            ("fr-CA,fr;q=0.9,en;q=0.8", vec!["fr-CA", "fr", "en"]),
            ("en;q=0.1, de ;q=0.9,fr", vec!["fr", "de", "en"]),
            ("en;q=0,fr", vec!["fr"]),
            ("en;q=2,de;q=x,fr;q=0.1234,it", vec!["it"]),
            ("*", vec!["*"]),
            ("", vec![]),
            (",,;q=1", vec![]),
        ] {
            assert_eq!(accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn pages_are_french_for_who_prefers_it() {
        for (header, expected) in [
            ("fr", true),
            ("fr-CH, fr;q=0.9, en;q=0.8", true),
            ("de, fr;q=0.5, en;q=0.4", true),
            ("en-US,en;q=0.9,fr;q=0.8", false),
            ("de", false),
            ("", false),
            ("*", false),
            ("frr", false),
        ] {
            assert_eq!(prefers_french(header), expected, "{header}");
        }
    }
}
