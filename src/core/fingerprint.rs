//! Telling two visits of one browser from two browsers, without keeping an address.
//!
//! A keyed hash of address and user agent. Its key is made anew from the Worker's secret for each UTC day, so
//! that hashes of different days cannot be compared and nothing leads back to an address.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::core::ids;
use crate::core::seal::SealingKey;
use crate::core::time::{DAY_MS, Millis};

/// For how long a visitor who comes again is not counted again. Source: wire contract 2.8.
pub const REPEAT_MS: i64 = 3_600_000;

/// How many bytes of the hash are kept: 2^64 visits of one link and day until two are likely to meet.
const BYTES: usize = 16;

/// The key of one day.
#[derive(Clone)]
pub struct DayKey {
    day: i64,
    mac: Hmac<Sha256>,
}

impl DayKey {
    /// The key of the day that `at` lies in.
    #[must_use]
    pub fn of(secret: &SealingKey, at: Millis) -> Self {
        let day = day(at);
        let mut block = [0_u8; 64];
        for (to, from) in block.iter_mut().zip(secret.derive(&format!("visitor fingerprint of day {day}"))) {
            *to = from;
        }
        Self { day, mac: <Hmac<Sha256> as Mac>::new(&block.into()) }
    }

    /// Whether `at` lies in this key's day.
    #[must_use]
    pub fn is_of(&self, at: Millis) -> bool {
        self.day == day(at)
    }

    /// The fingerprint, 32 hex characters; `None` without an address: such visitors are not the same one.
    #[must_use]
    pub fn fingerprint(&self, ip: &str, user_agent: &str) -> Option<String> {
        if ip.is_empty() {
            return None;
        }
        let mut mac = self.mac.clone();
        mac.update(ip.as_bytes());
        mac.update(b"\0");
        mac.update(user_agent.as_bytes());
        let digest = mac.finalize().into_bytes();
        Some(ids::hex(digest.get(..BYTES)?))
    }
}

/// Whether a visit is so early in its day that the one it repeats may bear the hash of the day before.
#[must_use]
pub fn needs_yesterday(at: Millis) -> bool {
    at.0.rem_euclid(DAY_MS) < REPEAT_MS
}

fn day(at: Millis) -> i64 {
    at.0.div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_browser_same_day_same_text() {
        let secret = SealingKey::parse(&"ab".repeat(32)).unwrap();
        let noon = Millis(20_000 * DAY_MS + DAY_MS / 2);
        let key = DayKey::of(&secret, noon);
        let print = |ip, ua| key.fingerprint(ip, ua);
        assert_eq!(print("203.0.113.9", "A"), print("203.0.113.9", "A"));
        assert_eq!(print("203.0.113.9", "A").unwrap().len(), 32);
        for (ip, ua) in [("203.0.113.8", "A"), ("203.0.113.9", "B"), ("203.0.113.9A", "")] {
            assert_ne!(print("203.0.113.9", "A"), print(ip, ua), "{ip} {ua}");
        }
        assert_eq!(print("", "A"), None);
        let tomorrow = DayKey::of(&secret, noon.plus_days(1));
        assert_ne!(print("203.0.113.9", "A"), tomorrow.fingerprint("203.0.113.9", "A"));
        assert!(key.is_of(Millis(20_000 * DAY_MS)) && !key.is_of(Millis(20_001 * DAY_MS)));
        let other = DayKey::of(&SealingKey::parse(&"cd".repeat(32)).unwrap(), noon);
        assert_ne!(print("203.0.113.9", "A"), other.fingerprint("203.0.113.9", "A"));
    }

    #[test]
    fn only_the_first_hour_looks_back() {
        for (minute, expected) in [(0, true), (59, true), (60, false), (1439, false)] {
            assert_eq!(needs_yesterday(Millis(DAY_MS * 5 + minute * 60_000)), expected, "{minute}");
        }
    }
}
