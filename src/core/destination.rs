//! Where a short link may lead.
//!
//! http and https, and a few schemes that open an app on purpose. Whatever runs in the short domain's own
//! origin or reads the visitor's device (`javascript:`, `data:`, `file:`, `intent:` …) is refused here, when the
//! link is made; the redirect refuses it once more for rows that got in otherwise.

use thiserror::Error;
use url::{ParseError, Url};

/// Longer destinations do not survive the proxies between us and the visitor.
pub const MAX_BYTES: usize = 4096;

/// Schemes that open an app. Source: wire contract 2.4, row 13.
const APPS: [&str; 6] = ["mailto", "sms", "tel", "tg", "whatsapp", "xmpp"];

/// Why a text is no destination. The words are for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// Not a URL.
    #[error("Invalid URL")]
    Invalid,
    /// A URL of another scheme.
    #[error("Invalid URL: use http, https, mailto, sms, tel, tg, whatsapp or xmpp")]
    Scheme,
    /// `https://user:password@…`
    #[error("Invalid URL: a destination must not contain a user name or password")]
    Credentials,
    /// More than [`MAX_BYTES`].
    #[error("Invalid URL: at most 4096 bytes")]
    TooLong,
}

/// The destination as it is stored: an absolute URL as given, `acme.com/x` with `https://` in front.
///
/// # Errors
/// [`DestinationError`].
pub fn normalise(text: &str) -> Result<String, DestinationError> {
    let text = text.trim_matches(' ');
    if text.len() > MAX_BYTES {
        return Err(DestinationError::TooLong);
    }
    // URL parsers drop tabs and line breaks anywhere: what is shown would not be what is visited.
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(DestinationError::Invalid);
    }
    match Url::parse(text) {
        // `acme.com:8080/x` parses with the scheme `acme.com`.
        Ok(url) if url.scheme().contains('.') || url.scheme() == "localhost" => with_https(text),
        Ok(url) => check(&url).map(|()| text.to_owned()),
        Err(ParseError::RelativeUrlWithoutBase) if text.contains('.') && !text.contains(' ') => {
            with_https(text)
        }
        Err(_) => Err(DestinationError::Invalid),
    }
}

/// The host that an http(s) destination leads to, as a short-link domain would be written.
#[must_use]
pub fn host(destination: &str) -> Option<String> {
    let url = Url::parse(destination).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| crate::core::domain::of_host(url.host_str()?))?
}

fn with_https(text: &str) -> Result<String, DestinationError> {
    let text = format!("https://{}", text.trim_start_matches('/'));
    if text.len() > MAX_BYTES {
        return Err(DestinationError::TooLong);
    }
    check(&Url::parse(&text).map_err(|_| DestinationError::Invalid)?).map(|()| text)
}

fn check(url: &Url) -> Result<(), DestinationError> {
    match url.scheme() {
        "http" | "https" => {
            if !url.username().is_empty() || url.password().is_some() {
                return Err(DestinationError::Credentials);
            }
            if url.host_str().is_none_or(str::is_empty) { Err(DestinationError::Invalid) } else { Ok(()) }
        }
        scheme if APPS.contains(&scheme) => Ok(()),
        _ => Err(DestinationError::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::DestinationError::{Credentials, Invalid, Scheme, TooLong};
    use super::*;

    #[test]
    fn destinations() {
        let long = format!("https://acme.com/{}", "a".repeat(MAX_BYTES));
        for (text, expected) in [
            ("https://acme.com", Ok("https://acme.com")),
            ("https://acme.com/a b?q=é#x", Ok("https://acme.com/a b?q=é#x")),
            (" https://acme.com/ ", Ok("https://acme.com/")),
            ("HTTPS://Acme.com/X", Ok("HTTPS://Acme.com/X")),
            ("http://127.0.0.1:3000/x", Ok("http://127.0.0.1:3000/x")),
            ("acme.com/x", Ok("https://acme.com/x")),
            ("acme.com:8080/x", Ok("https://acme.com:8080/x")),
            ("localhost:3000", Ok("https://localhost:3000")),
            ("//acme.com/x", Ok("https://acme.com/x")),
            ("mailto:ada@acme.com", Ok("mailto:ada@acme.com")),
            ("tel:+3312345", Ok("tel:+3312345")),
            ("tg://resolve?domain=acme", Ok("tg://resolve?domain=acme")),
            ("", Err(Invalid)),
            ("acme", Err(Invalid)),
            ("a b.com", Err(Invalid)),
            ("https://", Err(Invalid)),
            ("https://acme.com:99999/", Err(Invalid)),
            ("https://acme.com/\nset-cookie", Err(Invalid)),
            ("java\tscript:alert(1)", Err(Invalid)),
            ("javascript:alert(1)", Err(Scheme)),
            ("JaVaScRiPt:alert(document.cookie).x", Err(Scheme)),
            (" javascript:alert(1)", Err(Scheme)),
            ("data:text/html,<script>a.b</script>", Err(Scheme)),
            ("vbscript:x.y", Err(Scheme)),
            ("file:///etc/passwd", Err(Scheme)),
            ("intent://acme.com#Intent;end", Err(Scheme)),
            ("blob:https://acme.com/1", Err(Scheme)),
            ("ftp://acme.com/", Err(Scheme)),
            ("ws://acme.com/", Err(Scheme)),
            ("https://ada@acme.com/", Err(Credentials)),
            ("https://paypal.com:x@evil.com/", Err(Credentials)),
            (long.as_str(), Err(TooLong)),
        ] {
            assert_eq!(normalise(text), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn hosts_are_compared_as_domains() {
        for (url, expected) in [
            ("https://Go.Acme.com:8443/x", Some("go.acme.com")),
            ("https://www.acme.com", Some("acme.com")),
            ("https://bücher.example/", Some("xn--bcher-kva.example")),
            ("mailto:ada@acme.com", None),
            ("http://127.0.0.1:1/", Some("localhost")),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}
