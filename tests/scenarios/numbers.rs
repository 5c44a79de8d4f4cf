//! Numbers that nobody charges. Whoever holds a workspace's secret may sign them: they stop nothing, and no row gets a
//! number that D1 and JavaScript do not hold exactly.

use std::panic::catch_unwind;

use pimms_edge::core::ledger::rows::rows;
use pimms_edge::core::ledger::view::Policy;
use pimms_edge::core::mode::Mode;
use pimms_edge::core::stripe::read;
use serde_json::{Value, json};

use super::world::{DAY, Directory, Step, WORKSPACE, click, event};

const MOST: i64 = (1 << 53) - 1;

/// One customer with every kind of event, each with every number that is read of it.
fn story() -> Vec<Step> {
    let ours = json!({"pimmsClickId": click(1, -60), "pimmsCustomerId": "u1"});
    let tax = json!([{"amount": 1, "type": "tax_rate_details"}, {"amount": 2, "type": "tax_rate_details"}]);
    let payment = json!({"type": "payment_intent", "payment_intent": "pi_2"});
    let item = |n: i64, interval: &str| {
        json!({"quantity": n, "price": {"unit_amount": 500, "currency": "usd",
            "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"}}})
    };
    let paid = json!({"id": "cs_1", "mode": "payment", "payment_status": "paid", "amount_total": 4900,
        "currency": "usd", "payment_intent": "pi_1", "customer": "cus_1", "metadata": ours,
        "total_details": {"amount_tax": 100}, "presentment_details": {"presentment_amount": 4500,
        "presentment_currency": "eur"}});
    let converted = json!({"id": "cs_3", "mode": "payment", "payment_status": "paid", "amount_total": 4500,
        "currency": "eur", "payment_intent": "pi_3", "customer": "cus_1",
        "currency_conversion": {"amount_total": 4900, "source_currency": "usd"}});
    let invoice = json!({"id": "in_2", "amount_paid": 2000, "amount_due": 2000, "currency": "usd",
        "customer": "cus_1", "total_taxes": tax, "tax": 3, "payment_intent": "pi_2",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}});
    let outside = json!({"id": "in_3", "amount_paid": 0, "amount_due": 700, "paid_out_of_band": true,
        "currency": "usd", "customer": "cus_1", "tax": 3});
    let subscription = json!({"id": "sub_1", "customer": "cus_1", "status": "canceled", "start_date": 1_763_000_000,
        "ended_at": 1_764_000_000, "canceled_at": 1_764_000_000, "currency": "usd",
        "items": {"data": [item(1, "month"), item(2, "year"), item(3, "week")]}});
    let charge = json!({"id": "ch_1", "amount": 4900, "amount_refunded": 300, "currency": "usd",
        "payment_intent": "pi_1", "customer": "cus_1"});
    let refund = |id: &str, currency: &str| {
        json!({"id": id, "amount": 200, "currency": currency, "status": "succeeded", "charge": "ch_1",
            "payment_intent": "pi_1"})
    };
    let dispute = json!({"id": "dp_1", "amount": 4900, "currency": "usd", "status": "needs_response",
        "charge": "ch_1", "payment_intent": "pi_1"});
    vec![
        event(0, "checkout.session.completed", paid),
        event(
            1,
            "payment_intent.succeeded",
            json!({"id": "pi_1", "amount_received": 4900, "currency": "usd",
            "customer": "cus_1", "latest_charge": "ch_1", "metadata": ours}),
        ),
        event(2, "charge.refunded", charge),
        event(3, "refund.created", refund("re_1", "usd")),
        event(4, "refund.failed", refund("re_2", "usd")),
        event(5, "refund.created", refund("re_3", "eur")),
        event(6, "charge.dispute.funds_withdrawn", dispute.clone()),
        event(7, "charge.dispute.funds_reinstated", dispute),
        event(8, "checkout.session.completed", converted),
        event(DAY, "invoice.paid", invoice),
        event(DAY, "invoice.paid", outside),
        event(
            DAY,
            "invoice_payment.paid",
            json!({"id": "inpay_1", "invoice": "in_4", "amount_paid": 900,
            "currency": "usd", "payment": payment}),
        ),
        event(
            DAY,
            "invoice_payment.paid",
            json!({"id": "inpay_2", "invoice": "in_4", "amount_paid": 100,
            "currency": "usd", "payment": {"type": "charge", "charge": "ch_9"}}),
        ),
        event(2 * DAY, "customer.subscription.deleted", subscription),
    ]
}

