//! A Directory and its ledgers in memory, on the core's own functions, and the books they keep.

use std::collections::BTreeSet;

use pimms_edge::core::ids::object_id;
use pimms_edge::core::ledger::alias::{Alias, aliases};
use pimms_edge::core::ledger::fact::Fact;
use pimms_edge::core::ledger::fold::fold;
use pimms_edge::core::ledger::view::{EntryKind, Policy, TouchView, View};
use pimms_edge::core::mode::Mode;

use crate::judge::{Books, scoped};
use crate::render::{ACCOUNTS, WORKSPACE};

/// One customer per set of joined aliases.
#[derive(Default)]
pub struct Directory {
    customers: Vec<(Vec<Alias>, Vec<Fact>)>,
}

impl Directory {
    pub fn accept(&mut self, fact: &Fact) {
        let mut names = aliases(fact);
        let mut facts = vec![fact.clone()];
        let mut at = 0;
        while let Some((known, _)) = self.customers.get(at) {
            if known.iter().any(|alias| names.iter().any(|name| name.joins(alias))) {
                let (more_names, more_facts) = self.customers.swap_remove(at);
                names.extend(more_names);
                facts.extend(more_facts);
                at = 0;
            } else {
                at += 1;
            }
        }
        names.sort();
        names.dedup();
        self.customers.push((names, facts));
    }

    pub fn views(&self) -> Vec<View> {
        let policy = Policy { workspace_id: WORKSPACE.into(), mode: Mode::Live, window_days: 90 };
        let mut views: Vec<View> =
            self.customers.iter().map(|(_, facts)| fold(facts.clone(), &policy)).collect();
        views.sort_by_cached_key(|view| serde_json::to_string(view).unwrap());
        views
    }
}

/// What the ledgers show, in the judge's words.
pub fn books(views: &[View]) -> Books {
    let mut books = Books::default();
    for view in views {
        for entry in &view.entries {
            let figures = books.at(link(entry.touch.as_ref()), entry.currency.as_str());
            match entry.kind {
                EntryKind::Sale => {
                    figures.sales += 1;
                    figures.gross += entry.amount;
                }
                EntryKind::Refund => figures.refunded -= entry.amount,
                EntryKind::Dispute | EntryKind::Reinstated => figures.disputed -= entry.amount,
            }
        }
        for parked in &view.parked {
            let reference = parked.reference.as_deref().unwrap_or_default();
            match (parked.kind.as_str(), parked.amount, parked.currency) {
                ("payment", ..) => drop(books.unmatched.insert(reference.to_owned())),
                ("refund" | "dispute", Some(amount), Some(currency)) => books.wait(currency.as_str(), amount),
                _ => {}
            }
        }
        let mut person: BTreeSet<String> = BTreeSet::new();
        person.extend(view.customer.external_ids.iter().map(|id| format!("ext:{id}")));
        person.extend(view.customer.stripe_ids.iter().map(|id| scoped(number(&id.account), &id.id)));
        if !person.is_empty() {
            books.people.insert(person);
        }
    }
    books.tidy()
}

fn number(account: &str) -> u8 {
    u8::from(ACCOUNTS.iter().position(|known| *known == account) == Some(1))
}

fn link(touch: Option<&TouchView>) -> Option<u8> {
    touch.map(|touch| {
        let known = (1..=4_u8).find(|n| object_id("link_", [*n; 16]) == touch.link_id);
        known.unwrap_or_else(|| panic!("an unknown link: {touch:?}"))
    })
}
