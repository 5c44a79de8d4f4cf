//! What comes from outside, as random as it can be: no parser panics, what is written reads back, and nothing grows
//! beyond what it was given. `tests/redirect_properties.rs` does the same for whole redirects.

use pimms_edge::core::click_id::Keys;
use pimms_edge::core::stripe::event::{self, Reader};
use pimms_edge::core::stripe::signature::{MAX_HEADER_BYTES, sign, verify};
use pimms_edge::core::time::Millis;
use pimms_edge::core::validate::{self, Query};
use pimms_edge::core::{cookies, destination, domain, key};
use proptest::prelude::*;
use url::form_urlencoded::Serializer;

const NOW: Millis = Millis(1_763_000_000_000);
const SECRET: &str = "whsec_parsers";

/// Text of the characters that mean something to one of the parsers, and of any others.
fn text(most: usize) -> impl Strategy<Value = String> {
    let special = proptest::sample::select(vec![
        "=",
        ",",
        ";",
        "&",
        "%",
        "%2",
        "%ff",
        "+",
        "/",
        "..",
        ".",
        "?",
        "#",
        "t=",
        "v1=",
        "\"",
        "{",
        "}",
        "[",
        "]",
        "\\",
        "\0",
        "\r\n",
        " ",
        "\u{202e}",
        "\u{200b}",
        "é",
        "\u{1f517}",
        "xn--",
        "http:",
        "javascript:",
        "//",
        "@",
        ":",
        "a",
        "Z",
        "7",
    ]);
    let one = prop_oneof![4 => special.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(one, 0..most).prop_map(|pieces| pieces.concat())
}

/// An event of Stripe's, with one of its bytes changed or cut off there.
fn broken_event() -> impl Strategy<Value = Vec<u8>> {
    const EVENT: &str = r#"{"id":"evt_1","type":"checkout.session.completed","created":1763000000,"livemode":true,
        "account":"acct_1","data":{"object":{"id":"cs_1","mode":"payment","payment_status":"paid","amount_total":4900,
        "currency":"usd","payment_intent":"pi_1","customer":"cus_1","client_reference_id":"pimms_id_x",
        "metadata":{"pimmsCustomerId":"u1"},"customer_details":{"email":"a@b.example","name":"A"}}}}"#;
    let place = 0..EVENT.len();
    let kinds = proptest::sample::select(vec![
        "checkout.session.completed",
        "invoice.paid",
        "charge.refunded",
        "refund.updated",
        "charge.dispute.closed",
        "customer.updated",
        "customer.subscription.deleted",
        "payment_intent.succeeded",
        "invoice_payment.paid",
    ]);
    (place, any::<u8>(), any::<bool>(), kinds).prop_map(|(place, byte, cut, kind)| {
        let mut bytes = EVENT.replace("checkout.session.completed", kind).into_bytes();
        let place = place.min(bytes.len() - 1);
        if cut {
            bytes.truncate(place);
        } else if let Some(found) = bytes.get_mut(place) {
            *found = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_signature_header_is_accepted_that_was_not_made(header in text(60), body in text(20)) {
        prop_assert!(verify(&header, body.as_bytes(), &[SECRET, ""], NOW).is_err(), "{}", header);
    }

    #[test]
    fn a_signature_reads_back_for_its_bytes_alone(body in prop::collection::vec(any::<u8>(), 1..80), at in 0_usize..80, more in text(8)) {
        let header = sign(&body, SECRET, NOW);
        prop_assert!(header.len() < MAX_HEADER_BYTES);
        prop_assert_eq!(verify(&header, &body, &["whsec_other", SECRET], NOW), Ok(1));
        let mut other = body.clone();
        let at = at % body.len();
        if let Some(byte) = other.get_mut(at) {
            *byte ^= 1;
        }
        prop_assert!(verify(&header, &other, &[SECRET], NOW).is_err());
        // What follows it may spoil it, and must not make it hold for something else.
        let longer = [header.as_str(), more.as_str()].concat();
        prop_assert!(verify(&longer, &other, &[SECRET], NOW).is_err());
    }

    #[test]
    fn no_event_panics(body in broken_event(), noise in text(60)) {
        let keys = Keys::parse(&format!("1:{}", "k".repeat(43))).unwrap();
        let reader = Reader { keys: &keys, workspace_id: "ws_1" };
        for bytes in [body.as_slice(), noise.as_bytes()] {
            if let Ok(event) = event::read(bytes) {
                prop_assert!(event.envelope.event_type.chars().count() <= 100);
                let _ = event.reading(&reader);
            }
        }
    }

    #[test]
    fn a_new_key_is_found_by_its_path(wanted in text(30)) {
        if let Ok(made) = key::parse_new(&wanted) {
            prop_assert!(made.is_ascii() && made.len() <= key::MAX_ASCII, "{}", made);
            prop_assert!(made == key::ROOT || !key::is_route(&made));
            prop_assert_eq!(key::parse_new(&made), Ok(made.clone()), "normal form of {}", wanted);
            if made != key::ROOT {
                let asked = key::of_path(&format!("/{made}")).unwrap();
                prop_assert_eq!((asked.key, asked.inspect), (made, false));
            }
        }
        let _ = key::of_path(&wanted);
    }

    #[test]
    fn a_query_reads_back(name in "[a-z]{1,8}", value in text(20), noise in text(40)) {
        let written = Serializer::new(String::new()).append_pair(&name, &value).finish();
        let query = Query::parse(&written);
        let found = query.text(&name);
        prop_assert!(found == Some(value.as_str()) || value.trim().is_empty() || found == Some(value.trim()), "{:?}", found);
        let noisy = Query::parse(&noise);
        let _ = (noisy.text(&name), noisy.integer(&name, 0, 9), noisy.date(&name), noisy.list(&name, 5), noisy.page());
    }

    #[test]
    fn a_cookie_is_found_among_others(name in "[a-z_]{1,12}", value in "[A-Za-z0-9_-]{1,44}", before in "([A-Z]=[a-z]{0,4}; ){0,5}", noise in text(40)) {
        let header = format!("{before}{name}={value}; {name}=second");
        prop_assert_eq!(cookies::find(&header, &name), Some(value.as_str()));
        if let Some(found) = cookies::find(&noise, &name) {
            prop_assert!(noise.contains(found));
        }
    }

    #[test]
    fn a_destination_is_in_its_normal_form(wanted in text(30)) {
        for wanted in [wanted.clone(), format!("https://a.example/{wanted}"), format!("https://{wanted}")] {
            if let Ok(made) = destination::normalise(&wanted) {
                prop_assert!(made.len() <= destination::MAX_BYTES && !made.chars().any(char::is_control));
                prop_assert_eq!(destination::normalise(&made), Ok(made.clone()), "normal form of {}", wanted);
                prop_assert!(!made.to_lowercase().starts_with("javascript:"));
                let _ = destination::host(&made);
            }
        }
    }

    #[test]
    fn a_host_names_a_domain_or_none(host in text(12)) {
        if let Some(found) = domain::of_host(&host) {
            prop_assert!(domain::is_name(&found) && found.len() <= host.len().max(9), "{} of {}", found, host);
        }
    }

    #[test]
    fn no_body_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), noise in text(60), depth in 0_usize..3000) {
        let _ = validate::parse(&bytes);
        let _ = validate::parse(noise.as_bytes());
        let nested = [b"[".repeat(depth), b"]".repeat(depth)].concat();
        let is_read = validate::parse(&nested).is_ok();
        prop_assert!(!is_read || depth <= 128, "{} deep", depth);
    }
}
