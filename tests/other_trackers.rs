//! `docs/other-trackers.md` names tests: each of them exists, and no defect is left out.

#![expect(clippy::unwrap_used, reason = "a failing step ends the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/other-trackers.md")).unwrap()
}

#[test]
fn every_test_it_names_exists() {
    let mut code = String::new();
    for folder in ["src", "tests", "cli/src", "cli/tests"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut code);
    }
    let page = page();
    let quoted = page.split('`').skip(1).step_by(2).filter(|text| text.contains("::"));
    let names: BTreeSet<&str> = quoted.filter_map(|text| text.rsplit("::").next()).collect();
    assert!(names.len() > 40, "{} names", names.len());
    let missing: Vec<_> = names.iter().filter(|name| !code.contains(&format!("fn {name}()"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_defect_has_a_row_and_something_to_show() {
    let page = page();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| M") || line.starts_with("| A"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let ids: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let expected: Vec<String> =
        (1..=25).map(|n| format!("M{n}")).chain((1..=19).map(|n| format!("A{n}"))).collect();
    assert_eq!(ids, expected);
    for row in &rows {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}
