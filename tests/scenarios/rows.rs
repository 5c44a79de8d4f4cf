//! The rows, as data.

use serde_json::{Value, json};

use super::world::{DAY, MONTH, Step, click, event, lead, tracked};

/// One row of the table of histories.
pub struct Row {
    pub number: u8,
    pub name: &'static str,
    pub steps: Vec<Step>,
    pub books: Vec<&'static str>,
    /// The most that any prefix of any order may show, when that is more than the end.
    pub justified: i64,
}

fn row(number: u8, name: &'static str, steps: Vec<Step>, books: &[&'static str]) -> Row {
    Row { number, name, steps, books: books.to_vec(), justified: 0 }
}

fn c1() -> String {
    click(1, -DAY)
}
fn c2() -> String {
    click(2, -DAY / 2)
}

/// A paid session, `fields` over the defaults.
fn session(id: &str, amount: i64, fields: Value) -> Value {
    let mut object = json!({"id": id, "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "amount_total": amount, "currency": "usd", "metadata": {}});
    merge(&mut object, fields);
    object
}

fn merge(object: &mut Value, fields: Value) {
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
}

fn completed(at: i64, object: Value) -> Step {
    event(at, "checkout.session.completed", object)
}

/// A basil invoice.
fn paid(at: i64, id: &str, amount: i64, fields: Value) -> Step {
    let mut object =
        json!({"id": id, "object": "invoice", "amount_paid": amount, "currency": "usd", "status": "paid"});
    merge(&mut object, fields);
    event(at, "invoice.paid", object)
}

fn of_subscription(id: &str) -> Value {
    json!({"type": "subscription_details", "subscription_details": {"subscription": id, "metadata": {}}})
}

fn intent(at: i64, id: &str, amount: i64, fields: Value) -> Step {
    let mut object = json!({"id": id, "object": "payment_intent", "amount_received": amount, "currency": "usd",
        "status": "succeeded"});
    merge(&mut object, fields);
    event(at, "payment_intent.succeeded", object)
}

fn invoice_payment(at: i64, invoice: &str, intent: &str, amount: i64) -> Step {
    let id = format!("inpay_{invoice}_{intent}");
    let object = json!({"id": id, "object": "invoice_payment", "invoice": invoice, "amount_paid": amount,
        "currency": "usd", "status": "paid", "payment": {"type": "payment_intent", "payment_intent": intent}});
    event(at, "invoice_payment.paid", object)
}

fn refunded(at: i64, charge: &str, intent: &str, amount: i64, of: i64, fields: Value) -> Step {
    let mut object = json!({"id": charge, "object": "charge", "amount": of, "amount_refunded": amount,
        "currency": "usd", "payment_intent": intent});
    merge(&mut object, fields);
    event(at, "charge.refunded", object)
}

fn refund(at: i64, kind: &str, id: &str, charge: &str, amount: i64, status: &str) -> Step {
    let object = json!({"id": id, "object": "refund", "amount": amount, "currency": "usd", "charge": charge,
        "payment_intent": null, "status": status});
    event(at, kind, object)
}

fn dispute(at: i64, moment: &str, amount: i64, status: &str) -> Step {
    let object = json!({"id": "dp_1", "object": "dispute", "amount": amount, "currency": "usd", "charge": "ch_1",
        "payment_intent": "pi_1", "status": status});
    event(at, &format!("charge.dispute.{moment}"), object)
}

fn customer(at: i64, kind: &str, id: &str, metadata: Value) -> Step {
    event(at, &format!("customer.{kind}"), json!({"id": id, "object": "customer", "metadata": metadata}))
}

fn u1() -> Value {
    json!({"pimmsCustomerId": "u1"})
}

/// Row 1's steps.
fn first() -> Vec<Step> {
    vec![
        lead(-3600, "u1", &c1(), "Sign up"),
        completed(
            0,
            session("cs_1", 4900, json!({"payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()})),
        ),
    ]
}

/// Row 16's steps.
fn subscribed() -> Vec<Step> {
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

fn renewals(months: i64) -> Vec<Step> {
    let renewal = |month: i64| {
        let id = format!("in_{}", month + 1);
        paid(month * MONTH, &id, 2000, json!({"customer": "cus_1", "parent": of_subscription("sub_1")}))
    };
    (1..=months).map(renewal).collect()
}

/// A paid basil invoice of a customer with a click, its payment, and a charge.
fn invoiced() -> Vec<Step> {
    vec![
        customer(-10, "created", "cus_1", json!({"pimmsCustomerId": "u1", "pimmsClickId": c1()})),
        paid(0, "in_1", 2000, json!({"customer": "cus_1"})),
    ]
}

const FIRST: [&str; 3] = ["customer u1 cus_1", "lead Sign-up c1", "sale pi_1 4900 usd c1"];
const INVOICED: [&str; 3] = ["customer u1 cus_1", "lead New-customer c1", "sale in_1 2000 usd c1"];

fn plus(base: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    base.iter().chain(more).copied().collect()
}

fn with(mut steps: Vec<Step>, more: Vec<Step>) -> Vec<Step> {
    steps.extend(more);
    steps
}

/// Every row that events alone decide; the others (modes, tenants, crashes, erasure) are end to end.
pub fn all() -> Vec<Row> {
    let mut rows = checkout();
    rows.extend(customers());
    rows.extend(subscriptions());
    rows.extend(refunds());
    rows.extend(money());
    rows.extend(merging());
    rows.extend(payments());
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

fn refunds() -> Vec<Row> {
    let charge = |at, amount| refunded(at, "ch_1", "pi_1", amount, 2000, json!({}));
    let of_customer = |at, amount| refunded(at, "ch_1", "pi_1", amount, 2000, json!({"customer": "cus_1"}));
    let tied = || with(invoiced(), vec![invoice_payment(3, "in_1", "pi_1", 2000)]);
    let old = paid(0, "in_1", 2000, json!({"customer": "cus_1", "payment_intent": "pi_1", "charge": "ch_1"}));
    let link = || intent(2, "pi_1", 2000, json!({"latest_charge": "ch_1", "customer": "cus_1"}));
    vec![
        row(
            26,
            "a full refund before basil",
            vec![
                invoiced().remove(0),
                old,
                refunded(DAY, "ch_1", "pi_1", 2000, 2000, json!({"invoice": "in_1"})),
            ],
            &plus(&INVOICED, &["refund -2000 usd c1"]),
        ),
        row(
            27,
            "a partial refund since basil",
            with(tied(), vec![charge(DAY, 500)]),
            &plus(&INVOICED, &["refund -500 usd c1"]),
        ),
        row(
            28,
            "a refund not tied to a sale",
            with(invoiced(), vec![of_customer(DAY, 500)]),
            &plus(&INVOICED, &["refund -500 usd c1 untied"]),
        ),
        row(
            29,
            "cumulative refunds",
            with(tied(), vec![charge(DAY, 500), charge(2 * DAY, 1200), charge(3 * DAY, 2000)]),
            &plus(&INVOICED, &["refund -500 usd c1", "refund -700 usd c1", "refund -800 usd c1"]),
        ),
        row(
            31,
            "the refund and its charge",
            with(
                tied(),
                vec![charge(DAY, 500), refund(DAY, "refund.created", "re_1", "ch_1", 500, "succeeded")],
            ),
            &plus(&INVOICED, &["refund -500 usd c1"]),
        ),
        row(
            32,
            "a refund that fails",
            with(
                tied(),
                vec![
                    refund(DAY, "refund.created", "re_1", "ch_1", 500, "pending"),
                    charge(DAY, 500),
                    refund(2 * DAY, "refund.failed", "re_1", "ch_1", 500, "failed"),
                ],
            ),
            &plus(&INVOICED, &["refund -500 usd c1", "refund 500 usd c1"]),
        ),
        row(
            33,
            "a guest's refund before the sale",
            vec![
                charge(DAY, 500),
                completed(
                    0,
                    session(
                        "cs_1",
                        2000,
                        json!({"payment_intent": "pi_1", "client_reference_id": format!("pimms_id_{}", c1())}),
                    ),
                ),
            ],
            &[
                "customer",
                "lead Checkout-session-completed c1",
                "sale pi_1 2000 usd c1",
                "refund -500 usd c1",
            ],
        ),
        row(
            34,
            "a dispute won",
            with(
                tied(),
                vec![
                    dispute(DAY, "created", 2000, "needs_response"),
                    dispute(DAY, "funds_withdrawn", 2000, "needs_response"),
                    dispute(9 * DAY, "closed", 2000, "won"),
                    dispute(9 * DAY, "funds_reinstated", 2000, "won"),
                ],
            ),
            &plus(&INVOICED, &["dispute -2000 usd c1", "reinstated 2000 usd c1"]),
        ),
        row(
            35,
            "a dispute lost",
            with(
                tied(),
                vec![
                    dispute(DAY, "created", 2000, "needs_response"),
                    dispute(DAY, "funds_withdrawn", 2000, "needs_response"),
                    dispute(9 * DAY, "closed", 2000, "lost"),
                ],
            ),
            &plus(&INVOICED, &["dispute -2000 usd c1"]),
        ),
        row(
            36,
            "a partial refund, then a dispute",
            with(tied(), vec![charge(DAY, 500), dispute(2 * DAY, "funds_withdrawn", 1500, "needs_response")]),
            &plus(&INVOICED, &["refund -500 usd c1", "dispute -1500 usd c1"]),
        ),
        row(
            37,
            "an inquiry",
            with(
                tied(),
                vec![
                    dispute(DAY, "created", 2000, "warning_needs_response"),
                    dispute(9 * DAY, "closed", 2000, "warning_closed"),
                ],
            ),
            &INVOICED,
        ),
        row(
            68,
            "a failed refund, then another",
            with(
                tied(),
                vec![
                    refund(DAY, "refund.created", "re_1", "ch_1", 300, "pending"),
                    refund(2 * DAY, "refund.failed", "re_1", "ch_1", 300, "failed"),
                    refund(3 * DAY, "refund.created", "re_2", "ch_1", 300, "succeeded"),
                    charge(3 * DAY, 300),
                ],
            )
            .into_iter()
            .chain([link()])
            .collect(),
            &plus(&INVOICED, &["refund -300 usd c1", "refund 300 usd c1", "refund -300 usd c1"]),
        ),
        row(
            69,
            "more refunded than charged",
            with(tied(), vec![charge(DAY, 2500)]),
            &plus(&INVOICED, &["refund -2500 usd c1"]),
        ),
    ]
}

fn money() -> Vec<Row> {
    let adaptive = |fields: Value| {
        vec![
            completed(
                0,
                session("cs_1", 1000, {
                    let mut all = json!({"payment_intent": "pi_1",
            "client_reference_id": format!("pimms_id_{}", c1())});
                    merge(&mut all, fields);
                    all
                }),
            ),
            refunded(DAY, "ch_1", "pi_1", 475, 950, json!({"currency": "eur"})),
        ]
    };
    let guest =
        ["customer", "lead Checkout-session-completed c1", "sale pi_1 1000 usd c1", "refund -500 usd c1"];
    vec![
        row(
            38,
            "yen have no decimals",
            vec![completed(0, session("cs_1", 5000, json!({"currency": "jpy", "payment_intent": "pi_1"})))],
            &["customer", "sale pi_1 5000 jpy -"],
        ),
        Row {
            justified: 1000,
            ..row(
                50,
                "adaptive pricing before basil",
                adaptive(json!({"amount_total": 950, "currency": "eur",
            "currency_conversion": {"source_currency": "usd", "amount_total": 1000, "fx_rate": "1.05"}})),
                &guest,
            )
        },
        row(
            50,
            "adaptive pricing since basil",
            adaptive(json!({"presentment_details": {"presentment_amount": 950,
            "presentment_currency": "eur"}})),
            &guest,
        ),
        row(
            51,
            "paid from a credit balance",
            vec![invoiced().remove(0), paid(0, "in_1", 0, json!({"customer": "cus_1", "amount_due": 0}))],
            &["customer u1 cus_1", "lead New-customer c1"],
        ),
        row(
            52,
            "paid out of band",
            vec![invoiced().remove(0), paid(0, "in_1", 3000, json!({"customer": "cus_1"}))],
            &["customer u1 cus_1", "lead New-customer c1", "sale in_1 3000 usd c1"],
        ),
        row(
            52,
            "paid out of band, before basil",
            vec![
                invoiced().remove(0),
                paid(
                    0,
                    "in_1",
                    0,
                    json!({"customer": "cus_1",
            "paid_out_of_band": true, "amount_due": 3000}),
                ),
            ],
            &["customer u1 cus_1", "lead New-customer c1", "sale in_1 3000 usd c1"],
        ),
        row(
            70,
            "partly from a credit balance",
            vec![invoiced().remove(0), paid(0, "in_1", 700, json!({"customer": "cus_1", "total": 1000}))],
            &["customer u1 cus_1", "lead New-customer c1", "sale in_1 700 usd c1"],
        ),
        row(
            73,
            "nothing that can be used",
            vec![
                event(0, "invoice.upcoming", json!({"object": "invoice", "amount_paid": 5})),
                event(0, "unknown.type", session("cs_1", 4900, json!({}))),
            ],
            &[],
        ),
    ]
}

fn merging() -> Vec<Row> {
    let both = || {
        vec![
            lead(-60, "u1", &c1(), "Sign up"),
            customer(-50, "created", "cus_1", json!({"pimmsClickId": c2()})),
            completed(
                0,
                session(
                    "cs_1",
                    4900,
                    json!({"payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()}),
                ),
            ),
        ]
    };
    vec![
        row(43, "one cus_ in two accounts", ["acct_1", "acct_2"].into_iter().enumerate().map(|(n, account)| {
            let n = i64::try_from(n).unwrap();
            completed(n, session(&format!("cs_{n}"), 100, json!({"payment_intent": format!("pi_{n}"), "customer": "cus_1"})))
                .with("account", json!(account))
        }).collect(), &["customer cus_1", "customer cus_1", "sale pi_0 100 usd -", "sale pi_1 100 usd -"]),
        row(45, "two customers found to be one", both(), &["customer u1 cus_1", "lead Sign-up c1", "sale pi_1 4900 usd c2"]),
        row(46, "with money on both sides", with(both(), vec![tracked(-55, "u1", "INV_1", 300),
            paid(-40, "in_7", 700, json!({"customer": "cus_1"})), refunded(DAY, "ch_1", "pi_1", 900, 4900, json!({}))]),
            &["customer u1 cus_1", "lead Sign-up c1", "sale INV_1 300 usd c2", "sale in_7 700 usd c2",
            "sale pi_1 4900 usd c2", "refund -900 usd c2"]),
        row(47, "an external id that moves", vec![customer(-50, "updated", "cus_1", json!({"pimmsCustomerId": "u0"})),
            completed(0, session("cs_1", 4900, json!({"payment_intent": "pi_1", "customer": "cus_1", "metadata": u1()}))),
            customer(50, "updated", "cus_1", u1())], &["customer u0 u1 cus_1", "sale pi_1 4900 usd -", "parked sale"]),
        row(67, "two Stripe customers of one person", [1, 2].into_iter().map(|n| completed(n, session(&format!("cs_{n}"), 100,
            json!({"payment_intent": format!("pi_{n}"), "customer": format!("cus_{n}"), "metadata": u1()})))).collect(),
            &["customer u1 cus_1 cus_2", "sale pi_1 100 usd -", "sale pi_2 100 usd -", "parked sale", "parked sale"]),
        row(79, "one e-mail, two external ids", ["u1", "u2"].into_iter().map(|id| customer(0, "created", &format!("cus_{id}"),
            json!({"pimmsCustomerId": id}))).collect(), &["customer u1 cus_u1", "customer u2 cus_u2"]),
    ]
}

fn payments() -> Vec<Row> {
    let basil = || {
        vec![
            intent(1, "pi_1", 2000, json!({"customer": "cus_1"})),
            paid(0, "in_1", 2000, json!({"customer": "cus_1"})),
        ]
    };
    let named = || intent(1, "pi_1", 1500, json!({"metadata": {"pimmsClickId": c1()}}));
    vec![
        row(
            59,
            "an intent that nothing claims",
            basil(),
            &["customer cus_1", "sale in_1 2000 usd -", "parked payment"],
        ),
        row(
            60,
            "claimed days later",
            with(basil(), vec![invoice_payment(5 * DAY, "in_1", "pi_1", 2000)]),
            &["customer cus_1", "sale in_1 2000 usd -"],
        ),
        row(
            61,
            "an intent with its own click",
            vec![named()],
            &["customer", "lead Payment-intent-succeeded c1", "sale pi_1 1500 usd c1"],
        ),
        row(
            62,
            "a first try declined",
            with(
                first(),
                vec![
                    event(
                        -5,
                        "charge.failed",
                        json!({"id": "ch_0", "object": "charge", "amount": 4900,
            "currency": "usd", "payment_intent": "pi_1"}),
                    ),
                    event(
                        0,
                        "charge.succeeded",
                        json!({"id": "ch_1", "object": "charge",
            "amount": 4900, "currency": "usd", "payment_intent": "pi_1"}),
                    ),
                    intent(0, "pi_1", 4900, json!({"latest_charge": "ch_1"})),
                ],
            ),
            &FIRST,
        ),
        row(
            64,
            "one event in two shapes",
            with(
                vec![
                    paid(0, "in_1", 2000, json!({"customer": "cus_1", "payment_intent": "pi_1"})),
                    refunded(DAY, "ch_1", "pi_1", 500, 2000, json!({})),
                ],
                invoiced(),
            ),
            &plus(&INVOICED, &["refund -500 usd c1"]),
        ),
        row(
            66,
            "two events of one invoice",
            with(
                invoiced(),
                vec![paid(0, "in_1", 2000, json!({"customer": "cus_1"})).with("id", json!("evt_other"))],
            ),
            &INVOICED,
        ),
        row(
            71,
            "two intents pay one invoice",
            with(
                invoiced_with(1000),
                vec![
                    invoice_payment(1, "in_1", "pi_1", 400),
                    invoice_payment(2, "in_1", "pi_2", 600),
                    intent(1, "pi_1", 400, json!({})),
                    intent(2, "pi_2", 600, json!({})),
                ],
            ),
            &["customer u1 cus_1", "lead New-customer c1", "sale in_1 1000 usd c1"],
        ),
        row(
            72,
            "one intent pays two invoices",
            with(
                invoiced_with(1000),
                vec![
                    paid(0, "in_2", 600, json!({"customer": "cus_1"})),
                    invoice_payment(1, "in_1", "pi_1", 1000),
                    invoice_payment(1, "in_2", "pi_1", 600),
                    intent(1, "pi_1", 1600, json!({})),
                ],
            ),
            &["customer u1 cus_1", "lead New-customer c1", "sale in_1 1000 usd c1", "sale in_2 600 usd c1"],
        ),
        row(
            74,
            "an intent, then its session",
            vec![
                named(),
                completed(
                    3,
                    session(
                        "cs_1",
                        1500,
                        json!({"payment_intent": "pi_1",
            "client_reference_id": format!("pimms_id_{}", c1())}),
                    ),
                ),
            ],
            &["customer", "lead Payment-intent-succeeded c1", "sale pi_1 1500 usd c1"],
        ),
    ]
}

fn invoiced_with(amount: i64) -> Vec<Step> {
    vec![invoiced().remove(0), paid(0, "in_1", amount, json!({"customer": "cus_1"}))]
}
