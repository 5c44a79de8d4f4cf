//! Turns `data/iso4217.csv` and `data/fx-seed.csv` into Rust tables.
//!
//! A row that cannot be read fails the build with its line: a wrong exponent would be a wrong amount.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const CURRENCIES: &str = "data/iso4217.csv";
const RATES: &str = "data/fx-seed.csv";

/// Writes `money_tables.rs` into the build's own folder.
pub(crate) fn generate(out: &Path) -> Result<(), String> {
    let read = |path: &str| {
        println!("cargo:rerun-if-changed={path}");
        fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))
    };
    let currencies = currencies(&read(CURRENCIES)?)?;
    let (day, rates) = rates(&read(RATES)?, &currencies)?;
    let path = out.join("money_tables.rs");
    fs::write(&path, code(&currencies, &day, &rates)).map_err(|e| format!("{}: {e}", path.display()))
}

/// The rows of a file, each with its number; comments and blank lines are skipped.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Code (lower case) and exponent. Codes without a minor unit are no currency of an amount, and left out.
fn currencies(text: &str) -> Result<BTreeMap<String, u8>, String> {
    let mut found = BTreeMap::new();
    for (number, line) in rows(text) {
        let wrong = |what: &str| format!("{CURRENCIES}:{number}: {what}: {line}");
        let [code, numeric, exponent, name] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(wrong("expected code,numeric,exponent,name"));
        };
        if numeric.len() != 3 || !numeric.bytes().all(|b| b.is_ascii_digit()) || name.is_empty() {
            return Err(wrong("expected three digits and a name"));
        }
        let code = lower(code).ok_or_else(|| wrong("expected three capital letters"))?;
        if exponent == "N.A." {
            continue;
        }
        let exponent = match exponent.as_bytes() {
            [digit @ b'0'..=b'4'] => digit - b'0',
            _ => return Err(wrong("expected an exponent of 0 to 4, or N.A.")),
        };
        if found.insert(code, exponent).is_some() {
            return Err(wrong("given twice"));
        }
    }
    Ok(found)
}

/// The day of the rates, and units of each currency for one dollar.
fn rates(text: &str, known: &BTreeMap<String, u8>) -> Result<(String, BTreeMap<String, String>), String> {
    let day = text.lines().find_map(|line| line.strip_prefix("# date:")).map(str::trim);
    let day =
        day.filter(|day| day.len() == 10).ok_or(format!("{RATES}: expected a line `# date: YYYY-MM-DD`"))?;
    let mut found = BTreeMap::new();
    for (number, line) in rows(text) {
        let wrong = |what: &str| format!("{RATES}:{number}: {what}: {line}");
        let (code, rate) = line.split_once(',').ok_or_else(|| wrong("expected code,rate"))?;
        let code =
            lower(code).filter(|code| known.contains_key(code)).ok_or_else(|| wrong("unknown code"))?;
        let decimal = rate.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !decimal || !rate.parse::<f64>().is_ok_and(|number| number > 0.0) {
            return Err(wrong("expected a rate above 0"));
        }
        if code == "usd" || found.insert(code, rate.to_owned()).is_some() {
            return Err(wrong("given twice"));
        }
    }
    Ok((day.to_owned(), found))
}

fn lower(code: &str) -> Option<String> {
    (code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())).then(|| code.to_ascii_lowercase())
}

fn code(currencies: &BTreeMap<String, u8>, day: &str, rates: &BTreeMap<String, String>) -> String {
    let mut text = String::from("// Made by build.rs from data/*.csv.\n");
    let _ = writeln!(text, "pub(super) static CURRENCIES: [([u8; 3], u8); {}] = [", currencies.len());
    for (code, exponent) in currencies {
        let _ = writeln!(text, "    (*b\"{code}\", {exponent}),");
    }
    let _ = writeln!(text, "];\npub(super) static SEED_DAY: &str = \"{day}\";");
    let _ = writeln!(text, "pub(super) static SEED: [(&str, &str); {}] = [", rates.len());
    for (code, rate) in rates {
        let _ = writeln!(text, "    (\"{code}\", \"{rate}\"),");
    }
    text.push_str("];\n");
    text
}
