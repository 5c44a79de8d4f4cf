//! The statements that store visits, and count clicks.
//!
//! One statement each for the whole batch, from one JSON text, [`crate::core::click::rows`]. What is new in it moves
//! the counters of its links, in the transaction that stores it, so counters are exact however often a batch comes.

/// Columns that both tables have, in this order.
const COLUMNS: &str = "id, workspace_id, link_id, at, visitor, url, ip, continent, country, region, city, latitude, \
                       longitude, edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, \
                       referer, referer_url, source, signals, fingerprint";

/// The clicks within an hour of those in the batch ?1, of the visitors that are in it: read once for a statement, by
/// the one order that clicks have. An index by visitor would cost a row for every click.
const RECENT: &str = "WITH spans AS MATERIALIZED (\
      SELECT value ->> 'workspace_id' AS workspace_id, MIN(value ->> 'at') - 3600000 AS since, \
        MAX(value ->> 'at') + 3600000 AS until FROM json_each(?1) WHERE value ->> 'verdict' = '' GROUP BY 1), \
    recent AS MATERIALIZED (\
      SELECT c.link_id AS link_id, c.visitor AS visitor, c.fingerprint AS fingerprint, c.at AS at \
      FROM spans AS s CROSS JOIN clicks AS c ON c.workspace_id = s.workspace_id AND c.at > s.since AND c.at < s.until \
      WHERE c.visitor IN (SELECT value ->> 'visitor' FROM json_each(?1)) \
        OR c.fingerprint IN (SELECT value ->> 'fingerprint' FROM json_each(?1) \
          UNION SELECT value ->> 'fingerprint_before' FROM json_each(?1)))";

/// A visitor that D1 knows from another click on the link, less than an hour away. Both ways in time: the queue
/// does not keep order. D1 runs one statement at a time, so of two batches one sees the other's rows.
const IS_NEW: &str = "NOT EXISTS (SELECT 1 FROM recent AS c WHERE c.link_id = r.link_id \
                        AND c.at > r.at - 3600000 AND c.at < r.at + 3600000 \
                        AND CASE r.is_known WHEN 1 THEN c.visitor = r.visitor \
                          ELSE c.fingerprint <> '' AND c.fingerprint IN (r.fingerprint, r.fingerprint_before) END)";

/// The row of `clicks` that a row of the batch is, if it is stored.
const STORED: &str =
    "SELECT 1 FROM clicks AS c WHERE c.workspace_id = r.workspace_id AND c.at = r.at AND c.id = r.id";

/// Which of [`statements`] gives the deliveries that were entered: `webhook_id`, `event_id`.
pub const TOLD: usize = 1;

/// All that a batch of visits takes, in one transaction; ?1 is the batch.
#[must_use]
pub fn statements() -> [String; 4] {
    [count_clicks(), tell_clicks(), insert_clicks(""), insert_others()]
}

/// Enters new clicks for the webhooks that are told of their links' clicks.
fn tell_clicks() -> String {
    format!("{RECENT} {}", tell(rows_of_text().trim_start_matches("FROM "), &is_new_click()))
}

/// Enters the click ?1 of the instant ?2, which is stored, for the webhooks that are told of its link's clicks; gives what
/// [`statements`] gives of [`TOLD`].
#[must_use]
pub fn tell_click() -> String {
    tell("clicks AS r", "r.at = ?2 AND r.id = ?1")
}

/// Webhooks are read first, so that without any it costs nothing.
fn tell(rows: &str, condition: &str) -> String {
    format!(
        "INSERT OR IGNORE INTO webhook_deliveries (webhook_id, event_id, workspace_id, mode, event, subject, state, \
                                                   next_at, created_at, updated_at) \
         SELECT w.id, 'evt_' || r.id, w.workspace_id, w.mode, 'link.clicked', \
                json_object('clickId', r.id, 'linkId', r.link_id), 'waiting', r.at, r.at, r.at \
         FROM webhooks AS w CROSS JOIN {rows} \
         WHERE w.workspace_id = r.workspace_id AND w.disabled_at IS NULL \
           AND EXISTS (SELECT 1 FROM json_each(w.triggers) AS t WHERE t.value = 'link.clicked') \
           AND (w.all_links = 1 \
             OR EXISTS (SELECT 1 FROM webhook_links AS l WHERE l.webhook_id = w.id AND l.link_id = r.link_id) \
             OR EXISTS (SELECT 1 FROM links AS l, json_each(l.options, '$.webhookIds') AS o \
                        WHERE l.id = r.link_id AND o.value = w.id)) \
           AND {condition} \
         RETURNING webhook_id, event_id"
    )
}

/// Those rows of the JSON text ?1 that are clicks, and new ones.
fn new_clicks(condition: &str) -> String {
    format!("{} WHERE {} {condition}", rows_of_text(), is_new_click())
}

fn is_new_click() -> String {
    format!("r.verdict = '' AND NOT EXISTS ({STORED}) AND {IS_NEW}")
}

/// Moves the counters of links by the clicks that [`insert_clicks`] is going to store.
fn count_clicks() -> String {
    let new = new_clicks("");
    format!(
        "{RECENT} UPDATE links SET clicks = clicks + d.n, last_clicked = MAX(COALESCE(last_clicked, 0), d.at) \
         FROM (SELECT r.link_id AS link_id, COUNT(*) AS n, MAX(r.at) AS at {new} GROUP BY 1) AS d \
         WHERE links.id = d.link_id"
    )
}

/// Stores them. Their ids differ from each other and from those that are stored.
#[must_use]
pub fn insert_clicks(condition: &str) -> String {
    let new = new_clicks(condition);
    format!("{RECENT} INSERT INTO clicks ({COLUMNS}) SELECT {} {new}", values())
}

/// Stores the rest of the batch: what is no click, and what is a repetition of one.
fn insert_others() -> String {
    let from = rows_of_text();
    format!(
        "INSERT OR IGNORE INTO visits ({COLUMNS}, verdict) \
         SELECT {}, CASE r.verdict WHEN '' THEN 'repeat' ELSE r.verdict END {from} \
         WHERE NOT EXISTS ({STORED})",
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
        let [_, _, clicks, visits] = statements();
        for text in [clicks, visits] {
            assert_eq!(text.matches("w.keeps_addresses = 1) THEN r.ip ELSE").count(), 1, "{text}");
        }
        assert_eq!(values().matches("CASE").count(), 1);
    }
}
