//! Keys of short links: from a path to the text that is looked up.
//!
//! A key is looked up as ASCII: Punycode per dot-separated label (no mapping), then lower case.
//! Source: wire contract 2.2. Decoded once; what cannot be decoded has no link (and is no error).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// The key of the domain itself.
pub const ROOT: &str = "_root";
/// How many characters a new key may have. Source: wire contract 4.1.
pub const MAX_CHARS: usize = 190;
/// How long a key may be in ASCII; with the domain it must fit KV's 512 bytes.
pub const MAX_ASCII: usize = 250;

/// First path segments that are routes of ours on every host and never keys.
pub const ROUTES: [&str; 5] = ["api", "app", "stripe", "analytics", "_pimms"];

/// Names every web server is asked for; they cannot be keys. Source: wire contract 4.2.
const FILES: [&str; 6] = [
    "favicon.ico",
    "sitemap.xml",
    "robots.txt",
    "manifest.webmanifest",
    "manifest.json",
    "apple-app-site-association",
];

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// As looked up; [`ROOT`] for `/`.
    pub key: String,
    /// A `+` at the end: show the destination, do not go there.
    pub inspect: bool,
}

/// Why a text cannot be a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Empty, or more than [`MAX_CHARS`] characters, or too long in Punycode.
    #[error("Key must have 1 to 190 characters")]
    Length,
    /// A character outside letters, digits, `_ / - .` and non-ASCII letters and symbols.
    #[error("Key contains a character that is not allowed: use letters, digits, _ / - .")]
    Alphabet,
    /// A form that is never served.
    #[error("Key must not start with _ or .well-known, not end with .php, and have no part that is . or ..")]
    Unsupported,
    /// A name of ours or of every web server.
    #[error("This key is reserved")]
    Reserved,
}

/// How keys begin that no link has: `/stats/<key>` leads to the public page of the link `key`.
pub const PUBLIC_PAGES: &str = "stats/";

/// Whether the path belongs to a route of ours, not to a short link.
#[must_use]
pub fn is_route(path: &str) -> bool {
    let first = path.strip_prefix('/').unwrap_or(path);
    let first = first.split_once('/').map_or(first, |(first, _)| first);
    ROUTES.contains(&first)
}

/// What `path` (still percent-encoded) asks for; `None`: nothing that can be a key.
#[must_use]
pub fn of_path(path: &str) -> Option<Asked> {
    if path.len() > 4 * MAX_CHARS * 3 {
        return None;
    }
    let decoded: Cow<'_, str> = if path.contains('%') {
        if !escapes_are_whole(path) {
            return None;
        }
        percent_decode_str(path).decode_utf8().ok()?
    } else {
        Cow::Borrowed(path)
    };
    let bare = decoded.trim_matches('/');
    let (bare, inspect) =
        bare.strip_suffix('+').map_or((bare, false), |bare| (bare.trim_end_matches('/'), true));
    if bare.is_empty() {
        return Some(Asked { key: ROOT.to_owned(), inspect });
    }
    Some(Asked { key: ascii(bare)?, inspect })
}

/// The key in its looked-up form. `None` when a character is not allowed or it is too long.
#[must_use]
pub fn ascii(text: &str) -> Option<String> {
    if !text.chars().all(is_allowed) {
        return None;
    }
    let mut key = String::with_capacity(text.len());
    if text.is_ascii() {
        key.push_str(text);
    } else {
        // The full stops of East Asian scripts separate labels like the ASCII one.
        for (index, label) in text.split(['.', '\u{3002}', '\u{FF0E}', '\u{FF61}']).enumerate() {
            if index > 0 {
                key.push('.');
            }
            if label.is_ascii() {
                key.push_str(label);
            } else {
                key.push_str("xn--");
                key.push_str(&idna::punycode::encode_str(label)?);
            }
        }
    }
    key.make_ascii_lowercase();
    (key.len() <= MAX_ASCII).then_some(key)
}

/// Checks and normalises the key of a new link. Leading and trailing slashes are dropped.
///
/// # Errors
/// [`KeyError`]: its text is for the caller.
pub fn parse_new(text: &str) -> Result<String, KeyError> {
    let bare = text.trim_matches('/');
    if bare == ROOT {
        return Ok(ROOT.to_owned());
    }
    if bare.is_empty() || bare.chars().count() > MAX_CHARS {
        return Err(KeyError::Length);
    }
    if !bare.chars().all(is_allowed) {
        return Err(KeyError::Alphabet);
    }
    let key = ascii(bare).ok_or(KeyError::Length)?;
    // Browsers resolve dots before they ask: nobody would ever arrive at such a key.
    let has_dots = key.split('/').any(|part| matches!(part, "." | ".."));
    if key.starts_with('_') || has_dots || is_unsupported(&key) {
        return Err(KeyError::Unsupported);
    }
    if FILES.contains(&key.as_str()) || is_route(&key) || key.starts_with(PUBLIC_PAGES) {
        return Err(KeyError::Reserved);
    }
    Ok(key)
}

