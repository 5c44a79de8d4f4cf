//! Holds the names of `src/edge/bindings.rs` against those of `wrangler.toml`.
//!
//! A name that is in only one of them would be found out by the first request that needs it, in production. Constants that
//! begin with `OPTIONAL_` are of bindings that the code does without.

use std::collections::BTreeSet;
use std::fs;

const CODE: &str = "src/edge/bindings.rs";
const CONFIG: &str = "wrangler.toml";

/// Fails with one line that names what is missing, and where.
pub(crate) fn check() -> Result<(), String> {
    println!("cargo:rerun-if-changed={CODE}");
    println!("cargo:rerun-if-changed={CONFIG}");
    let read = |path| fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"));
    compare(&names_in_code(&read(CODE)?), &names_in_config(&read(CONFIG)?)?)
}

fn compare(
    (needed, optional): &(BTreeSet<String>, BTreeSet<String>),
    config: &BTreeSet<String>,
) -> Result<(), String> {
    let list = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let only_code = list(needed.difference(config).collect());
    let only_config = list(config.difference(needed).filter(|name| !optional.contains(*name)).collect());
    match (only_code.is_empty(), only_config.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("{CONFIG} lacks bindings that {CODE} names: {only_code}")),
        (true, false) => Err(format!("{CODE} lacks bindings that {CONFIG} names: {only_config}")),
    }
}

/// The value of each `const NAME: &str = "VALUE";`, those of `OPTIONAL_` apart.
fn names_in_code(source: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let constants = source.lines().filter(|line| line.contains("const ") && line.contains(": &str ="));
    let (optional, needed): (Vec<&str>, Vec<&str>) =
        constants.partition(|line| line.contains("const OPTIONAL_"));
    let values = |lines: Vec<&str>| {
        lines.iter().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
    };
    (values(needed), values(optional))
}

/// Whatever is called `binding` in any table, and `name` among the Durable Objects and rate limiters.
///
/// Vars and secrets are no bindings of resources; `[vars]` is not looked at.
fn names_in_config(text: &str) -> Result<BTreeSet<String>, String> {
    let table: toml::Table = text.parse().map_err(|e| format!("{CONFIG} cannot be read: {e}"))?;
    let mut names = BTreeSet::new();
    for (key, value) in &table {
        collect(key, value, &mut names);
    }
    Ok(names)
}

fn collect(key: &str, value: &toml::Value, names: &mut BTreeSet<String>) {
    match value {
        toml::Value::String(name) if key == "binding" => {
            names.insert(name.clone());
        }
        toml::Value::Array(entries) if key == "bindings" || key == "ratelimits" => {
            names.extend(entries.iter().filter_map(|entry| entry.get("name")?.as_str()).map(str::to_owned));
        }
        toml::Value::Array(entries) => entries.iter().for_each(|entry| collect(key, entry, names)),
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| collect(key, value, names)),
        _ => {}
    }
}
