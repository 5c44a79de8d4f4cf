use pimms_edge::core::click_id::Keys;
use pimms_edge::core::ledger::fact::{Body, PaymentRefs, SessionState};
use pimms_edge::core::mode::Mode;
use pimms_edge::core::stripe::event::{Reader, Reading};
use pimms_edge::core::stripe::{read, signature};
use pimms_edge::core::time::Millis;
use serde_json::Value;

use super::*;

const BOTH: [Version; 2] = [Version::V2024, Version::Basil];

fn body(event: &Event) -> Body {
    let keys = Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap();
    let text = event.body();
    let reading = read(text.as_bytes()).unwrap().reading(&Reader { keys: &keys, workspace_id: "ws_1" });
    match reading {
        Reading::Facts(mut facts) => facts.remove(0).body,
        other => panic!("{}: {other:?}", event.kind()),
    }
}

/// One of everything, as a paid subscription with its refund and dispute.
fn one_of_each() -> Vec<Event> {
    vec![
        Event::new("customer.created", Customer::new("cus_1").email("ada@example.com").external_id("u1")),
        Event::new(
            "checkout.session.completed",
            Session::paid("cs_1").amount(2000, "usd").customer("cus_1").subscription("sub_1").invoice("in_1"),
        ),
        Event::new("customer.subscription.created", Subscription::active("sub_1").customer("cus_1")),
        Event::new(
            "invoice.paid",
            Invoice::paid("in_1")
                .amount(2000, "usd")
                .customer("cus_1")
                .subscription("sub_1", "subscription_create")
                .intent("pi_1")
                .charge("ch_1"),
        ),
        Event::new(
            "invoice_payment.paid",
            InvoicePayment::paid("inpay_1", "in_1", "pi_1").amount(2000, "usd"),
        ),
        Event::new(
            "payment_intent.succeeded",
            Intent::succeeded("pi_1").amount(2000, "usd").customer("cus_1").charge("ch_1").invoice("in_1"),
        ),
        Event::new(
            "charge.refunded",
            Charge::succeeded("ch_1")
                .amount(2000, "usd")
                .refunded(500)
                .customer("cus_1")
                .intent("pi_1")
                .invoice("in_1"),
        ),
        Event::new("refund.created", Refund::succeeded("re_1", "ch_1").amount(500, "usd").intent("pi_1")),
        Event::new(
            "charge.dispute.created",
            Dispute::opened("dp_1", "ch_1").amount(1500, "usd").intent("pi_1"),
        ),
    ]
}

#[test]
fn no_placeholder_of_the_examples_is_left() {
    fn inspect(path: &str, value: &Value, created: i64) {
        match value {
            Value::Object(map) => map.iter().for_each(|(k, v)| inspect(&format!("{path}.{k}"), v, created)),
            Value::Array(items) => items.iter().for_each(|v| inspect(path, v, created)),
            Value::Number(n) => {
                let time = ["created", "period", "anchor", "date", "expires_at", "due_by", "effective_at"];
                let n = n.as_i64().unwrap_or(i64::MAX);
                assert!(n < 100_000 || n == created || time.iter().any(|t| path.contains(t)), "{path}: {n}");
            }
            Value::String(text) => {
                for placeholder in ["subscription", "invoice", "currency", "status", "obj_123", "flow"] {
                    let names_a_kind = matches!(path.rsplit('.').next(), Some("object" | "mode"));
                    assert!(text != placeholder || names_a_kind, "{path}: {text}");
                }
            }
            _ => {}
        }
    }
    for event in one_of_each() {
        for version in BOTH {
            let json = event.clone().version(version).json();
            let object = json.pointer("/data/object").unwrap();
            inspect(&format!("{} {version:?}", event.kind()), object, event.created());
            for absent in ["currency_conversion", "amount_overpaid"] {
                let value = object.get(absent);
                assert!(value.is_none_or(|v| v.is_null() || v == 0), "{absent} of {}", event.kind());
            }
        }
    }
}

#[test]
fn every_event_says_the_same_in_both_shapes_but_for_what_basil_dropped() {
    for event in one_of_each() {
        let mut shapes = BOTH.map(|version| body(&event.clone().version(version)));
        for shape in &mut shapes {
            match shape {
                Body::Invoice { refs, .. } => *refs = PaymentRefs::default(),
                Body::Intent { refs, .. } | Body::Charge { refs, .. } => refs.invoice = None,
                _ => {}
            }
        }
        assert_eq!(shapes[0], shapes[1], "{}", event.kind());
    }
}

