//! The `Stripe-Signature` header.
//!
//! `t=<seconds>,v1=<hex>[,v1=<hex>]`; the MAC is HMAC-SHA256 over `t`, a dot and the raw body, with each active
//! secret; any match accepts. Nothing of the body is read before this holds.
//!
//! Source: Stripe, "Verify webhook signatures manually".

use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::core::time::Millis;

/// How far `t` may be from our clock, either way, in seconds.
pub const TOLERANCE_S: i64 = 300;
/// A longer header is refused unread.
pub const MAX_HEADER_BYTES: usize = 4096;
/// No more `v1` values than this are examined.
pub const MAX_CANDIDATES: usize = 8;
/// No more secrets than this are tried, per mode.
pub const MAX_SECRETS: usize = 4;

/// Why a delivery is refused. Callers answer all of them alike: no oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// No header, or not of the form above.
    #[error("the Stripe-Signature header is missing or malformed")]
    Header,
    /// `t` is more than [`TOLERANCE_S`] away.
    #[error("the timestamp is too far from now")]
    Time,
    /// No secret gives any of the `v1` values.
    #[error("no signature matches")]
    Mismatch,
}

/// A header that could be read.
struct Parts<'a> {
    timestamp: &'a str,
    candidates: Vec<[u8; 32]>,
}

/// Says which of `secrets` signed `body` (its index), or why none did.
///
/// # Errors
/// [`SignatureError`]; answer 400 with one constant body and store nothing.
pub fn verify(header: &str, body: &[u8], secrets: &[&str], now: Millis) -> Result<usize, SignatureError> {
    let parts = parse(header).ok_or(SignatureError::Header)?;
    let seconds: i64 = parts.timestamp.parse().map_err(|_| SignatureError::Header)?;
    let distance = now.0.div_euclid(1000).checked_sub(seconds).map(i64::unsigned_abs);
    if distance.is_none_or(|d| d > TOLERANCE_S.unsigned_abs()) {
        return Err(SignatureError::Time);
    }
    for (index, secret) in secrets.iter().enumerate().take(MAX_SECRETS) {
        if secret.is_empty() {
            continue; // an empty secret would let anybody sign
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { continue };
        mac.update(parts.timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        // `verify_slice` compares in constant time.
        if parts.candidates.iter().any(|candidate| mac.clone().verify_slice(candidate).is_ok()) {
            return Ok(index);
        }
    }
    Err(SignatureError::Mismatch)
}

/// The header Stripe would send: for the native tool and tests.
#[must_use]
pub fn sign(body: &[u8], secret: &str, at: Millis) -> String {
    let seconds = at.0.div_euclid(1000);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={seconds},v1={}", crate::core::ids::hex(&mac.finalize().into_bytes()))
}

fn parse(header: &str) -> Option<Parts<'_>> {
    if header.len() > MAX_HEADER_BYTES {
        return None;
    }
    let mut timestamp = None;
    let mut candidates = Vec::new();
    for part in header.split(',') {
        let Some((name, value)) = part.trim().split_once('=') else { continue };
        match name {
            "t" if timestamp.is_some() => return None, // which one was signed?
            "t" => timestamp = Some(value),
            "v1" if candidates.len() < MAX_CANDIDATES => {
                let bytes = base16ct::mixed::decode_vec(value).ok();
                candidates.extend(bytes.and_then(|b| <[u8; 32]>::try_from(b).ok()));
            }
            _ => {} // other schemes are not ours to trust
        }
    }
    let timestamp =
        timestamp.filter(|t| (1..=12).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit()))?;
    (!candidates.is_empty()).then_some(Parts { timestamp, candidates })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_763_000_000_000);
    const SECRET: &str = "whsec_test";

    fn check(header: &str) -> Result<usize, SignatureError> {
        verify(header, b"{}", &["whsec_old", SECRET], NOW)
    }

    #[test]
    fn a_good_header_names_its_secret() {
        assert_eq!(check(&sign(b"{}", SECRET, NOW)), Ok(1));
        assert_eq!(check(&sign(b"{}", "whsec_old", NOW)), Ok(0));
    }

    #[test]
    fn several_signatures_and_unknown_schemes_are_accepted() {
        let good = sign(b"{}", SECRET, NOW);
        let (t, v1) = good.split_once(',').unwrap();
        let bad = format!("v1={}", "0".repeat(64));
        for header in [
            format!("{t},{bad},{v1}"),
            format!("{t},v0=00,{v1},v2=ff"),
            format!("{v1},{t}"),
            format!("{t}, {v1}"),
            format!("{t},v1=zz,v1=,{v1}"),
        ] {
            assert_eq!(check(&header), Ok(1), "{header}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let good = sign(b"{}", SECRET, NOW);
        let (t, v1) = good.split_once(',').unwrap();
        let v0 = v1.replace("v1", "v0");
        let flood = format!("{t},{}{v1}", format!("v1={},", "0".repeat(64)).repeat(8));
        for (header, expected) in [
            (String::new(), SignatureError::Header),
            ("garbage".into(), SignatureError::Header),
            ("=,=,,".into(), SignatureError::Header),
            (t.to_owned(), SignatureError::Header),
            (v1.to_owned(), SignatureError::Header),
            (format!("{t},v1="), SignatureError::Header),
            (format!("{t},{v0}"), SignatureError::Header),
            (format!("{t},{}", v1.get(..64).unwrap()), SignatureError::Header),
            (format!("{t},{t},{v1}"), SignatureError::Header),
            (format!("t=-5,{v1}"), SignatureError::Header),
            (format!("t=+1763000000,{v1}"), SignatureError::Header),
            (format!("t=1e10,{v1}"), SignatureError::Header),
            (format!("t=1763000000.5,{v1}"), SignatureError::Header),
            (format!("t=0x69,{v1}"), SignatureError::Header),
            (format!("t={},{v1}", "1".repeat(400)), SignatureError::Header),
            (format!("t=0,{v1}"), SignatureError::Time),
            (format!("t=1763000001,{v1}"), SignatureError::Mismatch),
            (flood, SignatureError::Mismatch),
            (sign(b"{ }", SECRET, NOW), SignatureError::Mismatch),
            (sign(b"{}", "whsec_other", NOW), SignatureError::Mismatch),
            (sign(b"{}", "", NOW), SignatureError::Mismatch),
            (sign(b"{}", SECRET, Millis(NOW.0 - 301_000)), SignatureError::Time),
            (sign(b"{}", SECRET, Millis(NOW.0 + 301_000)), SignatureError::Time),
            ("x".repeat(5000), SignatureError::Header),
        ] {
            assert_eq!(check(&header), Err(expected), "{header}");
        }
        assert_eq!(
            verify(&sign(b"{}", "", NOW), b"{}", &[""], NOW),
            Err(SignatureError::Mismatch),
            "empty secret"
        );
    }

    #[test]
    fn the_window_is_three_hundred_seconds_either_way() {
        for seconds in [-300_i64, 300] {
            let header = sign(b"{}", SECRET, Millis(NOW.0 + seconds * 1000));
            assert_eq!(check(&header), Ok(1), "{seconds}");
        }
    }
}
