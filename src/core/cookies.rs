//! Cookies: reading what a browser sent, writing what it shall keep.

use std::fmt::Write as _;

use crate::core::time::Millis;

/// The value of the first cookie called `name`.
#[must_use]
pub fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .find_map(|pair| pair.trim_start().strip_prefix(name)?.strip_prefix('=').map(str::trim_end))
}

/// A `Set-Cookie` to be written.
///
/// Name, path and domain come from a stored link and a parsed request, the value is one of ours: all are
/// visible ASCII without `;`. [`SetCookie::to_header`] refuses anything else.
#[derive(Debug, Clone, Copy)]
pub struct SetCookie<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
    /// Where it is sent, still percent-encoded.
    pub path: &'a str,
    /// The domain it is shared with; `None`: this host only.
    pub domain: Option<&'a str>,
    /// How long it is kept, in seconds; `None`: for the browser session.
    pub max_age_s: Option<i64>,
    /// Whether scripts may not read it.
    pub http_only: bool,
    /// Only over https.
    pub secure: bool,
}

impl SetCookie<'_> {
    /// The header's value, or `None` when a part could break out of it. `SameSite=Lax` always.
    ///
    /// Order of the attributes: wire contract 2.7. `Expires` beside `Max-Age` is part of it.
    #[must_use]
    pub fn to_header(&self, now: Millis) -> Option<String> {
        let parts = [self.name, self.value, self.path, self.domain.unwrap_or_default()];
        if !parts.iter().all(|part| is_safe(part)) || self.name.contains('=') {
            return None;
        }
        let mut text = String::with_capacity(192);
        text.extend([self.name, "=", self.value, "; Path=", self.path]);
        if let Some(seconds) = self.max_age_s {
            let expires = Millis(now.0.saturating_add(seconds.saturating_mul(1000)));
            text.push_str("; Expires=");
            expires.write_http_date(&mut text);
            let _infallible = write!(text, "; Max-Age={seconds}");
        }
        if let Some(domain) = self.domain {
            text.extend(["; Domain=", domain]);
        }
        if self.secure {
            text.push_str("; Secure");
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        text.push_str("; SameSite=Lax");
        Some(text)
    }
}

/// Visible ASCII that cannot end a cookie's value or attribute.
fn is_safe(text: &str) -> bool {
    text.len() <= 2048
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_of_a_name() {
        for (header, value) in [
            ("a=1", Some("1")),
            ("b=2; a=1", Some("1")),
            ("b=2;a=1 ; a=3", Some("1")),
            ("aa=2; a=", Some("")),
            ("aa=2; xa=1", None),
            ("a", None),
            ("", None),
            (";;=;a=1", Some("1")),
        ] {
            assert_eq!(find(header, "a"), value, "{header}");
        }
    }

    #[test]
    fn attributes_stand_in_the_contracts_order() {
        let cookie = SetCookie {
            name: "pimms_id_go.acme.com_launch",
            value: "abc",
            path: "/launch",
            domain: Some("acme.com"),
            max_age_s: Some(3600),
            http_only: true,
            secure: true,
        };
        assert_eq!(
            cookie.to_header(Millis(1_763_000_000_000)).unwrap(),
            "pimms_id_go.acme.com_launch=abc; Path=/launch; Expires=Thu, 13 Nov 2025 03:13:20 GMT; Max-Age=3600; \
             Domain=acme.com; Secure; HttpOnly; SameSite=Lax"
        );
        let plain = SetCookie { domain: None, max_age_s: None, http_only: false, secure: false, ..cookie };
        assert_eq!(
            plain.to_header(Millis(0)).unwrap(),
            "pimms_id_go.acme.com_launch=abc; Path=/launch; SameSite=Lax"
        );
    }

    #[test]
    fn nothing_breaks_out_of_a_cookie() {
        let cookie = SetCookie {
            name: "a",
            value: "b",
            path: "/",
            domain: None,
            max_age_s: None,
            http_only: false,
            secure: false,
        };
        for bad in ["x;y", "x\r\ny", "é", "x y", "x\0", "x\"y", "x,y"] {
            assert_eq!(SetCookie { path: bad, ..cookie }.to_header(Millis(0)), None, "{bad}");
            assert_eq!(SetCookie { value: bad, ..cookie }.to_header(Millis(0)), None, "{bad}");
            assert_eq!(SetCookie { name: bad, ..cookie }.to_header(Millis(0)), None, "{bad}");
        }
        assert_eq!(SetCookie { name: "a=b", ..cookie }.to_header(Millis(0)), None);
    }
}
