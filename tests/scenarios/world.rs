//! A small world: events with their decisive fields, a Directory in memory, and books as lines of text.

use std::collections::{BTreeMap, BTreeSet};

use pimms_edge::core::click_id::Keys;
use pimms_edge::core::ids::object_id;
use pimms_edge::core::ledger::alias::{Alias, aliases};
use pimms_edge::core::ledger::fact::Fact;
use pimms_edge::core::ledger::fact::Touch;
use pimms_edge::core::ledger::fold::fold;
use pimms_edge::core::ledger::view::{EntryKind, Policy, TouchView, View};
use pimms_edge::core::mode::Mode;
use pimms_edge::core::stripe::event::{Reader, Reading};
use pimms_edge::core::stripe::read;
use pimms_edge::core::thank_you::Arrival;
use pimms_edge::core::time::Millis;
use pimms_edge::core::track::{LeadCall, SaleCall};
use serde_json::{Value, json};

pub const WORKSPACE: &str = "ws_1";
/// The moment of the story's beginning, in seconds.
pub const T0: i64 = 1_763_000_000;
pub const DAY: i64 = 86_400;
/// A month of thirty days.
pub const MONTH: i64 = 30 * DAY;

pub fn keys() -> Keys {
    Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()
}

/// The click `c<number>` on link `l<number>`, `at` seconds after [`T0`].
pub fn click(number: u8, at: i64) -> String {
    keys().issue(WORKSPACE, [number; 16], Millis((T0 + at) * 1000), u32::from(number)).unwrap()
}

fn link_name(touch: Option<&TouchView>) -> String {
    touch.map_or("-".to_owned(), |touch| {
        let number = (1..=9_u8).find(|n| object_id("link_", [*n; 16]) == touch.link_id);
        number.map_or(touch.link_id.clone(), |n| format!("c{n}"))
    })
}

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Step {
    Event(Value),
    Lead { at: i64, body: Value },
    Sale { at: i64, body: Value },
    Arrival(Arrival),
}

/// An event `at` seconds after [`T0`]; its id is made from type, object and time.
pub fn event(at: i64, kind: &str, object: Value) -> Step {
    let id = format!("evt_{kind}_{}_{at}", object["id"].as_str().unwrap_or("none"));
    Step::Event(
        json!({"id": id, "type": kind, "created": T0 + at, "livemode": true, "data": {"object": object}}),
    )
}

impl Step {
    /// The same event with other envelope fields.
    pub fn with(self, name: &str, value: Value) -> Self {
        match self {
            Self::Event(mut event) => {
                event[name] = value;
                Self::Event(event)
            }
            other => other,
        }
    }
}

pub fn lead(at: i64, external: &str, click_id: &str, name: &str) -> Step {
    Step::Lead { at, body: json!({"externalId": external, "clickId": click_id, "eventName": name}) }
}

/// A browser with a click comes to the thank-you page of a session.
pub fn arrival(at: i64, session_id: &str, click_id: &str) -> Step {
    Step::Arrival(Arrival {
        workspace_id: WORKSPACE.to_owned(),
        session_id: session_id.to_owned(),
        touch: Touch::check(&keys(), WORKSPACE, "pimms_id", click_id),
        at: Millis((T0 + at) * 1000),
    })
}

pub fn tracked(at: i64, external: &str, invoice: &str, amount: i64) -> Step {
    Step::Sale {
        at,
        body: json!({"externalId": external, "invoiceId": invoice, "amount": amount, "paymentProcessor": "stripe"}),
    }
}

/// The facts a step states; `number` makes the id of a track call.
pub fn facts(step: &Step, number: usize) -> Vec<Fact> {
    let keys = keys();
    match step {
        Step::Event(event) => {
            let body = event.to_string();
            match read(body.as_bytes()).unwrap().reading(&Reader { keys: &keys, workspace_id: WORKSPACE }) {
                Reading::Facts(facts) => facts,
                Reading::Ignored | Reading::Unusable(_) | Reading::Deauthorized => Vec::new(),
            }
        }
        Step::Lead { at, body } => {
            let call = LeadCall::read(body).unwrap();
            let touch = Touch::check(&keys, WORKSPACE, "clickId", &call.click_id);
            vec![call.fact(format!("lead_{number}"), Millis((T0 + at) * 1000), Some(touch))]
        }
        Step::Sale { at, body } => {
            let call = SaleCall::read(body).unwrap();
            vec![call.fact(format!("sale_{number}"), Millis((T0 + at) * 1000), None)]
        }
        Step::Arrival(arrival) => vec![arrival.fact("")],
    }
}

