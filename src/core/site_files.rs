//! Addresses that every web server is asked for, and that are never short links.
//!
//! Source: wire contract 2.1.

use crate::core::domain::DomainRecord;

/// A file that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteFile {
    /// Which iOS apps open the domain's links.
    AppleAppSiteAssociation,
    /// Which Android apps do.
    AssetLinks,
    /// What crawlers may read.
    Robots,
    /// The one page there is to list.
    Sitemap,
    /// A file we do not have: no page is shown instead of it.
    None,
}

/// The file that a path asks for; `None`: it may be a short link.
#[must_use]
pub fn of_path(path: &str) -> Option<SiteFile> {
    match path {
        "/.well-known/apple-app-site-association" => Some(SiteFile::AppleAppSiteAssociation),
        "/.well-known/assetlinks.json" => Some(SiteFile::AssetLinks),
        "/robots.txt" => Some(SiteFile::Robots),
        "/sitemap.xml" => Some(SiteFile::Sitemap),
        "/favicon.ico" | "/manifest.webmanifest" => Some(SiteFile::None),
        _ if ["/_next/", "/_proxy/", "/static/"].iter().any(|folder| path.starts_with(folder)) => {
            Some(SiteFile::None)
        }
        _ => None,
    }
}

impl SiteFile {
    /// Whether the file's text depends on the domain.
    #[must_use]
    pub fn is_of_domain(self) -> bool {
        matches!(self, Self::AppleAppSiteAssociation | Self::AssetLinks)
    }

    /// Content type and text; `None`: 404. `origin`: `https://go.acme.com`.
    #[must_use]
    pub fn content(self, origin: &str, domain: Option<&DomainRecord>) -> Option<(&'static str, String)> {
        const JSON: &str = "application/json";
        let stored = |text: &Option<String>, default: &str| {
            let text =
                text.as_deref().filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
            Some((JSON, text.unwrap_or(default).to_owned()))
        };
        match self {
            Self::AppleAppSiteAssociation => {
                stored(&domain?.apple_app_site_association, r#"{"applinks":{"apps":[],"details":[]}}"#)
            }
            Self::AssetLinks => stored(&domain?.asset_links, "[]"),
            Self::Robots => {
                let text = format!("User-agent: *\nAllow: /\nSitemap: {origin}/sitemap.xml\n");
                Some(("text/plain; charset=utf-8", text))
            }
            Self::Sitemap => {
                let text = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                     <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><url><loc>{origin}/</loc></url></urlset>"
                );
                Some(("application/xml", text))
            }
            Self::None => None,
        }
    }
}

/// The address that makes a new link of a path which is itself an address (`/https://acme.com/x?y`).
///
/// Source: wire contract 2.1, row 6. `query`: without `?`.
#[must_use]
pub fn new_link_address(path: &str, query: &str, domain: &str) -> Option<String> {
    let text = path.strip_prefix('/')?;
    let scheme = text.split_once(':').map(|(scheme, _)| scheme)?;
    let mut bytes = scheme.bytes();
    let is_scheme = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme {
        return None;
    }
    let whole = if query.is_empty() { text.to_owned() } else { format!("{text}?{query}") };
    let mut address = url::form_urlencoded::Serializer::for_suffix("/app/new?".to_owned(), "/app/new?".len());
    Some(address.append_pair("link", &whole).append_pair("domain", domain).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_links() {
        for (path, expected) in [
            ("/robots.txt", Some(SiteFile::Robots)),
            ("/robots.txt/x", None),
            ("/sitemap.xml", Some(SiteFile::Sitemap)),
            ("/favicon.ico", Some(SiteFile::None)),
            ("/_next/x.js", Some(SiteFile::None)),
            ("/static", None),
            ("/.well-known/assetlinks.json", Some(SiteFile::AssetLinks)),
            ("/.well-known/other", None),
            ("/launch", None),
        ] {
            assert_eq!(of_path(path), expected, "{path}");
        }
    }

    #[test]
    fn association_files_are_the_domains_or_empty() {
        let domain = DomainRecord { asset_links: Some("[{\"a\":1}]".to_owned()), ..DomainRecord::default() };
        let text = |file: SiteFile, domain| file.content("https://a.com", domain).map(|(_, text)| text);
        assert_eq!(text(SiteFile::AssetLinks, Some(&domain)).as_deref(), Some("[{\"a\":1}]"));
        let plain = DomainRecord::default();
        assert_eq!(text(SiteFile::AssetLinks, Some(&plain)).as_deref(), Some("[]"));
        let broken = DomainRecord { asset_links: Some("[{".to_owned()), ..DomainRecord::default() };
        assert_eq!(text(SiteFile::AssetLinks, Some(&broken)).as_deref(), Some("[]"));
        assert_eq!(text(SiteFile::AppleAppSiteAssociation, None), None, "an unknown domain");
        let apple = text(SiteFile::AppleAppSiteAssociation, Some(&broken));
        assert_eq!(apple.as_deref(), Some(r#"{"applinks":{"apps":[],"details":[]}}"#));
        assert!(text(SiteFile::Robots, None).unwrap().contains("https://a.com/sitemap.xml"));
    }

    #[test]
    fn an_address_as_a_path_becomes_a_new_link() {
        for (path, query, expected) in [
            (
                "/https://acme.com/x",
                "y=1",
                Some("/app/new?link=https%3A%2F%2Facme.com%2Fx%3Fy%3D1&domain=a.com"),
            ),
            ("/https:/acme.com", "", Some("/app/new?link=https%3A%2Facme.com&domain=a.com")),
            ("/foo:bar", "", Some("/app/new?link=foo%3Abar&domain=a.com")),
            ("/launch", "", None),
            ("/a/b:c", "", None),
            ("/:x", "", None),
            ("/1a:b", "", None),
        ] {
            assert_eq!(new_link_address(path, query, "a.com").as_deref(), expected, "{path}");
        }
    }
}
