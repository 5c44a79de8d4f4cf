//! The rows, as data.

use serde_json::{Value, json};

use pimms_edge::core::time::Millis;

use super::world::{DAY, MONTH, Step, T0, click, event, keys, lead, tracked};
use super::{thanks, undone};

/// One row of the table of histories.
pub struct Row {
    pub number: u8,
    pub name: &'static str,
    pub steps: Vec<Step>,
    pub books: Vec<&'static str>,
    /// The most that any prefix of any order may show, when that is more than the end.
    pub justified: i64,
}

pub(super) fn row(number: u8, name: &'static str, steps: Vec<Step>, books: &[&'static str]) -> Row {
    Row { number, name, steps, books: books.to_vec(), justified: 0 }
}

pub(super) fn c1() -> String {
    click(1, -DAY)
}
pub(super) fn c2() -> String {
    click(2, -DAY / 2)
}

/// A paid session, `fields` over the defaults.
pub(super) fn session(id: &str, amount: i64, fields: Value) -> Value {
    let mut object = json!({"id": id, "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "amount_total": amount, "currency": "usd", "metadata": {}});
    merge(&mut object, fields);
    object
}

pub(super) fn merge(object: &mut Value, fields: Value) {
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
}

pub(super) fn completed(at: i64, object: Value) -> Step {
    event(at, "checkout.session.completed", object)
}

/// A basil invoice.
pub(super) fn paid(at: i64, id: &str, amount: i64, fields: Value) -> Step {
    let mut object =
        json!({"id": id, "object": "invoice", "amount_paid": amount, "currency": "usd", "status": "paid"});
    merge(&mut object, fields);
    event(at, "invoice.paid", object)
}

pub(super) fn of_subscription(id: &str) -> Value {
    json!({"type": "subscription_details", "subscription_details": {"subscription": id, "metadata": {}}})
}

pub(super) fn intent(at: i64, id: &str, amount: i64, fields: Value) -> Step {
    let mut object = json!({"id": id, "object": "payment_intent", "amount_received": amount, "currency": "usd",
        "status": "succeeded"});
    merge(&mut object, fields);
    event(at, "payment_intent.succeeded", object)
}

pub(super) fn invoice_payment(at: i64, invoice: &str, intent: &str, amount: i64) -> Step {
    let id = format!("inpay_{invoice}_{intent}");
    let object = json!({"id": id, "object": "invoice_payment", "invoice": invoice, "amount_paid": amount,
        "currency": "usd", "status": "paid", "payment": {"type": "payment_intent", "payment_intent": intent}});
    event(at, "invoice_payment.paid", object)
}

pub(super) fn refunded(at: i64, charge: &str, intent: &str, amount: i64, of: i64, fields: Value) -> Step {
    let mut object = json!({"id": charge, "object": "charge", "amount": of, "amount_refunded": amount,
        "currency": "usd", "payment_intent": intent});
    merge(&mut object, fields);
    event(at, "charge.refunded", object)
}

pub(super) fn refund(at: i64, kind: &str, id: &str, charge: &str, amount: i64, status: &str) -> Step {
    let object = json!({"id": id, "object": "refund", "amount": amount, "currency": "usd", "charge": charge,
        "payment_intent": null, "status": status});
    event(at, kind, object)
}

pub(super) fn dispute(at: i64, moment: &str, amount: i64, status: &str) -> Step {
    let object = json!({"id": "dp_1", "object": "dispute", "amount": amount, "currency": "usd", "charge": "ch_1",
        "payment_intent": "pi_1", "status": status});
    event(at, &format!("charge.dispute.{moment}"), object)
}

pub(super) fn customer(at: i64, kind: &str, id: &str, metadata: Value) -> Step {
    event(at, &format!("customer.{kind}"), json!({"id": id, "object": "customer", "metadata": metadata}))
}

pub(super) fn u1() -> Value {
    json!({"pimmsCustomerId": "u1"})
}

/// Row 1's steps.
pub(super) fn first() -> Vec<Step> {
    vec![
        lead(-3600, "u1", &c1(), "Sign up"),
        completed(
            0,
            session("cs_1", 4900, json!({"payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()})),
        ),
    ]
}

/// Row 16's steps.
pub(super) fn subscribed() -> Vec<Step> {
    vec![
        lead(-3600, "u1", &c1(), "Sign up"),
        completed(
            0,
            session(
                "cs_1",
                2000,
                json!({"mode": "subscription", "subscription": "sub_1", "invoice": "in_1",
                "customer": "cus_1", "metadata": u1()}),
            ),
        ),
        paid(2, "in_1", 2000, json!({"customer": "cus_1", "parent": of_subscription("sub_1")})),
    ]
}

pub(super) fn renewals(months: i64) -> Vec<Step> {
    let renewal = |month: i64| {
        let id = format!("in_{}", month + 1);
        paid(month * MONTH, &id, 2000, json!({"customer": "cus_1", "parent": of_subscription("sub_1")}))
    };
    (1..=months).map(renewal).collect()
}

/// A paid basil invoice of a customer with a click, its payment, and a charge.
pub(super) fn invoiced() -> Vec<Step> {
    vec![
        customer(-10, "created", "cus_1", json!({"pimmsCustomerId": "u1", "pimmsClickId": c1()})),
        paid(0, "in_1", 2000, json!({"customer": "cus_1"})),
    ]
}

pub(super) const FIRST: [&str; 3] = ["customer u1 cus_1", "lead Sign-up c1", "sale pi_1 4900 usd c1"];
pub(super) const INVOICED: [&str; 3] = ["customer u1 cus_1", "lead New-customer c1", "sale in_1 2000 usd c1"];

pub(super) fn plus(base: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    base.iter().chain(more).copied().collect()
}

pub(super) fn with(mut steps: Vec<Step>, more: Vec<Step>) -> Vec<Step> {
    steps.extend(more);
    steps
}

/// Every row that events alone decide; the others (modes, tenants, crashes, erasure) are end to end.
pub fn all() -> Vec<Row> {
    let mut rows = checkout();
    rows.extend(customers());
    rows.extend(subscriptions());
    rows.extend(undone::refunds());
    rows.extend(undone::money());
    rows.extend(undone::merging());
    rows.extend(undone::payments());
    rows.extend(thanks::rows());
    // Told the other way round, or once more a month later: the same history.
    for (number, name, of) in [
        (10, "the invoice comes before the customer", 9),
        (12, "the update comes before the creation", 11),
        (25, "the success comes before the session", 23),
        (30, "refunds come in reverse", 29),
        (54, "delivered again after 29 days", 1),
    ] {
        let known = rows.iter().find(|row| row.number == of).unwrap();
        let mut steps: Vec<Step> = known.steps.iter().rev().cloned().collect();
        steps.extend(steps.last().cloned());
        let again = Row { number, name, steps, books: known.books.clone(), justified: known.justified };
        rows.push(again);
    }
    rows
}

fn checkout() -> Vec<Row> {
    let succeeded = |at, fields: Value| {
        event(at, "checkout.session.async_payment_succeeded", session("cs_1", 4900, fields))
    };
    let unpaid = || {
        completed(
            0,
            session(
                "cs_1",
                4900,
                json!({"payment_status": "unpaid", "payment_intent": "pi_1",
        "customer": "cus_1", "metadata": u1()}),
            ),
        )
    };
    vec![
        row(1, "lead, then checkout", first(), &FIRST),
        row(2, "delivered five times", with(first(), vec![first().remove(1); 4]), &FIRST),
        row(
            3,
            "the lead comes two days later",
            {
                let mut steps = first();
                steps[0] = lead(2 * DAY, "u1", &c1(), "Sign up");
                steps
            },
            &FIRST,
        ),
        row(
            4,
            "and its payment intent",
            with(first(), vec![intent(1, "pi_1", 4900, json!({"customer": "cus_1"}))]),
            &FIRST,
        ),
        row(5, "and tracked by its intent", with(first(), vec![tracked(5, "u1", "pi_1", 4900)]), &FIRST),
        row(
            6,
            "payment link, guest",
            vec![completed(
                0,
                session(
                    "cs_1",
                    4900,
                    json!({"payment_intent": "pi_1",
            "client_reference_id": format!("pimms_id_{}", c1()), "customer_details": {"email": "a@x.io"}}),
                ),
            )],
            &["customer", "lead Checkout-session-completed c1", "sale pi_1 4900 usd c1"],
        ),
        row(
            7,
            "two guests with one e-mail",
            [(1, c1()), (2, c2())]
                .into_iter()
                .map(|(n, click)| {
                    completed(
                        n,
                        session(
                            &format!("cs_{n}"),
                            100,
                            json!({"payment_intent": format!("pi_{n}"), "customer_email": "a@x.io",
            "client_reference_id": format!("pimms_id_{click}")}),
                        ),
                    )
                })
                .collect(),
            &[
                "customer",
                "customer",
                "lead Checkout-session-completed c1",
                "lead Checkout-session-completed c2",
                "sale pi_1 100 usd c1",
                "sale pi_2 100 usd c2",
            ],
        ),
        row(
            8,
            "a reference that is no click",
            {
                let mut steps = first();
                steps[1] = completed(
                    0,
                    session(
                        "cs_1",
                        4900,
                        json!({"payment_intent": "pi_1", "customer": "cus_1",
                "metadata": u1(), "client_reference_id": "project_123"}),
                    ),
                );
                steps
            },
            &FIRST,
        ),
        row(
            21,
            "set-up",
            vec![completed(
                0,
                session(
                    "cs_1",
                    0,
                    json!({"mode": "setup", "amount_total": null,
            "currency": null, "payment_status": "no_payment_required", "metadata": {"pimmsCustomerId": "u1", "pimmsClickId": c1()}}),
                ),
            )],
            &["customer u1", "lead Checkout-session-completed c1"],
        ),
        row(
            22,
            "a coupon of 100 %",
            vec![completed(
                0,
                session(
                    "cs_1",
                    0,
                    json!({"payment_status": "no_payment_required",
            "metadata": u1()}),
                ),
            )],
            &["customer u1"],
        ),
        row(
            23,
            "a delayed payment succeeds",
            vec![
                lead(-60, "u1", &c1(), "Sign up"),
                unpaid(),
                succeeded(DAY, json!({"payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()})),
            ],
            &FIRST,
        ),
        row(
            24,
            "a delayed payment fails",
            vec![
                lead(-60, "u1", &c1(), "Sign up"),
                unpaid(),
                event(
                    DAY,
                    "checkout.session.async_payment_failed",
                    session(
                        "cs_1",
                        4900,
                        json!({"payment_status": "unpaid",
            "payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()}),
                    ),
                ),
            ],
            &["customer u1 cus_1", "lead Sign-up c1"],
        ),
    ]
}

fn customers() -> Vec<Row> {
    let bad = |text: &str| {
        vec![
            customer(-10, "created", "cus_1", json!({"pimmsClickId": text})),
            paid(0, "in_1", 2000, json!({"customer": "cus_1"})),
        ]
    };
    let mut forged = c1();
    let last = if forged.pop() == Some('a') { 'b' } else { 'a' };
    forged.push(last);
    let foreign = keys().issue("ws_2", [1; 16], Millis((T0 - DAY) * 1000), 1).unwrap();
    vec![
        row(9, "customer metadata, then an invoice", invoiced(), &INVOICED),
        row(
            11,
            "metadata come with the update",
            vec![
                customer(-20, "created", "cus_1", json!({})),
                customer(-10, "updated", "cus_1", json!({"pimmsCustomerId": "u1", "pimmsClickId": c1()})),
                paid(0, "in_1", 2000, json!({"customer": "cus_1"})),
            ],
            &INVOICED,
        ),
        row(13, "the text null", bad("null"), &["customer cus_1", "sale in_1 2000 usd -"]),
        row(14, "a forged click", bad(&forged), &["customer cus_1", "sale in_1 2000 usd -"]),
        row(15, "a click of another workspace", bad(&foreign), &["customer cus_1", "sale in_1 2000 usd -"]),
        row(
            57,
            "a lead told twice, and another",
            vec![
                lead(0, "u1", &c1(), "Sign up"),
                lead(5, "u1", &c1(), "Sign up"),
                lead(9, "u1", &c1(), "Booked"),
            ],
            &["customer u1", "lead Booked c1", "lead Sign-up c1"],
        ),
        row(
            65,
            "created and updated within one second",
            vec![
                customer(0, "created", "cus_1", json!({"pimmsCustomerId": "u0"})),
                customer(0, "updated", "cus_1", json!({"pimmsCustomerId": "u1"})),
            ],
            &["customer u0 u1 cus_1"],
        ),
    ]
}

fn subscriptions() -> Vec<Row> {
    let mut year = vec!["customer u1 cus_1", "lead Sign-up c1"];
    year.extend([
        "sale in_1 2000 usd c1",
        "sale in_2 2000 usd c1",
        "sale in_3 2000 usd c1",
        "sale in_4 2000 usd c1",
        "sale in_5 2000 usd c1",
        "sale in_6 2000 usd c1",
        "sale in_7 2000 usd c1",
        "sale in_8 2000 usd c1",
        "sale in_9 2000 usd c1",
        "sale in_10 2000 usd c1",
        "sale in_11 2000 usd c1",
        "sale in_12 2000 usd c1",
    ]);
    let later = click(2, 3 * MONTH);
    let again = || lead(3 * MONTH + 5, "u1", &later, "Came back");
    let one = ["customer u1 cus_1", "lead Sign-up c1", "sale in_1 2000 usd c1"];
    vec![
        row(16, "the first invoice is the checkout", subscribed(), &one),
        row(17, "a year", with(subscribed(), renewals(11)), &year),
        row(
            18,
            "a later click changes nothing",
            with(with(subscribed(), renewals(11)), vec![again()]),
            &plus(&year, &["lead Came-back c2"]),
        ),
        row(
            19,
            "but a one-off goes to it",
            with(
                with(subscribed(), renewals(2)),
                vec![
                    again(),
                    completed(
                        4 * MONTH,
                        session("cs_9", 900, json!({"payment_intent": "pi_9", "customer": "cus_1"})),
                    ),
                ],
            ),
            &[
                "customer u1 cus_1",
                "lead Sign-up c1",
                "lead Came-back c2",
                "sale in_1 2000 usd c1",
                "sale in_2 2000 usd c1",
                "sale in_3 2000 usd c1",
                "sale pi_9 900 usd c2",
            ],
        ),
        row(
            20,
            "a trial",
            vec![
                lead(-60, "u1", &c1(), "Sign up"),
                completed(
                    0,
                    session(
                        "cs_1",
                        0,
                        json!({"mode": "subscription", "payment_status": "no_payment_required",
            "subscription": "sub_1", "invoice": "in_0", "customer": "cus_1", "metadata": u1()}),
                    ),
                ),
                paid(1, "in_0", 0, json!({"customer": "cus_1", "parent": of_subscription("sub_1")})),
                paid(
                    14 * DAY,
                    "in_1",
                    2000,
                    json!({"customer": "cus_1", "parent": of_subscription("sub_1")}),
                ),
            ],
            &one,
        ),
        row(
            53,
            "an upgrade inherits",
            with(
                subscribed(),
                vec![
                    again(),
                    paid(
                        4 * MONTH,
                        "in_5",
                        700,
                        json!({"customer": "cus_1", "billing_reason": "subscription_update", "parent": of_subscription("sub_1")}),
                    ),
                ],
            ),
            &plus(&one, &["lead Came-back c2", "sale in_5 700 usd c1"]),
        ),
        row(
            63,
            "the invoice's twin event",
            with(
                subscribed(),
                vec![event(
                    2,
                    "invoice.payment_succeeded",
                    json!({"id": "in_1", "object": "invoice", "amount_paid": 2000, "currency": "usd", "customer": "cus_1"}),
                )],
            ),
            &one,
        ),
        row(
            78,
            "the session comes after the first renewal",
            with(vec![again()], with(subscribed(), renewals(4))),
            &[
                "customer u1 cus_1",
                "lead Sign-up c1",
                "lead Came-back c2",
                "sale in_1 2000 usd c1",
                "sale in_2 2000 usd c1",
                "sale in_3 2000 usd c1",
                "sale in_4 2000 usd c1",
                "sale in_5 2000 usd c1",
            ],
        ),
    ]
}
