//! From when to when a report goes, and the buckets of its time series.

use chrono::{Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::Zone;
use crate::core::problem::Problem;
use crate::core::time::{DAY_MS, Millis};
use crate::core::validate::Query;

const HOUR_MS: i64 = 3_600_000;
/// 2010-01-01, where "all" begins. Source: wire contract 5.2.
const FIRST: Millis = Millis(1_262_304_000_000);
/// 2100-01-01: no report goes further.
const LAST: Millis = Millis(4_102_444_800_000);

/// The words of `?interval=`.
pub const INTERVALS: [&str; 10] = ["24h", "7d", "30d", "90d", "6m", "1y", "mtd", "qtd", "ytd", "all"];

/// What the query says, before a time zone gives it a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    interval: &'static str,
    start: Option<Millis>,
    end: Option<Millis>,
}

/// How wide a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// 60 minutes.
    Hour,
    /// A calendar day of the zone.
    Day,
    /// A calendar month of the zone.
    Month,
}

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub start: Millis,
    /// The last one.
    pub end: Millis,
    /// For its time series.
    pub granularity: Granularity,
}

/// One point of a time series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The first instant.
    pub start: Millis,
    /// The first one after it.
    pub end: Millis,
    /// How the zone writes `start`.
    pub label: String,
}

impl Bounds {
    /// Reads `?interval=&start=&end=`. `start` wins over the interval; swapped ends are put right.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query, default: &'static str) -> Result<Self, Problem> {
        let interval = query.choice("interval", &INTERVALS)?.unwrap_or(default);
        let (mut start, mut end) = (query.date("start")?, query.date("end")?);
        if let (Some(first), Some(last)) = (start, end)
            && first > last
        {
            (start, end) = (Some(last), Some(first));
        }
        if start.is_some_and(|start| start < FIRST) {
            return Err(Problem::invalid(
                "invalid_date",
                "start",
                "The start date cannot be earlier than 2010-01-01",
            ));
        }
        Ok(Self { interval, start, end: end.map(|end| end.min(LAST)) })
    }

    /// Whether it goes back as far as there is anything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.start.is_none() && self.interval == "all"
    }

    /// A span that surely contains the window in any zone: what the zone must be known for.
    #[must_use]
    pub fn rough(&self, now: Millis, first: Millis) -> (Millis, Millis) {
        let end = self.end.unwrap_or(now);
        let start = match (self.start, self.interval) {
            (Some(start), _) => start,
            (None, "all") => first.min(end),
            (None, _) => end.plus_days(-400),
        };
        (start.plus_days(-40), end.plus_days(40))
    }

    /// The window. `first` is when there can be anything to show: "all" begins there.
    #[must_use]
    pub fn window(&self, now: Millis, first: Millis, zone: &Zone) -> Window {
        let end = self.end.unwrap_or(now);
        if let Some(start) = self.start {
            let span = end.0.saturating_sub(start.0);
            let granularity = if span <= 2 * DAY_MS {
                Granularity::Hour
            } else if span <= 180 * DAY_MS {
                Granularity::Day
            } else {
                Granularity::Month
            };
            return Window { start, end: end.max(start), granularity };
        }
        let local = zone.local(end);
        let day = |date: NaiveDate| zone.instant(date.and_time(NaiveTime::MIN));
        let today = local.date();
        let days_back = |days: i64| day(today.checked_sub_signed(Duration::days(days)).unwrap_or(today));
        let months_back = |months: u32| today.checked_sub_months(Months::new(months)).unwrap_or(today);
        let month = today.with_day(1).unwrap_or(today);
        let (start, granularity) = match self.interval {
            "24h" => (
                Millis(floor(end, Granularity::Hour, zone).0.saturating_sub(23 * HOUR_MS)),
                Granularity::Hour,
            ),
            "7d" => (days_back(6), Granularity::Day),
            "90d" => (days_back(89), Granularity::Day),
            // The day of half a year ago belongs to the half year before.
            "6m" => (day(months_back(6).succ_opt().unwrap_or(today)), Granularity::Day),
            "1y" => {
                let back = months_back(12).and_time(local.time());
                (zone.instant(back), Granularity::Month)
            }
            "mtd" => (day(month), Granularity::Day),
            "qtd" => {
                let first_month = month.month0() / 3 * 3 + 1;
                (day(month.with_month(first_month).unwrap_or(month)), Granularity::Day)
            }
            "ytd" => (day(month.with_month(1).unwrap_or(month)), Granularity::Month),
            "all" => {
                let young = end.0.saturating_sub(first.0) <= 2 * DAY_MS;
                (first.min(end), if young { Granularity::Hour } else { Granularity::Day })
            }
            _ => (days_back(29), Granularity::Day),
        };
        Window { start, end, granularity }
    }
}

