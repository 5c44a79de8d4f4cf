//! Finds what [`crate::core::health`] judges. Each part fails alone: a health page is for when something does not answer.

use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Result, js_sys::Reflect};

use crate::core::health::{self, Found, Ledger, Schema, Stored};
use crate::core::ledger::messages::{ToDirectory, ToLedger};
use crate::core::mode::Mode;
use crate::core::time::Millis;
use crate::edge::{bindings, d1, objects, seal, settings};

/// Of how many workspaces the whole instance's table asks the Directories; calls are limited per request.
const WORKSPACES: i64 = 5;
/// How old an event is, in ms, before its ledger is asked whether D1 has it.
const SETTLED_MS: i64 = 5_000;

/// Finds everything: of one workspace, or of the instance and its oldest workspaces.
pub(crate) async fn find(env: &Env, workspace_id: Option<&str>, now: Millis) -> Found {
    Found {
        missing_bindings: missing_bindings(env),
        bad_secrets: bad_secrets(env),
        is_open: false,
        kv: kv(env).await.is_ok(),
        fetches_rates: settings::optional(env, "FX_URL").as_deref() != Some("off"),
        schema: schema(env).await.ok().flatten(),
        stored: stored(env, workspace_id).await.ok().flatten(),
        ledger: ledger(env, workspace_id, now).await.ok(),
    }
}

fn missing_bindings(env: &Env) -> Vec<&'static str> {
    let all = [
        bindings::LINKS,
        bindings::DB,
        bindings::CLICKS,
        bindings::HOOKS,
        bindings::ASSETS,
        bindings::REPORTS,
        bindings::DIRECTORY,
        bindings::LEDGER,
    ];
    let is_missing =
        |name: &&str| Reflect::get(env, &JsValue::from_str(name)).map_or(true, |found| !found.is_object());
    all.into_iter().filter(is_missing).collect()
}

fn bad_secrets(env: &Env) -> Vec<&'static str> {
    let is_bad = |name: &&str| match *name {
        "CLICK_ID_KEYS" => settings::click_id_keys(env).is_err(),
        "ENCRYPTION_KEY" => seal::key(env).is_err(),
        name => settings::optional(env, name).is_none(),
    };
    health::REQUIRED_SECRETS.into_iter().filter(is_bad).collect()
}

async fn kv(env: &Env) -> Result<()> {
    // No short link has such a key.
    env.kv(bindings::LINKS)?.get("_pimms/health").text().await.map(|_| ()).map_err(Into::into)
}

async fn schema(env: &Env) -> Result<Option<Schema>> {
    let query = "SELECT COUNT(*) AS count, MAX(name) AS newest FROM d1_migrations";
    d1::first(&d1::database(env)?, query, &[]).await
}

async fn stored(env: &Env, workspace_id: Option<&str>) -> Result<Option<Stored>> {
    let query = "SELECT
        (SELECT COUNT(*) FROM dead_letters) AS dead_letters,
        (SELECT COUNT(*) FROM parked WHERE ?1 IS NULL OR workspace_id = ?1) AS parked,
        (SELECT MIN(at) FROM parked WHERE ?1 IS NULL OR workspace_id = ?1) AS parked_since,
        (SELECT MAX(day) FROM fx_rates WHERE workspace_id = '') AS rate_day,
        (SELECT at FROM marks WHERE name = ?2) AS queue_at,
        (SELECT value FROM marks WHERE name = ?2) AS queue_lag,
        (SELECT at FROM marks WHERE name = ?3) AS asked_at,
        (SELECT at FROM marks WHERE name = ?4) AS cron_at,
        (SELECT at FROM marks WHERE name = ?5) AS refused_at,
        (SELECT at FROM marks WHERE name = ?6) AS failed_at";
    let values = [
        d1::text(workspace_id),
        d1::text(health::QUEUE_TAKEN),
        d1::text(health::QUEUE_ASKED),
        d1::text(health::CRON),
        d1::text(health::WEBHOOK_REFUSED),
        d1::text(health::WEBHOOK_FAILED),
    ];
    d1::first(&d1::database(env)?, query, &values).await
}

async fn oldest_workspaces(env: &Env) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
    }
    let query = "SELECT id FROM workspaces ORDER BY created_at LIMIT ?1";
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, query, &[d1::int(WORKSPACES)?]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn ledger(env: &Env, workspace_id: Option<&str>, now: Millis) -> Result<Ledger> {
    let ids = match workspace_id {
        Some(id) => vec![id.to_owned()],
        // Without D1 nobody knows them; what D1 lacks is said elsewhere in the table.
        None => oldest_workspaces(env).await.unwrap_or_default(),
    };
    let mut all = Ledger::default();
    for id in &ids {
        for mode in [Mode::Live, Mode::Test] {
            let stub = objects::directory(env, id, mode)?;
            let found: Ledger = objects::call(&stub, &ToDirectory::Health).await?;
            for (customer_id, at) in &found.recent {
                if now.0 - at.0 < SETTLED_MS {
                    continue;
                }
                let stub = objects::ledger(env, id, mode, customer_id)?;
                let unsent: i64 = objects::call(&stub, &ToLedger::Unsent).await?;
                if unsent > 0 {
                    all.add_unsent(*at);
                }
            }
            all.add(&found);
        }
    }
    Ok(all)
}
