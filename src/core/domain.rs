//! Short-link domains.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The domain that requests to this machine's loopback belong to.
///
/// A local instance registers it for its demo workspace, so that `http://127.0.0.1:8787/launch` is the link
/// `launch` of the domain `localhost`.
pub const LOCAL: &str = "localhost";

/// How long a host name may be. Source: RFC 1035 §2.3.4.
const MAX_BYTES: usize = 253;

/// What a redirect needs to know of a domain, beside its links: a row of D1's `domains`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRecord {
    /// The domain.
    pub slug: String,
    /// Where unknown links lead instead of the page.
    pub not_found_url: Option<String>,
    /// Where expired links lead instead of the page.
    pub expired_url: Option<String>,
    /// JSON text for Android's app links.
    pub asset_links: Option<String>,
    /// JSON text for Apple's universal links.
    pub apple_app_site_association: Option<String>,
}

/// The domain a `Host` header names: lower case, without port, a leading `www.` and a trailing dot.
///
/// Loopback (`127.0.0.1`, `[::1]`, `localhost`, any port) is [`LOCAL`]. `None` when
/// the text is no host name at all; such a request has no link.
#[must_use]
pub fn of_host(host: &str) -> Option<String> {
    let host = host.trim();
    if let Some(v6) = host.strip_prefix('[') {
        let (address, _port) = v6.split_once(']')?;
        return address.parse::<IpAddr>().ok()?.is_loopback().then(|| LOCAL.to_owned());
    }
    let name = host.split_once(':').map_or(host, |(name, _port)| name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(if address.is_loopback() { LOCAL.to_owned() } else { name });
    }
    let name = name.strip_prefix("www.").unwrap_or(&name);
    is_name(name).then(|| name.to_owned())
}

/// A host without its port; an IPv6 address keeps its brackets.
#[must_use]
pub fn without_port(host: &str) -> &str {
    let name_ends = host.rfind(']').map_or(0, |at| at + 1);
    match host.get(name_ends..).and_then(|rest| rest.find(':')) {
        Some(at) => host.get(..name_ends + at).unwrap_or(host),
        None => host,
    }
}

/// Whether a text, already lower case, has the shape of a host name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_cut() {
        for (host, expected) in
            [("a.com:80", "a.com"), ("a.com", "a.com"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", "")]
        {
            assert_eq!(without_port(host), expected, "{host}");
        }
    }

    #[test]
    fn hosts_and_their_domains() {
        for (host, domain) in [
            ("go.acme.com", Some("go.acme.com")),
            ("GO.Acme.COM", Some("go.acme.com")),
            ("www.acme.com", Some("acme.com")),
            ("www2.acme.com", Some("www2.acme.com")),
            ("wwwx.acme.com:443", Some("wwwx.acme.com")),
            ("go.acme.com.", Some("go.acme.com")),
            ("go.acme.com:8443", Some("go.acme.com")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("127.0.0.1:8787", Some(LOCAL)),
            ("127.9.9.9", Some(LOCAL)),
            ("localhost:1", Some(LOCAL)),
            ("[::1]:8787", Some(LOCAL)),
            ("10.0.0.1", Some("10.0.0.1")),
            ("[fe80::1]", None),
            ("[", None),
            ("", None),
            (".", None),
            ("a..b", None),
            ("-a.com", None),
            ("a b.com", None),
            ("évil.com", None),
            ("go.acme.com/x", None),
        ] {
            assert_eq!(of_host(host).as_deref(), domain, "{host}");
        }
    }
}