/// The buckets from that of the first instant to that of the last, without a gap, ascending.
#[must_use]
pub fn buckets(window: &Window, zone: &Zone) -> Vec<Bucket> {
    let mut found = Vec::new();
    let mut start = floor(window.start, window.granularity, zone);
    while start <= window.end {
        let end = next(start, window.granularity, zone);
        found.push(Bucket { start, end, label: zone.label(start) });
        if end <= start {
            break;
        }
        start = end;
    }
    found
}

/// The first instant of the bucket that contains `at`.
fn floor(at: Millis, granularity: Granularity, zone: &Zone) -> Millis {
    let local = zone.local(at);
    match granularity {
        Granularity::Hour => {
            let past =
                i64::from(local.minute()) * 60_000 + i64::from(local.second()) * 1000 + at.0.rem_euclid(1000);
            Millis(at.0.saturating_sub(past))
        }
        Granularity::Day => zone.instant(midnight(local.date())),
        Granularity::Month => zone.instant(midnight(local.date().with_day(1).unwrap_or(local.date()))),
    }
}

fn next(start: Millis, granularity: Granularity, zone: &Zone) -> Millis {
    // A few hours into the bucket, so that a day that begins at one o'clock is still that day.
    let date = zone.local(Millis(start.0.saturating_add(6 * HOUR_MS))).date();
    match granularity {
        Granularity::Hour => Millis(start.0.saturating_add(HOUR_MS)),
        Granularity::Day => zone.instant(midnight(date.succ_opt().unwrap_or(date))),
        Granularity::Month => {
            let month = date.with_day(1).unwrap_or(date);
            zone.instant(midnight(month.checked_add_months(Months::new(1)).unwrap_or(month)))
        }
    }
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::super::zone::tests::paris;
    use super::*;

    const NOW: &str = "2030-05-16T14:30:00Z";

    fn at(text: &str) -> Millis {
        Millis::parse(text).unwrap()
    }

    fn window(query: &str, zone: &Zone) -> Window {
        let first = at("2030-01-02T03:04:05Z");
        Bounds::parse(&Query::parse(query), "30d").unwrap().window(at(NOW), first, zone)
    }

    #[test]
    fn intervals() {
        let utc = Zone::default();
        for (query, start, points, first, last) in [
            ("interval=24h", "2030-05-15T15:00:00Z", 24, "2030-05-15T15", "2030-05-16T14"),
            ("interval=7d", "2030-05-10T00:00:00Z", 7, "2030-05-10T00", "2030-05-16T00"),
            ("interval=30d", "2030-04-17T00:00:00Z", 30, "2030-04-17T00", "2030-05-16T00"),
            ("", "2030-04-17T00:00:00Z", 30, "2030-04-17T00", "2030-05-16T00"),
            ("interval=90d", "2030-02-16T00:00:00Z", 90, "2030-02-16T00", "2030-05-16T00"),
            ("interval=6m", "2029-11-17T00:00:00Z", 181, "2029-11-17T00", "2030-05-16T00"),
            ("interval=1y", "2029-05-16T14:30:00Z", 13, "2029-05-01T00", "2030-05-01T00"),
            ("interval=mtd", "2030-05-01T00:00:00Z", 16, "2030-05-01T00", "2030-05-16T00"),
            ("interval=qtd", "2030-04-01T00:00:00Z", 46, "2030-04-01T00", "2030-05-16T00"),
            ("interval=ytd", "2030-01-01T00:00:00Z", 5, "2030-01-01T00", "2030-05-01T00"),
            ("interval=all", "2030-01-02T03:04:05Z", 135, "2030-01-02T00", "2030-05-16T00"),
            ("start=2030-05-01&end=2030-05-02", "2030-05-01T00:00:00Z", 25, "2030-05-01T00", "2030-05-02T00"),
            ("start=2030-05-01&end=2030-05-10", "2030-05-01T00:00:00Z", 10, "2030-05-01T00", "2030-05-10T00"),
            ("start=2030-05-10&end=2030-05-01", "2030-05-01T00:00:00Z", 10, "2030-05-01T00", "2030-05-10T00"),
            ("start=2029-05-10&end=2030-05-01", "2029-05-10T00:00:00Z", 13, "2029-05-01T00", "2030-05-01T00"),
            ("interval=7d&start=2030-05-15", "2030-05-15T00:00:00Z", 39, "2030-05-15T00", "2030-05-16T14"),
        ] {
            let window = window(query, &utc);
            assert_eq!(window.start, at(start), "{query}");
            let found = buckets(&window, &utc);
            assert_eq!(found.len(), points, "{query}");
            assert!(found.first().unwrap().label.starts_with(first), "{query}: {:?}", found.first());
            assert!(found.last().unwrap().label.starts_with(last), "{query}: {:?}", found.last());
        }
    }

    #[test]
    fn buckets_leave_no_gap_and_no_overlap_over_summer_time() {
        let zone = paris();
        for query in [
            "start=2030-03-25&end=2030-04-05",
            "start=2030-10-20&end=2030-11-02",
            "start=2030-03-30T12:00:00Z&end=2030-03-31T12:00:00Z",
            "start=2030-10-26T12:00:00Z&end=2030-10-27T12:00:00Z",
            "start=2029-11-01&end=2030-12-01",
        ] {
            let window = window(query, &zone);
            let found = buckets(&window, &zone);
            assert!(found[0].start <= window.start && found.last().unwrap().end > window.end, "{query}");
            for pair in found.windows(2) {
                assert_eq!(pair[0].end, pair[1].start, "{query}");
            }
        }
        let days = buckets(&window("start=2030-03-29&end=2030-04-02", &zone), &zone);
        let hours: Vec<i64> = days.iter().map(|day| (day.end.0 - day.start.0) / HOUR_MS).collect();
        assert_eq!(hours, [24, 24, 23, 24, 24]);
        assert_eq!(days[2].label, "2030-03-31T00:00:00.000+0100");
        assert_eq!(days[3].label, "2030-04-01T00:00:00.000+0200");
    }

    #[test]
    fn a_day_without_midnight_begins_when_it_begins() {
        // Beirut, 31 March 2030 as the rule stands: midnight is skipped.
        let zone = Zone::new(vec![(at("2029-10-27T21:00:00Z"), 120), (at("2030-03-30T22:00:00Z"), 180)]);
        let days = buckets(&window("start=2030-03-29&end=2030-04-02", &zone), &zone);
        let labels: Vec<&str> = days.iter().map(|day| &day.label[..16]).collect();
        assert_eq!(
            labels,
            [
                "2030-03-29T00:00",
                "2030-03-30T00:00",
                "2030-03-31T01:00",
                "2030-04-01T00:00",
                "2030-04-02T00:00"
            ]
        );
    }

    #[test]
    fn zones_move_the_days() {
        let zone = paris();
        let found = window("interval=7d", &zone);
        assert_eq!(found.start, at("2030-05-09T22:00:00Z"));
        assert_eq!(window("interval=mtd", &zone).start, at("2030-04-30T22:00:00Z"));
    }

    #[test]
    fn what_is_refused() {
        for query in ["interval=2d", "start=2009-12-31", "start=yesterday", "end=soon"] {
            assert!(Bounds::parse(&Query::parse(query), "30d").is_err(), "{query}");
        }
        let far = Bounds::parse(&Query::parse("start=2030-01-01&end=9999-01-01"), "30d").unwrap();
        assert!(buckets(&far.window(at(NOW), at(NOW), &Zone::default()), &Zone::default()).len() < 1000);
    }
}
