//! User agents of crawlers, as plain texts to search for.
//!
//! `data/crawler-user-agents.json` is the npm package of that name (MIT), unchanged. Its patterns are regular
//! expressions, almost all plain text: the few constructs in use are expanded here, so that the Worker needs
//! no regex engine. What the general words (`bot`, `crawl`, `spider`) find anyway is left out.
//! The package's own examples are a test: every one must be found.
//!
//! Form: sorted lines; `^` in front: at the start only; `$` in front: at the end only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const LIST: &str = "data/crawler-user-agents.json";

/// Patterns that people's devices have: a build of Android that phones run, and a phone's name.
const NOT_TAKEN: [&str; 2] = ["AP3A\\.240617\\.008", "Butterfly"];

/// Writes `crawlers.txt`.
pub(crate) fn generate(out: &Path) -> Result<(), String> {
    println!("cargo:rerun-if-changed={LIST}");
    let text = fs::read_to_string(LIST).map_err(|e| format!("cannot read {LIST}: {e}"))?;
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(|e| format!("{LIST}: {e}"))?;
    let mut found = BTreeSet::new();
    for entry in &entries {
        let pattern = entry.get("pattern").and_then(|p| p.as_str());
        let pattern = pattern.ok_or_else(|| format!("{LIST}: an entry without a pattern"))?;
        if !NOT_TAKEN.contains(&pattern) {
            found.extend(expand(pattern)?.into_iter().filter(|text| !is_general(text)));
        }
    }
    let lines: Vec<String> = found.into_iter().collect();
    let file = out.join("crawlers.txt");
    fs::write(&file, lines.join("\n")).map_err(|e| format!("cannot write {}: {e}", file.display()))
}

/// Whether `core::bots` finds the text by a general word.
fn is_general(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut after_bot = lower.match_indices("bot").filter_map(|(at, word)| lower.get(at + word.len()..));
    after_bot.any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        || lower.contains("crawl")
        || lower.contains("spider")
}

/// The texts that a pattern stands for.
fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for alternative in split_alternatives(pattern) {
        for text in expand_one(&alternative).map_err(|problem| format!("{LIST}: {pattern}: {problem}"))? {
            if text.len() < 3 {
                return Err(format!("{LIST}: {pattern}: too short to search for"));
            }
            texts.push(text.strip_suffix('$').map_or(text.clone(), |text| format!("${text}")));
        }
    }
    Ok(texts)
}

fn expand_one(alternative: &str) -> Result<Vec<String>, String> {
    let mut texts = vec![String::new()];
    let mut rest = alternative.chars();
    while let Some(c) = rest.next() {
        let choices: Vec<String> = match c {
            '\\' => match rest.next() {
                // A number follows: what stands before it is enough.
                Some('d') => break,
                Some(escaped) => vec![escaped.to_string()],
                None => return Err("ends with a backslash".to_owned()),
            },
            '[' => {
                let (class, after) = rest.as_str().split_once(']').ok_or("an open class")?;
                if class.starts_with(['^', '\\']) {
                    break; // anything follows: what stands before it is enough
                }
                rest = after.chars();
                class.chars().map(String::from).collect()
            }
            '(' => {
                let (group, after) = rest.as_str().split_once(')').ok_or("an open group")?;
                if group.starts_with("[^") {
                    break; // "or the end of the text": what stands before it is enough
                }
                rest = after.chars();
                group.split('|').map(str::to_owned).collect()
            }
            '^' if texts.iter().all(String::is_empty) => vec!["^".to_owned()],
            '$' if rest.as_str().is_empty() => vec!["$".to_owned()],
            '^' | '$' | '*' | '+' | '?' => {
                return Err(format!("{c} is not known to build_support/crawlers.rs"));
            }
            other => vec![other.to_string()],
        };
        texts = texts
            .iter()
            .flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}")))
            .collect();
    }
    Ok(texts)
}

/// Splits at `|` outside of groups and classes.
fn split_alternatives(pattern: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let (mut depth, mut escaped) = (0_u32, false);
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
}
