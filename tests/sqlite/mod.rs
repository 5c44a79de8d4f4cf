//! A real SQLite with this project's tables, which binds values and gives rows as D1 does.

use std::fs;

use pimms_edge::core::sql::Bind;
use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, Value as Sqlite};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

struct Bound<'a>(&'a Bind);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Bind::Text(text) => Sqlite::Text(text.clone()),
            // As D1 binds every number of JavaScript's.
            #[expect(clippy::cast_precision_loss, reason = "instants are exact")]
            Bind::Int(number) => Sqlite::Real(*number as f64),
            Bind::Null => Sqlite::Null,
        }))
    }
}

/// An empty database with every migration applied.
pub fn migrated() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let mut files: Vec<_> = fs::read_dir("migrations").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        connection.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
    }
    connection
}

/// Runs a statement; how many rows it changed.
#[allow(dead_code, reason = "not every test that has this module writes by statements of the core")]
pub fn execute(db: &Connection, text: &str, binds: &[Bind]) -> rusqlite::Result<usize> {
    let binds: Vec<Bound<'_>> = binds.iter().map(Bound).collect();
    let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
    db.execute(text, binds.as_slice())
}

/// The rows of a query.
#[allow(dead_code, reason = "not every test that has this module asks by queries of the core")]
pub fn rows<T: DeserializeOwned>(db: &Connection, text: &str, binds: &[Bind]) -> Vec<T> {
    let mut statement = db.prepare(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let binds: Vec<Bound<'_>> = binds.iter().map(Bound).collect();
    let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
    let mut rows = statement.query(binds.as_slice()).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |at: usize| match row.get::<_, Sqlite>(at).unwrap() {
            Sqlite::Text(text) => json!(text),
            Sqlite::Integer(number) => json!(number),
            _ => Value::Null,
        };
        let object: Map<String, Value> =
            names.iter().cloned().enumerate().map(|(at, name)| (name, value(at))).collect();
        found.push(serde_json::from_value(Value::Object(object)).unwrap());
    }
    found
}
