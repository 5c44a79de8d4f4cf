//! Exchange rates: set by hand, fetched, and what sales in other currencies are then worth.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::clock::now_secs;
use pimms_cli::instance::Instance;
use pimms_cli::stripe::{Build, Event, Invoice, Session, Subscription};
use pimms_edge::core::time::Millis;
use serde_json::{Value, json};

use crate::support::{Workspace, refused};

fn today() -> String {
    Millis(now_secs() * 1000).day()
}

/// Rate, source and day of a currency.
fn quote(rates: &Value, currency: &str) -> (String, String, String) {
    let quote = &rates["rates"][currency];
    let text = |name: &str| quote[name].as_str().unwrap_or_default().to_owned();
    (text("rate"), text("source"), text("date"))
}

fn expected(rate: &str, source: &str, day: &str) -> (String, String, String) {
    (rate.to_owned(), source.to_owned(), day.to_owned())
}

#[test]
fn a_workspace_sets_its_own_rates_and_nobody_else_sees_them() {
    let (acme, other) = (Workspace::new("fx-own"), Workspace::new("fx-other"));
    let before = acme.get("/fx-rates");
    assert_eq!((before["date"].as_str(), before["base"].as_str()), (Some(today().as_str()), Some("USD")));
    assert_eq!(quote(&before, "JPY").1, "seed");
    assert!(before["rates"]["MNT"].is_null(), "nobody says what a tugrik is worth");

    let body = json!({"date": "2026-03-02", "rates": {"JPY": 150, "eur": "0.92", "MNT": 3400.25}});
    let (status, set) = acme.call("PUT", "/fx-rates", Some(&body));
    assert_eq!(status, 200, "{set}");
    assert_eq!(quote(&set, "JPY"), expected("150", "manual", "2026-03-02"));
    assert_eq!(quote(&set, "MNT"), expected("3400.25", "manual", "2026-03-02"));
    assert_eq!(
        quote(&acme.get("/fx-rates?date=2026-03-09"), "EUR"),
        expected("0.92", "manual", "2026-03-02")
    );
    assert_eq!(
        quote(&acme.get("/fx-rates?date=2026-02-01"), "EUR"),
        expected("0.92", "manual", "2026-03-02")
    );
    assert_eq!(quote(&other.get("/fx-rates?date=2026-03-02"), "JPY").1, "seed");

    let later = json!({"date": "2026-03-05", "base": "EUR", "rates": {"USD": 1.25, "JPY": "200"}});
    acme.call("PUT", "/fx-rates", Some(&later));
    let rates = acme.get("/fx-rates?date=2026-03-06");
    assert_eq!(quote(&rates, "JPY"), expected("160", "manual", "2026-03-05"));
    assert_eq!(quote(&rates, "EUR"), expected("0.8", "manual", "2026-03-05"));
    assert_eq!(quote(&acme.get("/fx-rates?date=2026-03-04"), "JPY").0, "150");

    let gone = json!({"date": "2026-03-05", "rates": {"JPY": null}});
    let (_, rates) = acme.call("PUT", "/fx-rates", Some(&gone));
    assert_eq!((quote(&rates, "JPY").0, quote(&rates, "EUR").0), ("150".to_owned(), "0.8".to_owned()));
}

#[test]
fn what_is_no_rate_is_refused_and_changes_nothing() {
    let acme = Workspace::new("fx-refused");
    let before = acme.get("/fx-rates");
    for (body, field) in [
        (json!({"rates": {"JPY": 150, "ZZZ": 1}}), "rates.ZZZ: "),
        (json!({"rates": {"JPY": -150}}), "rates.JPY: "),
        (json!({"rates": {"JPY": "many"}}), "rates.JPY: "),
        (json!({"base": "EUR", "rates": {"JPY": 150}}), "rates.USD: "),
        (json!({"date": "soon", "rates": {"JPY": 150}}), "date: "),
        (json!({"rates": []}), "rates: "),
    ] {
        let answer = acme.call("PUT", "/fx-rates", Some(&body));
        refused(&answer, 422, "unprocessable_entity");
        assert!(answer.1["error"]["message"].as_str().unwrap().contains(field), "{} of {body}", answer.1);
    }
    assert_eq!(acme.get("/fx-rates"), before);
    refused(&acme.call("GET", "/fx-rates?date=soon", None), 422, "unprocessable_entity");
    assert_eq!(acme.call("DELETE", "/fx-rates", None).0, 405);
    let anonymous = crate::shared().client().get("/api/fx-rates").send().unwrap();
    assert_eq!(anonymous.status, 401);
}

