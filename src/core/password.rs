//! Passwords of links: how they are kept, and how a browser shows that it knew one.
//!
//! PBKDF2-HMAC-SHA256 with a salt of its own for each link. 50,000 rounds take about 20 ms in the Worker
//! (measured, docs in ARCHITECTURE.md); more would not fit a request, so attempts are limited as well
//! (`edge::password_attempts`). A browser that knew the password gets a signed cookie, never the password.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::core::ids;
use crate::core::link::LinkRecord;
use crate::core::seal::SealingKey;
use crate::core::time::{DAY_MS, Millis};

/// How many random bytes go in front of a password.
pub const SALT_BYTES: usize = 16;

/// Rounds of new hashes. An older hash keeps the number it was made with.
const ROUNDS: u32 = 50_000;
/// Above this a stored text is not one of ours.
const MOST_ROUNDS: u32 = 1_000_000;
/// How long a browser need not ask again.
const UNLOCKED_MS: i64 = DAY_MS;

/// The text to keep for a password: `pbkdf2$<rounds>$<salt>$<hash>`.
#[must_use]
pub fn hash(password: &str, salt: [u8; SALT_BYTES]) -> String {
    let hash = derive(password, &salt, ROUNDS);
    format!(
        "pbkdf2${ROUNDS}${}${}",
        Base64UrlUnpadded::encode_string(&salt),
        Base64UrlUnpadded::encode_string(&hash)
    )
}

/// Whether `password` is the one that `stored` was made from. A damaged text fits no password.
#[must_use]
pub fn verify(password: &str, stored: &str) -> bool {
    let mut parts = stored.split('$');
    let (Some("pbkdf2"), Some(rounds), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let rounds = rounds.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds));
    let salt = Base64UrlUnpadded::decode_vec(salt).ok();
    let hash = Base64UrlUnpadded::decode_vec(hash).ok().filter(|hash| hash.len() == 32);
    match (rounds, salt, hash) {
        (Some(rounds), Some(salt), Some(hash)) => derive(password, &salt, rounds).ct_eq(&hash).into(),
        _ => false,
    }
}

fn derive(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, rounds, &mut hash);
    hash
}

/// Signs the cookies of browsers that knew a password.
#[derive(Clone)]
pub struct UnlockKey(Hmac<Sha256>);

impl UnlockKey {
    /// The key that belongs to the Worker's secret.
    #[must_use]
    pub fn of(secret: &SealingKey) -> Self {
        let mut block = [0_u8; 64];
        for (to, from) in block.iter_mut().zip(secret.derive("unlocked link")) {
            *to = from;
        }
        Self(<Hmac<Sha256> as Mac>::new(&block.into()))
    }

    /// The cookie's value: until when, and a MAC over that, the link and its password's hash.
    ///
    /// A new password makes every older cookie worthless.
    #[must_use]
    pub fn issue(&self, link: &LinkRecord, now: Millis) -> String {
        let until = now.0.saturating_add(UNLOCKED_MS);
        format!("{until}.{}", self.mac(link, until))
    }

    /// Whether a cookie's value proves that the password was known.
    #[must_use]
    pub fn verifies(&self, link: &LinkRecord, value: &str, now: Millis) -> bool {
        let Some((until, mac)) = value.split_once('.') else { return false };
        let Some(until) = until.parse().ok().filter(|until| *until > now.0) else { return false };
        self.mac(link, until).as_bytes().ct_eq(mac.as_bytes()).into()
    }

    fn mac(&self, link: &LinkRecord, until: i64) -> String {
        let mut mac = self.0.clone();
        for part in [&link.workspace_id, &link.id, link.options.password.as_deref().unwrap_or_default()] {
            mac.update(part.as_bytes());
            mac.update(b"\0");
        }
        mac.update(&until.to_be_bytes());
        ids::hex(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 7914 §11.
    #[test]
    fn it_is_pbkdf2() {
        let stored = |hex: &str, rounds, salt: &str| {
            let hash = base16ct::lower::decode_vec(hex).unwrap();
            let (salt, hash) =
                (Base64UrlUnpadded::encode_string(salt.as_bytes()), Base64UrlUnpadded::encode_string(&hash));
            format!("pbkdf2${rounds}${salt}${hash}")
        };
        let one = stored("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc", 1, "salt");
        assert!(verify("passwd", &one) && !verify("passwD", &one));
        let many = stored("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56", 80_000, "NaCl");
        assert!(verify("Password", &many));
    }

    #[test]
    fn passwords_fit_their_own_hash_only() {
        let stored = hash("hunter2é", [7; SALT_BYTES]);
        assert!(!stored.contains("hunter2") && stored.starts_with("pbkdf2$50000$"));
        assert!(verify("hunter2é", &stored));
        for wrong in ["", "hunter2", "Hunter2é", "hunter2é "] {
            assert!(!verify(wrong, &stored), "{wrong}");
        }
        assert_ne!(stored, hash("hunter2é", [8; SALT_BYTES]));
        for damaged in [
            "",
            "hunter2é",
            "pbkdf2$0$$",
            "pbkdf2$99999999999$AA$AA",
            &stored.replace("pbkdf2", "x"),
            &stored[..60],
        ] {
            assert!(!verify("hunter2é", damaged), "{damaged}");
        }
    }

    #[test]
    fn a_cookie_opens_one_link_for_one_day() {
        let link = LinkRecord::from_text(
            r#"{"v":1,"i":"link_1","w":"ws_1","d":"a.com","k":"x","u":"https://a.com/","o":{"password":"p"}}"#,
        )
        .unwrap();
        let key = UnlockKey::of(&SealingKey::parse(&"ab".repeat(32)).unwrap());
        let now = Millis(1_763_000_000_000);
        let value = key.issue(&link, now);
        assert!(key.verifies(&link, &value, now));
        assert!(!key.verifies(&link, &value, now.plus_days(1)));
        let mut other = link.clone();
        other.id = "link_2".to_owned();
        assert!(!key.verifies(&other, &value, now));
        let mut changed = link.clone();
        changed.options.password = Some("q".to_owned());
        assert!(!key.verifies(&changed, &value, now));
        let later = value.replacen("17", "18", 1);
        for forged in ["", ".", "9", "9999999999999.", "9999999999999.00", later.as_str()] {
            assert!(!key.verifies(&link, forged, now), "{forged}");
        }
        let elsewhere = UnlockKey::of(&SealingKey::parse(&"cd".repeat(32)).unwrap());
        assert!(!elsewhere.verifies(&link, &value, now));
    }
}
