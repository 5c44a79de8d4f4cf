//! Two thousand events of a hundred customers, sixteen senders, a fifth of everything twice, in random order, two
//! power cuts and a database that fails for a while: exact, rebuilt identically, and a person can be forgotten.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::random::Random;
use pimms_cli::rebuild::{entries, rebuild};
use pimms_cli::simulate::story::repeat;
use pimms_cli::stripe::{Build, Event, Invoice};
use pimms_cli::target::{ShortLink, Target, text};
use serde_json::json;

use crate::crowd::{Crowd, Person};
use crate::delivery::{Deliveries, clicks, money, settles, status};

const CUSTOMERS: usize = 100;
const EVENTS: usize = 2000;
const SENDERS: usize = 16;
const TWICE_PERCENT: usize = 20;

#[test]
fn two_thousand_events_through_kills_and_outages_are_exact() {
    let mut instance = Instance::start().unwrap();
    let links: Vec<ShortLink> = ["a", "b", "c", "d"].iter().map(|key| link(&instance, key)).collect();
    let made = clicks(&links, 140, "chaos");
    let mut crowd = Crowd::new(7, "chaos", made, now_secs() + 1);
    crowd.tell(CUSTOMERS, EVENTS);
    assert!(crowd.events() >= EVENTS, "{} events", crowd.events());
    let mut random = Random::new(8);
    let mut steps = repeat(crowd.steps.clone(), TWICE_PERCENT, &mut random);
    random.shuffle(&mut steps);

    let started = Instant::now();
    let deliveries = Deliveries::new(steps);
    let target = RwLock::new(Target::of(instance.ready()));
    thread::scope(|scope| {
        let stream = scope.spawn(|| deliveries.run(SENDERS, &target));
        let reached = |percent: usize| {
            while deliveries.accepted() < deliveries.total() * percent / 100 {
                assert!(!stream.is_finished(), "the stream ended early");
                thread::sleep(Duration::from_millis(1));
            }
        };
        reached(25);
        power_cut(&mut instance, &target);
        reached(45);
        fail_database(&instance, true);
        reached(60);
        fail_database(&instance, false);
        reached(75);
        power_cut(&mut instance, &target);
        stream.join().unwrap();
    });
    let target = target.into_inner().unwrap();
    eprintln!(
        "{} deliveries of {} events, {} attempts refused, {:.1} s",
        deliveries.total(),
        crowd.events(),
        deliveries.refused(),
        started.elapsed().as_secs_f64()
    );
    assert!(deliveries.refused() > 0, "the faults must have been felt");
    settles("totals", &crowd.expected.lines(), || money(&target));

    rebuilt_identically(&target);
    nothing_changes_when_everything_comes_again(&crowd, &target);
    a_person_is_forgotten_and_the_money_stays(&instance, &crowd, &target);
}

fn link(instance: &Instance, key: &str) -> ShortLink {
    let body = json!({"url": "https://example.com/pricing", "key": key, "trackConversion": true});
    let answer = instance.api("POST", "/api/links").json(&body).send().unwrap();
    status(&answer, 200, "a link");
    let id = text(&answer.json(), "id").to_owned();
    ShortLink { id, url: format!("{}/{key}", instance.ready().url) }
}

fn power_cut(instance: &mut Instance, target: &RwLock<Target>) {
    instance.kill9();
    instance.restart().unwrap();
    *target.write().unwrap() = Target::of(instance.ready());
}

/// The local runtime's own switch: every statement to D1 fails while it is on.
fn fail_database(instance: &Instance, failing: bool) {
    let answer =
        instance.client().request("PUT", "/_pimms/faults").json(&json!({"d1": failing})).send().unwrap();
    status(&answer, 200, "the fault switch");
}

fn rebuilt_identically(target: &Target) {
    let outcome = rebuild(target).unwrap();
    assert!(outcome.customers > 0);
    assert_eq!(outcome.changed(), 0, "of {} entries", outcome.before.len());
}

fn nothing_changes_when_everything_comes_again(crowd: &Crowd, target: &Target) {
    let before = entries(target).unwrap();
    let again = Deliveries::new(crowd.steps.clone());
    again.run(SENDERS, &RwLock::new(target.clone()));
    settles("totals after everything came again", &crowd.expected.lines(), || money(target));
    assert_eq!(entries(target).unwrap(), before);
}

fn a_person_is_forgotten_and_the_money_stays(instance: &Instance, crowd: &Crowd, target: &Target) {
    let person = crowd.people.iter().find(|person| person.subscribes).unwrap();
    let path = format!("/api/customers/ext_{}", person.external_id);
    status(&instance.api("GET", &path).send().unwrap(), 200, "before");
    status(&instance.api("DELETE", &path).send().unwrap(), 200, "the erasure");
    let mut expected = crowd.expected.clone();
    settles("totals after the erasure", &expected.lines(), || money(target));

    // A renewal that comes afterwards, and her name with it.
    let invoice = Invoice::paid(&format!("in_{}later", person.name))
        .amount(777, person.currency)
        .customer(&format!("cus_{}x", person.name))
        .email(&person.email)
        .subscription(&format!("sub_{}x", person.name), "subscription_cycle")
        .subscription_metadata("pimmsCustomerId", &person.external_id);
    let renewal = Event::new("invoice.paid", invoice).at(now_secs() + 60);
    status(&instance.webhook(&renewal.body()).unwrap(), 200, "the renewal");
    expected.live.link(&person.link_id).sale(777, person.currency);
    settles("totals after the renewal", &expected.lines(), || money(target));
    status(&instance.api("GET", &path).send().unwrap(), 404, "after");
    is_nowhere(instance, person);
    rebuilt_identically(target);
    is_nowhere(instance, person);
}

/// No answer of the API names her any more.
fn is_nowhere(instance: &Instance, person: &Person) {
    for path in [
        "/api/customers",
        "/api/events?event=sales",
        "/api/events?event=leads",
        "/api/ledger/entries?limit=1000",
        "/api/parked",
        "/api/stripe/events?limit=1000",
    ] {
        let answer = instance.api("GET", path).send().unwrap();
        status(&answer, 200, path);
        for name in [&person.external_id, &person.email] {
            assert!(!answer.text().contains(name.as_str()), "{path} still names {name}");
        }
    }
}
