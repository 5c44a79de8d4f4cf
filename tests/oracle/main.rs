//! The ledger against a judge: random histories, told by Stripe in random order with repetitions, must add up
//! to what somebody counts who sees each history whole.
//!
//! `ORACLE_HISTORIES` and `ORACLE_SEED` choose how many histories and the first seed. A history that does not
//! add up is cut down to the steps that matter and printed with its seed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing step ends the test"
)]

mod author;
mod directory;
#[expect(clippy::struct_field_names, reason = "an invoice's id is its invoice")]
mod history;
mod judge;
mod render;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use directory::{Directory, books};
use history::Step;
use judge::{Books, judge};
use pimms_cli::random::Random;
use pimms_edge::core::click_id::Keys;
use pimms_edge::core::ledger::fact::Fact;
use pimms_edge::core::ledger::view::View;

/// How many histories a run plays, unless told otherwise.
const HISTORIES: u64 = 10_000;
/// In how many orders each is delivered, besides the one it happened in.
const ORDERS: usize = 2;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn deliver<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Vec<View> {
    let mut directory = Directory::default();
    facts.into_iter().for_each(|fact| directory.accept(fact));
    directory.views()
}

/// Shuffled, a fifth of them twice.
fn schedule<'a>(facts: &'a [Fact], random: &mut Random) -> Vec<&'a Fact> {
    let twice: Vec<&Fact> = facts.iter().filter(|_| random.chance(20)).collect();
    let mut order: Vec<&Fact> = facts.iter().chain(twice).collect();
    random.shuffle(&mut order);
    order
}

/// What is wrong with a history, if anything.
fn verdict(steps: &[Step], seed: u64, keys: &Keys) -> Result<usize, String> {
    let expected = judge(steps);
    let facts = render::facts(steps, keys);
    let views = deliver(&facts);
    let found = books(&views);
    if found != expected {
        return Err(differences(&expected, &found));
    }
    let mut random = Random::new(seed);
    let most = judge::ceiling(steps);
    for _ in 0..ORDERS {
        let order = schedule(&facts, &mut random);
        if deliver(order.iter().copied()) != views {
            return Err(format!("the order of delivery shows: {order:#?}"));
        }
        // In the middle of it, no more than the accepted objects justify.
        let some = &order[..random.below(order.len() + 1)];
        let then = deliver(some.iter().copied());
        let shown = books(&then).gross();
        if let Some((currency, gross)) =
            shown.iter().find(|(currency, gross)| **gross > most.get(*currency).copied().unwrap_or(0))
        {
            let sales: Vec<String> = then
                .iter()
                .flat_map(|view| &view.sales)
                .map(|sale| format!("{} {} {}", sale.reference, sale.amount, sale.currency))
                .collect();
            return Err(format!(
                "{gross} {currency} are shown of at most {most:?}: {sales:?} after {some:#?}"
            ));
        }
    }
    Ok(facts.len())
}

fn differences(expected: &Books, found: &Books) -> String {
    let mut lines = Vec::new();
    let keys: BTreeSet<_> = expected.figures.keys().chain(found.figures.keys()).collect();
    for key in keys {
        let (e, f) = (expected.figures.get(key), found.figures.get(key));
        if e != f {
            lines.push(format!("link {:?} {}: expected {e:?}, found {f:?}", key.0, key.1));
        }
    }
    if expected.unmatched != found.unmatched {
        lines.push(format!("unmatched: expected {:?}, found {:?}", expected.unmatched, found.unmatched));
    }
    if expected.waiting != found.waiting {
        lines.push(format!("waiting: expected {:?}, found {:?}", expected.waiting, found.waiting));
    }
    if expected.people != found.people {
        lines.push(format!("people: expected {:?}, found {:?}", expected.people, found.people));
    }
    lines.join("\n")
}

/// Leaves out steps while the history stays wrong.
fn cut_down(mut steps: Vec<Step>, seed: u64, keys: &Keys) -> (Vec<Step>, String) {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if verdict(&fewer, seed, keys).is_err() {
            steps = fewer;
            at = 0;
        } else {
            at += 1;
        }
    }
    let wrong = verdict(&steps, seed, keys).err().unwrap_or_default();
    (steps, wrong)
}

#[test]
fn random_histories_add_up_in_every_order() {
    let (first, count) = (number("ORACLE_SEED", 1), number("ORACLE_HISTORIES", HISTORIES));
    let (next, told) = (AtomicU64::new(0), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    let work = || {
        let keys = render::keys();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || failures.lock().unwrap().len() >= 3 {
                break;
            }
            let seed = first + index;
            let steps = author::tell(seed, &keys);
            if let Ok(facts) = verdict(&steps, seed, &keys) {
                told.fetch_add(facts as u64, Ordering::Relaxed);
                continue;
            }
            let (steps, wrong) = cut_down(steps, seed, &keys);
            failures.lock().unwrap().push(format!("ORACLE_SEED={seed}\n{wrong}\n{steps:#?}"));
        }
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    println!("{count} histories, {} facts, {} orders each", told.into_inner(), ORDERS + 1);
}

/// A judge who never sees a dispute judges nothing about disputes.
#[test]
fn histories_tell_of_everything() {
    let keys = render::keys();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 1..=500 {
        let steps = author::tell(seed, &keys);
        let mut note = |what: String| *seen.entry(what).or_default() += 1;
        for fact in render::facts(&steps, &keys) {
            note(fact.source.event_type);
            note(format!("account {:?}", fact.source.account));
        }
        let books = judge(&steps);
        for ((link, currency), figures) in &books.figures {
            note(format!("in {currency}"));
            note(if link.is_some() { "attributed" } else { "unattributed" }.to_owned());
            for (what, there) in [
                ("refunds", figures.refunded != 0),
                ("disputes", figures.disputed != 0),
                ("several sales", figures.sales > 1),
            ] {
                if there {
                    note(what.to_owned());
                }
            }
        }
        for (what, there) in
            [("unmatched", !books.unmatched.is_empty()), ("waiting", !books.waiting.is_empty())]
        {
            if there {
                note(what.to_owned());
            }
        }
        if books.people.iter().any(|names| names.len() > 2) {
            note("merged".to_owned());
        }
    }
    for what in [
        "track.lead",
        "track.sale",
        "customer.created",
        "customer.updated",
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "invoice.paid",
        "invoice.voided",
        "invoice_payment.paid",
        "payment_intent.succeeded",
        "charge.succeeded",
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
        "customer.subscription.updated",
        "account \"\"",
        "account \"acct_2\"",
        "in usd",
        "in eur",
        "in jpy",
        "in kwd",
        "attributed",
        "unattributed",
        "refunds",
        "disputes",
        "several sales",
        "unmatched",
        "waiting",
        "merged",
    ] {
        assert!(seen.get(what).is_some_and(|times| *times >= 5), "{what}: {:?}", seen.get(what));
    }
}
