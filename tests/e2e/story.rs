//! From a click to a receipt, through HTTP only, as the README tells it; and the stories of `pimms simulate`.

use std::time::Duration;

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::simulate::{self, Seeds};
use pimms_cli::stripe::{Build, Charge, Event, Intent, Session};
use pimms_cli::target::{Address, Target, text};
use serde_json::{Value, json};

use crate::support::Workspace;

/// What a customer paid, was paid back, and is left with.
fn money(sale: &Value) -> [i64; 3] {
    ["amount", "refunded", "net"].map(|name| sale[name].as_i64().unwrap())
}

#[test]
fn a_click_becomes_a_sale_with_a_receipt_and_a_refund_takes_it_back() {
    let workspace = Workspace::new("story");
    let (link, click) = workspace.clicked("launch");
    let lead = json!({"clickId": click, "externalId": "user_1", "eventName": "Sign up",
        "customerName": "Ada Lovelace", "customerEmail": "ada@shop.example"});
    assert_eq!(workspace.post("/track/lead", &lead)["click"]["id"], click.as_str());
    let paid_at = now_secs() + 1;
    let session =
        Session::paid("cs_1").amount(4900, "usd").intent("pi_1").customer("cus_1").external_id("user_1");
    workspace.stripe(&Event::new("checkout.session.completed", session).at(paid_at));
    let intent = Intent::succeeded("pi_1").amount(4900, "usd").customer("cus_1").charge("ch_1");
    workspace.stripe(&Event::new("payment_intent.succeeded", intent).at(paid_at));

    let customer = workspace.settles("/customers/ext_user_1", |customer| customer["saleCount"] == 1);
    assert_eq!(text(&customer, "name"), "Ada Lovelace");
    assert_eq!(customer["stripeCustomerId"], "cus_1");
    assert_eq!(customer["link"]["id"], link.as_str());
    assert_eq!(customer["saleAmount"], 4900);

    // The receipt, found under any name of the payment.
    let by_id = workspace.get(&format!("/sales/{}", text(&customer["sales"][0], "id")));
    for name in ["cs_1", "pi_1"] {
        assert_eq!(workspace.get(&format!("/sales/{name}"))["id"], by_id["id"], "{name}");
    }
    assert_eq!((money(&by_id), text(&by_id, "linkId")), ([4900, 0, 4900], link.as_str()));
    let receipt = &by_id["receipt"];
    let kinds: Vec<&str> =
        receipt["chain"].as_array().unwrap().iter().map(|step| text(step, "kind")).collect();
    assert_eq!(kinds, ["click", "lead", "customer", "sale"]);
    assert!(receipt["explanation"].as_array().is_some_and(|words| !words.is_empty()), "{receipt}");
    let evidence: Vec<&str> =
        receipt["evidence"].as_array().unwrap().iter().map(|event| text(event, "eventType")).collect();
    assert!(
        evidence.contains(&"track.lead") && evidence.contains(&"checkout.session.completed"),
        "{evidence:?}"
    );

    let refund = Charge::succeeded("ch_1").amount(4900, "usd").refunded(900).intent("pi_1");
    workspace.stripe(&Event::new("charge.refunded", refund).at(paid_at + 1));
    let sale = workspace.settles("/sales/pi_1", |sale| sale["refunded"] == 900);
    assert_eq!(money(&sale), [4900, 900, 4000]);
    let totals = workspace.get("/ledger/totals");
    assert_eq!(totals["live"]["links"][&link]["net"]["usd"], 4000);
    assert_eq!(workspace.get("/customers/ext_user_1")["saleAmount"], 4000);

    let events = workspace.get("/stripe/events");
    let verdicts = events.as_array().unwrap();
    assert!(
        verdicts.len() >= 3 && verdicts.iter().all(|event| !text(event, "verdict").is_empty()),
        "{events}"
    );
}

#[test]
fn the_stories_of_simulate_are_exact_in_any_order_and_repeated() {
    let instance = Instance::start().unwrap();
    let target = Target::of(instance.ready());
    let options = simulate::Options {
        seed: Seeds { first: 1, last: 10 },
        shuffle: true,
        duplicate: true,
        address: Address::default(),
    };
    let mut deliveries = 0;
    for seed in options.seed.first..=options.seed.last {
        let play = simulate::play(&target, seed, &options).unwrap();
        assert!(
            play.differences.is_empty(),
            "seed {seed}:\n{}\n{}",
            play.differences.join("\n"),
            instance.log()
        );
        assert!(play.settled_after < Duration::from_secs(30));
        deliveries += play.deliveries;
    }
    assert!(deliveries > 250, "{deliveries} deliveries");
}
