//! Whether an instance is well: every figure with a colour and what to do about it.
//!
//! `edge::health` finds the state; [`table`] judges it. Red means that something is being lost or refused now, or will be
//! unless somebody acts; yellow, that somebody should look.

use serde::{Deserialize, Serialize};

use crate::core::time::Millis;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The newest file of `migrations/`, as the build found it.
pub const NEWEST_MIGRATION: &str = env!("PIMMS_NEWEST_MIGRATION");
/// How many files `migrations/` has.
pub const MIGRATIONS: &str = env!("PIMMS_MIGRATIONS");

/// Marks: the queue's consumer has stored a batch; its value is how long the oldest visit waited, in ms.
pub const QUEUE_TAKEN: &str = "queue";
/// Marks: the cron has put a message into the queue.
pub const QUEUE_ASKED: &str = "queue-asked";
/// Marks: the hourly cron has run.
pub const CRON: &str = "cron";
/// Marks: a webhook was refused; its sender is not who it says, or the signing secret is another.
pub const WEBHOOK_REFUSED: &str = "webhook-refused";
/// Marks: a webhook was answered 503.
pub const WEBHOOK_FAILED: &str = "webhook-failed";

/// Secrets without which something is refused.
pub const REQUIRED_SECRETS: [&str; 3] = ["CLICK_ID_KEYS", "ENCRYPTION_KEY", "BOOTSTRAP_TOKEN"];

/// How an entry is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing to do.
    Green,
    /// Worth a look.
    Yellow,
    /// Act.
    Red,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `schema`, `dead-letters` …
    pub name: &'static str,
    /// Its colour.
    pub status: Status,
    /// What was found.
    pub figure: String,
    /// What to do; empty when there is nothing to do.
    pub action: &'static str,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Names of bindings that are not there.
    pub missing_bindings: Vec<&'static str>,
    /// Names of secrets that are missing or malformed.
    pub bad_secrets: Vec<&'static str>,
    /// Whether `PIMMS_LOCAL` is set although the request came over the network.
    pub is_open: bool,
    /// Whether KV answered.
    pub kv: bool,
    /// Whether rates are to be fetched (`FX_URL` is not `off`).
    pub fetches_rates: bool,
    /// Applied migrations and the newest one; `None` when D1 does not answer or has no schema.
    pub schema: Option<Schema>,
    /// `None` when D1 does not answer or is older than this table.
    pub stored: Option<Stored>,
    /// The Directories that were asked; `None` when one does not answer.
    pub ledger: Option<Ledger>,
}

/// What wrangler notes of the migrations it has applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Schema {
    /// How many.
    pub count: i64,
    /// The newest, by name.
    pub newest: Option<String>,
}

/// What D1 knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Stored {
    /// Messages no queue could deliver.
    pub dead_letters: i64,
    /// Facts that wait in ledgers.
    pub parked: i64,
    /// The oldest of them.
    pub parked_since: Option<Millis>,
    /// The day of the newest rates that were fetched.
    pub rate_day: Option<String>,
    /// [`QUEUE_TAKEN`].
    pub queue_at: Option<Millis>,
    /// Its value.
    pub queue_lag: Option<i64>,
    /// [`QUEUE_ASKED`].
    pub asked_at: Option<Millis>,
    /// [`CRON`].
    pub cron_at: Option<Millis>,
    /// [`WEBHOOK_REFUSED`].
    pub refused_at: Option<Millis>,
    /// [`WEBHOOK_FAILED`].
    pub failed_at: Option<Millis>,
}

/// What the Directories and the ledgers asked know, together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Facts on their way to a ledger, and ledgers with rows that D1 has not confirmed.
    #[serde(default)]
    pub waiting: i64,
    /// Since when the oldest waits.
    #[serde(default)]
    pub waiting_since: Option<Millis>,
    /// Events that cannot be booked.
    #[serde(default)]
    pub parked: i64,
    /// When the latest event of Stripe came.
    #[serde(default)]
    pub last_event: Option<Millis>,
    /// How many of the latest 200 events came more than once.
    #[serde(default)]
    pub repeated: i64,
    /// Whose ledgers may still be writing: the latest customers, and when their event came.
    #[serde(default)]
    pub recent: Vec<(String, Millis)>,
}

