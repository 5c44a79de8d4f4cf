//! Thank-you links: a browser comes back from a checkout, and the click it holds becomes that of the payment.

use pimms_cli::clock::now_secs;
use pimms_cli::stripe::{Event, Session};
use serde_json::{Value, json};

use crate::redirect::{cookies, get, location};
use crate::support::Workspace;

/// A workspace whose short links share their domain with its shop, with a link and a thank-you link.
fn shop(name: &str) -> (Workspace, String) {
    let workspace = Workspace::new(name);
    let link = |key: &str, path: &str| {
        let url = format!("https://shop.{}{path}", workspace.domain);
        let body = json!({"domain": workspace.domain, "key": key, "url": url, "trackConversion": true});
        workspace.post("/links", &body)["id"].as_str().unwrap().to_owned()
    };
    let launch = link("launch", "/");
    link("x/thankyou", "/thanks");
    (workspace, launch)
}

/// Comes by the link: the cookie that the browser keeps for the shop's domain.
fn click(workspace: &Workspace, chrome: &str) -> String {
    let answer = get(workspace, "/launch", &[("user-agent", chrome)]);
    let kept = cookies(&answer);
    kept.split("; ").find(|cookie| cookie.starts_with("pimms_id=")).unwrap().to_owned()
}

fn come_back(workspace: &Workspace, parameters: &str, cookie: &str) {
    let answer = get(workspace, &format!("/x/thankyou?{parameters}"), &[("cookie", cookie)]);
    assert_eq!(answer.status, 302);
    let to = format!("https://shop.{}/thanks?pimms_redirected=1", workspace.domain);
    assert_eq!(location(&answer), to);
    assert!(!cookies(&answer).contains("pimms_id="), "the browser's click stays: {}", cookies(&answer));
}

/// A checkout that says nothing of a click, as Stripe tells it.
fn pays(workspace: &Workspace, session: &str, intent: &str) {
    let session = Session::paid(session).amount(4900, "usd").intent(intent);
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
}

fn settles(workspace: &Workspace, session: &str, rule: &str) -> Value {
    let sales = |count: &Value| count["sales"].as_i64() > Some(0);
    workspace.settles("/analytics?event=sales", sales);
    workspace.settles(&format!("/sales/{session}"), |sale| sale["receipt"]["rule"] == rule)
}

fn link_of(sale: &Value) -> Option<&str> {
    sale["link"]["id"].as_str()
}