/// What the Durable Object of that name does, in memory: one customer per set of joined aliases.
#[derive(Default)]
pub struct Directory {
    owners: Vec<(Alias, usize)>,
    ledgers: BTreeMap<usize, Vec<Fact>>,
    claims: BTreeSet<String>,
    /// Arrivals whose session no event has named yet.
    waiting: Vec<Arrival>,
    next: usize,
}

impl Directory {
    pub fn accept(&mut self, step: &Step, number: usize) {
        if let Step::Lead { body, .. } = step {
            let call = LeadCall::read(body).unwrap();
            if !self.claims.insert(call.claim(&call.click_id)) {
                return;
            }
        }
        if let Step::Sale { body, .. } = step
            && let Some(claim) = SaleCall::read(body).unwrap().claim()
            && !self.claims.insert(claim)
        {
            return;
        }
        if let Step::Arrival(arrival) = step {
            self.waiting.push(arrival.clone());
            return self.arrive();
        }
        for fact in facts(step, number) {
            let names = aliases(&fact);
            let joined = |known: &Alias| names.iter().any(|name| name.joins(known));
            let found: BTreeSet<usize> =
                self.owners.iter().filter(|(known, _)| joined(known)).map(|(_, owner)| *owner).collect();
            let winner = found.iter().next().copied().unwrap_or_else(|| {
                self.next += 1;
                self.next
            });
            let mut set = vec![fact];
            for loser in &found {
                set.extend(self.ledgers.remove(loser).unwrap_or_default());
            }
            for (_, owner) in self.owners.iter_mut().filter(|(_, owner)| found.contains(owner)) {
                *owner = winner;
            }
            self.owners.extend(names.into_iter().map(|name| (name, winner)));
            self.ledgers.insert(winner, set);
        }
        self.arrive();
    }

    /// Gives the arrivals to whoever Stripe says that their session is of.
    fn arrive(&mut self) {
        for arrival in std::mem::take(&mut self.waiting) {
            let of_session = |(alias, _): &&(Alias, usize)| {
                !alias.tracked && alias.payment.as_ref() == Some(&arrival.session_id)
            };
            match self.owners.iter().find(of_session) {
                Some((alias, owner)) => {
                    let fact = arrival.fact(alias.text.split_once('|').unwrap().0);
                    self.ledgers.get_mut(owner).unwrap().push(fact);
                }
                None => self.waiting.push(arrival),
            }
        }
    }

    pub fn views(&self) -> Vec<View> {
        let policy = Policy { workspace_id: WORKSPACE.into(), mode: Mode::Live, window_days: 90 };
        self.ledgers.values().map(|facts| fold(facts.clone(), &policy)).collect()
    }
}

/// Everything the books show, as lines in one order; ids that depend on arrival are not in them.
pub fn lines(views: &[View]) -> Vec<String> {
    let mut lines = Vec::new();
    for view in views {
        for sale in &view.sales {
            let link = link_name(sale.touch.as_ref());
            lines.push(format!("sale {} {} {} {link}", sale.reference, sale.amount, sale.currency));
        }
        for entry in view.entries.iter().filter(|entry| entry.kind != EntryKind::Sale) {
            let tied = if entry.sale_id.is_some() { "" } else { " untied" };
            let link = link_name(entry.touch.as_ref());
            lines.push(format!("{} {} {} {link}{tied}", entry.kind.as_str(), entry.amount, entry.currency));
        }
        if view.customer.visible {
            let mut names: Vec<&str> = view.customer.external_ids.iter().map(String::as_str).collect();
            names.extend(view.customer.stripe_ids.iter().map(|s| s.id.as_str()));
            lines.push(format!("customer {}", names.join(" ")).trim_end().to_owned());
        }
        lines.extend(view.leads.iter().map(|lead| {
            format!("lead {} {}", lead.event_name.replace(' ', "-"), link_name(lead.touch.as_ref()))
        }));
        lines.extend(view.parked.iter().map(|parked| format!("parked {}", parked.kind)));
    }
    lines.sort();
    lines
}
