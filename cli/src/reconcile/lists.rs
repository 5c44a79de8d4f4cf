//! Both sides as lines: Stripe's charges and invoices, the ledger's entries.

use serde::Deserialize;
use serde_json::Value;

use pimms_edge::core::mode::Mode;
use pimms_edge::core::time::Millis;

use super::compare::{Line, Side};
use crate::failure::{Failure, OrFail};
use crate::progress::Pace;
use crate::stripe_api::StripeApi;
use crate::target::{Target, text};

/// Invoices are listed by when they were made, which may be long before they were paid.
const INVOICE_AGE_DAYS: i64 = 90;

/// Both ends of the range get a day more, so that what lies across them is recognised.
const MARGIN_DAYS: i64 = 1;

/// Entries in one answer.
const PAGE: usize = 500;

/// Stripe's side from its API.
pub(super) fn from_stripe(api: &StripeApi, from: Millis, to: Millis) -> Result<Vec<Line>, Failure> {
    let until = to.plus_days(MARGIN_DAYS);
    let charges = crate::replay::range(from.plus_days(-MARGIN_DAYS), Some(until));
    let invoices = crate::replay::range(from.plus_days(-INVOICE_AGE_DAYS), Some(until));
    let refunds = crate::replay::range(from.plus_days(-MARGIN_DAYS), None);
    let (mut objects, mut pace) = (Vec::new(), Pace::new());
    for (path, query) in [
        ("/v1/charges", charges),
        ("/v1/invoices", format!("{invoices}&status=paid&expand[]=data.payments")),
        ("/v1/refunds", refunds),
    ] {
        for object in api.list(path, &query) {
            objects.push(object?);
            pace.tell(|| format!("{} objects read of Stripe", objects.len()));
        }
    }
    Ok(of_objects(&objects))
}

/// Charges, invoices and refunds as lines. A charge that paid an invoice adds only its refunds: the invoice says
/// what was paid. A refund adds only its name: the charge says what was refunded.
pub(super) fn of_objects(objects: &[Value]) -> Vec<Line> {
    let is = |object: &&Value, kind: &str| text(object, "object") == kind;
    let invoices: Vec<Line> = objects.iter().filter(|o| is(o, "invoice")).filter_map(invoice).collect();
    let paid_by_invoice = |line: &Line| {
        invoices.iter().any(|invoice| line.names.iter().any(|name| invoice.names.contains(name)))
    };
    let charges = objects.iter().filter(|o| is(o, "charge")).filter_map(charge);
    let charges: Vec<Line> =
        charges.map(|line| if paid_by_invoice(&line) { Line { paid: 0, ..line } } else { line }).collect();
    let refunds = objects.iter().filter(|o| is(o, "refund")).filter_map(refund);
    invoices.iter().cloned().chain(charges).chain(refunds).collect()
}

fn refund(object: &Value) -> Option<Line> {
    let names = ["id", "charge", "payment_intent"].iter().filter_map(|field| id(object.get(*field)));
    Some(Line {
        side: Side::Stripe,
        names: names.collect(),
        at: Millis::from_secs(object.get("created").and_then(Value::as_i64)?)?,
        currency: text(object, "currency").to_owned(),
        paid: 0,
        refunded: 0,
        excuse: None,
    })
}

fn charge(object: &Value) -> Option<Line> {
    if text(object, "status") != "succeeded" || object.get("captured") == Some(&Value::Bool(false)) {
        return None;
    }
    let number = |field: &str| object.get(field).and_then(Value::as_i64);
    let names = ["id", "payment_intent", "invoice"].iter().filter_map(|field| id(object.get(*field)));
    Some(Line {
        side: Side::Stripe,
        names: names.collect(),
        at: Millis::from_secs(number("created")?)?,
        currency: text(object, "currency").to_owned(),
        paid: number("amount_captured").or(number("amount"))?,
        refunded: number("amount_refunded").unwrap_or(0),
        excuse: None,
    })
}

fn invoice(object: &Value) -> Option<Line> {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let mut paid = number("/amount_paid").unwrap_or(0);
    if paid == 0 && object.get("paid_out_of_band") == Some(&Value::Bool(true)) {
        paid = number("/amount_due").unwrap_or(0);
    }
    if text(object, "status") != "paid" || paid == 0 {
        return None;
    }
    let mut names: Vec<String> =
        ["id", "payment_intent", "charge"].iter().filter_map(|field| id(object.get(*field))).collect();
    let payments = object.pointer("/payments/data").and_then(Value::as_array);
    for payment in payments.into_iter().flatten().filter_map(|payment| payment.get("payment")) {
        names.extend(["payment_intent", "charge"].iter().filter_map(|field| id(payment.get(*field))));
    }
    Some(Line {
        side: Side::Stripe,
        names,
        at: Millis::from_secs(number("/status_transitions/paid_at").or(number("/created"))?)?,
        currency: text(object, "currency").to_owned(),
        paid,
        refunded: 0,
        excuse: None,
    })
}

