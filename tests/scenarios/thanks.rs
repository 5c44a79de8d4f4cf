//! Thank-you links: the click of the browser that comes back from a checkout, for a payment that has no other.

use pimms_edge::core::ledger::view::{Rule, SaleView};
use serde_json::{Value, json};

use super::rows::{
    FIRST, Row, c1, c2, completed, first, intent, of_subscription, paid, refunded, row, session, u1, with,
};
use super::world::{DAY, Directory, MONTH, Step, arrival, click, lead};

const ONE: [&str; 3] = ["customer", "lead Checkout-session-completed c1", "sale pi_1 4900 usd c1"];

/// A checkout that says nothing of a click.
fn guest(id: &str, intent: &str, fields: Value) -> Step {
    let mut object = session(id, 4900, json!({"payment_intent": intent}));
    super::rows::merge(&mut object, fields);
    completed(0, object)
}

fn subscribed() -> Vec<Step> {
    let of_customer = json!({"customer": "cus_1", "parent": of_subscription("sub_1")});
    let fields =
        json!({"mode": "subscription", "subscription": "sub_1", "invoice": "in_1", "customer": "cus_1"});
    vec![
        completed(0, session("cs_1", 2000, fields)),
        paid(2, "in_1", 2000, of_customer.clone()),
        paid(MONTH, "in_2", 2000, of_customer),
        completed(2 * DAY, session("cs_2", 700, json!({"payment_intent": "pi_2", "customer": "cus_1"}))),
        arrival(30, "cs_1", &c1()),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let named = json!({"client_reference_id": format!("pimms_id_{}", c2())});
    vec![
        row(
            101,
            "a click comes back",
            vec![guest("cs_1", "pi_1", json!({})), arrival(30, "cs_1", &c1())],
            &ONE,
        ),
        row(
            102,
            "the payment names another",
            vec![guest("cs_1", "pi_1", named), arrival(30, "cs_1", &c1())],
            &["customer", "lead Checkout-session-completed c2", "sale pi_1 4900 usd c2"],
        ),
        row(103, "the customer has one", with(first(), vec![arrival(30, "cs_1", &c2())]), &FIRST),
        row(
            104,
            "two browsers know the session",
            vec![
                guest("cs_1", "pi_1", json!({})),
                arrival(30, "cs_1", &c1()),
                arrival(60, "cs_1", &c2()),
                arrival(90, "cs_1", &c1()),
            ],
            &ONE,
        ),
        row(
            105,
            "the page is loaded again and again",
            vec![
                guest("cs_1", "pi_1", json!({})),
                arrival(30, "cs_1", &c1()),
                arrival(31, "cs_1", &c1()),
                arrival(9000, "cs_1", &c1()),
            ],
            &ONE,
        ),
        row(
            106,
            "another's payment",
            vec![
                guest("cs_1", "pi_1", json!({})),
                guest("cs_2", "pi_2", json!({})),
                arrival(30, "cs_1", &c1()),
                arrival(40, "cs_3", &c2()),
            ],
            &[
                "customer",
                "customer",
                "lead Checkout-session-completed c1",
                "sale pi_1 4900 usd c1",
                "sale pi_2 4900 usd -",
            ],
        ),
        row(
            107,
            "renewals follow, a purchase of its own does not",
            subscribed(),
            &[
                "customer cus_1",
                "lead Checkout-session-completed c1",
                "sale in_1 2000 usd c1",
                "sale in_2 2000 usd c1",
                "sale pi_2 700 usd -",
            ],
        ),
        row(
            108,
            "a click too old, and one after the payment",
            vec![
                guest("cs_1", "pi_1", json!({})),
                guest("cs_2", "pi_2", json!({})),
                arrival(30, "cs_1", &click(3, -91 * DAY)),
                arrival(90, "cs_2", &click(4, 60)),
            ],
            &["customer", "customer", "sale pi_1 4900 usd -", "sale pi_2 4900 usd -"],
        ),
        row(109, "no payment", vec![arrival(30, "cs_1", &c1())], &[]),
        row(
            110,
            "a lead tells of a click later",
            vec![
                guest("cs_1", "pi_1", json!({"metadata": u1()})),
                arrival(30, "cs_1", &c1()),
                lead(3600, "u1", &c2(), "Sign up"),
            ],
            &["customer u1", "lead Sign-up c2", "sale pi_1 4900 usd c2"],
        ),
        row(
            111,
            "it is paid later, and refunded",
            vec![
                guest("cs_1", "pi_1", json!({"payment_status": "unpaid"})),
                arrival(30, "cs_1", &c1()),
                intent(DAY, "pi_1", 4900, json!({})),
                refunded(2 * DAY, "ch_1", "pi_1", 900, 4900, json!({})),
            ],
            &[
                "customer",
                "lead Checkout-session-completed c1",
                "refund -900 usd c1",
                "sale pi_1 4900 usd c1",
            ],
        ),
    ]
}

fn sales(steps: &[Step]) -> Vec<SaleView> {
    let mut directory = Directory::default();
    steps.iter().enumerate().for_each(|(number, step)| directory.accept(step, number));
    directory.views().into_iter().flat_map(|view| view.sales).collect()
}

#[test]
fn the_receipt_says_which_click_came_and_which_did_not_count() {
    let both = |mut steps: Vec<Step>| {
        steps.extend([arrival(30, "cs_1", &c1()), arrival(60, "cs_1", &c2())]);
        sales(&steps).remove(0).receipt
    };
    let receipt = both(vec![guest("cs_1", "pi_1", json!({}))]);
    assert_eq!(receipt.rule, Rule::ThankYou);
    let explanation = &receipt.explanation[0];
    assert!(explanation.contains("thank-you page") && explanation.contains(&c1()), "{explanation}");
    assert_eq!(receipt.rejected.len(), 1);
    assert_eq!(receipt.rejected[0].click_id, c2());
    assert_eq!(receipt.rejected[0].reason, "another click came to the thank-you page first");
    let says: Vec<&str> = receipt.evidence.iter().map(|evidence| evidence.says.as_str()).collect();
    assert_eq!(says, ["the checkout session", "the thank-you page", "the thank-you page"]);

    let named = both(vec![guest(
        "cs_1",
        "pi_1",
        json!({"client_reference_id": format!("pimms_id_{}", click(3, -60))}),
    )]);
    assert_eq!(named.rule, Rule::OwnClick);
    let reasons: Vec<&str> = named.rejected.iter().map(|refused| refused.reason.as_str()).collect();
    assert_eq!(reasons, ["came to the thank-you page of a payment that has a click already"; 2]);

    for (at, reason) in [(-91 * DAY, "older than the attribution window"), (60, "clicked after the payment")]
    {
        let steps = [guest("cs_1", "pi_1", json!({})), arrival(90, "cs_1", &click(3, at))];
        let receipt = sales(&steps).remove(0).receipt;
        assert_eq!((receipt.rule, receipt.rejected[0].reason.as_str()), (Rule::None, reason));
    }

    let rules: Vec<(String, Rule)> =
        sales(&subscribed()).into_iter().map(|sale| (sale.reference, sale.receipt.rule)).collect();
    let expected = [("in_1", Rule::ThankYou), ("pi_2", Rule::None), ("in_2", Rule::Subscription)];
    assert_eq!(rules, expected.map(|(reference, rule)| (reference.to_owned(), rule)));
}
