//! `deny.toml` without cargo-deny, which not every machine has: licences, sources and bans of every crate that is
//! built, from what cargo itself says of them.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a check that cannot run is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What a program says.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.unwrap_or_else(|e| panic!("{program} does not start: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every crate that is built here: for this machine and for the Worker.
fn packages() -> Vec<Value> {
    let version = said("rustc", &["-vV"]);
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_else(|| panic!("{version}"));
    let mut found = Vec::new();
    for target in [host, "wasm32-unknown-unknown"] {
        let text = said(
            env!("CARGO"),
            &[
                "metadata",
                "--format-version=1",
                "--locked",
                "--offline",
                "--all-features",
                "--filter-platform",
                target,
            ],
        );
        let whole: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        found.extend(whole["packages"].as_array().into_iter().flatten().cloned());
    }
    found
}

fn rules() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|e| panic!("{e}"))
}

fn texts(value: &toml::Value, field: Option<&str>) -> Vec<String> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
    let text = |one: &toml::Value| field.map_or(one.as_str(), |name| one[name].as_str()).map(str::to_owned);
    list.iter().filter_map(text).collect()
}

/// Whether an SPDX expression leaves a choice that is allowed. `a/b` is the old way to write `a OR b`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let answer = either(&mut rest, allowed);
    answer && rest.is_empty()
}

fn either(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut answer = both(words, allowed);
    while let Some((&"OR", rest)) = words.split_first() {
        *words = rest;
        answer |= both(words, allowed);
    }
    answer
}

fn both(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut answer = one(words, allowed);
    while let Some((&"AND", rest)) = words.split_first() {
        *words = rest;
        answer &= one(words, allowed);
    }
    answer
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    *words = rest;
    if *first == "(" {
        let answer = either(words, allowed);
        let Some((&")", rest)) = words.split_first() else { return false };
        *words = rest;
        return answer;
    }
    // A licence with an exception is another licence.
    if let Some((&"WITH", rest)) = words.split_first() {
        *words = rest.split_first().map_or(rest, |(_, rest)| rest);
        return false;
    }
    allowed.iter().any(|known| known == first)
}

#[test]
fn every_crate_has_an_allowed_licence_and_source() {
    let rules = rules();
    let licences = texts(&rules["licenses"]["allow"], None);
    let banned = texts(&rules["bans"]["deny"], Some("crate"));
    let packages = packages();
    assert!(packages.len() > 100, "{}", packages.len());
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        if banned.iter().any(|crate_name| crate_name == name) {
            wrong.push(format!("{name} is banned"));
        }
        if let Some(source) = package["source"].as_str() {
            let licence = package["license"].as_str().unwrap_or_default();
            if source != CRATES_IO {
                wrong.push(format!("{name} is from {source}"));
            }
            if !is_allowed(licence, &licences) {
                wrong.push(format!("{name} has the licence {licence:?}"));
            }
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["req"] == "*" && dependency["path"].is_null() {
                wrong.push(format!("{name} takes any version of {}", dependency["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn licences_are_read_as_spdx_writes_them() {
    let allowed = ["MIT", "Apache-2.0", "Zlib"].map(str::to_owned);
    for (expression, expected) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND (GPL-3.0 OR Zlib)", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("GPL-3.0 OR MIT AND Zlib", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("", false),
        ("MIT )", false),
        ("(MIT", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression:?}");
    }
}
