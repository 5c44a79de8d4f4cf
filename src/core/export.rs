//! Lists as files: CSV for spreadsheets, NDJSON for programs.
//!
//! CSV is that of RFC 4180. A spreadsheet takes a cell that begins with `=` and the like for a formula, also in
//! quotes, and what visitors and customers send (names, referrers, UTM values) ends up in cells; so such a text gets
//! an apostrophe in front. Numbers stay numbers.

use serde_json::Value;

use crate::core::problem::Problem;
use crate::core::validate::Query;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a head.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// A column of CSV: its head, and where in a row's JSON its cells are.
pub type Column = (&'static str, &'static str);

/// Of `GET /links/export`.
pub const LINKS: [Column; 25] = [
    ("id", "/id"),
    ("domain", "/domain"),
    ("key", "/key"),
    ("shortLink", "/shortLink"),
    ("url", "/url"),
    ("title", "/title"),
    ("comments", "/comments"),
    ("externalId", "/externalId"),
    ("folderId", "/folderId"),
    ("tags", "/tags"),
    ("archived", "/archived"),
    ("expiresAt", "/expiresAt"),
    ("utm_source", "/utm_source"),
    ("utm_medium", "/utm_medium"),
    ("utm_campaign", "/utm_campaign"),
    ("utm_term", "/utm_term"),
    ("utm_content", "/utm_content"),
    ("clicks", "/clicks"),
    ("leads", "/leads"),
    ("conversions", "/conversions"),
    ("sales", "/sales"),
    ("saleAmount", "/saleAmount"),
    ("lastClicked", "/lastClicked"),
    ("createdAt", "/createdAt"),
    ("updatedAt", "/updatedAt"),
];

/// Of `GET /customers/export`.
pub const CUSTOMERS: [Column; 16] = [
    ("id", "/id"),
    ("externalId", "/externalId"),
    ("name", "/name"),
    ("email", "/email"),
    ("country", "/country"),
    ("stripeCustomerId", "/stripeCustomerId"),
    ("linkId", "/link/id"),
    ("shortLink", "/link/shortLink"),
    ("totalClicks", "/totalClicks"),
    ("leads", "/leads"),
    ("sales", "/sales"),
    ("saleAmount", "/saleAmount"),
    ("firstSaleAt", "/firstSaleAt"),
    ("subscriptionCanceledAt", "/subscriptionCanceledAt"),
    ("lastEventAt", "/lastEventAt"),
    ("createdAt", "/createdAt"),
];

/// Of `GET /events/export`: every kind of event has its cells in them.
pub const EVENTS: [Column; 33] = [
    ("event", "/event"),
    ("timestamp", "/timestamp"),
    ("eventId", "/eventId"),
    ("eventName", "/eventName"),
    ("linkId", "/link/id"),
    ("shortLink", "/link/shortLink"),
    ("clickId", "/click/id"),
    ("clickedAt", "/click/timestamp"),
    ("url", "/click/url"),
    ("continent", "/click/continent"),
    ("country", "/click/country"),
    ("region", "/click/region"),
    ("city", "/click/city"),
    ("device", "/click/device"),
    ("browser", "/click/browser"),
    ("os", "/click/os"),
    ("trigger", "/click/trigger"),
    ("referer", "/click/referer"),
    ("refererUrl", "/click/refererUrl"),
    ("customerId", "/customer/id"),
    ("customerExternalId", "/customer/externalId"),
    ("customerName", "/customer/name"),
    ("customerEmail", "/customer/email"),
    ("quantity", "/quantity"),
    ("amount", "/sale/amount"),
    ("currency", "/sale/currency"),
    ("saleAmount", "/saleAmount"),
    ("invoiceId", "/sale/invoiceId"),
    ("paymentProcessor", "/sale/paymentProcessor"),
    ("entryAmount", "/entry/amount"),
    ("entryCurrency", "/entry/currency"),
    ("entrySaleId", "/entry/saleId"),
    ("metadata", "/metadata"),
];

