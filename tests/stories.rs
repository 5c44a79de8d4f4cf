//! The stories that the tool and the end-to-end tests tell, natively: what their events state adds up to what the
//! storyteller counted, before any of it goes through HTTP.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing step ends the test")]

#[path = "e2e/crowd.rs"]
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
mod crowd;

use std::collections::{BTreeMap, BTreeSet};

use crowd::{Clicked, Crowd};
use pimms_cli::random::Random;
use pimms_cli::simulate::story::{Cast, Step, tell};
use pimms_cli::totals::{Totals, differences};
use pimms_edge::core::click_id::Keys;
use pimms_edge::core::ids::object_id;
use pimms_edge::core::ledger::alias::aliases;
use pimms_edge::core::ledger::fact::{Body, Fact, Person, Source, Touch};
use pimms_edge::core::ledger::fold::fold;
use pimms_edge::core::ledger::view::{EntryKind, Policy};
use pimms_edge::core::mode::Mode;
use pimms_edge::core::stripe::event::{Reader, Reading};
use pimms_edge::core::stripe::read;
use pimms_edge::core::time::Millis;

const WORKSPACE: &str = "ws_1";
const NOW: i64 = 1_763_000_000;

fn keys() -> Keys {
    Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()
}

/// `count` clicks on three links, one second apart, the last before [`NOW`].
fn clicks(count: u32) -> Vec<Clicked> {
    (0..count)
        .map(|number| {
            let link = [u8::try_from(number % 3 + 1).unwrap(); 16];
            let at = Millis((NOW - i64::from(count - number)) * 1000);
            let click_id = keys().issue(WORKSPACE, link, at, number).unwrap();
            Clicked { link_id: object_id("link_", link), click_id }
        })
        .collect()
}

fn facts(steps: &[Step]) -> Vec<(Mode, Fact)> {
    let keys = keys();
    let reader = Reader { keys: &keys, workspace_id: WORKSPACE };
    let mut facts = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Event(event) => match read(event.body().as_bytes()).unwrap().reading(&reader) {
                Reading::Facts(stated) => facts.extend(stated.into_iter().map(|fact| (event.world(), fact))),
                other => unreachable!("{}: {other:?}", event.kind()),
            },
            Step::Lead { click_id, external_id, .. } => facts.push((
                Mode::Live,
                Fact {
                    source: Source {
                        event_id: format!("lead_{index}"),
                        event_type: "track.lead".into(),
                        at: Millis((NOW + 100) * 1000),
                        account: String::new(),
                    },
                    body: Body::Lead {
                        person: Person { external_id: Some(external_id.clone()), ..Person::default() },
                        touches: vec![Touch::check(&keys, WORKSPACE, "clickId", click_id)],
                        event_name: "Sign up".into(),
                        quantity: 1,
                        metadata: None,
                    },
                },
            )),
        }
    }
    facts
}

/// Groups what shares a name: each set of facts is one customer's.
fn customers(facts: Vec<Fact>) -> impl Iterator<Item = Vec<Fact>> {
    let mut sets: Vec<(Vec<String>, Vec<Fact>)> = Vec::new();
    let mut owner: BTreeMap<String, usize> = BTreeMap::new();
    for fact in facts {
        let mut names: Vec<String> = aliases(&fact).into_iter().map(|alias| alias.text).collect();
        let mut all = vec![fact];
        let known: BTreeSet<usize> = names.iter().filter_map(|name| owner.get(name)).copied().collect();
        for index in known {
            let (more_names, more) = std::mem::take(&mut sets[index]);
            names.extend(more_names);
            all.extend(more);
        }
        owner.extend(names.iter().map(|name| (name.clone(), sets.len())));
        sets.push((names, all));
    }
    sets.into_iter().map(|(_, facts)| facts)
}

/// Sums what each customer's ledger shows.
fn book(steps: &[Step]) -> Totals {
    let mut totals = Totals::default();
    let stated = facts(steps);
    for mode in [Mode::Live, Mode::Test] {
        let of_mode = stated.iter().filter(|(of, _)| *of == mode).map(|(_, fact)| fact.clone()).collect();
        let policy = Policy { workspace_id: WORKSPACE.into(), mode, window_days: 90 };
        let world = if mode == Mode::Live { &mut totals.live } else { &mut totals.test };
        for entry in customers(of_mode).flat_map(|facts| fold(facts, &policy).entries) {
            let figures = match &entry.touch {
                Some(touch) => world.link(&touch.link_id),
                None => &mut world.unattributed,
            };
            let currency = entry.currency.as_str();
            match entry.kind {
                EntryKind::Sale => figures.sale(entry.amount, currency),
                EntryKind::Refund => figures.refund(-entry.amount, currency),
                EntryKind::Dispute | EntryKind::Reinstated => figures.dispute(-entry.amount, currency),
            }
        }
    }
    totals
}

#[test]
fn the_story_of_simulate_is_exact_with_two_hundred_seeds() {
    for seed in 1..=200 {
        let made = clicks(2);
        let cast = Cast {
            suffix: format!("s{seed}"),
            link_id: made[0].link_id.clone(),
            subscriber_click: made[0].click_id.clone(),
            guest_click: keys().issue(WORKSPACE, [1; 16], Millis((NOW - 1) * 1000), 9).unwrap(),
            clicked_at: NOW,
        };
        let mut story = tell(&cast, &mut Random::new(seed));
        for link in story.expected.live.links.values_mut() {
            link.clicks = 0;
        }
        let wrong = differences(&story.expected.lines(), &book(&story.steps).lines());
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn crowds_add_up_to_what_was_counted_while_they_were_told() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 1..=12 {
        let mut crowd = Crowd::new(seed, "c", clicks(60), NOW + 1);
        crowd.tell(40, 500);
        assert!(crowd.events() >= 500);
        for step in &crowd.steps {
            if let Step::Event(event) = step {
                *kinds.entry(event.kind().to_owned()).or_default() += 1;
            }
        }
        let wrong = differences(&crowd.expected.lines(), &book(&crowd.steps).lines());
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    }
    assert!(kinds.len() >= 17, "{kinds:?}");
}