/// Whoever holds a workspace's secret may sign them: they are kept as stated, and its reports stay readable.
#[test]
fn absurd_amounts_leave_every_report_readable() {
    const MOST: i64 = (1 << 53) - 1;
    let workspace = Workspace::new("absurd");
    let (link, click) = workspace.clicked("launch");
    for n in 0..3 {
        let session =
            Session::paid(&format!("cs_live_huge{n}")).amount(MOST, "usd").intent(&format!("pi_huge{n}"));
        let session = session.customer("cus_huge").referred_by_click(&click);
        workspace.stripe(&Event::new("checkout.session.completed", session).at(now_secs()));
    }
    let taxes = json!([{"amount": i64::MAX}, {"amount": i64::MAX}]);
    let invoice = Invoice::paid("in_huge").amount(100, "usd").customer("cus_huge").with("total_taxes", taxes);
    workspace.stripe(&Event::new("invoice.paid", invoice).at(now_secs()));
    let subscription =
        Subscription::active("sub_huge").customer("cus_huge").price(MOST, "usd", "week").quantity(MOST);
    workspace.stripe(&Event::new("customer.subscription.created", subscription).at(now_secs()));
    let all = workspace.settles("/analytics?event=sales", |count| count["sales"] == 4);
    assert_eq!(all["saleAmount"], MOST, "the most that a sum can say");
    for path in [
        "/ledger/totals",
        "/ledger/entries",
        "/customers",
        "/events?event=sales",
        "/analytics?event=sales&groupBy=timeseries",
        "/analytics?event=composite&groupBy=countries",
        "/analytics/ltv",
        "/analytics/cohorts",
        "/sales/in_huge",
        "/sales/cs_live_huge0",
        "/customers/export",
        &format!("/links/{link}"),
    ] {
        assert_eq!(workspace.send("GET", path, None).status, 200, "{path}");
    }
}

#[test]
fn sales_in_other_currencies_are_converted_exactly_or_not_at_all() {
    let acme = Workspace::new("fx-sales");
    let (link, click) = acme.clicked("go");
    let now = now_secs();
    let rates = json!({"rates": {"JPY": 150, "KWD": 0.3}});
    assert_eq!(acme.call("PUT", "/fx-rates", Some(&rates)).0, 200);
    for (number, (amount, currency)) in
        [(5000, "jpy"), (12_345, "kwd"), (700, "usd"), (9_000_000, "mnt")].into_iter().enumerate()
    {
        let session = Session::paid(&format!("cs_fx{number}"))
            .amount(amount, currency)
            .intent(&format!("pi_fx{number}"))
            .referred_by_click(&click);
        acme.stripe(&Event::new("checkout.session.completed", session).at(now + 1));
    }
    let path = format!("/links/{link}");
    let shown = acme.settles(&path, |link| link["sales"] == 4);
    // 33.33 and 41.15 dollars, and 7; the tugriks are beside it, never in it.
    assert_eq!(shown["saleAmount"], 3333 + 4115 + 700, "{shown}");
    assert_eq!(shown["unconverted"], json!([{"currency": "mnt", "amount": 9_000_000}]), "{shown}");
    let totals = acme.get("/ledger/totals");
    let gross = &totals["live"]["links"][&link]["gross"];
    assert_eq!(gross, &json!({"jpy": 5000, "kwd": 12_345, "usd": 700, "mnt": 9_000_000}));

    // Another rate shows at once, for what was booked long since.
    acme.call("PUT", "/fx-rates", Some(&json!({"rates": {"JPY": 100, "MNT": 3000}})));
    let shown = acme.get(&path);
    assert_eq!(shown["saleAmount"], 5000 + 4115 + 700 + 3000, "{shown}");
    assert!(shown["unconverted"].is_null(), "{shown}");
}

/// Row 76: the history of a link outlives the link.
#[test]
fn a_renewal_stays_with_the_link_that_was_clicked_after_it_is_changed_and_deleted() {
    let acme = Workspace::new("fx-link-gone");
    let (link, click) = acme.clicked("go");
    let now = now_secs();
    let invoice = |number: i64| {
        let paid = Invoice::paid(&format!("in_gone{number}")).amount(2000, "usd").customer("cus_gone");
        let paid = paid.subscription("sub_gone", "subscription_cycle");
        acme.stripe(&Event::new("invoice.paid", paid).at(now + number));
    };
    let net = |totals: &Value| totals["live"]["links"][&link]["net"]["usd"].as_i64();
    let session = Session::paid("cs_gone").amount(2000, "usd").customer("cus_gone").invoice("in_gone1");
    let session = session.subscription("sub_gone").referred_by_click(&click);
    acme.stripe(&Event::new("checkout.session.completed", session).at(now + 1));
    invoice(1);
    acme.settles("/ledger/totals", |totals| net(totals) == Some(2000));
    acme.patch(&format!("/links/{link}"), &json!({"url": "https://elsewhere.example/", "key": "moved"}));
    invoice(2);
    acme.settles("/ledger/totals", |totals| net(totals) == Some(4000));
    assert_eq!(acme.call("DELETE", &format!("/links/{link}"), None).0, 200);
    invoice(3);
    let totals = acme.settles("/ledger/totals", |totals| net(totals) == Some(6000));
    assert_eq!(totals["live"]["unattributed"]["sales"], 0, "{totals}");
}

