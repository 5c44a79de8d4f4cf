//! `GET /api/metrics`: what [`crate::core::health`] found as figures, in the text form of Prometheus. And the data point of an
//! answer, for instances that have Analytics Engine.

use std::fmt::Write;

use crate::core::health::{self, Check, Found, Status};
use crate::core::time::Millis;

/// The content type of the text form.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Kinds of requests that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/api/…` and everything else of ours.
    Api,
    /// `/stripe/…`.
    Stripe,
    /// A short link that took the ordinary way: pages, refusals, first clicks of an isolate.
    Link,
}

impl Kind {
    const NAMES: [&str; 3] = ["api", "stripe", "link"];

    fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// Of a path.
    #[must_use]
    pub fn of(path: &str, is_ours: bool) -> Self {
        match is_ours {
            false => Self::Link,
            true if path.starts_with("/stripe/") => Self::Stripe,
            true => Self::Api,
        }
    }
}

/// Classes of answers that are counted apart.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Where a status stands in [`CLASSES`].
fn class(status: u16) -> usize {
    usize::from((status / 100).clamp(2, 5) - 2)
}

/// An answer as a data point of Analytics Engine: what it was of, and how it ended. Nothing of the request is in it: no path, header,
/// address or id.
///
/// Wire form: `{"indexes":[kind],"blobs":[kind,class],"doubles":[status,milliseconds]}`; queries know the places by number.
#[must_use]
pub fn point(kind: Kind, status: u16, millis: i64) -> String {
    let (kind, class) = (kind.name(), CLASSES.get(class(status)).copied().unwrap_or_default());
    format!(r#"{{"indexes":["{kind}"],"blobs":["{kind}","{class}"],"doubles":[{status},{millis}]}}"#)
}

/// What an isolate has answered since it began: by kind, 2xx to 5xx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered([[u64; 4]; 3]);

impl Answered {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self([[0; 4]; 3])
    }

    /// One more.
    #[must_use]
    pub fn and(mut self, kind: Kind, status: u16) -> Self {
        if let Some(count) = self.0.get_mut(kind as usize).and_then(|row| row.get_mut(class(status))) {
            *count += 1;
        }
        self
    }
}

/// Deliveries to webhooks of the last day, by state.
pub type Deliveries = Vec<(String, i64)>;

