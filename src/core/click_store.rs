//! The statements that store visits, and count clicks.
//!
//! One statement each for the whole batch, from one JSON text, [`crate::core::click::rows`]. What is new in it moves
//! the counters of its links, in the transaction that stores it, so counters are exact however often a batch comes.

/// Columns that both tables have, in this order.
const COLUMNS: &str = "id, workspace_id, link_id, at, visitor, url, ip, continent, country, region, city, latitude, \
                       longitude, edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, \
                       referer, referer_url, source, signals, fingerprint";

/// A visitor that D1 knows from another click on the link, less than an hour away. Both ways in time: the queue
/// does not keep order. D1 runs one statement at a time, so of two batches one sees the other's rows.
const IS_NEW: &str = "NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.link_id = r.link_id AND r.is_known = 1 \
                        AND c.visitor = r.visitor AND c.at > r.at - 3600000 AND c.at < r.at + 3600000) \
                      AND NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.link_id = r.link_id AND r.is_known = 0 \
                        AND r.fingerprint <> '' AND c.fingerprint IN (r.fingerprint, r.fingerprint_before) \
                        AND c.fingerprint <> '' AND c.at > r.at - 3600000 AND c.at < r.at + 3600000)";

/// All that a batch of visits takes, in one transaction; ?1 is the batch.
#[must_use]
pub fn statements() -> [String; 3] {
    [count_clicks(), insert_clicks(""), insert_others()]
}

/// Those rows of the JSON text ?1 that are clicks, and new ones.
fn new_clicks(condition: &str) -> String {
    let from = rows_of_text();
    format!(
        "{from} WHERE r.verdict = '' AND NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.id = r.id) AND {IS_NEW} {condition}"
    )
}

/// Moves the counters of links by the clicks that [`insert_clicks`] is going to store.
fn count_clicks() -> String {
    let new = new_clicks("");
    format!(
        "UPDATE links SET clicks = clicks + d.n, last_clicked = MAX(COALESCE(last_clicked, 0), d.at) \
         FROM (SELECT r.link_id AS link_id, COUNT(*) AS n, MAX(r.at) AS at {new} GROUP BY 1) AS d \
         WHERE links.id = d.link_id"
    )
}

/// Stores them. Their ids differ from each other and from those that are stored.
#[must_use]
pub fn insert_clicks(condition: &str) -> String {
    let new = new_clicks(condition);
    format!("INSERT INTO clicks ({COLUMNS}) SELECT {} {new}", values())
}

/// Stores the rest of the batch: what is no click, and what is a repetition of one.
fn insert_others() -> String {
    let from = rows_of_text();
    format!(
        "INSERT OR IGNORE INTO visits ({COLUMNS}, verdict) \
         SELECT {}, CASE r.verdict WHEN '' THEN 'repeat' ELSE r.verdict END {from} \
         WHERE NOT EXISTS (SELECT 1 FROM clicks AS c WHERE c.id = r.id)",
        values()
    )
}

/// The values of [`COLUMNS`]. An address is stored only where the workspace has asked for it.
fn values() -> String {
    COLUMNS.replace(
        ", ip,",
        ", CASE WHEN EXISTS (SELECT 1 FROM workspaces AS w WHERE w.id = r.workspace_id AND w.keeps_addresses = 1) \
         THEN r.ip ELSE '' END,",
    )
}

/// `FROM (SELECT value ->> 'id' AS id, … FROM json_each(?1)) AS r`
fn rows_of_text() -> String {
    let names = COLUMNS.split(", ").chain(["verdict", "is_known", "fingerprint_before"]);
    let list = names.map(|name| format!("value ->> '{name}' AS {name}")).collect::<Vec<_>>().join(", ");
    format!("FROM (SELECT {list} FROM json_each(?1)) AS r")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_depends_on_the_workspace_and_all_else_does_not() {
        let [_, clicks, visits] = statements();
        for text in [clicks, visits] {
            assert_eq!(text.matches("w.keeps_addresses = 1) THEN r.ip ELSE").count(), 1, "{text}");
        }
        assert_eq!(values().matches("CASE").count(), 1);
    }
}
