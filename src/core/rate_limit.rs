//! How many requests a key may make: a sliding window of one minute.
//!
//! Two counters instead of a list of times: the minute under way, and as much of the minute before as still lies
//! in the window. Off by at most the unevenness within one minute, and 16 bytes a key.

use crate::core::time::Millis;

/// The window. Source: wire contract 1.6.
pub const WINDOW_MS: i64 = 60_000;

/// The requests of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    minute: i64,
    before: i64,
    current: i64,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may go on.
    pub allowed: bool,
    /// Requests a window.
    pub limit: i64,
    /// How many are left.
    pub remaining: i64,
    /// When the minute under way ends.
    pub reset: Millis,
    /// How long to wait, in seconds, at least 1.
    pub retry_after_s: i64,
}

impl Window {
    /// Counts a request, unless there are too many.
    pub fn take(&mut self, now: Millis, limit: i64) -> Verdict {
        let minute = now.0.div_euclid(WINDOW_MS);
        if minute != self.minute {
            let before = if minute == self.minute.saturating_add(1) { self.current } else { 0 };
            *self = Self { minute, before, current: 0 };
        }
        let left_ms = WINDOW_MS - now.0.rem_euclid(WINDOW_MS);
        let used = self.before.saturating_mul(left_ms) / WINDOW_MS + self.current;
        let allowed = used < limit;
        if allowed {
            self.current += 1;
        }
        Verdict {
            allowed,
            limit,
            remaining: (limit - used - i64::from(allowed)).max(0),
            reset: Millis(now.0.saturating_add(left_ms)),
            retry_after_s: (left_ms + 999) / 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_within_any_minute() {
        let mut window = Window::default();
        for n in 0..10 {
            let verdict = window.take(Millis(30_000 + n), 10);
            assert_eq!((verdict.allowed, verdict.remaining), (true, 9 - n));
        }
        let verdict = window.take(Millis(30_011), 10);
        assert_eq!((verdict.allowed, verdict.remaining, verdict.reset), (false, 0, Millis(60_000)));
        assert_eq!(verdict.retry_after_s, 30);
        // A refused request costs nothing, and half a minute into the next one half of the old ones count.
        assert!(!window.take(Millis(60_000), 10).allowed);
        assert_eq!(window.take(Millis(90_000), 10).remaining, 4);
        assert_eq!(window.take(Millis(200_000), 10).remaining, 9);
    }

    #[test]
    fn the_wait_is_at_least_a_second() {
        let verdict = Window::default().take(Millis(59_999), 0);
        assert_eq!((verdict.allowed, verdict.retry_after_s), (false, 1));
    }
}
