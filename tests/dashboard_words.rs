//! The dashboard has words in English and in French for everything that the core says in words or codes.

use std::collections::{BTreeMap, BTreeSet};

use pimms_edge::core::attribution::MODELS;
use pimms_edge::core::click_id::Refusal;
use pimms_edge::core::ledger::view::{EntryKind, Rule};
use pimms_edge::core::problem::Code;
use pimms_edge::core::sentences::Sentence;

/// Lines of the form `'key': ['English', 'French'],` of a source; keys also bare or in double quotes.
fn words(source: &str) -> BTreeMap<String, [String; 2]> {
    let mut found = BTreeMap::new();
    for line in source.lines().map(str::trim) {
        let Some((key, rest)) =
            quoted(line).or_else(|| line.split_once(": [").map(|(key, _)| (key, &line[key.len()..])))
        else {
            continue;
        };
        let Some(rest) = rest.strip_prefix(": [") else { continue };
        let Some((english, rest)) = quoted(rest) else { continue };
        let Some((french, rest)) = rest.strip_prefix(", ").and_then(quoted) else { continue };
        assert_eq!(rest, "],", "{line}");
        let before = found.insert(key.to_owned(), [english.to_owned(), french.to_owned()]);
        assert!(before.is_none(), "twice: {key}");
    }
    found
}

/// A text in quotes at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn places(words: &str) -> BTreeSet<&str> {
    words.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn all_words() -> BTreeMap<String, [String; 2]> {
    let sources = [
        include_str!("../dashboard/src/words.ts"),
        include_str!("../dashboard/src/words-money.ts"),
        include_str!("../dashboard/src/words-settings.ts"),
    ];
    sources.into_iter().flat_map(words).collect()
}

#[test]
fn every_sentence_of_the_core_is_said_in_both_languages() {
    let known = words(include_str!("../dashboard/src/sentences.ts"));
    let refusals = [
        Refusal::Empty,
        Refusal::Placeholder("{text}"),
        Refusal::Malformed,
        Refusal::Forged,
        Refusal::Foreign,
    ];
    let sentences = Sentence::ALL.iter().map(|sentence| sentence.words().to_owned());
    let said: BTreeSet<String> = sentences.chain(refusals.map(|refusal| refusal.to_string())).collect();
    let translated: BTreeSet<String> = known.keys().cloned().collect();
    assert_eq!(said, translated);
    for (core, [english, french]) in &known {
        assert_ne!(english, french, "{core}");
        assert_eq!(places(english), places(french), "{core}");
        assert!(places(english).is_subset(&places(core)), "{core}");
    }
}

#[test]
fn every_code_has_words() {
    let known = all_words();
    let has = |key: &str| assert!(known.contains_key(key), "no words for {key}");
    for code in Code::ALL {
        has(&format!("code.{}", code.wire().0));
    }
    for rule in [Rule::OwnClick, Rule::Subscription, Rule::LastClick, Rule::ThankYou, Rule::None] {
        let name = serde_json::to_value(rule).unwrap();
        for kind in ["rule", "why"] {
            has(&format!("{kind}.{}", name.as_str().unwrap()));
        }
    }
    for kind in [EntryKind::Sale, EntryKind::Refund, EntryKind::Dispute, EntryKind::Reinstated] {
        has(&format!("entry.{}", kind.as_str()));
    }
    for (model, _) in MODELS {
        has(&format!("model.{model}"));
    }
}
