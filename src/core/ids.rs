//! Object ids and tokens.
//!
//! Ids are a prefix and 16 bytes (48-bit big-endian milliseconds, then 80 random bits) in base 32, so they
//! sort by creation. Source: wire contract 10.1.

use crate::core::time::Millis;

const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The base-62 alphabet of tokens and click ids.
pub const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many characters 16 bytes take in base 32 without padding bits (130 bits, two of them zero).
const ID_CHARS: usize = 26;

/// The 16 bytes behind an id.
#[must_use]
pub fn id_bytes(at: Millis, random: [u8; 10]) -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    let time = at.0.to_be_bytes();
    for (to, from) in bytes.iter_mut().zip(time.iter().skip(2).chain(random.iter())) {
        *to = *from;
    }
    bytes
}

/// `prefix` and the bytes in base 32, leading zeros dropped: `link_1K5V…`, today 25 characters.
#[must_use]
pub fn object_id(prefix: &str, bytes: [u8; 16]) -> String {
    let mut number = u128::from_be_bytes(bytes);
    let mut digits = [b'0'; ID_CHARS];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 32).unwrap_or(0);
        *digit = BASE32.get(index).copied().unwrap_or(b'0');
        number /= 32;
    }
    let text: String = digits.iter().skip_while(|d| **d == b'0').map(|d| char::from(*d)).collect();
    format!("{prefix}{text}")
}

/// The bytes behind an id made by [`object_id`]; `None` for any other text.
#[must_use]
pub fn parse_object_id(prefix: &str, id: &str) -> Option<[u8; 16]> {
    let digits = id.strip_prefix(prefix)?;
    if digits.is_empty() || digits.len() > ID_CHARS || digits.starts_with('0') {
        return None;
    }
    let mut number: u128 = 0;
    for byte in digits.bytes() {
        let value = BASE32.iter().position(|c| *c == byte)?;
        if number.leading_zeros() < 5 {
            return None;
        }
        number = number << 5 | u128::try_from(value).ok()?;
    }
    Some(number.to_be_bytes())
}

/// `random` as base-62 characters, one per byte.
///
/// Bytes of 248 and above would favour the first letters; they are skipped, so give a few more bytes than
/// characters are wanted. The result has at most `length` characters.
#[must_use]
pub fn base62_token(random: &[u8], length: usize) -> String {
    random
        .iter()
        .filter(|byte| **byte < 248)
        .filter_map(|byte| BASE62.get(usize::from(byte % 62)))
        .take(length)
        .map(|c| char::from(*c))
        .collect()
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// SHA-256 of `text` as lower-case hex: how API keys are stored.
#[must_use]
pub fn sha256_hex(text: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(text))
}

/// A stable id made from what it names: the same `name` gives the same id for ever.
///
/// 128 bits of SHA-256; used where an id must not depend on arrival (leads, sales, entries).
#[must_use]
pub fn derived_id(prefix: &str, name: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    object_id(prefix, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let early = id_bytes(Millis(1_763_000_000_000), [9; 10]);
        let late = id_bytes(Millis(1_763_000_000_001), [0; 10]);
        let (a, b) = (object_id("link_", early), object_id("link_", late));
        assert!(a < b, "{a} {b}");
        assert_eq!(a.len(), "link_".len() + 25);
        assert_eq!(parse_object_id("link_", &a), Some(early));
        assert_eq!(parse_object_id("cus_", &a), None);
        assert_eq!(parse_object_id("link_", "link_"), None);
        assert_eq!(parse_object_id("link_", "link_ILOU"), None);
    }

    #[test]
    fn tokens_use_only_the_alphabet() {
        let token = base62_token(&(0..=255).collect::<Vec<u8>>(), 248);
        assert_eq!(token.len(), 248);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn derived_ids_are_pinned() {
        assert_eq!(derived_id("sale_", "x"), derived_id("sale_", "x"));
        assert_ne!(derived_id("sale_", "x"), derived_id("sale_", "y"));
        assert!(parse_object_id("sale_", &derived_id("sale_", "x")).is_some());
    }
}
