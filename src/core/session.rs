//! The dashboard's session: a signed text in a cookie that stands for an API key.
//!
//! It carries the key's id and an end. Its hash is stored until someone signs out: who revokes the key, or ends the
//! session, ends it everywhere. The signature spares D1 the guesses. A sign-in token is the same with a shorter life;
//! `http::session` lets it be used once. Each kind has a key of its own, so that neither passes for the other.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::core::cookies;
use crate::core::ids;
use crate::core::problem::{Code, Problem};
use crate::core::seal::SealingKey;
use crate::core::time::Millis;

/// What a signed text is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Twelve hours of the dashboard.
    Session,
    /// One sign-in, within a quarter of an hour.
    SignIn,
}

/// A signed text that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is: `tok_…`.
    pub key_id: String,
    /// From then on it is refused.
    pub expires_at: Millis,
}

/// Longer than any token that was made here.
const MAX_BYTES: usize = 300;

impl Kind {
    /// How long one lives.
    #[must_use]
    pub const fn life_ms(self) -> i64 {
        match self {
            Self::Session => 12 * 3_600_000,
            Self::SignIn => 15 * 60_000,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Session => "dashboard session",
            Self::SignIn => "dashboard sign-in",
        }
    }

    fn mac(self, secret: &SealingKey, text: &str) -> Hmac<Sha256> {
        let mut block = [0_u8; 64];
        for (to, from) in block.iter_mut().zip(secret.derive(self.label())) {
            *to = from;
        }
        let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
        mac.update(text.as_bytes());
        mac
    }

    /// Signs a new one. `nonce` makes two of the same instant differ; letters and digits.
    #[must_use]
    pub fn sign(self, secret: &SealingKey, key_id: &str, nonce: &str, now: Millis) -> String {
        self.sign_until(secret, key_id, nonce, Millis(now.0.saturating_add(self.life_ms())))
    }

    /// The same with an end of its own.
    #[must_use]
    pub fn sign_until(self, secret: &SealingKey, key_id: &str, nonce: &str, expires_at: Millis) -> String {
        let text = format!("{key_id}.{}.{nonce}", expires_at.0);
        let mac = base16ct::lower::encode_string(&self.mac(secret, &text).finalize().into_bytes());
        format!("{text}.{mac}")
    }

    /// What a text says, if it was signed here for this purpose and has not ended.
    #[must_use]
    pub fn check(self, secret: &SealingKey, token: &str, now: Millis) -> Option<Token> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let (text, mac) = token.rsplit_once('.')?;
        self.mac(secret, text).verify_slice(&base16ct::lower::decode_vec(mac).ok()?).ok()?;
        let mut parts = text.split('.');
        let (key_id, expires_at) = (parts.next()?, Millis(parts.next()?.parse().ok()?));
        (now < expires_at).then(|| Token { key_id: key_id.to_owned(), expires_at })
    }
}

/// Begins every [`name`] of a session; no hash in hex and no id of a key begins so.
const NAME_PREFIX: &str = "ses_";

/// What a session is stored by. Its text cannot be made of it.
#[must_use]
pub fn name(token: &str) -> String {
    format!("{NAME_PREFIX}{}", ids::sha256_hex(token.as_bytes()))
}

/// Whether it is the name of a session.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(NAME_PREFIX)
}

/// The cookie's name. `__Host-` keeps sites of the same domain from setting it; it needs https, which the local runtime
/// does not have.
#[must_use]
pub const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-pimms_session" } else { "pimms_session" }
}

/// The session of a `Cookie` header.
#[must_use]
pub fn of_cookies(header: &str, secure: bool) -> Option<&str> {
    cookies::find(header, cookie_name(secure)).filter(|value| !value.is_empty())
}

/// `Set-Cookie` of a session; `None`: it ends now.
#[must_use]
pub fn set_cookie(token: Option<&str>, secure: bool) -> String {
    let seconds = token.map_or(0, |_| Kind::Session.life_ms() / 1000);
    let name = cookie_name(secure);
    let token = token.unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={token}; Path=/; Max-Age={seconds}{secure}; HttpOnly; SameSite=Strict")
}

/// Where a request came from, as its headers say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// `Sec-Fetch-Site`: browsers send it, and pages cannot.
    pub site: Option<&'a str>,
    /// Whether it has `X-Pimms-Dashboard`, which pages of other origins cannot send without our leave.
    pub has_own_header: bool,
    /// `Origin`: browsers send it with whatever changes something.
    pub origin: Option<&'a str>,
    /// The host that the request came to.
    pub host: Option<&'a str>,
}