#[test]
fn references_stand_where_each_version_keeps_them() {
    let invoice = one_of_each().remove(3);
    let refs = |version| body(&invoice.clone().version(version)).refs().cloned().unwrap();
    assert_eq!(refs(Version::Basil), PaymentRefs { invoice: Some("in_1".into()), ..PaymentRefs::default() });
    assert_eq!(refs(Version::V2024).intents, ["pi_1"]);
    assert_eq!(refs(Version::V2024).charges, ["ch_1"]);

    let charge = one_of_each().remove(6);
    let invoice_of = |version| body(&charge.clone().version(version)).refs().unwrap().invoice.clone();
    assert_eq!(invoice_of(Version::V2024).as_deref(), Some("in_1"));
    assert_eq!(invoice_of(Version::Basil), None);
}

#[test]
fn expanded_objects_say_the_same_as_ids() {
    let invoice = Invoice::paid("in_1")
        .customer("cus_1")
        .subscription("sub_1", "subscription_cycle")
        .payments(&[("pi_1", 400), ("pi_2", 600)])
        .intent("pi_1");
    for version in BOTH {
        let plain = Event::new("invoice.paid", invoice.clone()).version(version);
        let expanded = Event::new("invoice.paid", invoice.clone().expanded()).version(version);
        assert_ne!(plain.body(), expanded.body());
        assert_eq!(body(&plain), body(&expanded), "{version:?}");
    }
}

#[test]
fn adaptive_pricing_is_one_amount_in_both_shapes() {
    let session = Session::paid("cs_1").amount(1000, "usd").presented(950, "eur");
    for version in BOTH {
        match body(&Event::new("checkout.session.completed", session.clone()).version(version)) {
            Body::Session { amount, currency, presentment, .. } => {
                assert_eq!((amount, currency.unwrap().as_str()), (1000, "usd"), "{version:?}");
                let seen = presentment.unwrap();
                assert_eq!((seen.amount, seen.currency.as_str()), (950, "eur"), "{version:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sessions_have_their_states() {
    for (session, expected) in [
        (Session::paid("cs_1").amount(100, "usd"), SessionState::Paid),
        (Session::unpaid("cs_1").amount(100, "usd"), SessionState::Pending),
        (Session::free("cs_1"), SessionState::NoPayment),
        (Session::setup("cs_1"), SessionState::NoPayment),
    ] {
        match body(&Event::new("checkout.session.completed", session)) {
            Body::Session { state, .. } => assert_eq!(state, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn paid_out_of_band_is_an_amount_in_both_shapes() {
    for version in BOTH {
        let invoice = Invoice::paid("in_1").amount(3000, "usd").out_of_band();
        match body(&Event::new("invoice.paid", invoice).version(version)) {
            Body::Invoice { amount, .. } => assert_eq!(amount, 3000, "{version:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ids_follow_from_content_and_time() {
    let event = Event::new("customer.created", Customer::new("cus_1"));
    assert_eq!(event.event_id(), event.clone().event_id());
    assert_eq!(
        event.event_id(),
        event.clone().version(Version::V2024).event_id(),
        "one event, two renderings"
    );
    assert_ne!(event.event_id(), event.clone().at(1_763_000_001).event_id());
    assert_ne!(event.event_id(), event.clone().mode(Mode::Test).event_id());
    assert_ne!(event.event_id(), event.clone().account("acct_1").event_id());
    assert_eq!(event.id("evt_9").event_id(), "evt_9");
}

#[test]
fn deliveries_verify_and_speak_of_their_world() {
    let event = Event::new("customer.created", Customer::new("cus_1")).mode(Mode::Test).account("acct_1");
    let delivery = event.sign("whsec_1", 1_763_000_009);
    let now = Millis(1_763_000_009_000);
    assert_eq!(signature::verify(&delivery.signature, delivery.body.as_bytes(), &["whsec_1"], now), Ok(0));
    let read = read(delivery.body.as_bytes()).unwrap().envelope;
    assert_eq!(read.mode, Mode::Test);
    assert_eq!(read.account, "acct_1");
    assert_eq!(read.created, Some(Millis(1_763_000_000_000)));
}