/// The places of all numbers, as JSON pointers.
fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place.to_owned()),
        Value::Array(list) => {
            for (n, one) in list.iter().enumerate() {
                numbers(one, &format!("{place}/{n}"), found);
            }
        }
        Value::Object(map) => {
            for (name, one) in map {
                numbers(one, &format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Plays the steps; the numbers of their rows that no store holds.
fn unstorable(steps: &[Step]) -> Vec<String> {
    let mut directory = Directory::default();
    steps.iter().enumerate().for_each(|(number, step)| directory.accept(step, number));
    let policy = Policy { workspace_id: WORKSPACE.to_owned(), mode: Mode::Live, window_days: 90 };
    let views = directory.views();
    let rows = views.iter().flat_map(|view| rows(view, &policy, "cus_1"));
    rows.flat_map(|row| {
        let mut places = Vec::new();
        numbers(&row.values, "", &mut places);
        let held = |place: &String| {
            let number = row.values.pointer(place).unwrap();
            number.as_i64().is_none_or(|number| !(-MOST..=MOST).contains(&number))
        };
        let wrong = places.into_iter().filter(held);
        wrong
            .map(|place| format!("{}{place} {}", row.id, row.values.pointer(&place).unwrap()))
            .collect::<Vec<_>>()
    })
    .collect()
}

fn check(what: &str, steps: &[Step]) {
    let found = catch_unwind(|| unstorable(steps)).map_err(|_| "panic");
    assert_eq!(found, Ok(Vec::new()), "{what}");
}

#[test]
fn any_number_anywhere_stops_nothing() {
    let steps = story();
    check("as it is", &steps);
    let extremes = [
        json!(i64::MAX),
        json!(i64::MIN),
        json!(MOST),
        json!(MOST + 1),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
    ];
    let mut tried = 0;
    for (at, step) in steps.iter().enumerate() {
        let Step::Event(body) = step else { continue };
        let mut places = Vec::new();
        numbers(body, "", &mut places);
        for extreme in &extremes {
            // Each number alone, then all of the event at once.
            for chosen in places.iter().map(std::slice::from_ref).chain([places.as_slice()]) {
                let mut changed = body.clone();
                for place in chosen {
                    *changed.pointer_mut(place).unwrap() = extreme.clone();
                }
                if read(changed.to_string().as_bytes()).is_err() {
                    continue; // Refused as no event: `created` is a fraction.
                }
                let mut steps = steps.clone();
                steps[at] = Step::Event(changed);
                check(&format!("{} {chosen:?} {extreme}", body["type"]), &steps);
                tried += 1;
            }
        }
    }
    assert!(tried > 350, "{tried}");
}

#[test]
fn amounts_that_add_up_to_more_than_a_number_stop_nothing() {
    let part = |n: i64| {
        let payment = json!({"type": "payment_intent", "payment_intent": format!("pi_{n}")});
        event(
            n,
            "invoice_payment.paid",
            json!({"id": format!("inpay_{n}"), "invoice": "in_1",
            "amount_paid": MOST, "currency": "usd", "payment": payment}),
        )
    };
    check("parts of an invoice", &(0..1100).map(part).collect::<Vec<_>>());
    let refund = |n: i64| {
        let kind = if n % 2 == 0 { "refund.created" } else { "refund.failed" };
        event(
            n,
            kind,
            json!({"id": format!("re_{n}"), "amount": MOST, "currency": "usd", "charge": "ch_1",
            "payment_intent": "pi_1"}),
        )
    };
    let refunds: Vec<Step> = story().into_iter().take(3).chain((10..2210).map(refund)).collect();
    check("refunds of a charge", &refunds);
}
