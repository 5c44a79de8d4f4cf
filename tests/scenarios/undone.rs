//! The rows of money: what undoes a sale, currencies, merged customers, and payments told in pieces.

use serde_json::{Value, json};

use super::rows::{
    FIRST, INVOICED, Row, c1, c2, completed, customer, dispute, first, intent, invoice_payment, invoiced,
    merge, paid, plus, refund, refunded, row, session, u1, with,
};
use super::world::{DAY, Step, event, lead, tracked};

pub(super) fn refunds() -> Vec<Row> {
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

pub(super) fn money() -> Vec<Row> {
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

pub(super) fn merging() -> Vec<Row> {
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

pub(super) fn payments() -> Vec<Row> {
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
