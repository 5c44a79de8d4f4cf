//! The compact form of the maintained list of crawlers: it finds the list's own examples, and no people.

use pimms_edge::core::bots::is_bot;

/// Entries that people's devices match; `build_support/crawlers.rs` says why.
const NOT_TAKEN: [&str; 2] = ["AP3A\\.240617\\.008", "Butterfly"];

#[test]
fn every_example_of_the_list_is_found() {
    let text = include_str!("../data/crawler-user-agents.json");
    let entries: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let taken = entries.iter().filter(|entry| !NOT_TAKEN.contains(&entry["pattern"].as_str().unwrap()));
    let examples: Vec<&str> = taken
        .flat_map(|entry| entry["instances"].as_array().unwrap())
        .map(|example| example.as_str().unwrap())
        .collect();
    let missed: Vec<_> = examples.iter().filter(|example| !is_bot(example)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(examples.len() > 2_000, "{}", examples.len());
}

/// Source: every 150th of the browsers that the crate `isbot` 0.1.3 (MIT) tests with, but for a handful that
/// name an app of the list.
#[test]
fn browsers_of_people_are_not_found() {
    let browsers: Vec<&str> = include_str!("fixtures/browsers.txt").lines().collect();
    let taken: Vec<_> = browsers.iter().filter(|browser| is_bot(browser)).collect();
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(browsers.len() > 1_000, "{}", browsers.len());
}
