//! What a ledger has to tell the world: leads, sales, and what undoes them, each once.
//!
//! A view is folded anew with every fact, so "new" is not what differs from the last view but what was never told.
//! The ledger keeps that in its own storage, beside the facts. A sale is known by every id of its payment, for it is
//! booked under the best of those that are known; of refunds and disputes the total is known, for single refunds may be
//! told in any order and again as a sum. Told is only what has a click, as it gets one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::view::{EntryKind, Policy, SaleView, TouchView, View};
use crate::core::money::total;
use crate::core::webhook::{self, Subject, Trigger};

/// What was told of, by key, and where it stood then.
pub type ToldMap = BTreeMap<String, Told>;

/// Where something stood when it was last told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// How often it was told.
    pub times: i64,
    /// The total, of refunds and disputes.
    pub total: i64,
}

/// One event to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// `evt_…`, derived.
    pub id: String,
    /// `ws_…`
    pub workspace_id: String,
    /// Live or test.
    pub mode: crate::core::mode::Mode,
    /// Of which kind.
    pub event: Trigger,
    /// Whose.
    pub customer_id: String,
    /// [`Subject`] as JSON text: it goes into a column.
    pub subject: String,
}

/// What of the view was never told. `told` learns of it. Of an erased person no lead is new: its id was made of what was
/// erased.
#[must_use]
pub fn announce(
    view: &View,
    policy: &Policy,
    customer_id: &str,
    erased: bool,
    told: &mut ToldMap,
) -> Vec<News> {
    let mut desk = Desk { policy, customer_id, told, news: Vec::new() };
    if !erased {
        desk.leads(view);
    }
    for sale in &view.sales {
        if let Some(touch) = &sale.touch {
            desk.sale(view, sale, touch);
        }
    }
    desk.news
}

/// Two maps as one; the latest told counts.
pub fn unite(told: &mut ToldMap, other: ToldMap) {
    for (key, theirs) in other {
        let mine = told.entry(key).or_default();
        *mine = (*mine).max(theirs);
    }
}

struct Desk<'a> {
    policy: &'a Policy,
    customer_id: &'a str,
    told: &'a mut ToldMap,
    news: Vec<News>,
}

impl Desk<'_> {
    fn leads(&mut self, view: &View) {
        for lead in &view.leads {
            let Some(touch) = &lead.touch else { continue };
            // Which event implies it changes with what arrives; that one does, is told once.
            let key = if lead.implied { "lead|implied".to_owned() } else { format!("lead|{}", lead.id) };
            let subject = Subject {
                event_name: Some(lead.event_name.clone()),
                metadata: lead.metadata.clone(),
                ..self.subject(touch)
            };
            let name = if lead.implied { format!("implied|{}", self.customer_id) } else { lead.id.clone() };
            self.tell(Trigger::LeadCreated, &[key], &name, 0, &subject);
        }
    }

    fn sale(&mut self, view: &View, sale: &SaleView, touch: &TouchView) {
        let ids = ids(view, sale);
        let keys = |kind: &str| -> Vec<String> {
            ids.iter().map(|id| format!("{kind}|{}|{id}", sale.account)).collect()
        };
        let subject = Subject {
            event_name: Some(sale.event_name.clone()),
            sale_id: Some(sale.id.clone()),
            amount: Some(sale.amount),
            currency: Some(sale.currency.as_str().to_owned()),
            processor: Some(sale.processor.clone()),
            invoice_id: sale.invoice_id.clone(),
            ..self.subject(touch)
        };
        self.tell(Trigger::SaleCreated, &keys("sale"), &sale.id, 0, &subject);
        for (trigger, kind, kinds) in [
            (Trigger::SaleRefunded, "refund", [EntryKind::Refund, EntryKind::Refund]),
            (Trigger::SaleDisputed, "dispute", [EntryKind::Dispute, EntryKind::Reinstated]),
        ] {
            let of_sale = view.entries.iter().filter(|entry| entry.sale_id.as_ref() == Some(&sale.id));
            let total = -total(of_sale.filter(|entry| kinds.contains(&entry.kind)).map(|entry| entry.amount));
            let keys = keys(kind);
            let before = self.before(&keys);
            if total != before.total {
                let change = Some(total.saturating_sub(before.total));
                let name = format!("{}|{}", sale.id, before.times + 1);
                let subject = Subject { change, total: Some(total), ..subject.clone() };
                self.tell(trigger, &keys, &name, total, &subject);
            }
        }
    }

    fn subject(&self, touch: &TouchView) -> Subject {
        Subject {
            link_id: Some(touch.link_id.clone()),
            click_id: Some(touch.click_id.clone()),
            clicked_at: Some(touch.at.0),
            customer_id: Some(self.customer_id.to_owned()),
            ..Subject::default()
        }
    }

    fn before(&self, keys: &[String]) -> Told {
        keys.iter().filter_map(|key| self.told.get(key)).max().copied().unwrap_or_default()
    }

    /// Tells it, unless it was told and stands where it stood; all its keys know of it from then on.
    fn tell(&mut self, trigger: Trigger, keys: &[String], name: &str, total: i64, subject: &Subject) {
        let before = self.before(keys);
        let is_new = before.times == 0 || before.total != total;
        let now = if is_new { Told { times: before.times + 1, total } } else { before };
        for key in keys {
            self.told.insert(key.clone(), now);
        }
        if is_new {
            self.news.push(News {
                id: webhook::event_id(&self.policy.scope(), trigger, name),
                workspace_id: self.policy.workspace_id.clone(),
                mode: self.policy.mode,
                event: trigger,
                customer_id: self.customer_id.to_owned(),
                subject: serde_json::to_string(subject).unwrap_or_default(),
            });
        }
    }
}

/// What names the sale: its own reference, and those of its payment when that is no other sale.
fn ids<'a>(view: &'a View, sale: &'a SaleView) -> Vec<&'a str> {
    let mut ids: Vec<&str> =
        [Some(&sale.reference), sale.invoice_id.as_ref()].into_iter().flatten().map(String::as_str).collect();
    if view.sales.iter().filter(|other| other.node == sale.node && other.account == sale.account).count() == 1
    {
        ids.extend(sale.receipt.references.iter().map(String::as_str));
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}
