//! The webhook endpoint below HTTP libraries: lengths that lie, folded lines, bodies without an end.

use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::stripe::{Event, Session, sign};
use pimms_cli::target::Target;

use super::raw;
use crate::delivery::{lines, money_in, settles};

/// A request for the workspace's address with these header lines and this body, as bytes.
fn post(to: &Instance, headers: &[String], body: &[u8]) -> String {
    let path = format!("/stripe/webhook/{}", to.ready().workspace_id);
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\n").into_bytes();
    for header in headers {
        request.extend_from_slice(header.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    // What the client of all other tests does by itself (NOT_DELIVERED in cli/src/http_client.rs).
    for _ in 0..5 {
        let answer = raw::send_and_linger(to, &request);
        if !answer.contains("Your worker restarted mid-request") {
            return answer;
        }
    }
    panic!("it does not come back\n{}", to.log());
}

fn event(name: &str) -> String {
    let session = Session::paid(&format!("cs_{name}")).amount(1, "usd").intent(&format!("pi_{name}"));
    Event::new("checkout.session.completed", session).at(now_secs()).body()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    for piece in body.chunks(size) {
        sent.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        sent.extend_from_slice(piece);
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b"0\r\n\r\n");
    sent
}

/// What is wrong with it, its headers, its body, the statuses that may answer it; 0 is a closed connection.
type Row<'a> = (&'a str, Vec<String>, Vec<u8>, &'a [u16]);

#[test]
fn deliveries_that_lie_about_themselves_are_refused_or_whole() {
    // An instance of its own: connections that end badly are nothing that other tests should meet.
    let acme = Instance::start().unwrap();
    let body = event("wire");
    let header = sign(&body, &acme.ready().webhook_secret, now_secs());
    let signature = |text: &str| format!("stripe-signature: {text}");
    let length = |length: usize| format!("content-length: {length}");
    let huge = vec![b' '; 3 * 1024 * 1024];
    let rows: Vec<Row> = vec![
        (
            "chunked, without a length, 3 MB",
            vec![signature(&header), "transfer-encoding: chunked".into()],
            chunked(&huge, 65_536),
            &[400, 413],
        ),
        (
            "a shorter length",
            vec![signature(&header), length(body.len() - 10)],
            body.clone().into_bytes(),
            &[400],
        ),
        (
            "both a length and chunks",
            vec![signature(&header), length(5), "transfer-encoding: chunked".into()],
            chunked(body.as_bytes(), 64),
            // One answer, by whichever of the two; never a second one to what is left over.
            &[0, 200, 400],
        ),
        (
            "two lengths",
            vec![signature(&header), length(body.len()), length(1)],
            body.clone().into_bytes(),
            // The runtime itself refuses it, in its own words; the Worker never sees it.
            &[0, 400, 500],
        ),
        (
            "a packed body that is none",
            vec![signature(&header), length(body.len()), "content-encoding: gzip".into()],
            body.clone().into_bytes(),
            &[200, 400],
        ),
        (
            "a folded line",
            vec![format!("stripe-signature: {}\r\n {}", &header[..20], &header[20..]), length(body.len())],
            body.clone().into_bytes(),
            &[0, 400],
        ),
        (
            "bytes above 0x7f",
            vec![format!("stripe-signature: {header},v1=\u{e9}\u{fffd}"), length(body.len())],
            body.clone().into_bytes(),
            &[200, 400],
        ),
        (
            "a header of 60 KB",
            vec![signature(&format!("{header},{}", "v1=00,".repeat(10_000))), length(body.len())],
            body.clone().into_bytes(),
            &[0, 400, 431],
        ),
    ];
    for (what, headers, body, allowed) in rows {
        let started = Instant::now();
        let answer = post(&acme, &headers, &body);
        assert!(started.elapsed() < Duration::from_secs(9), "{what} hangs");
        assert!(allowed.contains(&raw::status(&answer)), "{what}: {answer}\n{}", acme.log());
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: two answers: {answer}");
    }
    // A length that is never reached, by a sender that goes away.
    let path = format!("/stripe/webhook/{}", acme.ready().workspace_id);
    let more = length(body.len() + 10);
    let unfinished =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\n{}\r\n{more}\r\n\r\n{body}", signature(&header));
    let answer = raw::send_and_hang_up(&acme, unfinished.as_bytes());
    assert_ne!(raw::status(&answer), 200, "a body that did not end: {answer}");
    // Whatever of these was accepted is one payment, and so is the honest delivery.
    let answer = post(&acme, &[signature(&header), length(body.len())], body.as_bytes());
    assert_eq!(raw::status(&answer), 200, "the next request: {answer}");
    let pieces = [signature(&header), "transfer-encoding: chunked".to_owned()];
    assert_eq!(raw::status(&post(&acme, &pieces, &chunked(body.as_bytes(), 7))), 200, "honest chunks");
    let expected = lines(&[("live unattributed gross usd", 1), ("live unattributed net usd", 1)]);
    let target = Target::of(acme.ready());
    settles("one payment", &expected, || money_in(&target, "usd"));
}
