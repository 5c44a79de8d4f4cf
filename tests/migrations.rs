//! Migrations expand first and contract later: during a deployment the version before and the new one serve at once, on
//! the new schema.

#![expect(clippy::unwrap_used, reason = "a failing step ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// What a line must say to take something away that an earlier version reads, and since which version nobody does.
const MARKER: &str = "-- contract, since version ";

/// Names and texts, in the order they are applied.
fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// The statements of a migration that take something from a Worker that knows the schema before it.
fn contractions(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_marked = false;
    for line in sql.lines() {
        let line = line.trim();
        if line.starts_with("--") {
            is_marked = line.starts_with(MARKER) && line.len() > MARKER.len();
            continue;
        }
        let words = line.to_ascii_uppercase();
        let takes =
            ["DROP TABLE", "DROP COLUMN", "RENAME TO", "RENAME COLUMN"].iter().any(|w| words.contains(w));
        // A row that an older Worker writes does not name the column.
        let demands =
            words.contains("ADD COLUMN") && words.contains("NOT NULL") && !words.contains("DEFAULT");
        if (takes || demands) && !is_marked {
            found.push(line.to_owned());
        }
        is_marked = is_marked && !line.ends_with(';');
    }
    found
}

#[test]
fn what_takes_something_away_is_marked_with_the_version_that_no_longer_needs_it() {
    for (name, sql) in migrations() {
        let found = contractions(&sql);
        assert!(found.is_empty(), "{name}: mark with `{MARKER}x.y`, or expand first: {found:?}");
    }
    for (sql, count) in [
        ("ALTER TABLE links ADD COLUMN x TEXT;", 0),
        ("ALTER TABLE links ADD COLUMN x TEXT NOT NULL DEFAULT '';", 0),
        ("ALTER TABLE links ADD COLUMN x TEXT NOT NULL;", 1),
        ("DROP TABLE links;", 1),
        ("alter table links drop column key;\nALTER TABLE links RENAME COLUMN a TO b;", 2),
        ("-- contract, since version 0.2.0\nDROP TABLE links;", 0),
        ("-- contract, since version \nDROP TABLE links;", 1),
        ("-- contract, since version 0.2.0\nDROP TABLE links;\nDROP TABLE clicks;", 1),
        ("DROP INDEX links_by_key;", 0),
    ] {
        assert_eq!(contractions(sql).len(), count, "{sql}");
    }
}

/// Columns of every table, with what a writer must say: `NOT NULL` without a default.
fn schema(db: &Connection) -> BTreeMap<String, BTreeMap<String, bool>> {
    let query = "SELECT m.name, c.name, c.\"notnull\" = 1 AND c.dflt_value IS NULL AND c.pk = 0 \
        FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    let mut statement = db.prepare(query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for row in rows {
        let (table, column, is_demanded): (String, String, bool) = row.unwrap();
        tables.entry(table).or_default().insert(column, is_demanded);
    }
    tables
}

#[test]
fn each_schema_has_all_that_the_one_before_it_had_and_demands_no_more() {
    let db = Connection::open_in_memory().unwrap();
    let mut before = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (name, sql) in migrations() {
        assert!(names.insert(name.get(..4).unwrap().to_owned()), "{name}: its number is taken");
        db.execute_batch(&sql).unwrap_or_else(|e| panic!("{name}: {e}"));
        let now = schema(&db);
        // What is marked was decided; what is not must not happen by another way, such as a table made anew.
        if !sql.contains(MARKER) {
            for (table, columns) in &before {
                let known = now.get(table).unwrap_or_else(|| panic!("{name} takes the table {table} away"));
                for column in BTreeMap::keys(columns) {
                    assert!(known.contains_key(column), "{name} takes {table}.{column} away");
                }
                for (column, is_demanded) in known {
                    let was = columns.get(column).copied().unwrap_or(false);
                    assert!(
                        !is_demanded || was,
                        "{name}: a Worker before it does not write {table}.{column}"
                    );
                }
            }
        }
        before = now;
    }
    assert!(before.len() > 20, "{before:?}");
}
