//! The webhook endpoint under attack and under load: refused where it must be, never 5xx, and the books hold
//! exactly the accepted money.
//!
//! All tests share one instance; each has a currency of its own, so that its books can be told apart.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::http_client::Answer;
use pimms_cli::project::Project;
use pimms_cli::stripe::{Build, Customer, Event, Intent, Invoice, Session, sign};
use pimms_cli::target::Target;
use pimms_edge::core::mode::Mode;

use crate::delivery::{lines, money_in, settles, status};
use crate::{rough, shared};

/// A refusal that repeats for this long is no busy moment.
const GIVE_UP_AFTER: Duration = Duration::from_mins(1);

fn target() -> Target {
    Target::of(shared().ready())
}

fn path() -> String {
    format!("/stripe/webhook/{}", shared().ready().workspace_id)
}

/// Sends `body` with these headers, whatever they are.
fn post(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let mut request = shared().client().post(&path());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body).send().unwrap()
}

/// Sends `body`, correctly signed.
fn post_signed(body: impl Into<Vec<u8>>) -> Answer {
    let body = body.into();
    let secret = &shared().ready().webhook_secret;
    let header = pimms_edge::core::stripe::signature::sign(
        &body,
        secret,
        pimms_edge::core::time::Millis(now_secs() * 1000),
    );
    post(&[("stripe-signature", &header)], body)
}

/// Delivers as Stripe does: 503 means that it could not be made durable in time, and it is sent again.
fn deliver(body: &str) {
    let started = Instant::now();
    loop {
        let answer = post_signed(body);
        if answer.status != 503 || started.elapsed() > GIVE_UP_AFTER {
            return status(&answer, 200, "a delivery");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A payment of 1 by nobody we know.
fn payment(name: &str, currency: &str) -> String {
    let session = Session::paid(&format!("cs_{name}")).amount(1, currency).intent(&format!("pi_{name}"));
    Event::new("checkout.session.completed", session).at(now_secs()).body()
}

#[test]
fn signatures_that_do_not_hold_are_refused_alike_and_store_nothing() {
    const CURRENCY: &str = "xpf";
    let secret = shared().ready().webhook_secret.clone();
    let now = now_secs();
    let body = payment("attack", CURRENCY);
    let good = sign(&body, &secret, now);
    let (t, v1) = good.split_once(',').unwrap();
    let mac = v1.strip_prefix("v1=").unwrap();
    let at = |seconds: i64| sign(&body, &secret, seconds);
    let with_time = |text: &str| format!("t={text},{v1}");
    let attacks: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("garbage", "garbage".into()),
        ("no values", "=,=,,".into()),
        ("v0 with the right MAC", format!("{t},v0={mac}")),
        ("an unknown scheme alone", format!("{t},v9={mac}")),
        ("only t", t.to_owned()),
        ("only v1", v1.to_owned()),
        ("empty v1", format!("{t},v1=")),
        ("62 characters", format!("{t},v1={}", &mac[..62])),
        ("not hex", format!("{t},v1={}", "zz".repeat(32))),
        ("another key", sign(&body, "whsec_other", now)),
        ("the empty key", sign(&body, "", now)),
        ("the test secret for a live event", sign(&body, &shared().ready().webhook_secret_test, now)),
        ("400 s ago", at(now - 400)),
        ("three days ago", at(now - 3 * 86_400)),
        ("700 s ahead", at(now + 700)),
        ("time zero", at(0)),
        ("negative time", at(-now)),
        ("a fraction", with_time(&format!("{now}.5"))),
        ("an exponent", with_time("1e10")),
        ("hexadecimal", with_time("0x69")),
        ("a plus", with_time(&format!("+{now}"))),
        ("400 digits", with_time(&"1".repeat(400))),
        ("two times", format!("{t},{t},{v1}")),
        ("the time altered after signing", with_time(&(now + 1).to_string())),
        (
            "51 signatures, the right one last",
            format!("{t},{}{v1}", format!("v1={},", "0".repeat(64)).repeat(50)),
        ),
    ];
    let refusal = post(&[], body.clone());
    status(&refusal, 400, "no header");
    for (what, header) in &attacks {
        let answer = post(&[("stripe-signature", header)], body.clone());
        status(&answer, 400, what);
        assert_eq!(answer.body, refusal.body, "{what}: all refusals look alike");
    }
    let unknown = shared()
        .client()
        .post("/stripe/webhook/ws_1KAAAAAAAAAAAAAAAAAAAAAAA")
        .header("stripe-signature", &good)
        .body(body.clone())
        .send()
        .unwrap();
    status(&unknown, 400, "a workspace that does not exist");
    assert_eq!(unknown.body, refusal.body, "which workspaces exist is not told");
    let two = post(&[("stripe-signature", &good), ("stripe-signature", &good)], body.clone());
    status(&two, 400, "two headers, which the runtime joins: two times");

    // The signature is over the bytes, before anything is read.
    let reserialised: serde_json::Value = serde_json::from_str(&body).unwrap();
    for (what, tampered) in [
        ("one byte changed", body.replacen("paid", "Paid", 1)),
        ("one byte dropped", body[..body.len() - 1].to_owned()),
        ("one byte appended", format!("{body} ")),
        ("a line break appended", format!("{body}\r\n")),
        ("serialised again", serde_json::to_string_pretty(&reserialised).unwrap()),
    ] {
        status(&post(&[("stripe-signature", &good)], tampered), 400, what);
    }
    // What holds is accepted, and is all there is.
    for (what, header) in [
        ("a bad one first", format!("{t},v1={},{v1}", "0".repeat(64))),
        ("unknown schemes between", format!("{t},v0=00,{v1},v2=ff")),
        ("250 s ago", at(now - 250)),
    ] {
        status(&post(&[("stripe-signature", &header)], body.clone()), 200, what);
    }
    let expected = lines(&[("live unattributed gross xpf", 1), ("live unattributed net xpf", 1)]);
    settles("the one accepted payment", &expected, || money_in(&target(), CURRENCY));
}

#[test]
fn one_hundred_concurrent_deliveries_are_one_sale() {
    const CURRENCY: &str = "pyg";
    let body = payment("hundred", CURRENCY);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| deliver(&body));
        }
    });
    let expected = lines(&[("live unattributed gross pyg", 1), ("live unattributed net pyg", 1)]);
    settles("one payment", &expected, || money_in(&target(), CURRENCY));
}

