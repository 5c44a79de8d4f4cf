//! Public pages with the clicks of one link, which whoever knows the address may see.
//!
//! The address is an id that nobody can guess: `dash_`, the link's own id, and sixteen random characters (95 bits) that
//! are kept with the link. Without them the id leads nowhere; switched off and on again the page has another address.

use subtle::ConstantTimeEq;

use crate::core::link::Options;
use crate::core::problem::Problem;
use crate::core::validate::Query;

/// How many characters of an id nobody can guess.
pub const SECRET_CHARS: usize = 16;

const PREFIX: &str = "dash_";
const LINK: &str = "link_";

/// What a page may be asked for: clicks, by what says nothing of a single visitor nor of the merchant's campaigns.
pub const GROUPS: [&str; 10] = [
    "count",
    "timeseries",
    "continents",
    "countries",
    "regions",
    "cities",
    "devices",
    "browsers",
    "os",
    "referers",
];

/// What a question may say.
const PARAMETERS: [&str; 5] = ["groupBy", "interval", "start", "end", "timezone"];

/// The id of a link's page.
#[must_use]
pub fn id(link_id: &str, secret: &str) -> String {
    format!("{PREFIX}{}{secret}", link_id.strip_prefix(LINK).unwrap_or(link_id))
}

/// The link that an id is about, if it is an id at all.
#[must_use]
pub fn link_of(id: &str) -> Option<String> {
    let rest = id.strip_prefix(PREFIX)?;
    let (link, secret) = rest.split_at_checked(rest.len().checked_sub(SECRET_CHARS)?)?;
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_plain(link) && is_plain(secret)).then(|| format!("{LINK}{link}"))
}

/// The id of the link's page, if it has one.
#[must_use]
pub fn of(link_id: &str, options: &Options) -> Option<String> {
    options.public_page.as_deref().filter(|_| options.public_stats).map(|secret| id(link_id, secret))
}

/// Whether `given` is the id of the link's page. Takes as long for a wrong one as for a right one.
#[must_use]
pub fn is_of(given: &str, link_id: &str, options: &Options) -> bool {
    of(link_id, options).is_some_and(|own| bool::from(own.as_bytes().ct_eq(given.as_bytes())))
}

/// Insists that a question is one that the page may ask.
///
/// # Errors
/// 422: another parameter, or another grouping.
pub fn check(query: &Query) -> Result<&'static str, Problem> {
    if let Some(name) = query.names().find(|name| !PARAMETERS.contains(name)) {
        let text = format!("Unrecognized parameter '{name}': a public page takes {}", PARAMETERS.join(", "));
        return Err(Problem::invalid("unrecognized_keys", name, &text));
    }
    Ok(query.choice("groupBy", &GROUPS)?.unwrap_or("count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_to_their_link_and_to_no_other() {
        let on = |secret: &str| Options {
            public_stats: true,
            public_page: Some(secret.to_owned()),
            ..Options::default()
        };
        let own = id("link_ABC", "0123456789abcdef");
        assert_eq!(own, "dash_ABC0123456789abcdef");
        assert_eq!(link_of(&own).as_deref(), Some("link_ABC"));
        for wrong in [
            "",
            "dash_",
            "dash_0123456789abcdef",
            "dash_AB'0123456789abcdef",
            "link_ABC",
            "dash_é0123456789abcde",
        ] {
            assert_eq!(link_of(wrong), None, "{wrong}");
        }
        assert!(is_of(&own, "link_ABC", &on("0123456789abcdef")));
        assert!(!is_of(&own, "link_ABC", &on("0123456789abcdeX")));
        assert!(!is_of(&own, "link_ABD", &on("0123456789abcdef")));
        assert!(!is_of(&own, "link_ABC", &Options { public_stats: false, ..on("0123456789abcdef") }));
        assert!(!is_of("dash_ABC", "link_ABC", &Options { public_stats: true, ..Options::default() }));
    }

    #[test]
    fn a_page_asks_for_clicks_and_nothing_else() {
        for (query, group) in [
            ("", Some("count")),
            ("groupBy=countries&interval=7d&timezone=Europe/Paris", Some("countries")),
            ("groupBy=top_links", None),
            ("groupBy=referer_urls", None),
            ("groupBy=utm_campaigns", None),
            ("event=sales", None),
            ("linkId=link_2", None),
            ("domain=a.co", None),
            ("customerId=cus_1", None),
            ("model=first", None),
            ("country=FR", None),
        ] {
            assert_eq!(check(&Query::parse(query)).ok(), group, "{query}");
        }
    }
}
