//! From a view to the rows of the read model, and to the words of the webhook log.

use serde_json::{Value, json};

use super::messages::{Outcome, Shown};
use super::view::{Policy, TouchView, View};
use crate::core::sentences::Sentence;

/// A table of the projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row: the customer.
    Customers,
    /// Leads.
    Leads,
    /// Sales.
    Sales,
    /// Signed entries.
    Entries,
    /// Subscriptions.
    Subscriptions,
    /// What waits.
    Parked,
}

impl Table {
    /// Every table but `customers`, whose row carries the version that guards the others.
    pub const GUARDED: [Self; 5] =
        [Self::Leads, Self::Sales, Self::Entries, Self::Subscriptions, Self::Parked];

    /// Its name in D1.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Leads => "leads",
            Self::Sales => "sales",
            Self::Entries => "entries",
            Self::Subscriptions => "subscriptions",
            Self::Parked => "parked",
        }
    }

    /// The inverse of [`Table::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Customers].into_iter().chain(Self::GUARDED).find(|table| table.name() == name)
    }

    /// Its columns in D1 (`migrations/`), each a field of the row's JSON.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Customers => &[
                "id",
                "workspace_id",
                "mode",
                "version",
                "merged_into",
                "visible",
                "external_id",
                "name",
                "email",
                "avatar",
                "country",
                "click_id",
                "link_id",
                "created_at",
                "first_sale_at",
                "subscription_canceled_at",
                "body",
            ],
            Self::Leads => &[
                "id",
                "workspace_id",
                "mode",
                "customer_id",
                "at",
                "event_name",
                "quantity",
                "click_id",
                "link_id",
                "clicked_at",
                "metadata",
            ],
            Self::Sales => &[
                "id",
                "workspace_id",
                "mode",
                "customer_id",
                "account",
                "reference",
                "at",
                "event_name",
                "amount",
                "currency",
                "tax",
                "processor",
                "invoice_id",
                "subscription_id",
                "click_id",
                "link_id",
                "clicked_at",
                "rate_day",
                "touches",
                "receipt",
            ],
            Self::Entries => &[
                "id",
                "workspace_id",
                "mode",
                "customer_id",
                "sale_id",
                "kind",
                "at",
                "amount",
                "currency",
                "rate_day",
                "click_id",
                "link_id",
                "reference",
            ],
            Self::Subscriptions => &[
                "id",
                "workspace_id",
                "mode",
                "customer_id",
                "account",
                "reference",
                "status",
                "mrr",
                "currency",
                "started_at",
                "churned_at",
                "click_id",
                "link_id",
            ],
            Self::Parked => &[
                "id",
                "workspace_id",
                "mode",
                "customer_id",
                "at",
                "kind",
                "reference",
                "event_id",
                "amount",
                "currency",
                "reason",
            ],
        }
    }
}

/// One row of the projection, without the version.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it goes.
    pub table: Table,
    /// Its primary key.
    pub id: String,
    /// Column → value.
    pub values: Value,
}

fn click(touch: Option<&TouchView>) -> (Option<&str>, Option<&str>) {
    (touch.map(|t| t.click_id.as_str()), touch.map(|t| t.link_id.as_str()))
}

