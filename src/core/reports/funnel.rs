//! From click to lead to sale: how many went on, and how long it took them.
//!
//! The funnel is of the **clicks** of a window and of what became of them, whenever that was: a lead of today whose
//! click was last month belongs to last month's funnel. So a rate never exceeds 1, and recent funnels still fill.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MONEY, Statement, Subject, fraction};
use crate::core::api::link::unconverted;
use crate::core::figures::Sum;
use crate::core::money::Currency;
use crate::core::time::{DAY_MS, Millis};

/// Leads that one report reads, at most: their times are put in order.
pub const MAX_PEOPLE: usize = 50_000;

/// A customer whom a click of the window made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// The click of the first lead.
    pub clicked_at: Millis,
    /// The first lead by a click of the window.
    pub lead_at: Millis,
    /// The first sale that is not earlier than that lead.
    pub sale_at: Option<Millis>,
}

/// What the queries found.
#[derive(Debug, Clone, Default)]
pub struct Funnel {
    /// Clicks, as `GET /analytics` counts them.
    pub clicks: i64,
    /// One for each customer.
    pub steps: Vec<Step>,
    /// Sales that the ledger attributes to these clicks.
    pub sales: i64,
    /// Their money.
    pub money: Sum,
}

/// A [`Step`] for each customer.
#[must_use]
pub fn steps(subject: &Subject<'_>) -> Statement {
    let condition = subject.condition();
    // The click's time is in the touchpoint: it stays when the click's row is gone. Clocks may differ by a little.
    // Stripe's times are whole seconds, so a sale in the second of its lead is after it.
    let text = format!(
        "SELECT f.clicked_at, f.lead_at, (SELECT MIN(s.at) FROM sales s WHERE s.customer_id = f.customer_id \
         AND s.workspace_id = f.workspace_id AND s.mode = f.mode AND s.at >= f.lead_at / 1000 * 1000) AS sale_at \
         FROM (SELECT ev.workspace_id, ev.mode, ev.customer_id, ev.at AS clicked_at, ev.lead_at, \
         ROW_NUMBER() OVER (PARTITION BY ev.customer_id ORDER BY ev.lead_at, ev.id) AS nth \
         FROM (SELECT d.id, d.workspace_id, d.mode, d.customer_id, d.link_id, d.click_id, d.at AS lead_at, \
         json_extract(t.value, '$.at') AS at FROM leads d JOIN customers k ON k.id = d.customer_id \
         JOIN json_each(k.body, '$.touches') t ON json_extract(t.value, '$.clickId') = d.click_id \
         WHERE d.workspace_id = ? AND d.mode = ? AND d.at >= ?) ev \
         LEFT JOIN credited_clicks c ON c.click_id = ev.click_id WHERE {}) f WHERE f.nth = 1 LIMIT {}",
        condition.text(),
        MAX_PEOPLE + 1
    );
    let since = subject.window.start.plus_days(-1);
    (text, [subject.owner(), vec![since.0.into()], condition.binds().to_vec()].concat())
}

/// How many sales these clicks brought.
#[must_use]
pub fn sales(subject: &Subject<'_>) -> Statement {
    let condition = subject.condition();
    let text = format!(
        "SELECT COUNT(*) AS n FROM {SOLD} ev LEFT JOIN credited_clicks c ON c.click_id = ev.click_id WHERE {}",
        condition.text()
    );
    (text, [subject.owner(), subject.span(), vec![since(subject)], condition.binds().to_vec()].concat())
}

/// The [`crate::core::figures::Amounts`] of these sales.
#[must_use]
pub fn money(subject: &Subject<'_>) -> Statement {
    let condition = subject.condition();
    let text = format!(
        "SELECT {MONEY} FROM {SOLD} ev JOIN entries e ON e.sale_id = ev.id{} \
         LEFT JOIN credited_clicks c ON c.click_id = ev.click_id WHERE {} GROUP BY 1, 2, 3",
        subject.kind(),
        condition.text()
    );
    let owner = [subject.currencies(), subject.owner(), subject.span(), vec![since(subject)]].concat();
    (text, [owner, condition.binds().to_vec()].concat())
}

/// Sales by the time of their click. A sale is not earlier than its click, which lets the index help.
const SOLD: &str = "(SELECT s.id, s.workspace_id, s.mode, s.customer_id, s.link_id, s.click_id, s.clicked_at AS at \
    FROM sales s WHERE s.workspace_id = ? AND s.mode = ? AND s.clicked_at >= ? AND s.clicked_at <= ? AND s.at >= ?)";

fn since(subject: &Subject<'_>) -> crate::core::sql::Bind {
    Millis(subject.window.start.0.saturating_sub(DAY_MS)).0.into()
}

