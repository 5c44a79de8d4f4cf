//! The rows that are about more than one set of books: currencies of reports, modes, tenants, erasure.
//!
//! The rows of the Directory (44, 48, 49, 58, 75, 77) and of links that change (76) need the runtime and are end to
//! end, in `tests/e2e`: `ledger`, `webhook`, `track` and `money`.

use std::collections::BTreeSet;

use pimms_edge::core::ledger::erase::scrub;
use pimms_edge::core::ledger::fact::Fact;
use pimms_edge::core::ledger::fold::fold;
use pimms_edge::core::ledger::view::{Policy, View};
use pimms_edge::core::mode::Mode;
use pimms_edge::core::money::Currency;
use pimms_edge::core::money::rates::{Converter, OWN_SOURCE, RateBook, StoredRate};
use pimms_edge::core::stripe::read;
use pimms_edge::core::time::Millis;
use serde_json::json;

use super::rows::{completed, first, renewals, session, subscribed};
use super::world::{Directory, Step, T0, WORKSPACE, facts, lines};

fn policy(workspace_id: &str, mode: Mode) -> Policy {
    Policy { workspace_id: workspace_id.to_owned(), mode, window_days: 90 }
}

fn stated(steps: &[Step]) -> Vec<Fact> {
    steps.iter().enumerate().flat_map(|(number, step)| facts(step, number)).collect()
}

fn view_of(steps: &[Step]) -> View {
    let mut directory = Directory::default();
    steps.iter().enumerate().for_each(|(number, step)| directory.accept(step, number));
    let mut views = directory.views();
    assert_eq!(views.len(), 1);
    views.remove(0)
}

/// One paid session, and what it is worth in `to`; the rates are of the day before the sale.
fn worth(amount: i64, currency: &str, rates: &[(&str, &str)], to: &str) -> (View, Option<i64>) {
    let fields = json!({"payment_intent": "pi_1", "currency": currency});
    let view = view_of(&[completed(0, session("cs_1", amount, fields))]);
    let stored: Vec<StoredRate> = rates
        .iter()
        .map(|(code, per_usd)| StoredRate {
            workspace_id: WORKSPACE.to_owned(),
            day: Millis(T0 * 1000).plus_days(-1).day(),
            currency: (*code).to_owned(),
            per_usd: (*per_usd).to_owned(),
            source: OWN_SOURCE.to_owned(),
        })
        .collect();
    let converter = Converter::new(RateBook::of(&stored), Currency::parse(to).unwrap());
    let entry = &view.entries[0];
    let worth = converter.convert(entry.currency, &entry.rate_day, entry.amount);
    (view, worth)
}

#[test]
fn rows_38_to_41_amounts_stay_as_charged_and_reports_convert_them() {
    let rates = [("jpy", "150"), ("kwd", "0.3"), ("eur", "0.9")];
    for (row, amount, currency, to, expected) in [
        (38, 5000, "jpy", "usd", Some(3333)),
        (39, 12_345, "kwd", "usd", Some(4115)),
        (40, 700, "mnt", "usd", None),
        (41, 5000, "jpy", "eur", Some(3000)),
        (41, 12_345, "kwd", "eur", Some(3704)),
        (41, 700, "eur", "eur", Some(700)),
    ] {
        let (view, worth) = worth(amount, currency, &rates, to);
        assert_eq!(worth, expected, "row {row}: {amount} {currency} in {to}");
        let kept = (view.sales[0].amount, view.sales[0].currency.as_str());
        assert_eq!(kept, (amount, currency), "row {row}: the original is kept");
    }
}

#[test]
fn row_42_test_events_are_told_apart_and_share_no_id_with_live() {
    for (livemode, mode) in [(true, Mode::Live), (false, Mode::Test)] {
        let body =
            json!({"id": "evt_1", "type": "x.y", "created": 1, "livemode": livemode, "data": {"object": {}}});
        assert_eq!(read(body.to_string().as_bytes()).unwrap().envelope.mode, mode);
    }
    let ids = |mode| ids(&fold(stated(&first()), &policy(WORKSPACE, mode)));
    assert!(ids(Mode::Live).is_disjoint(&ids(Mode::Test)));
}

#[test]
fn row_56_one_event_in_two_workspaces_is_two_sales_with_ids_of_their_own() {
    let of = |workspace| fold(stated(&first()), &policy(workspace, Mode::Live));
    let (one, other) = (of(WORKSPACE), of("ws_2"));
    assert_eq!((one.sales.len(), other.sales.len()), (1, 1));
    assert!(ids(&one).is_disjoint(&ids(&other)));
}

/// Every id that is a row's key somewhere.
fn ids(view: &View) -> BTreeSet<String> {
    let sales = view.sales.iter().map(|sale| sale.id.clone());
    let entries = view.entries.iter().map(|entry| entry.id.clone());
    sales.chain(entries).chain(view.leads.iter().map(|lead| lead.id.clone())).collect()
}

#[test]
fn row_55_the_person_goes_and_the_money_stays_also_that_of_later_renewals() {
    let mut known = stated(&subscribed());
    let later = stated(&renewals(2));
    let policy = policy(WORKSPACE, Mode::Live);
    let money = |view: &View| -> Vec<String> {
        let lines = lines(std::slice::from_ref(view));
        lines.into_iter().filter(|line| line.starts_with("sale ")).collect()
    };
    let whole = fold([known.clone(), later.clone()].concat(), &policy);
    assert_eq!(whole.customer.external_id.as_deref(), Some("u1"));
    scrub(&mut known);
    let mut rest = [known, later].concat();
    // The renewal is scrubbed as it comes: the ledger remembers that its person is erased.
    scrub(&mut rest);
    let erased = fold(rest.clone(), &policy);
    assert_eq!(money(&erased), money(&whole));
    assert_eq!(erased.leads.len(), whole.leads.len());
    let shown = serde_json::to_string(&erased).unwrap() + &serde_json::to_string(&rest).unwrap();
    assert!(!shown.contains("\"u1\""), "{shown}");
    assert_eq!((erased.customer.external_id, erased.customer.email), (None, None));
}
