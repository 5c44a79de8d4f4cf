//! Replay and reconcile against a server that answers in Stripe's format: what was missed is found, repaired, and
//! found to be whole.

use std::collections::{BTreeMap, BTreeSet};

use pimms_cli::clock::{now, now_secs};
use pimms_cli::instance::Instance;
use pimms_cli::reconcile::{self, Comparison, Kind};
use pimms_cli::replay;
use pimms_cli::simulate::send;
use pimms_cli::simulate::story::Step;
use pimms_cli::stripe::{Charge, Event, Version};
use pimms_cli::stripe_api;
use pimms_cli::target::{Address, Target, text};
use pimms_edge::core::mode::Mode;
use serde_json::{Value, json};

use crate::crowd::Crowd;
use crate::delivery::{clicks, money, settles};
use crate::fake_stripe::{FakeStripe, KEY};

#[test]
fn what_was_missed_is_found_replayed_and_found_to_be_whole() {
    let instance = Instance::start().unwrap();
    let target = Target::of(instance.ready());
    let made = clicks(&[target.short_link().unwrap()], 40, "rec");
    let mut crowd = Crowd::new(11, "rec", made, now_secs() + 1);
    crowd.tell(30, 400);
    let stripe = FakeStripe::start();
    stripe.list("/v1/events", events(&crowd));
    for (path, objects) in lists(&crowd) {
        stripe.list(path, objects);
    }
    let options = reconcile::Options {
        from: now().plus_days(-1),
        to: Some(now().plus_days(1)),
        file: Vec::new(),
        test: false,
        stripe: api(&stripe),
        address: Address::default(),
    };
    let compare = || reconcile::reconcile(&target, &options).unwrap();

    // Stripe could not reach us: every third event was never delivered.
    for (index, step) in crowd.steps.iter().enumerate() {
        if matches!(step, Step::Lead { .. }) || index % 3 != 0 {
            send(&target, step).unwrap();
        }
    }
    let before = compare();
    assert!(before.unexplained() > 0, "the gaps must be seen");
    assert!(before.findings.iter().any(|finding| finding.kind == Kind::Missing));

    let outcome = replay::replay(
        &target,
        &replay::Options {
            from: options.from,
            to: None,
            file: None,
            stripe: api(&stripe),
            address: Address::default(),
        },
    )
    .unwrap();
    let total = outcome.total();
    assert_eq!((total.sent, total.refused), (crowd.events(), 0), "{:?}", outcome.refusals);
    assert!(stripe.limited() > 0, "the rate limit must have been met");
    settles("totals after the replay", &crowd.expected.lines(), || money(&target));

    let whole = compare();
    assert_eq!(unexplained(&whole), BTreeSet::new());
    assert!(whole.days.values().map(|day| day.stripe_payments).sum::<usize>() > 50, "{:?}", whole.days);

    // A payment that Stripe has and nobody told us of, and one of ours that Stripe does not know.
    let mut charges = lists(&crowd).remove("/v1/charges").unwrap();
    let forgotten = charges.iter().position(|charge| charge["amount_refunded"] == 0).unwrap();
    let forgotten = charges.remove(forgotten);
    let unknown = Charge::succeeded("ch_unknown").amount(12_345, "usd").intent("pi_unknown");
    charges.push(object(&Event::new("charge.succeeded", unknown).at(now_secs())));
    stripe.list("/v1/charges", charges);
    let found = unexplained(&compare());
    assert!(found.contains("ch_unknown"), "{found:?}");
    assert!(found.len() <= 2, "{found:?} beside {}", text(&forgotten, "id"));
}

