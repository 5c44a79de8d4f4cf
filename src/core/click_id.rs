//! Click ids that prove themselves.
//!
//! An id is a version character and 32 bytes in base 62, 44 characters in all:
//!
//! | bits | what |
//! |---|---|
//! | 128 | the link's id ([`crate::core::ids`]) |
//! | 42 | milliseconds since the Unix epoch (until 2109) |
//! | 26 | randomness: two clicks on one link within the same millisecond |
//! | 60 | HMAC-SHA256 over the workspace, the version and the bits before |
//!
//! A sale can be attributed from the id alone, however late the click's row is. The workspace is under the
//! MAC but not in the id: an id of another workspace fails like a forged one. 60 bits of MAC are checked only
//! behind an API key or a Stripe signature: at 1,000 guesses a second a hit takes 18 million years.
//! The version character names the key, so keys rotate while old ids stay valid.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::core::ids::{self, BASE62};
use crate::core::time::Millis;

/// The length of every id of ours.
pub const LENGTH: usize = 44;
const MAC_BITS: u32 = 60;
const RANDOM_BITS: u32 = 26;
const TIME_BITS: u32 = 42;

/// One signing key: its version character and the secret.
#[derive(Clone)]
pub struct Key {
    version: u8,
    mac: Hmac<Sha256>,
}

/// The active keys; the first signs, all verify.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

/// What an id says once its MAC held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The link that was clicked, `link_…`.
    pub link_id: String,
    /// When.
    pub at: Millis,
}

/// Why a text is not a click id of this workspace. The words are shown on receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// A template that was never filled in.
    #[error("is the text {0}")]
    Placeholder(&'static str),
    /// Not the shape of any click id.
    #[error("is not a click id")]
    Malformed,
    /// The shape is right, the check is not: forged, altered, or another workspace's.
    #[error("click id fails its check")]
    Forged,
    /// The shape of an id issued elsewhere (imports), which only its click row can prove.
    #[error("click id is not one of ours and its click is unknown")]
    Foreign,
}

/// Why the key setting cannot be used. Never contains the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No key at all.
    #[error("no click id key is set")]
    Missing,
    /// An entry that is not `<character>:<at least 32 characters>`.
    #[error("a click id key must be `<one letter or digit>:<at least 32 characters>`")]
    Shape,
}

impl Keys {
    /// Reads `2:secret,1:older secret`: the first signs, all verify.
    ///
    /// # Errors
    /// [`KeyError`] when there is none or one is malformed; refuse to serve.
    pub fn parse(setting: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for entry in setting.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let (version, secret) = entry.split_once(':').ok_or(KeyError::Shape)?;
            let version = match version.as_bytes() {
                [byte] if byte.is_ascii_alphanumeric() => *byte,
                _ => return Err(KeyError::Shape),
            };
            if secret.len() < 32 {
                return Err(KeyError::Shape);
            }
            let mac = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| KeyError::Shape)?;
            keys.push(Key { version, mac });
        }
        if keys.is_empty() { Err(KeyError::Missing) } else { Ok(Self(keys)) }
    }

    /// A new id for a click on `link`. `None` only when no key is set.
    #[must_use]
    pub fn issue(&self, workspace_id: &str, link: [u8; 16], at: Millis, random: u32) -> Option<String> {
        let key = self.0.first()?;
        let time = u128::try_from(at.0).unwrap_or(0) & mask(TIME_BITS);
        let head = time << RANDOM_BITS | u128::from(random) & mask(RANDOM_BITS);
        let tag = key.tag(workspace_id, link, head);
        Some(encode(key.version, link, head << MAC_BITS | tag))
    }

    /// Proves an id, or says why not.
    ///
    /// # Errors
    /// [`Refusal`]: the touchpoint does not count; the reason goes on the receipt.
    pub fn verify(&self, workspace_id: &str, text: &str) -> Result<Proven, Refusal> {
        match text.trim() {
            "" => return Err(Refusal::Empty),
            "null" => return Err(Refusal::Placeholder("null")),
            "undefined" => return Err(Refusal::Placeholder("undefined")),
            _ => {}
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(Refusal::Malformed);
        }
        if text.len() != LENGTH {
            return Err(if (8..LENGTH).contains(&text.len()) {
                Refusal::Foreign
            } else {
                Refusal::Malformed
            });
        }
        let (version, link, tail) = decode(text).ok_or(Refusal::Malformed)?;
        let (head, tag) = (tail >> MAC_BITS, tail & mask(MAC_BITS));
        let proven = self.0.iter().filter(|key| key.version == version).any(|key| {
            let expected = key.tag(workspace_id, link, head).to_be_bytes();
            bool::from(subtle::ConstantTimeEq::ct_eq(&expected[..], &tag.to_be_bytes()[..]))
        });
        if !proven {
            return Err(Refusal::Forged);
        }
        let at = i64::try_from(head >> RANDOM_BITS).map_err(|_| Refusal::Malformed)?;
        Ok(Proven { link_id: ids::object_id("link_", link), at: Millis(at) })
    }
}

impl Key {
    /// The low 60 bits of the MAC.
    fn tag(&self, workspace_id: &str, link: [u8; 16], head: u128) -> u128 {
        let mut mac = self.mac.clone();
        mac.update(b"pimms click id\0");
        mac.update(&[self.version]);
        mac.update(&link);
        mac.update(&head.to_be_bytes());
        mac.update(workspace_id.as_bytes());
        let digest = mac.finalize().into_bytes();
        let low = digest.iter().take(8).fold(0_u128, |acc, byte| acc << 8 | u128::from(*byte));
        low & mask(MAC_BITS)
    }
}