impl Ledger {
    /// Adds what another one knows.
    pub fn add(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.waiting_since = older(self.waiting_since, other.waiting_since);
        self.parked += other.parked;
        self.last_event = self.last_event.max(other.last_event);
        self.repeated += other.repeated;
    }

    /// Adds a ledger that has not sent all its rows since.
    pub fn add_unsent(&mut self, since: Millis) {
        self.waiting += 1;
        self.waiting_since = older(self.waiting_since, Some(since));
    }
}

fn older(one: Option<Millis>, other: Option<Millis>) -> Option<Millis> {
    [one, other].into_iter().flatten().min()
}

/// The worst colour of a table.
#[must_use]
pub fn worst(checks: &[Check]) -> Status {
    checks.iter().map(|check| check.status).max().unwrap_or(Status::Green)
}

/// Judges everything.
#[must_use]
pub fn table(found: &Found, now: Millis) -> Vec<Check> {
    let mut checks = vec![
        named("bindings", &found.missing_bindings, "Run `pimms deploy`: it makes what wrangler.toml names."),
        named("secrets", &found.bad_secrets, "Run `pimms deploy`: it makes the secrets that are missing."),
        kv(found.kv),
        schema(found.schema.as_ref()),
    ];
    if found.is_open {
        let action = "Delete the variable PIMMS_LOCAL: it opens doors that are for tests.";
        checks.push(check("local-doors", Status::Red, "open".to_owned(), action));
    }
    if let Some(stored) = &found.stored {
        checks.extend([
            queue(stored, now),
            dead_letters(stored.dead_letters),
            rates(stored.rate_day.as_deref(), found.fetches_rates, now),
            crons(stored.cron_at, now),
            failures(stored, found.ledger.as_ref().map_or(0, |ledger| ledger.repeated), now),
        ]);
        let ledger = found.ledger.as_ref();
        checks.push(parked(stored, ledger.map_or(0, |ledger| ledger.parked), now));
    }
    match &found.ledger {
        Some(ledger) => checks.extend([outbox(ledger, now), last_webhook(ledger.last_event, now)]),
        None => checks.push(check(
            "outbox",
            Status::Red,
            "the Durable Objects do not answer".to_owned(),
            "Look at the Worker's log. Stripe repeats what was not accepted for three days.",
        )),
    }
    checks
}

fn check(name: &'static str, status: Status, figure: String, action: &'static str) -> Check {
    Check { name, status, figure, action: if status == Status::Green { "" } else { action } }
}

/// The colour of a figure that should be small.
fn above(value: i64, yellow: i64, red: i64) -> Status {
    match value {
        value if value > red => Status::Red,
        value if value > yellow => Status::Yellow,
        _ => Status::Green,
    }
}

fn named(name: &'static str, missing: &[&'static str], action: &'static str) -> Check {
    if missing.is_empty() {
        check(name, Status::Green, "complete".to_owned(), "")
    } else {
        check(name, Status::Red, format!("missing: {}", missing.join(", ")), action)
    }
}

fn kv(answers: bool) -> Check {
    let (status, figure) =
        if answers { (Status::Green, "answers") } else { (Status::Yellow, "does not answer") };
    check("kv", status, figure.to_owned(), "Short links are read from D1 meanwhile: slower, and all there.")
}