impl Funnel {
    /// Whether there were more customers than one report may read; what it says is then not the truth.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.steps.len() > MAX_PEOPLE
    }

    /// The answer.
    #[must_use]
    pub fn shown(&self, currency: Currency) -> Value {
        let leads = count(self.steps.len());
        let to_lead = self.steps.iter().map(|step| step.lead_at.0.saturating_sub(step.clicked_at.0));
        let to_sale: Vec<i64> = self
            .steps
            .iter()
            .filter_map(|step| Some(step.sale_at?.0.saturating_sub(step.lead_at.0)))
            .collect();
        let customers = count(to_sale.len());
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("clicks", self.clicks.into());
        put("leads", leads.into());
        put("customers", customers.into());
        put("sales", self.sales.into());
        put("saleAmount", self.money.amount.into());
        put("currency", currency.as_str().into());
        put("unconverted", unconverted(&self.money.rest()));
        put("clickToLeadRate", fraction(leads, self.clicks));
        put("leadToSaleRate", fraction(customers, leads));
        put("clickToSaleRate", fraction(customers, self.clicks));
        put("epc", fraction(self.money.amount, self.clicks));
        put("timeToLead", waited(to_lead.collect()));
        put("timeToSale", waited(to_sale));
        Value::Object(shown)
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Median and mean of some spans in milliseconds, as seconds to the nearest; a clock that ran ahead counts as none.
fn waited(mut spans: Vec<i64>) -> Value {
    for span in &mut spans {
        *span = (*span).max(0);
    }
    spans.sort_unstable();
    let middle = spans.len() / 2;
    let Some(upper) = spans.get(middle) else { return json!({"median": null, "mean": null}) };
    let lower = if spans.len().is_multiple_of(2) { spans.get(middle.wrapping_sub(1)) } else { None };
    let sum: i128 = spans.iter().map(|span| i128::from(*span)).sum();
    let seconds = |sum: i128, n: i128| -> Value {
        let ms = n.saturating_mul(1000);
        i64::try_from((sum.saturating_mul(2).saturating_add(ms)) / ms.saturating_mul(2))
            .unwrap_or(i64::MAX)
            .into()
    };
    json!({
        "median": match lower {
            Some(lower) => seconds(i128::from(*lower) + i128::from(*upper), 2),
            None => seconds(i128::from(*upper), 1),
        },
        "mean": seconds(sum, i128::from(count(spans.len()))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(lead_s: i64, sale_s: Option<i64>) -> Step {
        let at = |s: i64| Millis(1_900_000_000_000 + s * 1000);
        Step { clicked_at: at(0), lead_at: at(lead_s), sale_at: sale_s.map(|s| at(lead_s + s)) }
    }

    #[test]
    fn rates_and_waits() {
        for (clicks, steps, expected) in [
            (0, vec![], [json!(null), json!(null), json!(null), json!(null), json!(null)]),
            (
                7,
                vec![step(10, Some(60)), step(30, None)],
                [json!("0.2857"), json!("0.5000"), json!("0.1429"), json!(20), json!(60)],
            ),
            (
                3,
                vec![step(1, Some(5)), step(2, Some(6)), step(1000, Some(8))],
                [json!("1.0000"), json!("1.0000"), json!("1.0000"), json!(2), json!(6)],
            ),
            // The clock of the page was ahead of the edge's.
            (
                1,
                vec![step(-3, Some(-1))],
                [json!("1.0000"), json!("1.0000"), json!("1.0000"), json!(0), json!(0)],
            ),
        ] {
            let funnel = Funnel { clicks, steps, ..Funnel::default() };
            let shown = funnel.shown(Currency::USD);
            let found = [
                "/clickToLeadRate",
                "/leadToSaleRate",
                "/clickToSaleRate",
                "/timeToLead/median",
                "/timeToSale/median",
            ]
            .map(|path| shown.pointer(path).cloned().unwrap());
            assert_eq!(found, expected, "{shown}");
        }
        let funnel = Funnel { clicks: 3, money: Sum { amount: 4900, ..Sum::default() }, ..Funnel::default() };
        assert_eq!(funnel.shown(Currency::USD)["epc"], "1633.3333");
    }

    #[test]
    fn means_are_to_the_nearest_second() {
        for (spans, median, mean) in [
            (vec![499], 0, 0),
            (vec![500], 1, 1),
            (vec![1000, 2000], 2, 2),
            (vec![1000, 1999], 1, 1),
            (vec![0, 0, 10_000], 0, 3),
        ] {
            assert_eq!(waited(spans.clone()), json!({"median": median, "mean": mean}), "{spans:?}");
        }
    }

    #[test]
    fn too_many_are_said() {
        let of = |n: usize| Funnel { steps: vec![step(1, None); n], ..Funnel::default() }.is_overfull();
        assert_eq!([of(MAX_PEOPLE), of(MAX_PEOPLE + 1)], [false, true]);
    }
}
