//! Whether a page carries our browser script, and how.

use url::Url;

use crate::core::assets;
use crate::core::html::Tags;

/// How much of a page is looked at: scripts may stand at its end.
pub const MAX_BYTES: usize = 1024 * 1024;
/// More than a page has; what stands beyond is not told.
const MAX_TAGS: usize = 10;
const MAX_TEXT: usize = 500;

/// One of our tags on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Where it loads the script from, as an absolute address.
    pub src: String,
    /// `defer`, `data-…`: as written, in order.
    pub attributes: Vec<(String, String)>,
    /// What keeps it from doing what it is there for.
    pub faults: Vec<Fault>,
}

/// What is wrong with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The host is neither this Worker's nor the page's own.
    OtherHost,
    /// There is no file of this name.
    UnknownFile,
    /// An attribute that holds JSON cannot be read.
    UnreadableJson,
    /// A page of https does not load a script of http.
    Insecure,
}

/// What the source of a page says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Our tags.
    pub tags: Vec<Tag>,
    /// The page loads a tag manager, which may bring the script without its source saying so.
    pub tag_manager: bool,
}

impl Fault {
    /// As the answer writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherHost => "other_host",
            Self::UnknownFile => "unknown_file",
            Self::UnreadableJson => "unreadable_json",
            Self::Insecure => "insecure",
        }
    }
}

impl Seen {
    /// Whether one of the tags works.
    #[must_use]
    pub fn works(&self) -> bool {
        self.tags.iter().any(|tag| tag.faults.is_empty())
    }
}

/// Looks for our tags in a page that came from `base`. `ours`: hosts that the Worker answers at, with their port.
#[must_use]
pub fn look(html: &str, base: &Url, ours: &[String]) -> Seen {
    let mut seen = Seen::default();
    for tag in Tags::of(html).filter(|tag| tag.name == "script") {
        let Some(src) = tag.attribute("src").and_then(|src| base.join(src).ok()) else { continue };
        seen.tag_manager |= src.host_str() == Some("www.googletagmanager.com");
        if !is_script(src.path()) || seen.tags.len() >= MAX_TAGS {
            continue;
        }
        let through_own_site = src.path().starts_with("/_pimms/") && host(&src) == host(base);
        let is_ours = through_own_site || ours.contains(&host(&src));
        let mut faults = Vec::new();
        if !is_ours {
            faults.push(Fault::OtherHost);
        } else if !FILES.contains(&file(src.path())) {
            faults.push(Fault::UnknownFile);
        }
        if base.scheme() == "https" && src.scheme() == "http" {
            faults.push(Fault::Insecure);
        }
        let broken = |name: &str| {
            let text = tag.attribute(name).filter(|text| !text.is_empty());
            text.is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err())
        };
        if broken("data-domains") || broken("data-cookie-options") {
            faults.push(Fault::UnreadableJson);
        }
        let shown = |(name, value): (String, String)| (name, value.chars().take(MAX_TEXT).collect());
        let attributes = tag.attributes.into_iter().filter(|(name, _)| name != "src").take(20).map(shown);
        seen.tags.push(Tag { src: src.to_string(), attributes: attributes.collect(), faults });
    }
    seen
}

/// The files of docs/script.md.
const FILES: [&str; 7] = [
    "script.js",
    "script.site-visit.js",
    "script.outbound-domains.js",
    "script.site-visit.outbound-domains.js",
    "script.detection.js",
    "script.inject-form.js",
    "script.expose.js",
];

fn is_script(path: &str) -> bool {
    let place = path.strip_prefix("/analytics/").or_else(|| path.strip_prefix("/_pimms/"));
    place.is_some() && assets::of_path(path, false).is_some()
}

/// Host and port, as a `Host` header has them.
#[must_use]
pub fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn file(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(html: &str) -> Seen {
        let base = Url::parse("https://shop.example/pricing").unwrap();
        look(html, &base, &["go.acme.co".to_owned(), "localhost:8787".to_owned()])
    }

    #[test]
    fn a_tag_is_found_with_its_attributes() {
        let html = r#"<html><body><script DEFER src="https://go.acme.co/analytics/script.js"
            data-domains='{"refer":"go.acme.co"}'></script><script>const a = '<script src="/_pimms/script.js">';</script>"#;
        let seen = looked(html);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let attributes = vec![pair("defer", ""), pair("data-domains", r#"{"refer":"go.acme.co"}"#)];
        let src = "https://go.acme.co/analytics/script.js".to_owned();
        assert_eq!(seen.tags, [Tag { src, attributes, faults: vec![] }]);
        assert!(seen.works() && !seen.tag_manager);
    }

    #[test]
    fn what_is_wrong_with_a_tag_is_named() {
        use Fault as F;
        for (tag, expected) in [
            ("src=https://go.acme.co/analytics/script.js", Some(vec![])),
            ("src=//go.acme.co/analytics/script.site-visit.js?v=2", Some(vec![])),
            ("src=http://localhost:8787/analytics/script.expose.js", Some(vec![F::Insecure])),
            ("src=/_pimms/script.js", Some(vec![])),
            ("src=/analytics/script.js", Some(vec![F::OtherHost])),
            ("src=https://other.example/_pimms/script.js", Some(vec![F::OtherHost])),
            ("src=https://go.acme.co:444/analytics/script.js", Some(vec![F::OtherHost])),
            ("src=https://cdn.other.example/analytics/script.js", Some(vec![F::OtherHost])),
            ("src=https://go.acme.co/analytics/script.vists.js", Some(vec![F::UnknownFile])),
            (
                "src=https://go.acme.co/analytics/script.js data-domains='{refer: x}'",
                Some(vec![F::UnreadableJson]),
            ),
            ("src=https://go.acme.co/analytics/script.js data-domains=''", Some(vec![])),
            (
                "src=https://go.acme.co/analytics/script.js data-cookie-options='{'",
                Some(vec![F::UnreadableJson]),
            ),
            ("src=https://go.acme.co/analytics/other.js", None),
            ("src=https://go.acme.co/script.js", None),
            ("src='https://'", None),
            ("type=module", None),
        ] {
            let seen = looked(&format!("<script {tag}></script>"));
            assert_eq!(seen.tags.first().map(|tag| tag.faults.clone()), expected, "{tag}");
        }
        for hidden in ["<!-- <script src=/_pimms/script.js></script> -->", "<noscript></noscript>", ""] {
            assert_eq!(looked(hidden), Seen::default(), "{hidden}");
        }
    }

    #[test]
    fn a_tag_manager_is_told_and_a_flood_of_tags_is_not() {
        assert!(looked("<script async src='https://www.googletagmanager.com/gtm.js?id=GTM-1'>").tag_manager);
        assert_eq!(looked(&"<script src=/_pimms/script.js></script>".repeat(100)).tags.len(), MAX_TAGS);
    }
}
