//! Whose event it is: said by the address and the secret that signed, never by what the body claims.

use pimms_cli::clock::now_secs;
use pimms_cli::http_client::Answer;
use pimms_cli::stripe::{Event, Session, sign};
use serde_json::{Value, json};

use super::operations::is_civil;
use crate::shared;
use crate::support::Workspace;

/// A payment of 700, as `account` if any.
fn payment(name: &str, account: Option<&str>) -> String {
    let session = Session::paid(&format!("cs_{name}")).amount(700, "usd").intent(&format!("pi_{name}"));
    let event = Event::new("checkout.session.completed", session).at(now_secs());
    account.map_or(event.clone(), |account| event.account(account)).body()
}

fn deliver(address: &str, secret: &str, body: &str) -> Answer {
    let request = shared().client().post(address).header("stripe-signature", &sign(body, secret, now_secs()));
    let answer = request.body(body).send().unwrap();
    is_civil(address, &answer);
    answer
}

fn gross(of: &Workspace) -> Value {
    of.get("/ledger/totals")["live"]["unattributed"]["gross"].clone()
}

#[test]
fn no_body_chooses_its_secret_or_speaks_for_another_workspace() {
    let (acme, other) = (Workspace::new("accounts"), Workspace::new("accounts-other"));
    other.succeeds("PUT", "/stripe", &json!({"accounts": ["acct_ofOther"]}));
    let at = |workspace: &Workspace| format!("/stripe/webhook/{}", workspace.id);
    // Another's secret opens nothing, whomever the body names, nor does one's own at the platform's address.
    for (what, address, account) in [
        ("another's address", at(&other), None),
        ("another's address and account", at(&other), Some("acct_ofOther")),
        ("another's address and one's own id", at(&other), Some(acme.id.as_str())),
        ("the platform's address", "/stripe/webhook".to_owned(), Some("acct_ofOther")),
        ("the platform's address, no account", "/stripe/webhook".to_owned(), None),
    ] {
        let answer = deliver(&address, &acme.secret, &payment("borrowed", account));
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    }
    // At one's own address, in the name of another's account: kept aside, booked for nobody.
    let answer = deliver(&at(&acme), &acme.secret, &payment("spoken-for", Some("acct_ofOther")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    other.succeeds("PUT", "/stripe", &json!({"accounts": ["acct_ofOther", "acct_another"]}));
    // The other's own is booked, once it is accepted all before it would have been.
    assert_eq!(deliver(&at(&other), &other.secret, &payment("honest", Some("acct_ofOther"))).status, 200);
    other.settles("/ledger/totals", |totals| totals["live"]["unattributed"]["gross"] == json!({"usd": 700}));
    assert_eq!(gross(&acme), json!({}));
    assert_eq!(other.get("/parked").as_array().map(Vec::len), Some(0));
}

#[test]
fn an_old_secret_and_a_new_one_hold_until_the_old_one_goes() {
    let acme = Workspace::new("rotation");
    let address = format!("/stripe/webhook/{}", acme.id);
    let secret = |which: &str| format!("whsec_rotation{which}0123456789");
    let set = |which: &[&str]| {
        let all: Vec<Value> = which.iter().map(|w| json!({"mode": "live", "secret": secret(w)})).collect();
        acme.succeeds("PUT", "/stripe", &json!({"signingSecrets": all}));
    };
    let holds = |which: &str| deliver(&address, &secret(which), &payment("rotated", None)).status;
    set(&["old", "new"]);
    assert_eq!([holds("old"), holds("new"), holds("other")], [200, 200, 400]);
    set(&["new"]);
    assert_eq!([holds("old"), holds("new")], [400, 200], "what was taken away opens nothing");
    acme.settles("/ledger/totals", |totals| totals["live"]["unattributed"]["gross"] == json!({"usd": 700}));
}