/// Keys that only scanners ask for.
#[must_use]
pub fn is_unsupported(key: &str) -> bool {
    // Keys are lower case by now; this is no file name.
    let ends_with = |end: &[u8]| key.as_bytes().ends_with(end);
    key.starts_with(".well-known") || ends_with(b".php") || ends_with(b".php7")
}

fn is_allowed(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '/' | '-' | '.' => true,
        _ => !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_invisible(c),
    }
}

/// Marks that change how a text reads without being seen: two keys must not look the same because of them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether every `%` is followed by two hex digits.
fn escapes_are_whole(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let mut bytes = rest.bytes();
        matches!((bytes.next(), bytes.next()), (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_keys() {
        for (path, key) in [
            ("/", Some(ROOT)),
            ("", Some(ROOT)),
            ("/_root", Some(ROOT)),
            ("/launch", Some("launch")),
            ("/Launch", Some("launch")),
            ("/launch/", Some("launch")),
            ("/a/b/c", Some("a/b/c")),
            ("/a%2Fb", Some("a/b")),
            ("//launch", Some("launch")),
            ("/%ED%95%9C%EA%B8%80", Some("xn--bj0bj06e")),
            ("/xn--bj0bj06e", Some("xn--bj0bj06e")),
            ("/a/%C3%A9t%C3%A9", Some("xn--a/t-cmab")),
            ("/v1.%C3%A9", Some("v1.xn--9ca")),
            ("/%25", None),
            ("/100%", None),
            ("/a%2", None),
            ("/a%zz", None),
            ("/%FF%FE", None),
            ("/a b", None),
            ("/a%00b", None),
            ("/a%0d%0aset-cookie:x", None),
            ("/a;b", None),
            ("/a@b", None),
            ("/%E2%80%8Flaunch", None),
            ("/%252525", None),
        ] {
            assert_eq!(of_path(path).map(|a| a.key).as_deref(), key, "{path}");
        }
        assert_eq!(of_path(&format!("/{}", "a".repeat(3000))), None);
        assert_eq!(of_path(&format!("/{}", "a".repeat(251))), None);
    }

    #[test]
    fn plus_inspects() {
        for (path, key) in
            [("/launch+", "launch"), ("/launch/+", "launch"), ("/+", ROOT), ("/launch%2B", "launch")]
        {
            assert_eq!(of_path(path), Some(Asked { key: key.to_owned(), inspect: true }), "{path}");
        }
    }

    #[test]
    fn new_keys() {
        for (text, expected) in [
            ("launch", Ok("launch")),
            ("/Launch/", Ok("launch")),
            ("a/b.c_d-e", Ok("a/b.c_d-e")),
            ("한글", Ok("xn--bj0bj06e")),
            ("_root", Ok("_root")),
            ("apis", Ok("apis")),
            ("", Err(KeyError::Length)),
            ("/", Err(KeyError::Length)),
            ("a b", Err(KeyError::Alphabet)),
            ("a?b", Err(KeyError::Alphabet)),
            ("a+", Err(KeyError::Alphabet)),
            ("_x", Err(KeyError::Unsupported)),
            (".well-known/x", Err(KeyError::Unsupported)),
            ("index.PHP", Err(KeyError::Unsupported)),
            ("../x", Err(KeyError::Unsupported)),
            ("a/./b", Err(KeyError::Unsupported)),
            ("a..b/.c", Ok("a..b/.c")),
            ("api", Err(KeyError::Reserved)),
            ("stripe/webhook", Err(KeyError::Reserved)),
            ("robots.txt", Err(KeyError::Reserved)),
        ] {
            assert_eq!(parse_new(text), expected.map(str::to_owned), "{text}");
        }
        assert_eq!(parse_new(&"a".repeat(191)), Err(KeyError::Length));
    }

    #[test]
    fn routes_are_first_segments() {
        for (path, route) in [
            ("/api", true),
            ("/api/links", true),
            ("/apis", false),
            ("/app/", true),
            ("/stripe/webhook/ws_1", true),
            ("/_pimms/health", true),
            ("/launch/api", false),
            ("/", false),
        ] {
            assert_eq!(is_route(path), route, "{path}");
        }
    }
}
