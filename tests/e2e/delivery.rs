//! Sending as Stripe does: from many places at once, again and again until it is accepted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::http_client::Answer;
use pimms_cli::simulate::story::Step;
use pimms_cli::simulate::{click, send};
use pimms_cli::target::{ShortLink, Target};
use pimms_cli::totals::{Lines, differences};

use crate::crowd::Clicked;

/// How long the projection may take to follow, when nothing is wrong with the machine.
pub const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// A refusal that repeats for this long is no outage.
const GIVE_UP_AFTER: Duration = Duration::from_mins(5);

/// Deliveries under way, shared by all senders.
pub struct Deliveries {
    waiting: Mutex<VecDeque<Step>>,
    accepted: AtomicUsize,
    refused: AtomicUsize,
    open: AtomicUsize,
    total: usize,
    started: Instant,
}

impl Deliveries {
    pub fn new(steps: Vec<Step>) -> Self {
        Self {
            open: AtomicUsize::new(steps.len()),
            total: steps.len(),
            waiting: Mutex::new(steps.into()),
            accepted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            started: Instant::now(),
        }
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Attempts that were not accepted: each was made again.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Sends until everything is accepted. `target` may change under way: the instance may be restarted.
    pub fn run(&self, senders: usize, target: &RwLock<Target>) {
        thread::scope(|scope| {
            for _ in 0..senders {
                scope.spawn(|| self.send_all(target));
            }
        });
    }

    fn send_all(&self, target: &RwLock<Target>) {
        while self.open.load(Ordering::SeqCst) > 0 {
            let Some(step) = self.waiting.lock().unwrap().pop_front() else {
                // Others still hold steps that may come back.
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            let now = target.read().unwrap().clone();
            match send(&now, &step) {
                Ok(()) => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    self.open.fetch_sub(1, Ordering::SeqCst);
                }
                Err(failure) => {
                    assert!(self.started.elapsed() < GIVE_UP_AFTER, "not accepted in time: {failure}");
                    self.refused.fetch_add(1, Ordering::SeqCst);
                    self.waiting.lock().unwrap().push_back(step);
                    thread::sleep(Duration::from_millis(25));
                }
            }
        }
    }
}

/// Follows links as `count` different visitors, in turn.
pub fn clicks(links: &[ShortLink], count: usize, run: &str) -> Vec<Clicked> {
    (links.iter().cycle().zip(0..count))
        .map(|(link, number)| {
            let click_id = click(link, &format!("{run}v{number}")).unwrap();
            Clicked { link_id: link.id.clone(), click_id }
        })
        .collect()
}

/// Waits until `read` gives what is expected and still does a moment later; panics with the differences.
pub fn settles(what: &str, expected: &Lines, read: impl Fn() -> Lines) {
    let started = Instant::now();
    let mut got = read();
    while got != *expected && started.elapsed() < SETTLED_WITHIN {
        thread::sleep(Duration::from_millis(100));
        got = read();
    }
    thread::sleep(Duration::from_millis(300));
    got = read();
    let wrong = differences(expected, &got);
    assert!(wrong.is_empty(), "{what}, after {:?}:\n{}", started.elapsed(), wrong.join("\n"));
}

/// The totals, without clicks.
pub fn money(target: &Target) -> Lines {
    let mut lines = target.totals().unwrap().lines();
    lines.retain(|name, _| !name.ends_with(" clicks"));
    lines
}

/// The totals in one currency, which a test has for itself on the shared instance.
pub fn money_in(target: &Target, currency: &str) -> Lines {
    let mut lines = target.totals().unwrap().lines();
    lines.retain(|name, _| name.ends_with(&format!(" {currency}")));
    lines
}

/// `name` → `value` lines, for expectations written by hand.
pub fn lines(expected: &[(&str, i64)]) -> Lines {
    expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// The status, with the body in the message when it is not the expected one.
pub fn status(answer: &Answer, expected: u16, what: &str) {
    assert_eq!(answer.status, expected, "{what}: {}", answer.text());
}
