//! Plain tables for a terminal.

use std::fmt;

/// Rows under a header; numbers are set flush right.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With the names of its columns.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        Self { rows: vec![columns.iter().map(|&name| name.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether it has a row beside its header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max()
        };
        (0..columns).map(|column| width(column).unwrap_or(0)).collect()
    }
}

/// Digits, signs and separators only: an amount or a count. A version has two points.
fn is_number(cell: &str) -> bool {
    cell.chars().any(|c| c.is_ascii_digit())
        && cell.matches('.').count() < 2
        && cell
            .split(' ')
            .next()
            .is_some_and(|n| n.chars().all(|c| c.is_ascii_digit() || "+-−.,".contains(c)))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                if is_number(cell) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            if index == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                writeln!(f, "  {}", rules.join("  "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["what", "usd"]);
        table.row(["gross", "98.00"]);
        table.row(["refunded", "−5.00"]);
        assert_eq!(
            table.to_string(),
            "  what      usd\n  ────────  ─────\n  gross     98.00\n  refunded  −5.00\n"
        );
        let mut table = Table::new(&["version", "count"]);
        table.row(["4.8.0", "7"]);
        assert!(table.to_string().ends_with("\n  4.8.0        7\n"), "{table}");
        assert!(Table::new(&["x"]).is_empty());
    }
}