/// JSON inside a TEXT column.
fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// All rows of a view.
#[must_use]
pub fn rows(view: &View, policy: &Policy, customer_id: &str) -> Vec<Row> {
    let mut rows = vec![customer_row(view, policy, customer_id)];
    let mut push = |table: Table, id: &str, mut values: Value| {
        if let Value::Object(map) = &mut values {
            map.insert("id".into(), id.into());
            map.insert("workspace_id".into(), policy.workspace_id.as_str().into());
            map.insert("mode".into(), policy.mode.as_str().into());
            map.insert("customer_id".into(), customer_id.into());
        }
        rows.push(Row { table, id: id.to_owned(), values });
    };
    for lead in &view.leads {
        let (click_id, link_id) = click(lead.touch.as_ref());
        push(
            Table::Leads,
            &lead.id,
            json!({"at": lead.at, "event_name": lead.event_name, "quantity": lead.quantity,
                "click_id": click_id, "link_id": link_id, "clicked_at": lead.touch.as_ref().map(|t| t.at),
                "metadata": lead.metadata}),
        );
    }
    for sale in &view.sales {
        let (click_id, link_id) = click(sale.touch.as_ref());
        push(
            Table::Sales,
            &sale.id,
            json!({"account": sale.account, "reference": sale.reference, "at": sale.at,
                "event_name": sale.event_name, "amount": sale.amount, "currency": sale.currency, "tax": sale.tax,
                "processor": sale.processor, "invoice_id": sale.invoice_id, "subscription_id": sale.subscription,
                "click_id": click_id, "link_id": link_id, "clicked_at": sale.touch.as_ref().map(|t| t.at),
                "rate_day": sale.rate_day, "touches": text(&sale.touches), "receipt": text(&sale.receipt)}),
        );
    }
    for entry in &view.entries {
        let (click_id, link_id) = click(entry.touch.as_ref());
        push(
            Table::Entries,
            &entry.id,
            json!({"sale_id": entry.sale_id, "kind": entry.kind.as_str(), "at": entry.at, "amount": entry.amount,
                "currency": entry.currency, "rate_day": entry.rate_day, "click_id": click_id, "link_id": link_id,
                "reference": entry.reference}),
        );
    }
    for subscription in &view.subscriptions {
        let (click_id, link_id) = click(subscription.touch.as_ref());
        push(
            Table::Subscriptions,
            &subscription.id,
            json!({"account": subscription.account, "reference": subscription.reference,
                "status": subscription.status, "mrr": subscription.mrr, "currency": subscription.currency,
                "started_at": subscription.started_at, "churned_at": subscription.churned_at,
                "click_id": click_id, "link_id": link_id}),
        );
    }
    for parked in &view.parked {
        push(
            Table::Parked,
            &parked.id,
            json!({"at": parked.at, "kind": parked.kind, "reference": parked.reference,
                "event_id": parked.event_id, "amount": parked.amount, "currency": parked.currency,
                "reason": parked.reason}),
        );
    }
    rows
}

fn customer_row(view: &View, policy: &Policy, customer_id: &str) -> Row {
    let customer = &view.customer;
    let (click_id, link_id) = click(customer.touches.last());
    let churned = view.subscriptions.iter().filter_map(|s| s.churned_at).max();
    let still_active = view.subscriptions.iter().any(|s| s.churned_at.is_none());
    let values = json!({"id": customer_id, "workspace_id": policy.workspace_id, "mode": policy.mode.as_str(),
        "merged_into": null, "visible": i64::from(customer.visible), "external_id": customer.external_id,
        "name": customer.name, "email": customer.email, "avatar": customer.avatar,
        "country": customer.country,
        "click_id": click_id, "link_id": link_id, "created_at": customer.created_at,
        "first_sale_at": view.sales.first().map(|sale| sale.at),
        "subscription_canceled_at": if still_active { None } else { churned },
        "body": text(customer)});
    Row { table: Table::Customers, id: customer_id.to_owned(), values }
}

/// How the customer is shown.
#[must_use]
pub fn shown(view: &View) -> Shown {
    let customer = &view.customer;
    Shown {
        external_id: customer.external_id.clone(),
        name: customer.name.clone(),
        email: customer.email.clone(),
        avatar: customer.avatar.clone(),
        country: customer.country.clone(),
        click_id: customer.touches.last().map(|touch| touch.click_id.clone()),
    }
}

/// What an event came to, in plain words.
#[must_use]
pub fn outcome(view: &View, event_id: &str) -> Outcome {
    let mut words = Vec::new();
    let mut sales = Vec::new();
    for sale in &view.sales {
        if sale.receipt.evidence.iter().any(|e| e.event_id == event_id) {
            let money = format!("{} {}", sale.amount, sale.currency);
            words.push(match &sale.touch {
                Some(touch) => Sentence::SaleOnLink.say(&[&money, &sale.reference, &touch.link_id]),
                None => Sentence::SaleUnattributed.say(&[&money, &sale.reference]),
            });
            sales.push(sale.id.clone());
        }
    }
    for parked in view.parked.iter().filter(|parked| parked.event_id == event_id) {
        words.push(Sentence::Parked.say(&[&parked.reason]));
    }
    if words.is_empty() {
        let who =
            view.customer.external_id.as_deref().or(view.customer.stripe_ids.first().map(|s| s.id.as_str()));
        words.push(who.map_or(Sentence::Noted.say(&[]), |who| Sentence::NotedFor.say(&[who])));
    }
    Outcome { event_id: event_id.to_owned(), verdict: words.join("; "), sales }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mode::Mode;

    #[test]
    fn every_column_has_a_value_in_its_row() {
        let policy = Policy { workspace_id: "ws_1".into(), mode: Mode::Live, window_days: 90 };
        let row = customer_row(&View::default(), &policy, "cus_1");
        for column in Table::Customers.columns().iter().filter(|c| **c != "version") {
            assert!(row.values.get(*column).is_some(), "{column}");
        }
        for table in Table::GUARDED {
            assert_eq!(Table::parse(table.name()), Some(table));
        }
    }
}