/// The text.
#[must_use]
pub fn text(
    found: &Found,
    checks: &[Check],
    deliveries: &[(String, i64)],
    answered: &Answered,
    now: Millis,
) -> String {
    let mut page = Page::default();
    page.head("pimms_check_status", "gauge", "A check of /api/health: 0 well, 1 worth a look, 2 act.");
    for check in checks {
        let value = match check.status {
            Status::Green => 0,
            Status::Yellow => 1,
            Status::Red => 2,
        };
        page.sample("pimms_check_status", &[("check", check.name)], value);
    }
    let known: i64 = health::MIGRATIONS.parse().unwrap_or(0);
    page.one("pimms_migrations_known", "gauge", "Migrations that this Worker knows.", Some(known));
    let applied = found.schema.as_ref().map(|schema| schema.count);
    page.one("pimms_migrations_applied", "gauge", "Migrations that the database has.", applied);
    let (stored, ledger) = (found.stored.as_ref(), found.ledger.as_ref());
    let seconds = |at: Option<Millis>| at.map(|at| now.0.saturating_sub(at.0).max(0) / 1000);
    for (name, help, value) in [
        (
            "pimms_dead_letters",
            "Messages that no queue could deliver.",
            stored.map(|found| found.dead_letters),
        ),
        ("pimms_parked_facts", "Facts that wait for something in ledgers.", stored.map(|found| found.parked)),
        (
            "pimms_parked_oldest_seconds",
            "Since when the oldest waits.",
            stored.and_then(|found| seconds(found.parked_since)),
        ),
        (
            "pimms_queue_lag_seconds",
            "How long the oldest click of the latest batch had waited.",
            stored.and_then(|found| found.queue_lag).map(|lag| lag / 1000),
        ),
        (
            "pimms_queue_taken_seconds",
            "Since when the queue's consumer has stored nothing.",
            stored.and_then(|found| seconds(found.queue_at)),
        ),
        (
            "pimms_cron_seconds",
            "Since when no cron has run.",
            stored.and_then(|found| seconds(found.cron_at)),
        ),
        (
            "pimms_rates_seconds",
            "How old the newest exchange rates are.",
            stored.and_then(|found| seconds(found.rate_day.as_deref().and_then(Millis::parse))),
        ),
        (
            "pimms_webhook_refused_seconds",
            "Since a signature of Stripe's was refused last.",
            stored.and_then(|found| seconds(found.refused_at)),
        ),
        (
            "pimms_webhook_failed_seconds",
            "Since an event of Stripe's could not be stored last.",
            stored.and_then(|found| seconds(found.failed_at)),
        ),
        ("pimms_parked_events", "Events that cannot be booked.", ledger.map(|found| found.parked)),
        ("pimms_outbox_waiting", "Facts and ledgers on their way to D1.", ledger.map(|found| found.waiting)),
        (
            "pimms_outbox_oldest_seconds",
            "Since when the oldest of them waits.",
            ledger.and_then(|found| seconds(found.waiting_since)),
        ),
        (
            "pimms_last_event_seconds",
            "Since the latest event of Stripe.",
            ledger.and_then(|found| seconds(found.last_event)),
        ),
        (
            "pimms_events_repeated",
            "How many of the latest 200 events came more than once.",
            ledger.map(|found| found.repeated),
        ),
    ] {
        page.one(name, "gauge", help, value);
    }
    page.head("pimms_deliveries", "gauge", "Deliveries to webhooks of the last 24 hours, by state.");
    for (state, count) in deliveries {
        page.sample("pimms_deliveries", &[("state", state)], *count);
    }
    let help = "Answers of the one isolate that was asked, since it began; redirects by the short way are not in it.";
    page.head("pimms_isolate_answers_total", "counter", help);
    for (kind, row) in Kind::NAMES.iter().zip(answered.0) {
        for (class, count) in CLASSES.iter().zip(row) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            page.sample("pimms_isolate_answers_total", &[("kind", kind), ("status", class)], count);
        }
    }
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: i64) {
        let label = |(name, value): &(&str, &str)| {
            format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        };
        let labels = labels.iter().map(label).collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A figure that is not known is not there.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.head(name, kind, help);
            self.sample(name, &[], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::health::{Ledger, Schema, Stored};

    fn full() -> Found {
        Found {
            schema: Some(Schema { count: 9, newest: None }),
            stored: Some(Stored {
                dead_letters: 2,
                parked: 3,
                parked_since: Some(Millis(1_000)),
                rate_day: Some("1970-01-01".to_owned()),
                queue_at: Some(Millis(0)),
                queue_lag: Some(2_500),
                cron_at: Some(Millis(5_000)),
                refused_at: Some(Millis(9_000)),
                failed_at: Some(Millis(99_000)),
                ..Stored::default()
            }),
            ledger: Some(Ledger { waiting: 4, waiting_since: Some(Millis(2_000)), ..Ledger::default() }),
            ..Found::default()
        }
    }

    #[test]
    fn figures_are_told_in_seconds_and_unknown_ones_not_at_all() {
        let now = Millis(10_000);
        let found = full();
        let checks = health::table(&found, now);
        let answered = Answered::default().and(Kind::Api, 200).and(Kind::Api, 204).and(Kind::Link, 503);
        let text = text(&found, &checks, &[("dead".to_owned(), 1)], &answered, now);
        for line in [
            "pimms_check_status{check=\"dead-letters\"} 2",
            "pimms_migrations_applied 9",
            "pimms_dead_letters 2",
            "pimms_parked_oldest_seconds 9",
            "pimms_queue_lag_seconds 2",
            "pimms_queue_taken_seconds 10",
            "pimms_webhook_failed_seconds 0",
            "pimms_outbox_waiting 4",
            "pimms_outbox_oldest_seconds 8",
            "pimms_deliveries{state=\"dead\"} 1",
            "pimms_isolate_answers_total{kind=\"api\",status=\"2xx\"} 2",
            "pimms_isolate_answers_total{kind=\"link\",status=\"5xx\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("pimms_last_event_seconds"), "nothing came, so nothing is said");
        let nothing = super::text(&Found::default(), &[], &[], &Answered::default(), now);
        assert!(!nothing.contains("pimms_dead_letters") && nothing.contains("pimms_migrations_known"));
    }

    #[test]
    fn a_point_says_what_ended_how_and_the_short_way_says_the_same() {
        for (kind, status, expected) in [
            (Kind::Api, 200, r#"{"indexes":["api"],"blobs":["api","2xx"],"doubles":[200,7]}"#),
            (Kind::Stripe, 503, r#"{"indexes":["stripe"],"blobs":["stripe","5xx"],"doubles":[503,7]}"#),
            (Kind::Link, 404, r#"{"indexes":["link"],"blobs":["link","4xx"],"doubles":[404,7]}"#),
            (Kind::Api, 101, r#"{"indexes":["api"],"blobs":["api","2xx"],"doubles":[101,7]}"#),
        ] {
            assert_eq!(point(kind, status, 7), expected);
            assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
        }
        // The short way has no wasm left to ask when it knows its answer.
        let literal =
            point(Kind::Link, 302, 0).replace("302", "status").replace(',', ", ").replace(':', ": ");
        let literal = ["indexes", "blobs", "doubles"]
            .iter()
            .fold(literal, |text, name| text.replace(&format!("\"{name}\""), name))
            .replace('{', "{ ")
            .replace('}', " }");
        assert!(include_str!("../entry.js").contains(&format!("writeDataPoint({literal})")), "{literal}");
    }

    /// docs/alerts.md names metrics and checks: each of them exists.
    #[test]
    fn alerts_are_of_metrics_that_exist() {
        let page = include_str!("../../docs/alerts.md");
        let now = Millis(10_000);
        let mut found = full();
        if let Some(ledger) = &mut found.ledger {
            ledger.last_event = Some(Millis(0));
        }
        let checks = health::table(&found, now);
        let text = text(&found, &checks, &[("dead".to_owned(), 1)], &Answered::default(), now);
        let named: Vec<&str> =
            page.split('`').skip(1).step_by(2).filter(|word| word.starts_with("pimms_")).collect();
        assert!(named.len() >= 10, "{named:?}");
        for word in named {
            let name = word.split([' ', '{']).next().unwrap();
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
            if let Some(label) = word.split_once('{').map(|(_, rest)| rest.split('}').next().unwrap()) {
                assert!(text.contains(&format!("{name}{{{label}")), "{word}");
            }
        }
    }
}