/// Insists that a request which a browser signed by itself, with its cookie, was made by the dashboard. Reading is free:
/// pages of other origins do not see the answer.
///
/// # Errors
/// 403.
pub fn require_own(method: &str, origin: Origin<'_>) -> Result<(), Problem> {
    let is_ours = |text: &str| text.split_once("://").is_some_and(|(_, host)| Some(host) == origin.host);
    let own = origin.origin.is_none_or(is_ours)
        && match origin.site {
            Some(site) => site == "same-origin",
            None => origin.has_own_header,
        };
    if own || matches!(method, "GET" | "HEAD") {
        return Ok(());
    }
    let text = "This request came from another site. Send it from the dashboard, or with an API key.";
    Err(Problem::new(Code::Forbidden, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_902_589_200_000);

    fn secret(digit: char) -> SealingKey {
        SealingKey::parse(&digit.to_string().repeat(64)).unwrap()
    }

    #[test]
    fn a_token_holds_until_its_end() {
        for kind in [Kind::Session, Kind::SignIn] {
            let token = kind.sign(&secret('a'), "tok_1", "n0", NOW);
            let end = Millis(NOW.0 + kind.life_ms());
            for (at, holds) in
                [(NOW, true), (Millis(end.0 - 1), true), (end, false), (Millis(end.0 + 1), false)]
            {
                let found = kind.check(&secret('a'), &token, at);
                let expected = holds.then(|| Token { key_id: "tok_1".to_owned(), expires_at: end });
                assert_eq!(found, expected, "{kind:?} {at:?}");
            }
        }
    }

    #[test]
    fn nothing_else_passes_for_a_token() {
        let session = Kind::Session.sign(&secret('a'), "tok_1", "n0", NOW);
        let (text, mac) = session.rsplit_once('.').unwrap();
        let later = text.replace(&(NOW.0 + Kind::Session.life_ms()).to_string(), "9999999999999");
        for (what, token) in [
            ("empty", String::new()),
            ("no mac", text.to_owned()),
            ("empty mac", format!("{text}.")),
            ("short mac", format!("{text}.{}", &mac[..62])),
            ("upper case", format!("{text}.{}", mac.to_ascii_uppercase())),
            ("another key", format!("{}.{mac}", text.replace("tok_1", "tok_2"))),
            ("a later end", format!("{later}.{mac}")),
            ("another nonce", format!("{}.{mac}", text.replace("n0", "n1"))),
            ("a sign-in token", Kind::SignIn.sign(&secret('a'), "tok_1", "n0", NOW)),
            ("another secret", Kind::Session.sign(&secret('b'), "tok_1", "n0", NOW)),
            ("very long", "a".repeat(10_000)),
            ("dots", "....".to_owned()),
        ] {
            assert_eq!(Kind::Session.check(&secret('a'), &token, NOW), None, "{what}: {token}");
        }
        assert_eq!(Kind::SignIn.check(&secret('a'), &session, NOW), None, "a session is no sign-in token");
    }

    #[test]
    fn cookies_by_scheme() {
        for (secure, header, found) in [
            (true, "__Host-pimms_session=x", Some("x")),
            (true, "a=b; __Host-pimms_session=x", Some("x")),
            // Another site of the domain could have set it.
            (true, "pimms_session=x", None),
            (false, "pimms_session=x", Some("x")),
            (false, "pimms_session=", None),
            (false, "", None),
        ] {
            assert_eq!(of_cookies(header, secure), found, "{header}");
        }
        let kept = "__Host-pimms_session=x; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(set_cookie(Some("x"), true), kept);
        assert_eq!(set_cookie(None, false), "pimms_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn other_sites_change_nothing() {
        for (method, site, has_own_header, allowed) in [
            ("GET", Some("cross-site"), false, true),
            ("HEAD", None, false, true),
            ("POST", Some("same-origin"), false, true),
            ("POST", Some("same-site"), true, false),
            ("POST", Some("cross-site"), true, false),
            ("POST", Some("none"), true, false),
            ("POST", None, true, true),
            ("POST", None, false, false),
            ("DELETE", None, false, false),
            ("PATCH", Some("cross-site"), false, false),
            ("OPTIONS", Some(""), false, false),
        ] {
            let found = require_own(method, Origin { site, has_own_header, ..Origin::default() });
            assert_eq!(found.is_ok(), allowed, "{method} {site:?} {has_own_header}");
            if let Err(problem) = found {
                assert_eq!(problem.code, Code::Forbidden);
            }
        }
    }

    #[test]
    fn a_foreign_origin_changes_nothing_whatever_else_it_says() {
        for (origin, allowed) in [
            (Some("https://pimms.example"), true),
            (Some("http://pimms.example"), true),
            (None, true),
            (Some("https://evil.example"), false),
            (Some("https://pimms.example.evil.example"), false),
            (Some("https://pimms.example:444"), false),
            (Some("https://a.pimms.example"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            for (site, has_own_header) in [(Some("same-origin"), false), (None, true)] {
                let host = Some("pimms.example");
                let found = require_own("POST", Origin { site, has_own_header, origin, host });
                assert_eq!(found.is_ok(), allowed, "{origin:?} {site:?}");
            }
        }
        let unknown = Origin { has_own_header: true, origin: Some("null"), ..Origin::default() };
        assert!(require_own("POST", unknown).is_err(), "a host that is not told is nobody's");
    }

    #[test]
    fn the_name_of_a_session_is_no_key() {
        let name = super::name("tok_1.2.n.ab");
        assert!(is_name(&name) && !is_name("tok_1") && !is_name(&ids::sha256_hex(b"tok_1.2.n.ab")));
        assert!(!name.contains("tok_1"));
        assert_ne!(name, super::name("tok_1.2.n.ac"));
    }
}