#[test]
fn a_replay_from_a_file_is_the_same() {
    let instance = Instance::start().unwrap();
    let target = Target::of(instance.ready());
    let mut crowd =
        Crowd::new(12, "file", clicks(&[target.short_link().unwrap()], 20, "file"), now_secs() + 1);
    crowd.tell(10, 100);
    let file = instance.folder().join("events.ndjson");
    let lines: Vec<String> = events(&crowd).iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n\n")).unwrap();
    for step in crowd.steps.iter().filter(|step| matches!(step, Step::Lead { .. })) {
        send(&target, step).unwrap();
    }
    let options = |from| replay::Options {
        from,
        to: None,
        file: Some(file.clone()),
        stripe: stripe_api::Access { stripe_key: None, stripe_url: String::new() },
        address: Address::default(),
    };
    let late = replay::replay(&target, &options(now().plus_days(1))).unwrap();
    assert_eq!(late.total().sent, 0, "nothing is as late as that");
    let outcome = replay::replay(&target, &options(now().plus_days(-1))).unwrap();
    assert_eq!(outcome.total().accepted, crowd.events());
    settles("totals", &crowd.expected.lines(), || money(&target));
}

fn api(stripe: &FakeStripe) -> stripe_api::Access {
    stripe_api::Access { stripe_key: Some(KEY.to_owned()), stripe_url: stripe.url().to_owned() }
}

fn unexplained(comparison: &Comparison) -> BTreeSet<String> {
    comparison.findings.iter().filter(|f| !f.explained).map(|f| f.name.clone()).collect()
}

fn stories(crowd: &Crowd) -> impl Iterator<Item = &Event> {
    crowd.steps.iter().filter_map(|step| match step {
        Step::Event(event) => Some(event.as_ref()),
        Step::Lead { .. } => None,
    })
}

fn events(crowd: &Crowd) -> Vec<Value> {
    stories(crowd).map(Event::json).collect()
}

fn object(event: &Event) -> Value {
    event.json().pointer("/data/object").cloned().unwrap()
}

/// What Stripe's lists would show of live mode: a charge for every payment intent, invoices with what paid them, and
/// refunds that went through.
fn lists(crowd: &Crowd) -> BTreeMap<&'static str, Vec<Value>> {
    let mut charges: BTreeMap<String, Value> = BTreeMap::new();
    let mut invoices: BTreeMap<String, Value> = BTreeMap::new();
    let mut refunds: BTreeMap<String, Value> = BTreeMap::new();
    let live = || stories(crowd).filter(|event| event.world() == Mode::Live);
    for event in live().filter(|event| event.kind() == "payment_intent.succeeded") {
        let intent = object(event);
        let id = text(&intent, "id").to_owned();
        let charge = Some(text(&intent, "latest_charge")).filter(|id| !id.is_empty());
        let charge = Charge::succeeded(charge.unwrap_or(&format!("ch_of_{id}")))
            .amount(intent["amount_received"].as_i64().unwrap(), text(&intent, "currency"))
            .intent(&id);
        charges.insert(id, object(&Event::new("charge.succeeded", charge).at(event.created())));
    }
    for event in live() {
        let told = object(&event.clone().version(Version::V2024));
        let id = text(&told, "id").to_owned();
        match event.kind() {
            "charge.refunded" => {
                let charge = charges.get_mut(text(&told, "payment_intent")).unwrap();
                let refunded = told["amount_refunded"].as_i64().max(charge["amount_refunded"].as_i64());
                charge["amount_refunded"] = json!(refunded);
            }
            "refund.created" if told["status"] == "succeeded" => {
                refunds.insert(id, told);
            }
            "invoice.paid" => {
                let mut invoice = object(&event.clone().version(Version::Basil));
                let intent = told["payment_intent"]
                    .as_str()
                    .or(told.pointer("/payment_intent/id").and_then(Value::as_str));
                let payment =
                    intent.map(|id| json!({"payment": {"type": "payment_intent", "payment_intent": id}}));
                invoice["payments"] = json!({"object": "list", "data": Vec::from_iter(payment)});
                invoices.insert(id, invoice);
            }
            _ => {}
        }
    }
    let values = |map: BTreeMap<String, Value>| map.into_values().collect();
    BTreeMap::from([
        ("/v1/charges", values(charges)),
        ("/v1/invoices", values(invoices)),
        ("/v1/refunds", values(refunds)),
    ])
}