/// A provider of rates that answers what it is told to; it keeps the head of each request.
pub struct Provider {
    pub url: String,
    answer: Arc<Mutex<Vec<u8>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/daily?key={{key}}", listener.local_addr().unwrap());
        let provider = Self { url, answer: Arc::default(), heads: Arc::default() };
        let (answer, heads) = (Arc::clone(&provider.answer), Arc::clone(&provider.heads));
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4096];
                let length = stream.read(&mut head).unwrap_or(0);
                heads.lock().unwrap().push(String::from_utf8_lossy(&head[..length]).into_owned());
                let answer = answer.lock().unwrap().clone();
                let _ = stream.write_all(&answer);
                if answer.is_empty() {
                    silent.push(stream); // open, and never a word
                }
            }
        });
        provider
    }

    pub fn answers(&self, status: u16, body: &str) {
        let head =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        *self.answer.lock().unwrap() = (head + body).into_bytes();
    }
}

pub fn of_the_bank(day: &str, yen: &str) -> String {
    format!(
        "<gesmes:Envelope><Cube><Cube time='{day}'><Cube currency='USD' rate='1.25'/>\
         <Cube currency='JPY' rate='{yen}'/></Cube></Cube></gesmes:Envelope>"
    )
}

#[test]
fn rates_are_fetched_once_a_day_and_a_bad_answer_changes_nothing() {
    let provider = Provider::start();
    let instance = Instance::start_with(&[("FX_URL", provider.url.as_str()), ("FX_KEY", "k 1")]).unwrap();
    let run = || {
        let answer = instance.client().post("/_pimms/cron?cron=0+5+*+*+*").send().unwrap();
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), instance.log());
    };
    let rates = || instance.api("GET", "/api/fx-rates?date=2027-01-09").send().unwrap().json();

    provider.answers(200, &of_the_bank("2027-01-08", "200"));
    run();
    assert_eq!(quote(&rates(), "JPY"), expected("160", "127.0.0.1", "2027-01-08"), "{}", instance.log());
    assert_eq!(quote(&rates(), "EUR"), expected("0.8", "127.0.0.1", "2027-01-08"));
    assert_eq!(quote(&rates(), "GBP").1, "seed", "what the provider does not say stays what it was");
    assert!(provider.heads.lock().unwrap()[0].starts_with("GET /daily?key=k%201 HTTP/1.1\r\n"));

    let good = rates();
    for (status, body) in [
        (500, of_the_bank("2027-01-09", "300")),
        (200, "<html>Maintenance</html>".to_owned()),
        (200, of_the_bank("2027-01-09", "300").replace("USD", "XXX")),
        (200, of_the_bank("2027-01-09", "300") + &" ".repeat(600_000)),
    ] {
        provider.answers(status, &body);
        run();
        assert_eq!(rates(), good, "{status} {}", &body[..20]);
    }

    // A provider that does not answer is given up.
    provider.answer.lock().unwrap().clear();
    let started = Instant::now();
    run();
    assert_eq!(rates(), good);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());

    provider.answers(200, &of_the_bank("2027-01-09", "250"));
    run();
    assert_eq!(quote(&rates(), "JPY"), expected("200", "127.0.0.1", "2027-01-09"));
    let asked = instance.api("GET", "/api/fx-rates?date=2027-01-08").send().unwrap().json();
    assert_eq!(quote(&asked, "JPY").0, "160", "yesterday's rate stays yesterday's");

    // A workspace's own rate comes before what was fetched.
    let own = json!({"date": "2027-01-01", "rates": {"JPY": 120}});
    instance.api("PUT", "/api/fx-rates").json(&own).send().unwrap();
    assert_eq!(quote(&rates(), "JPY"), expected("120", "manual", "2027-01-01"));
    let sources: BTreeSet<String> = ["JPY", "EUR", "GBP"].map(|code| quote(&rates(), code).1).into();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["127.0.0.1", "manual", "seed"]);
}