fn mask(bits: u32) -> u128 {
    (1_u128 << bits) - 1
}

/// Base 62 of the 256-bit number `link ‖ tail`, most significant digit first, always 43 digits.
fn encode(version: u8, link: [u8; 16], tail: u128) -> String {
    // Five digits at a time: long division is what takes the time here.
    const FIVE_DIGITS: u64 = 62_u64.pow(5);
    let mut limbs = limbs(u128::from_be_bytes(link), tail);
    let mut digits = [0_u8; LENGTH];
    for five in digits.get_mut(1..).unwrap_or_default().rchunks_mut(5) {
        let mut rest: u64 = 0;
        for limb in &mut limbs {
            let value = rest << 32 | u64::from(*limb);
            *limb = u32::try_from(value / FIVE_DIGITS).unwrap_or(0);
            rest = value % FIVE_DIGITS;
        }
        for digit in five.iter_mut().rev() {
            *digit = usize::try_from(rest % 62).ok().and_then(|i| BASE62.get(i)).copied().unwrap_or(b'0');
            rest /= 62;
        }
    }
    if let Some(first) = digits.first_mut() {
        *first = version;
    }
    digits.iter().map(|d| char::from(*d)).collect()
}

fn decode(text: &str) -> Option<(u8, [u8; 16], u128)> {
    let mut bytes = text.bytes();
    let version = bytes.next()?;
    let mut limbs = [0_u32; 8];
    for byte in bytes {
        let mut carry = u64::try_from(value_of(byte)?).ok()?;
        for limb in limbs.iter_mut().rev() {
            let value = u64::from(*limb) * 62 + carry;
            *limb = u32::try_from(value & 0xFFFF_FFFF).ok()?;
            carry = value >> 32;
        }
        if carry != 0 {
            return None; // above 2^256: no id of ours
        }
    }
    let half = |part: &[u32]| part.iter().fold(0_u128, |acc, limb| acc << 32 | u128::from(*limb));
    let (high, low) = limbs.split_at(4);
    Some((version, half(high).to_be_bytes(), half(low)))
}

fn limbs(high: u128, low: u128) -> [u32; 8] {
    let mut limbs = [0_u32; 8];
    for (index, limb) in limbs.iter_mut().enumerate() {
        let (half, place) = if index < 4 { (high, 3 - index) } else { (low, 7 - index) };
        *limb = u32::try_from(half >> (32 * place) & 0xFFFF_FFFF).unwrap_or(0);
    }
    limbs
}

fn value_of(byte: u8) -> Option<usize> {
    match byte {
        b'0'..=b'9' => Some(usize::from(byte - b'0')),
        b'A'..=b'Z' => Some(usize::from(byte - b'A') + 10),
        b'a'..=b'z' => Some(usize::from(byte - b'a') + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> Keys {
        Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()
    }

    #[test]
    fn refusals_name_their_reason() {
        let good = keys().issue("ws_1", [7; 16], Millis(1_763_000_000_000), 5).unwrap();
        let mut altered = good.clone().into_bytes();
        altered[20] = if altered[20] == b'a' { b'b' } else { b'a' };
        let altered = String::from_utf8(altered).unwrap();
        for (text, reason) in [
            ("", Refusal::Empty),
            (" ", Refusal::Empty),
            ("null", Refusal::Placeholder("null")),
            ("undefined", Refusal::Placeholder("undefined")),
            ("aB3dE5fG7hI9jK1l", Refusal::Foreign),
            ("{{CLICK_ID}}", Refusal::Malformed),
            (&altered, Refusal::Forged),
            (&good.to_lowercase(), Refusal::Forged),
            (&"z".repeat(44), Refusal::Malformed),
            (&"a".repeat(300), Refusal::Malformed),
        ] {
            assert_eq!(keys().verify("ws_1", text), Err(reason), "{text}");
        }
        assert_eq!(keys().verify("ws_2", &good), Err(Refusal::Forged), "another workspace");
    }

    #[test]
    fn old_keys_still_verify_and_the_first_signs() {
        let old = keys().issue("ws_1", [7; 16], Millis(1), 5).unwrap();
        let setting = "2:ffffffffffffffffffffffffffffffff,1:0123456789abcdef0123456789abcdef";
        let rotated = Keys::parse(setting).unwrap();
        assert!(rotated.verify("ws_1", &old).is_ok());
        assert!(rotated.issue("ws_1", [7; 16], Millis(1), 5).unwrap().starts_with('2'));
    }

    #[test]
    fn unusable_settings_are_refused() {
        assert_eq!(Keys::parse("").err(), Some(KeyError::Missing));
        assert_eq!(Keys::parse("1:short").err(), Some(KeyError::Shape));
        assert_eq!(Keys::parse("no colon at all, of any kind, anywhere").err(), Some(KeyError::Shape));
    }

    proptest! {
        #[test]
        fn every_issued_id_reads_back(link in 1_u128..(1 << 125), at in 0_i64..4_000_000_000_000, random: u32) {
            let id = keys().issue("ws_1", link.to_be_bytes(), Millis(at), random).unwrap();
            prop_assert_eq!(id.len(), LENGTH);
            let proven = keys().verify("ws_1", &id).unwrap();
            prop_assert_eq!(proven.at, Millis(at));
            prop_assert_eq!(ids::parse_object_id("link_", &proven.link_id), Some(link.to_be_bytes()));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = keys().verify("ws_1", &text);
        }
    }
}