fn schema(schema: Option<&Schema>) -> Check {
    const ACTION: &str =
        "Run `pimms deploy`, or `wrangler d1 migrations apply DB --remote --env production`.";
    let known: i64 = MIGRATIONS.parse().unwrap_or(0);
    let Some(schema) = schema else {
        return check("schema", Status::Red, "D1 does not answer, or is empty".to_owned(), ACTION);
    };
    let newest = schema.newest.as_deref().unwrap_or("none");
    let figure = format!("{} of {known} migrations, newest {newest}", schema.count);
    // A newer schema serves an older Worker: migrations expand first.
    check("schema", if schema.count < known { Status::Red } else { Status::Green }, figure, ACTION)
}

fn queue(stored: &Stored, now: Millis) -> Check {
    let action =
        "Clicks wait in the queue `clicks` and are not lost: look at its consumer in Cloudflare's dashboard.";
    let stuck = stored.asked_at.filter(|asked| {
        now.0 - asked.0 > 10 * MINUTE && stored.queue_at.is_none_or(|taken| taken.0 + MINUTE < asked.0)
    });
    if let Some(asked) = stuck {
        return check("queue", Status::Red, format!("nothing taken for {}", age(now, asked)), action);
    }
    let (Some(at), Some(lag)) = (stored.queue_at, stored.queue_lag) else {
        return check("queue", Status::Green, "no message yet".to_owned(), action);
    };
    // What was slow long ago is slow no more.
    let is_over = now.0 - at.0 > 2 * HOUR;
    let status = if is_over { Status::Green } else { above(lag, MINUTE, 10 * MINUTE) };
    check("queue", status, format!("{} behind, {} ago", span(lag), age(now, at)), action)
}

fn dead_letters(count: i64) -> Check {
    let action = "Read the table dead_letters (docs/deploy.md, \"Dead letters\"), mend the cause, then delete the rows.";
    check("dead-letters", if count > 0 { Status::Red } else { Status::Green }, count.to_string(), action)
}

fn rates(day: Option<&str>, are_fetched: bool, now: Millis) -> Check {
    let name = "exchange-rates";
    if !are_fetched {
        return check(name, Status::Green, "not fetched (FX_URL=off)".to_owned(), "");
    }
    let Some(at) = day.and_then(Millis::parse) else {
        return check(
            name,
            Status::Yellow,
            "none fetched yet".to_owned(),
            "The cron of 05:00 UTC fetches them.",
        );
    };
    // No rates are published on weekends and holidays.
    let status = above(now.0 - at.0, 5 * DAY, 10 * DAY);
    let action =
        "Look at the log of the cron of 05:00 UTC, and at FX_URL. Meanwhile the last rates are used.";
    check(name, status, format!("of {}, {} old", at.day(), age(now, at)), action)
}

fn crons(at: Option<Millis>, now: Millis) -> Check {
    let action = "Are the cron triggers of wrangler.toml set? Run `pimms deploy`.";
    let Some(at) = at else {
        return check(
            "crons",
            Status::Yellow,
            "none has run yet".to_owned(),
            "The first runs within an hour.",
        );
    };
    let status = above(now.0 - at.0, 2 * HOUR + 5 * MINUTE, DAY);
    check("crons", status, format!("{} ago", age(now, at)), action)
}

fn failures(stored: &Stored, repeated: i64, now: Millis) -> Check {
    let within = |at: Option<Millis>, span: i64| at.filter(|at| now.0 - at.0 < span);
    if let Some(at) = within(stored.failed_at, HOUR) {
        let action =
            "Events could not be stored; Stripe repeats them for three days. Look at the Worker's log.";
        return check("webhook-failures", Status::Red, format!("503, {} ago", age(now, at)), action);
    }
    if let Some(at) = within(stored.refused_at, DAY) {
        let action =
            "If these are Stripe's, its endpoint has another signing secret: set it again (PUT /api/stripe).";
        let figure = format!("a signature was refused, {} ago", age(now, at));
        return check("webhook-failures", Status::Yellow, figure, action);
    }
    check("webhook-failures", Status::Green, format!("{repeated} of the latest 200 came more than once"), "")
}

