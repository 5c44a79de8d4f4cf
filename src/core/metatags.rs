//! What a page says of itself in its head, and which pages may be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::core::html::{Tags, decoded};

/// How much of a page is looked at: its head is in front.
pub const MAX_BYTES: usize = 256 * 1024;
const MAX_TEXT: usize = 500;

/// A page's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// `og:title`, else `twitter:title`, else `<title>`.
    pub title: Option<String>,
    /// `description`, else that of Open Graph, else Twitter's.
    pub description: Option<String>,
    /// A picture, as an absolute address.
    pub image: Option<String>,
}

/// The address to fetch, if it is one that anybody on the internet could.
///
/// A name may still lead to a private address; the platform reaches no private network. What it could reach (the
/// machine it runs on, in local mode) is named here. Numbers in any spelling are addresses once `Url` has read them.
#[must_use]
pub fn public(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let host = match url.host()? {
        Host::Domain(name) => is_public_name(name),
        Host::Ipv4(address) => is_public(IpAddr::V4(address)),
        Host::Ipv6(address) => is_public(IpAddr::V6(address)),
    };
    (plain && host).then_some(url)
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.')
        && !matches!(last, "localhost" | "local" | "internal" | "lan" | "home" | "arpa" | "onion")
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let reserved = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !reserved
}

/// Global unicast without the ranges that lead back inside (6to4, NAT64, Teredo, documentation).
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
}

/// Reads a page's head; `base` makes addresses absolute.
#[must_use]
pub fn read(html: &str, base: &Url) -> Meta {
    let (mut named, mut title, mut icons) = (Vec::new(), None, Vec::new());
    for tag in Tags::of(html) {
        let of = |wanted: &str| tag.attribute(wanted).map(str::to_owned);
        match tag.name.as_str() {
            "meta" => {
                if let (Some(name), Some(content)) = (of("property").or_else(|| of("name")), of("content")) {
                    named.push((name.to_ascii_lowercase(), content));
                }
            }
            "link" => {
                if let (Some(rel), Some(href)) = (of("rel"), of("href")) {
                    icons.push((rel.to_ascii_lowercase(), href));
                }
            }
            "title" if title.is_none() => title = tag.after.split('<').next().map(decoded),
            "body" => break,
            _ => {}
        }
    }
    let meta = |names: &[&str]| {
        names.iter().find_map(|wanted| named.iter().find(|(name, value)| name == wanted && !value.is_empty()))
    };
    let text = |names: &[&str]| meta(names).map(|(_, value)| shortened(value));
    let icon = |wanted: &str| icons.iter().find(|(rel, _)| rel == wanted).map(|(_, href)| href.clone());
    let image = meta(&["og:image", "twitter:image"]).map(|(_, value)| value.clone());
    let image =
        image.or_else(|| icon("image_src")).or_else(|| icon("icon")).or_else(|| icon("shortcut icon"));
    Meta {
        title: text(&["og:title", "twitter:title"])
            .or_else(|| title.map(|title| shortened(&title)).filter(|title| !title.is_empty())),
        description: text(&["description", "og:description", "twitter:description"]),
        image: image
            .and_then(|image| base.join(&image).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .map(String::from),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_public_addresses() {
        for (text, expected) in [
            ("https://acme.com/x", true),
            ("http://acme.com", true),
            ("https://8.8.8.8/", true),
            ("https://[2606:4700::1111]/", true),
            ("http://localhost/", false),
            ("http://go.localhost/", false),
            ("http://router.lan/", false),
            ("http://metadata.google.internal/", false),
            ("http://intranet/", false),
            ("http://127.0.0.1/", false),
            ("http://127.1/", false),
            ("http://2130706433/", false),
            ("http://0x7f.0.0.1/", false),
            ("http://017700000001/", false),
            ("http://0.0.0.0/", false),
            ("http://10.1.2.3/", false),
            ("http://172.16.0.1/", false),
            ("http://192.168.1.1/", false),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://100.64.0.1/", false),
            ("http://198.18.0.1/", false),
            ("http://224.0.0.1/", false),
            ("http://255.255.255.255/", false),
            ("http://[::1]/", false),
            ("http://[::]/", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("http://[fd00::1]/", false),
            ("http://[fe80::1]/", false),
            ("http://[2002:7f00:1::]/", false),
            ("http://[64:ff9b::7f00:1]/", false),
            ("https://acme.com:8443/", false),
            ("https://user:pass@acme.com/", false),
            ("ftp://acme.com/", false),
            ("file:///etc/passwd", false),
            ("gopher://acme.com/", false),
            ("not a url", false),
        ] {
            assert_eq!(public(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn heads_are_read() {
        let base = Url::parse("https://acme.com/a/b").unwrap();
        let html = r#"<!doctype html><!-- <title>no</title> --><html><head><script>"<title>no</title>"</script>
            <TITLE>Tools &amp; more</TITLE><meta name=description content='Fine "tools"'>
            <meta property="og:title" content="Acme &lt;3"><link rel="icon" href="/icon.png">
            <meta content="../pic.jpg" property="og:image"/></head><body><meta name="description" content="no">"#;
        let meta = read(html, &base);
        assert_eq!(meta.title.as_deref(), Some("Acme <3"));
        assert_eq!(meta.description.as_deref(), Some("Fine \"tools\""));
        assert_eq!(meta.image.as_deref(), Some("https://acme.com/pic.jpg"));
        let plain =
            read("<title> Plain\n page </title><link rel='shortcut icon' href='javascript:1'>", &base);
        assert_eq!(
            (plain.title.as_deref(), plain.description, plain.image),
            (Some("Plain page"), None, None)
        );
        assert_eq!(read("", &base), Meta::default());
    }

    proptest! {
        #[test]
        fn no_page_panics(html in "(<|>|/|=|'|\"|!--|--|meta|title|script|property|content|é|\\PC| ){0,60}") {
            let _ = read(&html, &Url::parse("https://acme.com/").unwrap());
        }
    }
}