/// Of `GET /sales/export`.
pub const SALES: [Column; 18] = [
    ("id", "/eventId"),
    ("timestamp", "/timestamp"),
    ("eventName", "/eventName"),
    ("amount", "/sale/amount"),
    ("currency", "/sale/currency"),
    ("saleAmount", "/saleAmount"),
    ("invoiceId", "/sale/invoiceId"),
    ("paymentProcessor", "/sale/paymentProcessor"),
    ("customerId", "/customer/id"),
    ("customerExternalId", "/customer/externalId"),
    ("customerName", "/customer/name"),
    ("customerEmail", "/customer/email"),
    ("linkId", "/link/id"),
    ("shortLink", "/link/shortLink"),
    ("clickId", "/click/id"),
    ("clickedAt", "/click/timestamp"),
    ("url", "/click/url"),
    ("country", "/click/country"),
];

impl Format {
    /// `?format=csv|ndjson`
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query) -> Result<Self, Problem> {
        Ok(if query.choice("format", &["csv", "ndjson"])? == Some("ndjson") {
            Self::Ndjson
        } else {
            Self::Csv
        })
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// How such files' names end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// What stands before the first row.
    #[must_use]
    pub fn head(self, columns: &[Column]) -> String {
        match self {
            Self::Csv => columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\r\n",
            Self::Ndjson => String::new(),
        }
    }

    /// Writes rows, each with the end of its line.
    pub fn write(self, columns: &[Column], rows: &[Value], to: &mut String) {
        for row in rows {
            match self {
                Self::Csv => {
                    for (at, (_, path)) in columns.iter().enumerate() {
                        if at > 0 {
                            to.push(',');
                        }
                        to.push_str(&cell(row.pointer(path).unwrap_or(&Value::Null)));
                    }
                    to.push_str("\r\n");
                }
                Self::Ndjson => {
                    to.push_str(&row.to_string());
                    to.push('\n');
                }
            }
        }
    }
}

/// A cell of CSV.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::Bool(_) | Value::Number(_) => return value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(named).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    };
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A thing of a list by its name.
fn named(value: &Value) -> String {
    let name = value.get("name").unwrap_or(value);
    name.as_str().map_or_else(|| name.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells() {
        for (value, written) in [
            (json!(null), ""),
            (json!(-900), "-900"),
            (json!(true), "true"),
            (json!("plain"), "plain"),
            (json!(""), ""),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"hi\""), "\"say \"\"hi\"\"\""),
            (json!("two\nlines"), "\"two\nlines\""),
            (json!("=1+1"), "'=1+1"),
            (json!("+33 1"), "'+33 1"),
            (json!("-900"), "'-900"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\t=1"), "'\t=1"),
            (json!("\r=1"), "\"'\r=1\""),
            (json!("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            (json!("1=1"), "1=1"),
            (json!("'=1"), "'=1"),
            (json!([{"name": "=a"}, {"name": "b"}]), "\"'=a, b\""),
            (json!([]), ""),
            (json!({"plan": "pro"}), "\"{\"\"plan\"\":\"\"pro\"\"}\""),
        ] {
            assert_eq!(cell(&value), written, "{value}");
        }
    }

    #[test]
    fn rows_of_both_formats() {
        let rows = [json!({"a": 1, "b": {"c": "x,y"}}), json!({"b": null})];
        let columns = [("a", "/a"), ("c", "/b/c")];
        for (format, expected) in [
            (Format::Csv, "a,c\r\n1,\"x,y\"\r\n,\r\n"),
            (Format::Ndjson, "{\"a\":1,\"b\":{\"c\":\"x,y\"}}\n{\"b\":null}\n"),
        ] {
            let mut text = format.head(&columns);
            format.write(&columns, &rows, &mut text);
            assert_eq!(text, expected);
        }
        for (query, expected) in
            [("", Some(Format::Csv)), ("format=ndjson", Some(Format::Ndjson)), ("format=xls", None)]
        {
            assert_eq!(Format::parse(&Query::parse(query)).ok(), expected, "{query}");
        }
    }

    #[test]
    fn heads_need_no_quotes_and_are_unique() {
        for columns in [&LINKS[..], &CUSTOMERS[..], &EVENTS[..], &SALES[..]] {
            let mut names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), columns.len());
        }
    }
}