#[test]
fn fifty_events_of_one_customer_at_once_are_as_in_sequence() {
    const CURRENCY: &str = "ugx";
    let bodies: Vec<String> = (1..=50)
        .map(|number| {
            let invoice = Invoice::paid(&format!("in_fifty{number}"))
                .amount(number, CURRENCY)
                .customer("cus_fifty")
                .subscription("sub_fifty", "subscription_cycle");
            Event::new("invoice.paid", invoice).at(now_secs()).body()
        })
        .collect();
    thread::scope(|scope| {
        for body in &bodies {
            scope.spawn(|| deliver(body));
        }
    });
    let sum = (1..=50).sum::<i64>();
    let expected = lines(&[("live unattributed gross ugx", sum), ("live unattributed net ugx", sum)]);
    settles("fifty invoices", &expected, || money_in(&target(), CURRENCY));
}

#[test]
fn live_and_test_do_not_lie_about_each_other() {
    const CURRENCY: &str = "clp";
    let body = |name: &str, mode| {
        let session = Session::paid(&format!("cs_{name}")).amount(1, CURRENCY);
        Event::new("checkout.session.completed", session).at(now_secs()).mode(mode).body()
    };
    let live = body("lie1", Mode::Live);
    status(&shared().test_webhook(&live).unwrap(), 400, "live event, test secret");
    let test = body("lie2", Mode::Test);
    status(&shared().webhook(&test).unwrap(), 400, "test event, live secret");
    status(&shared().test_webhook(&test).unwrap(), 200, "test event, test secret");
    let expected = lines(&[("test unattributed gross clp", 1), ("test unattributed net clp", 1)]);
    settles("the test payment", &expected, || money_in(&target(), CURRENCY));
}

