//! The rules that hold the house together and that no compiler checks.
//!
//! Each rule is a function from text to what is wrong with it, tried first on a sample that breaks it: a rule
//! that cannot fail protects nothing.

#![expect(clippy::panic, reason = "a rule that cannot be checked is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "common", "misc", "types", "shared"];

/// Past this a file holds more than one thing.
const MAX_LINES: usize = 600;

/// What the core may not name, and why.
const FORBIDDEN_IN_CORE: [(&str, &str); 9] = [
    ("worker::", "the platform belongs to `edge`"),
    ("wasm_bindgen", "the platform belongs to `edge`"),
    ("js_sys", "the platform belongs to `edge`"),
    ("crate::edge", "arrows point downwards"),
    ("crate::http", "arrows point downwards"),
    ("::now()", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("getrandom", "randomness is an argument"),
    ("std::env", "configuration is an argument"),
];

/// What no Rust file of the Worker may contain.
const FORBIDDEN_IN_WORKER: [(&str, &str); 5] = [
    ("use worker::*", "it shadows `Result`; name what is used"),
    ("todo!", "unfinished"),
    ("unimplemented!", "unfinished"),
    ("println!", "a Worker has no stdout; use `console_log!`"),
    ("dbg!", "left over from a search"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the checkout.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            let path = entry.unwrap_or_else(|e| panic!("{}: {e}", path.display())).path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no Rust file below {folder}");
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The forbidden words of a source, comments aside, each with its line.
fn naming(source: &str, forbidden: &[(&str, &str)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (word, why) in forbidden {
            if code.contains(word) {
                wrong.push(format!("{}: `{word}`: {why}", number + 1));
            }
        }
    }
    wrong
}

fn is_empty_name(path: &Path) -> bool {
    path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| EMPTY_NAMES.contains(&stem))
}

/// Packages of a package.json whose version is a range.
fn unpinned(package_json: &str) -> Vec<String> {
    let package: serde_json::Value = serde_json::from_str(package_json).unwrap_or_default();
    let versions = package.get("devDependencies").and_then(serde_json::Value::as_object);
    versions
        .into_iter()
        .flatten()
        .filter(|(_, version)| {
            !version.as_str().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

fn assert_clean(folder: &str, wrong_in: impl Fn(&Path) -> Vec<String>) {
    let wrong: Vec<String> = rust_files(folder)
        .iter()
        .flat_map(|path| wrong_in(path).into_iter().map(|what| format!("{}:{what}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let impure = "use worker::Env;\nlet at = Utc::now();\n// worker:: in a comment is fine\n";
    assert_eq!(naming(impure, &FORBIDDEN_IN_CORE).len(), 2);
    assert_clean("src/core", |path| naming(&read(path), &FORBIDDEN_IN_CORE));
}

#[test]
fn arrows_point_downwards() {
    let upwards = [("crate::http", "the edge knows no routes")];
    assert_eq!(naming("use crate::http::respond;", &upwards).len(), 1);
    assert_clean("src/edge", |path| naming(&read(path), &upwards));
}

#[test]
fn the_worker_is_finished_and_says_what_it_imports() {
    assert_eq!(naming("use worker::*;\ntodo!()", &FORBIDDEN_IN_WORKER).len(), 2);
    assert_clean("src", |path| naming(&read(path), &FORBIDDEN_IN_WORKER));
}

#[test]
fn files_are_named_after_what_they_hold() {
    assert!(is_empty_name(Path::new("src/utils.rs")));
    assert!(!is_empty_name(Path::new("src/core/ids.rs")));
    for folder in ["src", "cli/src", "tests", "build_support"] {
        assert_clean(folder, |path| {
            if is_empty_name(path) { vec!["1: name it after what it holds".into()] } else { Vec::new() }
        });
    }
}

#[test]
fn files_hold_one_thing() {
    // Tests are tables, and a table may be long.
    for folder in ["src", "cli/src", "build_support"] {
        assert_clean(folder, |path| {
            let lines = read(path).lines().count();
            if lines > MAX_LINES { vec![format!("{lines}: more than {MAX_LINES} lines")] } else { Vec::new() }
        });
    }
}

#[test]
fn javascript_tools_are_pinned_exactly() {
    assert_eq!(unpinned(r#"{"devDependencies":{"a":"^1.0.0","b":"1.0.0"}}"#).len(), 1);
    let found = unpinned(&read(&root().join("package.json")));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_platform_is_seen_by_wasm_only() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap_or_default();
    let native = manifest.get("dependencies").and_then(toml::Value::as_table);
    let native = native.unwrap_or_else(|| panic!("Cargo.toml has dependencies"));
    for name in ["worker", "wasm-bindgen", "js-sys", "getrandom"] {
        assert!(
            !native.contains_key(name),
            "{name} must stand under [target.'cfg(target_arch = \"wasm32\")']"
        );
    }
}
