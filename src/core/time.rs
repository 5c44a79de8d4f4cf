//! Instants as milliseconds since the Unix epoch.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// One day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// Milliseconds since the Unix epoch.
///
/// Wire form inside the system: the bare number. The API shows RFC 3339 ([`Millis::to_iso`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// From Stripe's timestamps, which are whole seconds. `None` for what is no date in JavaScript, and so in no
    /// store: beyond 270,000 years.
    #[must_use]
    pub fn from_secs(seconds: i64) -> Option<Self> {
        const MOST: i64 = 8_640_000_000_000;
        (-MOST..=MOST).contains(&seconds).then(|| Self(seconds * 1000))
    }

    /// `2030-04-16T17:00:00.000Z`, the form of every date in the API.
    ///
    /// An instant outside chrono's range (±262,000 years) reads as the epoch.
    #[must_use]
    pub fn to_iso(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// The UTC calendar day, `2030-04-16`: the day whose exchange rate applies.
    #[must_use]
    pub fn day(self) -> String {
        self.utc().format("%Y-%m-%d").to_string()
    }

    /// Appends `Thu, 13 Nov 2025 03:13:20 GMT`, the form of HTTP headers. Source: RFC 9110 §5.6.7.
    pub fn write_http_date(self, text: &mut String) {
        // By hand: a redirect writes two of these, and a format string is read anew each time.
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let name = |names: &[&'static str], index: u32| {
            names.get(usize::try_from(index).unwrap_or_default()).copied().unwrap_or_default()
        };
        let at = self.utc();
        let day = name(&DAYS, at.weekday().num_days_from_monday());
        let month = name(&MONTHS, at.month0());
        let year = u32::try_from(at.year()).unwrap_or_default();
        text.extend([day, ", "]);
        two_digits(text, at.day());
        text.extend([" ", month, " "]);
        two_digits(text, year / 100);
        two_digits(text, year % 100);
        for (before, number) in [(" ", at.hour()), (":", at.minute()), (":", at.second())] {
            text.push_str(before);
            two_digits(text, number);
        }
        text.push_str(" GMT");
    }

    /// Reads RFC 3339, or a plain `YYYY-MM-DD` as midnight UTC. Anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(instant.timestamp_millis()));
        }
        let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(Self(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
    }

    /// As chrono's instant, for calendar arithmetic.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// This instant moved by `days` (negative: earlier), saturating.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MS)))
    }
}

/// The last two digits of a number.
fn two_digits(text: &mut String, number: u32) {
    for digit in [number / 10 % 10, number % 10] {
        text.extend(char::from_digit(digit, 10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_has_milliseconds_and_z() {
        assert_eq!(Millis(1_902_589_200_000).to_iso(), "2030-04-16T17:00:00.000Z");
        assert_eq!(Millis(1_902_589_200_000).day(), "2030-04-16");
    }

    #[test]
    fn parses_rfc3339_and_plain_days_only() {
        assert_eq!(Millis::parse("2030-04-16T17:00:00Z"), Some(Millis(1_902_589_200_000)));
        assert_eq!(Millis::parse("2030-04-16T19:00:00+02:00"), Some(Millis(1_902_589_200_000)));
        assert_eq!(Millis::parse("2030-04-16"), Some(Millis(1_902_528_000_000)));
        for bad in ["in 2 days", "1902589200", "2030-13-01", ""] {
            assert_eq!(Millis::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn http_dates_read_as_chrono_writes_them() {
        for at in [0, 1_763_000_000_000, 951_782_399_999, 4_102_444_800_000, 1_735_689_599_000, -1] {
            let mut text = String::new();
            Millis(at).write_http_date(&mut text);
            assert_eq!(text, Millis(at).utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
    }
}