/// A reference: an id, or the object with it.
fn id(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned)
}

/// One row of `GET /api/ledger/entries`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    kind: String,
    at: String,
    sale_at: Option<String>,
    amount: i64,
    currency: String,
    reference: Option<String>,
    references: Vec<String>,
    processor: Option<String>,
}

/// The ledger's side: what was paid from a day before the range on, and whatever was refunded since.
pub(super) fn from_ledger(target: &Target, mode: Mode, from: Millis) -> Result<Vec<Line>, Failure> {
    let doing = || "GET /api/ledger/entries".to_owned();
    let range =
        format!("mode={}&start={}&limit={PAGE}", mode.as_str(), from.plus_days(-MARGIN_DAYS).to_iso());
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let page = target.get(&format!("/api/ledger/entries?{range}{after}"))?;
        let entries: Vec<Entry> = serde_json::from_value(page).or_fail(doing)?;
        let full = entries.len() == PAGE;
        after = entries.last().map(|last| format!("&startingAfter={}", last.id)).unwrap_or_default();
        lines.extend(entries.into_iter().filter_map(line));
        if !full {
            return Ok(lines);
        }
    }
}

/// Disputes are no part of the comparison: Stripe's lists of charges and invoices do not say what they moved.
fn line(entry: Entry) -> Option<Line> {
    let (paid, refunded) = match entry.kind.as_str() {
        "sale" => (entry.amount, 0),
        "refund" => (0, -entry.amount),
        _ => return None,
    };
    let excuse = match entry.processor.as_deref() {
        None | Some("stripe") => None,
        Some(processor) => Some(format!("reported by /track/sale as paid through {processor}")),
    };
    Some(Line {
        side: Side::Ledger,
        names: entry.reference.into_iter().chain(entry.references).collect(),
        // A refund belongs to the day of its payment, however late it came.
        at: Millis::parse(entry.sale_at.as_deref().unwrap_or(&entry.at))?,
        currency: entry.currency,
        paid,
        refunded,
        excuse,
    })
}

/// Payments the ledger knows of and does not count, and why.
pub(super) fn waiting(target: &Target, mode: Mode) -> Result<Vec<(String, String)>, Failure> {
    let rows = target.get(&format!("/api/parked?mode={}", mode.as_str()))?;
    let rows = rows.as_array().into_iter().flatten();
    Ok(rows
        .filter(|row| !text(row, "reference").is_empty())
        .map(|row| (text(row, "reference").to_owned(), text(row, "reason").to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::{Build, Charge, Event, Invoice, Object, Version};

    fn object(object: impl Into<Object>, version: Version) -> Value {
        Event::new("x", object).version(version).json().pointer("/data/object").cloned().unwrap()
    }

    #[test]
    fn an_invoice_and_its_charge_are_paid_once_in_both_shapes() {
        for version in [Version::V2024, Version::Basil] {
            let mut invoice = Invoice::paid("in_1").amount(2000, "usd").intent("pi_1").charge("ch_1");
            if version == Version::Basil {
                invoice = invoice.payments(&[("pi_1", 2000)]);
            }
            let charge =
                Charge::succeeded("ch_1").amount(2000, "usd").refunded(500).intent("pi_1").invoice("in_1");
            let lines = of_objects(&[object(charge, version), object(invoice, version)]);
            let sum = |of: fn(&Line) -> i64| lines.iter().map(of).sum::<i64>();
            assert_eq!((sum(|l| l.paid), sum(|l| l.refunded)), (2000, 500), "{version:?}: {lines:?}");
        }
    }

    #[test]
    fn what_was_not_paid_is_no_line() {
        let failed = Charge::succeeded("ch_1").with("status", "failed");
        let uncaptured = Charge::succeeded("ch_2").with("captured", false);
        let open = Invoice::paid("in_1").with("status", "open");
        let free = Invoice::paid("in_2").amount(0, "usd");
        let version = Version::Basil;
        let objects = [
            object(failed, version),
            object(uncaptured, version),
            object(open, version),
            object(free, version),
        ];
        assert_eq!(of_objects(&objects), []);
    }

    #[test]
    fn out_of_band_invoices_are_paid_in_both_shapes() {
        for version in [Version::V2024, Version::Basil] {
            let invoice = Invoice::paid("in_1").amount(3000, "usd").out_of_band();
            let lines = of_objects(&[object(invoice, version)]);
            assert_eq!(lines.iter().map(|l| l.paid).collect::<Vec<_>>(), [3000], "{version:?}");
        }
    }
}