#[test]
fn the_click_of_whoever_comes_back_becomes_that_of_the_payment() {
    let (workspace, link) = shop("thankyou");
    let cookie = click(&workspace, "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0.0.0 Safari/537.36");
    let click_id = cookie.split_once('=').unwrap().1;
    // The webhook first.
    pays(&workspace, "cs_live_a1", "pi_a1");
    let before = settles(&workspace, "cs_live_a1", "none");
    assert_eq!(link_of(&before), None, "{before}");
    come_back(&workspace, "session_id=cs_live_a1", &cookie);
    let sale = settles(&workspace, "cs_live_a1", "thank_you");
    assert_eq!((link_of(&sale), sale["clickId"].as_str()), (Some(&*link), Some(click_id)), "{sale}");
    assert!(sale["receipt"]["explanation"][0].as_str().unwrap().contains("thank-you page"), "{sale}");

    // The browser first, twice, and again afterwards.
    come_back(&workspace, "checkout_session_id=cs_live_b2", &cookie);
    come_back(&workspace, "checkout_session_id=cs_live_b2", &cookie);
    pays(&workspace, "cs_live_b2", "pi_b2");
    workspace.settles("/analytics?event=sales", |count| count["sales"] == 2);
    let sale = settles(&workspace, "cs_live_b2", "thank_you");
    assert_eq!(link_of(&sale), Some(&*link), "{sale}");
    come_back(&workspace, "session_id=cs_live_b2", &cookie);

    // Somebody else who knows the session: too late, and the receipt says it.
    let other = click(&workspace, "Mozilla/5.0 (X11; Linux x86_64) Chrome/99.0.0.0 Safari/537.36");
    assert_ne!(other, cookie);
    come_back(&workspace, "session_id=cs_live_b2", &other);
    let sale = workspace.settles("/sales/cs_live_b2", |sale| {
        sale["receipt"]["rejected"].as_array().is_some_and(|rejected| !rejected.is_empty())
    });
    assert_eq!(sale["clickId"].as_str(), Some(click_id), "{sale}");
    let rejected = sale["receipt"]["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 1, "{sale}");
    assert!(rejected[0].to_string().contains("another click came to the thank-you page first"), "{sale}");

    // A thank-you page is no click, and each payment is one sale.
    workspace.settles(&format!("/links/{link}"), |link| {
        link["clicks"] == 2 && link["sales"] == 2 && link["saleAmount"] == 9800
    });
}

#[test]
fn what_is_forged_foreign_or_of_another_session_brings_nothing() {
    let (workspace, link) = shop("thankyou-none");
    let (stranger, _) = shop("thankyou-stranger");
    let agent = "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0.0.0 Safari/537.36";
    let (cookie, foreign) = (click(&workspace, agent), click(&stranger, agent));
    let mut forged = cookie.clone();
    let last = if forged.ends_with('a') { "b" } else { "a" };
    forged.replace_range(forged.len() - 1.., last);
    for session in ["cs_live_n1", "cs_live_n2", "cs_live_n3", "cs_live_n4"] {
        pays(&workspace, session, &session.replace("cs_live", "pi"));
    }
    workspace.settles("/analytics?event=sales", |count| count["sales"] == 4);
    come_back(&workspace, "session_id=cs_live_n1", &forged);
    come_back(&workspace, "session_id=cs_live_n1", &foreign);
    come_back(&workspace, "session_id=cs_live_n1&pimms-no-track=1", &cookie);
    come_back(&workspace, "session_id=cs_test_n1", &cookie);
    come_back(&workspace, "session_id=cs_live_n1%27--", &cookie);
    // A session is one of the link's own workspace.
    come_back(&stranger, "session_id=cs_live_n2", &foreign);
    come_back(&workspace, "session_id=cs_live_other", &cookie);
    // What comes last is told last.
    come_back(&workspace, "session_id=cs_live_n4", &cookie);
    let sale = settles(&workspace, "cs_live_n4", "thank_you");
    assert_eq!(link_of(&sale), Some(&*link), "{sale}");
    for session in ["cs_live_n1", "cs_live_n2", "cs_live_n3"] {
        let sale = workspace.get(&format!("/sales/{session}"));
        assert_eq!((link_of(&sale), sale["receipt"]["rule"].as_str()), (None, Some("none")), "{sale}");
        assert_eq!(sale["receipt"]["rejected"], json!([]), "{sale}");
    }
    assert_eq!(workspace.get("/customers").as_array().map(Vec::len), Some(4));
    assert_eq!(stranger.get("/customers"), json!([]));
}

#[test]
fn a_payment_that_names_its_click_keeps_it() {
    let (workspace, link) = shop("thankyou-own");
    let (other, named) = workspace.clicked("newsletter");
    let cookie = click(&workspace, "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0.0.0 Safari/537.36");
    let session = Session::paid("cs_live_o1").amount(4900, "usd").intent("pi_o1").referred_by_click(&named);
    workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    settles(&workspace, "cs_live_o1", "own_click");
    come_back(&workspace, "session_id=cs_live_o1", &cookie);
    let sale = workspace.settles("/sales/cs_live_o1", |sale| sale["receipt"]["rejected"] != json!([]));
    assert_eq!(link_of(&sale), Some(&*other), "{sale}");
    assert!(sale["receipt"]["rejected"].to_string().contains("has a click already"), "{sale}");
    assert_eq!(workspace.get(&format!("/links/{link}"))["sales"], 0);
}

#[test]
fn one_click_comes_back_from_so_many_checkouts() {
    let (workspace, link) = shop("thankyou-many");
    let cookie = click(&workspace, "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0.0.0 Safari/537.36");
    for n in 0..21 {
        come_back(&workspace, &format!("session_id=cs_live_m{n}"), &cookie);
        pays(&workspace, &format!("cs_live_m{n}"), &format!("pi_m{n}"));
    }
    workspace.settles("/analytics?event=sales", |count| count["sales"] == 21);
    workspace.settles(&format!("/links/{link}"), |link| link["sales"] == 20);
}
