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
    let _ = writeln!(out, "{}", funnel(play));
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

fn receipts(target: &Target, customer: &Value) -> Result<String, Failure> {
    let mut out = String::new();
    for sale in customer.get("sales").and_then(Value::as_array).into_iter().flatten() {
        let sale = target.get(&format!("/api/sales/{}", text(sale, "id")))?;
        let _ = writeln!(out, "{sale:#}");
    }
    Ok(out)
}
