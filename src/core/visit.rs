//! A request for a short link, as plain data.

use std::borrow::Cow;

use url::form_urlencoded;

use crate::core::time::Millis;

/// How many parameters of a visitor's query are looked at and passed on.
///
/// More only costs time: no form and no campaign has them.
pub const MAX_PARAMETERS: usize = 200;

/// How much randomness a visit may need: click id 4, visitor id 16, variant 4, another id 16.
pub const CHANCE_BYTES: usize = 40;

/// What the redirect looks at of a request. Absent headers are empty texts.
#[derive(Debug, Clone, Copy)]
pub struct RequestFacts<'a> {
    /// `GET`, `HEAD`.
    pub method: &'a str,
    /// Whether it came by https.
    pub secure: bool,
    /// The host the visitor's browser knows, without port: cookies belong to it.
    pub host: &'a str,
    /// The same with its port, for addresses.
    pub authority: &'a str,
    /// As sent, still percent-encoded, from `/` on.
    pub path: &'a str,
    /// As sent, without the `?`.
    pub query: &'a str,
    /// When.
    pub now: Millis,
    /// The visitor's address.
    pub ip: &'a str,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: &'a str,
    /// `User-Agent`.
    pub user_agent: &'a str,
    /// `Referer`.
    pub referer: &'a str,
    /// `Cookie`.
    pub cookie: &'a str,
    /// `Accept-Language`.
    pub accept_language: &'a str,
    /// `Sec-Purpose`, `Purpose`, `X-Purpose` or `X-Moz`.
    pub purpose: &'a str,
    /// Whether the header `pimms-no-track` is there.
    pub no_track: bool,
    /// Fresh random bytes: ids and choices are made of them.
    pub chance: [u8; CHANCE_BYTES],
}

impl<'a> RequestFacts<'a> {
    /// The query's parameters, decoded; at most [`MAX_PARAMETERS`].
    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        form_urlencoded::parse(self.query.as_bytes()).take(MAX_PARAMETERS)
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        self.parameters().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Whether the visitor asked not to be recorded.
    #[must_use]
    pub fn is_untracked(&self) -> bool {
        self.no_track || self.parameters().any(|(name, _)| name == "pimms-no-track" || name == "dub-no-track")
    }
}

/// Whether it is https, the host with its port, the path and the query of an address as runtimes write it.
#[must_use]
pub fn parts(url: &str) -> (bool, &str, &str, &str) {
    let (secure, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://").unwrap_or(url)),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let ends = rest.bytes().position(|byte| matches!(byte, b'/' | b'?'));
    let (authority, rest) = rest.split_at_checked(ends.unwrap_or(rest.len())).unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (secure, authority, if path.is_empty() { "/" } else { path }, query)
}

/// A country as the platform names it; its marks for unknown (`XX`) and for Tor (`T1`) are no country.
#[must_use]
pub fn country(name: &str) -> &str {
    if name.len() == 2 && name.bytes().all(|b| b.is_ascii_uppercase()) && name != "XX" { name } else { "" }
}

/// Whether a browser that sends this `Sec-Purpose` fetches ahead of a click that may never come.
#[must_use]
pub fn is_prefetch(purpose: &str) -> bool {
    let purpose = purpose.to_ascii_lowercase();
    ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A plain visit that tests change.
    pub(crate) const VISIT: RequestFacts<'static> = RequestFacts {
        method: "GET",
        secure: true,
        host: "go.acme.com",
        authority: "go.acme.com",
        path: "/launch",
        query: "",
        now: Millis(1_763_000_000_000),
        ip: "203.0.113.9",
        country: "US",
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        referer: "",
        cookie: "",
        accept_language: "en-US,en;q=0.9",
        purpose: "",
        no_track: false,
        chance: [7; CHANCE_BYTES],
    };

    #[test]
    fn addresses_have_parts() {
        for (url, expected) in [
            ("https://a.com/x?y=1#z", (true, "a.com", "/x", "y=1")),
            ("http://a.com:80/", (false, "a.com:80", "/", "")),
            ("https://a.com?y", (true, "a.com", "/", "y")),
            ("https://[::1]:8/x?y?z", (true, "[::1]:8", "/x", "y?z")),
            ("", (false, "", "/", "")),
        ] {
            assert_eq!(parts(url), expected, "{url}");
        }
    }

    #[test]
    fn unknown_is_no_country() {
        for (name, expected) in [("FR", "FR"), ("XX", ""), ("T1", ""), ("", ""), ("fr", ""), ("FRA", "")] {
            assert_eq!(country(name), expected);
        }
    }

    #[test]
    fn prefetching_is_seen_in_each_form() {
        for (purpose, expected) in [
            ("", false),
            ("prefetch", true),
            ("prefetch;prerender", true),
            ("Prefetch", true),
            ("preview", true),
            ("navigate", false),
        ] {
            assert_eq!(is_prefetch(purpose), expected, "{purpose}");
        }
    }

    #[test]
    fn untracked_by_header_or_query() {
        assert!(!VISIT.is_untracked());
        assert!(RequestFacts { no_track: true, ..VISIT }.is_untracked());
        assert!(RequestFacts { query: "a=1&pimms-no-track=1", ..VISIT }.is_untracked());
        assert!(RequestFacts { query: "pimms-no-track", ..VISIT }.is_untracked());
    }
}