fn parked(stored: &Stored, events: i64, now: Millis) -> Check {
    let is_old = stored.parked_since.is_some_and(|since| now.0 - since.0 > 7 * DAY);
    let status = if is_old || events > 0 { Status::Yellow } else { Status::Green };
    let oldest = stored.parked_since.map(|since| format!(", the oldest for {}", age(now, since)));
    let figure = format!("{} facts{}, {events} events", stored.parked, oldest.unwrap_or_default());
    let action =
        "GET /api/parked says what each waits for; `pimms reconcile` finds what Stripe has and we have not.";
    check("parked", status, figure, action)
}

fn outbox(ledger: &Ledger, now: Millis) -> Check {
    let action = "It is kept and tried again by itself. If it goes on, look at the log for `hand-over` and `projection`.";
    let Some(since) = ledger.waiting_since.filter(|_| ledger.waiting > 0) else {
        return check("outbox", Status::Green, "empty".to_owned(), action);
    };
    let status = above(now.0 - since.0, MINUTE, 10 * MINUTE);
    check("outbox", status, format!("{} wait, the oldest for {}", ledger.waiting, age(now, since)), action)
}

fn last_webhook(at: Option<Millis>, now: Millis) -> Check {
    let action = "Is Stripe's endpoint registered and enabled? `pimms deploy --stripe-key …` registers it.";
    let Some(at) = at else {
        return check("last-webhook", Status::Yellow, "none in 30 days".to_owned(), action);
    };
    let status = if now.0 - at.0 > 7 * DAY { Status::Yellow } else { Status::Green };
    check("last-webhook", status, format!("{} ago", age(now, at)), action)
}

fn age(now: Millis, since: Millis) -> String {
    span(now.0.saturating_sub(since.0))
}

