//! What is known of a person outside the ledger: clicks and visits of their devices, and answers that are repeated.
//!
//! A device is a visitor id of a cookie; whoever came by one click with it came by all of them.

use serde::Deserialize;
use serde_json::value::RawValue;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Result};

use crate::edge::{codec, d1};

/// The visitor ids of customer ?1 of workspace ?2.
const DEVICES: &str = "SELECT c.visitor FROM (\
    SELECT t.value ->> 'clickId' AS id, t.value ->> 'at' AS at FROM customers k, json_each(k.body, '$.touches') t WHERE k.id = ?1 \
    UNION SELECT click_id, clicked_at FROM leads WHERE customer_id = ?1 \
    UNION SELECT click_id, clicked_at FROM sales WHERE customer_id = ?1) e \
    JOIN clicks c ON c.workspace_id = ?2 AND c.at = e.at AND c.id = e.id WHERE c.visitor <> ''";

/// The names of customer ?1 that an answer may hold.
const NAMES: &str = "SELECT ?1 AS name UNION SELECT email FROM customers WHERE id = ?1 AND email <> '' \
    UNION SELECT e.value FROM customers k, json_each(k.body, '$.external_ids') e WHERE k.id = ?1";

/// Whatever names a person in a row of `clicks` or `visits`.
const SCRUB: &str = "visitor = '', ip = '', ua = '', fingerprint = '', signals = '{}', latitude = 'Unknown', \
    longitude = 'Unknown', referer_url = CASE WHEN instr(referer_url, '?') > 0 \
    THEN substr(referer_url, 1, instr(referer_url, '?') - 1) ELSE referer_url END";

/// A row as a JSON object.
#[derive(Deserialize)]
struct Row {
    row: String,
}

/// The clicks and visits of a customer's devices, as they are stored.
pub(crate) async fn visits(env: &Env, workspace_id: &str, customer_id: &str) -> Result<Vec<Box<RawValue>>> {
    let columns = "'id', id, 'linkId', link_id, 'at', at, 'visitor', visitor, 'url', url, 'ip', ip, 'country', country, \
         'region', region, 'city', city, 'latitude', latitude, 'longitude', longitude, 'device', device, \
         'browser', browser, 'os', os, 'userAgent', ua, 'referer', referer_url, 'signals', json(signals)";
    let from = |table: &str, verdict: &str| {
        format!(
            "SELECT json_object({columns}, 'verdict', {verdict}) AS row FROM {table} \
             WHERE workspace_id = ?2 AND visitor IN ({DEVICES})"
        )
    };
    let query = format!("{} UNION ALL {}", from("clicks", "'click'"), from("visits", "verdict"));
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, &query, &names(workspace_id, customer_id)).await?;
    rows.iter().map(|row| codec::decode(&row.row)).collect()
}

/// Removes the person from them. To be done before the ledger forgets who came by which click; may be repeated.
pub(crate) async fn erase(env: &Env, workspace_id: &str, customer_id: &str) -> Result<()> {
    let db = d1::database(env)?;
    let values = names(workspace_id, customer_id);
    // The clicks last: they say which visitor it was.
    let statements = [
        format!("UPDATE visits SET {SCRUB} WHERE workspace_id = ?2 AND visitor IN ({DEVICES})"),
        // The key stays used.
        format!(
            "UPDATE idempotency_keys SET body = '{{}}' WHERE workspace_id = ?2 AND EXISTS (SELECT 1 FROM ({NAMES}) n \
             WHERE instr(body, '\"' || n.name || '\"') > 0)"
        ),
        // What webhooks were told of leads and sales goes with the ledger's own projection.
        format!(
            "UPDATE webhook_deliveries SET body = NULL, response = NULL, updated_at = updated_at + 1 WHERE workspace_id = ?2 AND event_id IN \
             (SELECT 'evt_' || id FROM clicks WHERE workspace_id = ?2 AND visitor IN ({DEVICES}))"
        ),
        format!("UPDATE clicks SET {SCRUB} WHERE workspace_id = ?2 AND visitor IN ({DEVICES})"),
    ];
    let statements =
        statements.iter().map(|text| d1::statement(&db, text, &values)).collect::<Result<Vec<_>>>()?;
    db.batch(statements).await.map(|_| ())
}

fn names(workspace_id: &str, customer_id: &str) -> [JsValue; 2] {
    [d1::text(customer_id), d1::text(workspace_id)]
}
