//! What a person sees after one story: the funnel and the receipts.

use std::fmt::Write;

use serde_json::Value;

use super::Play;
use crate::failure::Failure;
use crate::table::Table;
use crate::target::{Target, text};

/// The funnel, and every sale of the story's customers with its reason.
pub(super) fn full(target: &Target, play: &Play) -> Result<String, Failure> {
    let mut out = format!("\nShort link {} ({})\n\n", play.link.url, play.link.id);
    let _ = writeln!(out, "{}  Amounts in minor units: cents, yen.\n", funnel(play));
    for external_id in &play.story.people {
        let customer = target.get(&format!("/api/customers/ext_{external_id}"))?;
        let _ = writeln!(out, "Customer {} ({external_id})\n", text(&customer, "name"));
        let _ = writeln!(out, "{}", receipts(target, &customer)?);
    }
    Ok(out)
}

/// What this story added, per link and currency.
fn funnel(play: &Play) -> Table {
    let mut table = Table::new(&["Mode", "Attributed to", "Figure", "Expected", "Got", ""]);
    let expected = play.story.expected.lines();
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(play.growth.keys()).collect();
    for name in names {
        let mut words = name.splitn(3, ' ');
        let (mode, whose, figure) =
            (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
        let value = |lines: &crate::totals::Lines| lines.get(name).copied().unwrap_or(0);
        let (must, is) = (value(&expected), value(&play.growth));
        let verdict = if must == is { "" } else { "differs" };
        table.row([mode, whose, figure, &must.to_string(), &is.to_string(), verdict]);
    }
    table
}

/// Every payment of a customer: what it came to, by which rule it has its link, and the events it rests on.
fn receipts(target: &Target, customer: &Value) -> Result<String, Failure> {
    let mut out = String::new();
    for sale in list(customer, "sales") {
        // The receipt of its own page, as a person would open it.
        let sale = target.get(&format!("/api/sales/{}", text(sale, "id")))?;
        let number = |name: &str| sale.get(name).and_then(Value::as_i64).unwrap_or(0).to_string();
        let _ = writeln!(
            out,
            "  {} · {} · {}",
            text(&sale, "reference"),
            text(&sale, "eventName"),
            text(&sale, "timestamp")
        );
        let mut money = Table::new(&["Currency", "Paid", "Refunded", "Disputed", "Net"]);
        let currency = text(&sale, "currency").to_owned();
        money.row([currency, number("amount"), number("refunded"), number("disputed"), number("net")]);
        let _ = write!(out, "{money}");
        let receipt = sale.get("receipt").cloned().unwrap_or_default();
        for sentence in list(&receipt, "explanation").filter_map(Value::as_str) {
            let _ = writeln!(out, "  {sentence}");
        }
        let chain: Vec<&str> = list(&receipt, "chain").map(|step| text(step, "kind")).collect();
        let _ = writeln!(out, "  Chain: {}", chain.join(" → "));
        let mut evidence = Table::new(&["Event", "Type", "Says"]);
        for event in list(&receipt, "evidence") {
            evidence.row([text(event, "eventId"), text(event, "eventType"), text(event, "says")]);
        }
        let _ = writeln!(out, "{evidence}");
    }
    if out.is_empty() {
        return Err(Failure::new(format!(
            "customer {} has no sale to show a receipt of",
            text(customer, "id")
        )));
    }
    Ok(out)
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}