/// `90 s`, `45 min`, `30 h`, `12 days`.
fn span(millis: i64) -> String {
    match millis.max(0) {
        ms if ms < 2 * MINUTE => format!("{} s", ms / 1000),
        ms if ms < 2 * HOUR => format!("{} min", ms / MINUTE),
        ms if ms < 2 * DAY => format!("{} h", ms / HOUR),
        ms => format!("{} days", ms / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_900_000_000_000);

    fn ago(ms: i64) -> Millis {
        Millis(NOW.0 - ms)
    }

    fn well() -> Found {
        Found {
            kv: true,
            fetches_rates: true,
            schema: Some(Schema {
                count: MIGRATIONS.parse().unwrap(),
                newest: Some(NEWEST_MIGRATION.to_owned()),
            }),
            stored: Some(Stored {
                rate_day: Some(Millis(NOW.0 - DAY).day()),
                cron_at: Some(ago(HOUR)),
                asked_at: Some(ago(HOUR)),
                queue_at: Some(ago(HOUR - 1000)),
                queue_lag: Some(1200),
                ..Stored::default()
            }),
            ledger: Some(Ledger { last_event: Some(ago(MINUTE)), ..Ledger::default() }),
            ..Found::default()
        }
    }

    #[test]
    fn an_instance_that_is_well_is_green() {
        let checks = table(&well(), NOW);
        assert_eq!(worst(&checks), Status::Green, "{checks:#?}");
        assert!(checks.iter().all(|check| check.action.is_empty() && !check.figure.is_empty()));
    }

    /// What is changed in an instance that is well, and the one entry that says so.
    type Row = (&'static str, Status, fn(&mut Found));

    #[test]
    fn each_trouble_has_its_entry_colour_and_advice() {
        fn stored(found: &mut Found) -> &mut Stored {
            found.stored.as_mut().unwrap()
        }
        fn ledger(found: &mut Found) -> &mut Ledger {
            found.ledger.as_mut().unwrap()
        }
        let rows: Vec<Row> = vec![
            ("bindings", Status::Red, |f| f.missing_bindings = vec!["CLICKS"]),
            ("secrets", Status::Red, |f| f.bad_secrets = vec!["ENCRYPTION_KEY"]),
            ("local-doors", Status::Red, |f| f.is_open = true),
            ("kv", Status::Yellow, |f| f.kv = false),
            ("schema", Status::Red, |f| f.schema = None),
            ("schema", Status::Red, |f| f.schema = Some(Schema { count: 1, newest: None })),
            ("schema", Status::Green, |f| f.schema = Some(Schema { count: 9999, newest: None })),
            ("queue", Status::Red, |f| stored(f).queue_at = Some(ago(3 * HOUR))),
            ("queue", Status::Red, |f| stored(f).queue_lag = Some(HOUR)),
            ("queue", Status::Yellow, |f| stored(f).queue_lag = Some(2 * MINUTE)),
            ("dead-letters", Status::Red, |f| stored(f).dead_letters = 1),
            ("exchange-rates", Status::Red, |f| stored(f).rate_day = Some("2001-01-01".into())),
            ("exchange-rates", Status::Yellow, |f| stored(f).rate_day = Some(Millis(NOW.0 - 7 * DAY).day())),
            ("exchange-rates", Status::Yellow, |f| stored(f).rate_day = None),
            ("crons", Status::Yellow, |f| stored(f).cron_at = None),
            ("crons", Status::Red, |f| stored(f).cron_at = Some(ago(2 * DAY))),
            ("webhook-failures", Status::Red, |f| stored(f).failed_at = Some(ago(MINUTE))),
            ("webhook-failures", Status::Yellow, |f| stored(f).refused_at = Some(ago(HOUR))),
            ("webhook-failures", Status::Green, |f| stored(f).refused_at = Some(ago(2 * DAY))),
            ("parked", Status::Yellow, |f| stored(f).parked_since = Some(ago(8 * DAY))),
            ("parked", Status::Green, |f| stored(f).parked_since = Some(ago(DAY))),
            ("parked", Status::Yellow, |f| ledger(f).parked = 2),
            ("outbox", Status::Green, |f| ledger(f).add_unsent(NOW)),
            ("outbox", Status::Yellow, |f| ledger(f).add_unsent(Millis(NOW.0 - 2 * MINUTE))),
            ("outbox", Status::Red, |f| ledger(f).add_unsent(Millis(NOW.0 - HOUR))),
            ("outbox", Status::Red, |f| f.ledger = None),
            ("last-webhook", Status::Yellow, |f| ledger(f).last_event = Some(ago(9 * DAY))),
            ("last-webhook", Status::Yellow, |f| ledger(f).last_event = None),
        ];
        for (index, (name, status, change)) in rows.into_iter().enumerate() {
            let mut found = well();
            change(&mut found);
            let checks = table(&found, NOW);
            let entry = checks.iter().find(|check| check.name == name).unwrap();
            assert_eq!(entry.status, status, "row {index}: {entry:?}");
            assert_eq!(worst(&checks), status, "row {index} troubles others: {checks:#?}");
            assert_eq!(entry.action.is_empty(), status == Status::Green, "row {index}: {entry:?}");
        }
    }

    #[test]
    fn what_several_know_is_added_up() {
        let mut all =
            Ledger { waiting: 1, waiting_since: Some(ago(5)), last_event: Some(ago(9)), ..Ledger::default() };
        all.add(&Ledger {
            waiting: 2,
            waiting_since: Some(ago(7)),
            last_event: Some(ago(3)),
            parked: 4,
            ..Ledger::default()
        });
        assert_eq!(
            (all.waiting, all.waiting_since, all.parked, all.last_event),
            (3, Some(ago(7)), 4, Some(ago(3)))
        );
    }

    #[test]
    fn spans_read_well() {
        for (ms, text) in [
            (-5, "0 s"),
            (90_000, "90 s"),
            (45 * MINUTE, "45 min"),
            (30 * HOUR, "30 h"),
            (12 * DAY, "12 days"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
