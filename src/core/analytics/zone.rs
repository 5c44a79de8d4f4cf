//! A time zone, as far as a report needs it: offsets and when they change.

use chrono::{DateTime, NaiveDateTime};

use crate::core::time::Millis;

const MINUTE_MS: i64 = 60_000;

/// Offsets from UTC over some span of time. The platform knows the zones; it fills this in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// From this instant on, this many minutes east of UTC. Ascending; the first holds for all time before, too.
    changes: Vec<(Millis, i64)>,
}

impl Default for Zone {
    fn default() -> Self {
        Self { changes: vec![(Millis(0), 0)] }
    }
}

impl Zone {
    /// A zone with these changes, ascending. None at all is UTC.
    #[must_use]
    pub fn new(changes: Vec<(Millis, i64)>) -> Self {
        if changes.is_empty() { Self::default() } else { Self { changes } }
    }

    /// Minutes east of UTC at an instant.
    #[must_use]
    pub fn offset(&self, at: Millis) -> i64 {
        let after = self.changes.partition_point(|(from, _)| *from <= at);
        self.changes.get(after.saturating_sub(1)).map_or(0, |(_, minutes)| *minutes)
    }

    /// The wall clock at an instant.
    #[must_use]
    pub fn local(&self, at: Millis) -> NaiveDateTime {
        let shifted = at.0.saturating_add(self.offset(at).saturating_mul(MINUTE_MS));
        DateTime::from_timestamp_millis(shifted).unwrap_or_default().naive_utc()
    }

    /// The first instant at which the wall clock shows `local`, or has just jumped over it.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime) -> Millis {
        let wall = local.and_utc().timestamp_millis();
        let at = |minutes: i64| Millis(wall.saturating_sub(minutes.saturating_mul(MINUTE_MS)));
        let mut offsets: Vec<i64> = self.changes.iter().map(|(_, minutes)| *minutes).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let shown = offsets.iter().map(|minutes| at(*minutes)).filter(|found| self.local(*found) == local);
        // Jumped over: with the offset from before the jump, it is as far behind the jump as the clock was put on.
        shown.min().unwrap_or_else(|| {
            let guess = at(self.offset(at(0)));
            let before = self.offset(Millis(guess.0.saturating_sub(24 * 60 * MINUTE_MS)));
            at(before)
        })
    }

    /// `2024-04-25T00:00:00.000+0200`
    #[must_use]
    pub fn label(&self, at: Millis) -> String {
        let minutes = self.offset(at);
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("{}{sign}{hours:02}{rest:02}", self.local(at).format("%Y-%m-%dT%H:%M:%S%.3f"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse(text).unwrap()
    }

    /// Paris in 2030: summer time from 31 March 01:00 UTC to 27 October 01:00 UTC.
    pub(crate) fn paris() -> Zone {
        Zone::new(vec![
            (at("2029-10-28T01:00:00Z"), 60),
            (at("2030-03-31T01:00:00Z"), 120),
            (at("2030-10-27T01:00:00Z"), 60),
        ])
    }

    #[test]
    fn offsets_and_labels() {
        let zone = paris();
        for (instant, label) in [
            ("2030-01-01T00:00:00Z", "2030-01-01T01:00:00.000+0100"),
            ("2030-03-31T00:59:59Z", "2030-03-31T01:59:59.000+0100"),
            ("2030-03-31T01:00:00Z", "2030-03-31T03:00:00.000+0200"),
            ("2030-10-27T00:59:59Z", "2030-10-27T02:59:59.000+0200"),
            ("2030-10-27T01:00:00Z", "2030-10-27T02:00:00.000+0100"),
            ("2031-07-01T00:00:00Z", "2031-07-01T01:00:00.000+0100"),
        ] {
            assert_eq!(zone.label(at(instant)), label, "{instant}");
        }
        assert_eq!(Zone::default().label(at("2024-04-25")), "2024-04-25T00:00:00.000+0000");
        assert_eq!(
            Zone::new(vec![(Millis(0), -210)]).label(at("2024-04-25")),
            "2024-04-24T20:30:00.000-0330"
        );
    }

    #[test]
    fn wall_clocks_to_instants() {
        let zone = paris();
        for (local, instant) in [
            ("2030-01-01T00:00:00", "2029-12-31T23:00:00Z"),
            ("2030-07-01T00:00:00", "2030-06-30T22:00:00Z"),
            // Shown twice: the first.
            ("2030-10-27T02:30:00", "2030-10-27T00:30:00Z"),
            // Never shown: as far behind the jump.
            ("2030-03-31T02:00:00", "2030-03-31T01:00:00Z"),
            ("2030-03-31T02:30:00", "2030-03-31T01:30:00Z"),
        ] {
            assert_eq!(zone.instant(local.parse().unwrap()), at(instant), "{local}");
        }
    }
}