#[test]
fn bodies_that_are_no_events_have_no_effect() {
    let deep = |depth: usize| {
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"id":"evt_deep{depth}","type":"x.y","created":1,"livemode":true,"data":{{"object":{nest}}}}}"#
        )
    };
    let event = payment("noevent", "gnf");
    for (what, body) in [
        ("empty", Vec::new()),
        ("an array", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("truncated", event.as_bytes()[..event.len() / 2].to_vec()),
        ("two documents", format!("{event}{event}").into_bytes()),
        ("not UTF-8", [event.as_bytes(), &[0xff, 0xfe]].concat()),
        ("a byte order mark", [&[0xef, 0xbb, 0xbf], event.as_bytes()].concat()),
        ("NUL", [event.as_bytes(), &[0]].concat()),
        ("no type", br#"{"id":"evt_1","created":1,"livemode":true,"data":{"object":{}}}"#.to_vec()),
    ] {
        let answer = post_signed(body);
        status(&answer, 400, what);
    }
    for (what, body) in [
        ("200 levels", deep(200)),
        ("100,000 levels", deep(100_000)),
        ("a lone surrogate", event.replacen("cs_noevent", r"cs_\ud800", 1)),
        ("duplicate keys", event.replacen(r#""livemode""#, r#""livemode":true,"livemode""#, 1)),
        (
            "__proto__",
            event.replacen(r#""type""#, r#""__proto__":{"x":1},"type""#, 1).replace("noevent", "proto"),
        ),
    ] {
        let answer = post_signed(body);
        assert!([200, 400].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    }
    // Events with parts of another kind, or without them: refused, or kept aside.
    for (what, text) in [
        ("no data", r#"{"id":"evt_nodata","type":"invoice.paid","created":1,"livemode":true}"#),
        ("no object", r#"{"id":"evt_noobject","type":"invoice.paid","created":1,"livemode":true,"data":{}}"#),
        (
            "an object that is none",
            r#"{"id":"evt_list","type":"invoice.paid","created":1,"livemode":true,"data":{"object":[]}}"#,
        ),
        (
            "an id that is a number",
            r#"{"id":7,"type":"invoice.paid","created":1,"livemode":true,"data":{"object":{}}}"#,
        ),
        (
            "a type that is a list",
            r#"{"id":"evt_type","type":[],"created":1,"livemode":true,"data":{"object":{}}}"#,
        ),
        (
            "a mode that is a text",
            r#"{"id":"evt_mode","type":"invoice.paid","created":1,"livemode":"true","data":{"object":{}}}"#,
        ),
        (
            "a time that is a text",
            r#"{"id":"evt_time","type":"invoice.paid","created":"1","livemode":true,"data":{"object":{}}}"#,
        ),
    ] {
        let answer = post_signed(text);
        assert!([200, 400].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    }
    status(&post_signed(payment("after", "gnf")), 200, "the next request");
}

#[test]
fn events_that_cannot_be_used_are_parked_with_the_reason() {
    const CURRENCY: &str = "rwf";
    let session = Session::paid("cs_bad").amount(1, CURRENCY);
    let event = |id: &str, path: &str, value: serde_json::Value| {
        Event::new("checkout.session.completed", session.clone().with(path, value))
            .id(id)
            .at(now_secs())
            .body()
    };
    let unusable = [
        ("evt_bad_negative", event("evt_bad_negative", "amount_total", (-500).into()), "amount_total"),
        ("evt_bad_text", event("evt_bad_text", "amount_total", "500".into()), "expected i64"),
        ("evt_bad_fraction", event("evt_bad_fraction", "amount_total", 10.5.into()), "expected i64"),
        (
            "evt_bad_huge",
            event("evt_bad_huge", "amount_total", 9_007_199_254_740_993_i64.into()),
            "amount_total",
        ),
        ("evt_bad_float", event("evt_bad_float", "amount_total", 1e300.into()), "expected i64"),
        ("evt_bad_bool", event("evt_bad_bool", "amount_total", true.into()), "expected i64"),
        ("evt_bad_null", event("evt_bad_null", "amount_total", serde_json::Value::Null), "amount_total"),
        ("evt_bad_nocur", event("evt_bad_nocur", "currency", serde_json::Value::Null), "currency"),
        ("evt_bad_zzz", event("evt_bad_zzz", "currency", "zzz".into()), "currency"),
        ("evt_bad_sql", event("evt_bad_sql", "currency", "'; DROP TABLE sales; --".into()), "currency"),
        ("evt_bad_id", event("evt_bad_id", "id", serde_json::Value::Null), "id"),
        ("evt_bad_idnumber", event("evt_bad_idnumber", "id", 7.into()), "id"),
        ("evt_bad_idobject", event("evt_bad_idobject", "id", serde_json::json!({"a": 1})), "id"),
        ("evt_bad_idlong", event("evt_bad_idlong", "id", "x".repeat(20_000).into()), "id"),
    ];
    for (id, body, _) in &unusable {
        status(&post_signed(body.clone()), 200, id);
    }
    let parked = target().get("/api/parked").unwrap();
    let rows = parked.as_array().unwrap();
    for (id, _, field) in &unusable {
        let row = rows.iter().find(|row| row["eventId"] == *id);
        let reason = row.and_then(|row| row["reason"].as_str()).unwrap_or_default();
        assert!(reason.contains(field), "{id}: {reason:?} does not name {field}");
    }
    assert_eq!(money_in(&target(), CURRENCY), lines(&[]), "none of them is a sale");
}

#[test]
fn unhandled_events_and_objects_without_an_id_are_acknowledged_and_change_nothing() {
    const CURRENCY: &str = "djf";
    let session = Session::paid("cs_unhandled").amount(1, CURRENCY);
    let upcoming = Invoice::paid("").amount(1, CURRENCY).with("id", serde_json::Value::Null);
    let twin = Invoice::paid("in_twin").amount(1, CURRENCY).customer("cus_twin");
    for event in [
        Event::new("invoice.upcoming", upcoming),
        Event::new("some.unknown.type", session),
        Event::new("invoice.payment_succeeded", twin),
        Event::new("payment_intent.payment_failed", Intent::succeeded("pi_unhandled").amount(1, CURRENCY)),
        Event::new("customer.created", Customer::new("cus_unhandled")),
    ] {
        status(&post_signed(event.clone().at(now_secs()).body()), 200, event.kind());
    }
    assert_eq!(money_in(&target(), CURRENCY), lines(&[]));
}

#[test]
fn other_methods_and_big_bodies_are_refused() {
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = shared().client().request(method, &path()).send().unwrap();
        status(&answer, 405, method);
    }
    for megabytes in [2, 10] {
        let answer = rough().webhook(&" ".repeat(megabytes * 1024 * 1024)).unwrap();
        assert!([400, 413].contains(&answer.status), "{megabytes} MB: {}", answer.status);
        status(
            &rough().webhook(&payment(&format!("small-{megabytes}"), "kmf")).unwrap(),
            200,
            "the next request",
        );
    }
}

/// Stripe's own library signs, so that our reading of their scheme is not checked by our reading of it.
#[test]
fn what_stripes_library_signs_is_accepted() {
    const CURRENCY: &str = "vuv";
    const SCRIPT: &str = "
        const Stripe = require('stripe');
        const stripe = new (Stripe.default ?? Stripe)('sk_test_not_used');
        const [payload, secret] = process.argv.slice(1);
        process.stdout.write(stripe.webhooks.generateTestHeaderString({payload, secret}));";
    let body = payment("library", CURRENCY);
    let out = Command::new("node")
        .args(["-e", SCRIPT, &body, &shared().ready().webhook_secret])
        .current_dir(Project::find().unwrap().root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let header = String::from_utf8(out.stdout).unwrap();
    status(&post(&[("stripe-signature", &header)], body), 200, &header);
    let expected = lines(&[("live unattributed gross vuv", 1), ("live unattributed net vuv", 1)]);
    settles("the payment", &expected, || money_in(&target(), CURRENCY));
}
