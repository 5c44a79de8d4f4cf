//! Webhooks signed by Stripe's own library, not by ours: what it signs we accept, and nothing else.

use std::io::Write;
use std::process::{Command, Stdio};

use pimms_cli::project::Project;
use pimms_cli::stripe::{Build, Event, Session, Version};

use crate::shared;

/// `webhooks.generateTestHeaderString` of the npm package `stripe`, at `seconds_ago`.
fn header_by_stripe(payload: &str, secret: &str, seconds_ago: u32) -> String {
    const SCRIPT: &str = r#"
        const Stripe = require("stripe");
        const [secret, ago] = process.argv.slice(1);
        const timestamp = Math.floor(Date.now() / 1000) - Number(ago);
        const payload = require("fs").readFileSync(0, "utf8");
        process.stdout.write(new Stripe("sk_test_x").webhooks.generateTestHeaderString({ payload, secret, timestamp }));
    "#;
    let mut node = Command::new("node")
        .args(["-e", SCRIPT, secret, &seconds_ago.to_string()])
        .current_dir(Project::find().unwrap().root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_stripes_library_signs_is_accepted_and_nothing_else() {
    let instance = shared();
    let ready = instance.ready();
    let session = Session::paid("cs_signer").amount(4900, "usd").customer("cus_signer");
    let body = Event::new("checkout.session.completed", session).version(Version::Basil).body();
    let altered = body.replace("4900", "4901");
    let (live, test) = (ready.webhook_secret.as_str(), ready.webhook_secret_test.as_str());
    let signed = header_by_stripe(&body, live, 0);

    for (what, sent, header, status) in [
        ("signed for live mode", &body, signed.clone(), 200),
        ("sent again", &body, signed.clone(), 200),
        ("signed four minutes ago", &body, header_by_stripe(&body, live, 240), 200),
        ("signed ten minutes ago", &body, header_by_stripe(&body, live, 600), 400),
        ("altered after signing", &altered, signed, 400),
        ("a live event under the secret of test mode", &body, header_by_stripe(&body, test, 0), 400),
        ("a secret of somebody else", &body, header_by_stripe(&body, "whsec_other", 0), 400),
        ("not signed", &body, String::new(), 400),
    ] {
        let request = instance.client().post(&format!("/stripe/webhook/{}", ready.workspace_id));
        let answer = request.header("stripe-signature", &header).body(sent.as_str()).send().unwrap();
        assert_eq!(answer.status, status, "{what}: {}\n{}", answer.text(), instance.log());
    }
}
