//! From the Directory to the ledgers: facts, merges, chores.
//!
//! Every step is idempotent and is struck off only after the ledger has answered, so a crash between any two
//! of them is repaired by doing the rest again.

use serde::Deserialize;
use worker::{Env, Result, SqlStorage, SqlStorageValue};

use super::{accept, broken, log, mode, schema};
use crate::core::ledger::announce::ToldMap;
use crate::core::ledger::messages::{Absorbed, KeyedFact, Sealed, Shown, ToLedger};
use crate::core::ledger::view::Policy;
use crate::edge::{codec, objects, sql};

/// Facts handed over in one message.
const FACTS_AT_ONCE: i32 = 200;
/// Customers served by one run of the alarm.
const CUSTOMERS_AT_ONCE: i32 = 50;

#[derive(Deserialize)]
struct Pending {
    fact_key: String,
    body: String,
}

#[derive(Deserialize)]
struct Customer {
    customer_id: String,
}

#[derive(Deserialize)]
struct Flag {
    flag: i64,
}

/// Everything that waits, a bounded part of it; `true` when more is left.
pub(super) async fn drain(env: &Env, storage: &SqlStorage) -> Result<bool> {
    let mut failed = None;
    for customer_id in waiting(storage, CUSTOMERS_AT_ONCE)? {
        // One customer that cannot be reached does not hold up the others.
        if let Err(error) = customer(env, storage, &customer_id).await {
            failed = Some(error);
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(!waiting(storage, 1)?.is_empty()),
    }
}

/// Customers with work: facts, merges into them, chores.
///
/// `CROSS JOIN`, here and below: few merges wait, and SQLite would rather begin with all customers there are.
fn waiting(storage: &SqlStorage, limit: i32) -> Result<Vec<String>> {
    let query = "SELECT DISTINCT customer_id FROM (
          SELECT customer_id FROM handovers
          UNION ALL SELECT COALESCE(c.merged_into, c.id) FROM merges m CROSS JOIN customers c ON c.id = m.loser
          UNION ALL SELECT customer_id FROM chores) LIMIT ?";
    let found: Vec<Customer> = sql::rows(storage, query, vec![limit.into()])?;
    Ok(found.into_iter().map(|c| c.customer_id).collect())
}

/// All work of one customer: merges first, then facts, then chores.
pub(super) async fn customer(env: &Env, storage: &SqlStorage, id: &str) -> Result<Option<Shown>> {
    let Some(policy) = schema::policy(storage)? else { return Err(broken("no settings are known")) };
    let id = accept::current(storage, id)?;
    absorb_losers(env, storage, &policy, &id).await?;
    let mut shown = None;
    // At least one message, which also says how the customer is shown.
    loop {
        let query = "SELECT fact_key, body FROM handovers WHERE customer_id = ? LIMIT ?";
        let pending: Vec<Pending> =
            sql::rows(storage, query, vec![id.as_str().into(), FACTS_AT_ONCE.into()])?;
        if pending.is_empty() && shown.is_some() {
            break;
        }
        let keys: Vec<String> = pending.iter().map(|p| p.fact_key.clone()).collect();
        let facts = pending
            .into_iter()
            .map(|p| Ok(KeyedFact { fact: codec::decode(&p.body)?, key: p.fact_key }))
            .collect::<Result<Vec<_>>>()?;
        let message = ToLedger::Absorb {
            customer_id: id.clone(),
            policy: policy.clone(),
            facts,
            absorbed: Vec::new(),
            erased: is_erased(storage, &id)?,
            told: ToldMap::new(),
            news: Vec::new(),
        };
        let stub = objects::ledger(env, &policy.workspace_id, mode(policy.mode.as_str()), &id)?;
        let absorbed: Absorbed = objects::call(&stub, &message).await?;
        // A merge may have renamed the rows meanwhile: strike off by fact, whoever it belongs to now. If the
        // ledger was sealed meanwhile it has forwarded the facts, or gives them away with the seal.
        let query = "DELETE FROM handovers WHERE fact_key IN (SELECT value FROM json_each(?))";
        sql::run(storage, query, vec![codec::encode(&keys)?.into()])?;
        log::settle(storage, &absorbed.outcomes)?;
        shown = Some(absorbed.shown);
    }
    chores(env, storage, &policy, &id).await?;
    Ok(shown)
}

/// Seals every loser whose winner is `winner` today and gives it what they knew.
async fn absorb_losers(env: &Env, storage: &SqlStorage, policy: &Policy, winner: &str) -> Result<()> {
    let query = "SELECT m.loser AS customer_id FROM merges m CROSS JOIN customers c ON c.id = m.loser
        WHERE c.merged_into = ?";
    let losers: Vec<Customer> = sql::rows(storage, query, vec![winner.into()])?;
    for Customer { customer_id: loser } in losers {
        let seal = ToLedger::Seal { customer_id: loser.clone(), winner: winner.to_owned() };
        let stub = objects::ledger(env, &policy.workspace_id, policy.mode, &loser)?;
        let sealed: Sealed = objects::call(&stub, &seal).await?;
        let mut absorbed = sealed.absorbed;
        absorbed.push(loser.clone());
        let absorb = ToLedger::Absorb {
            customer_id: winner.to_owned(),
            policy: policy.clone(),
            facts: sealed.facts,
            absorbed,
            erased: sealed.erased || is_erased(storage, winner)?,
            told: sealed.told,
            news: sealed.news,
        };
        let stub = objects::ledger(env, &policy.workspace_id, policy.mode, winner)?;
        let absorbed: Absorbed = objects::call(&stub, &absorb).await?;
        log::settle(storage, &absorbed.outcomes)?;
        // Struck off only now, and only if the winner is still the same: else its new winner seals it again.
        let query = "DELETE FROM merges WHERE loser = ?1
            AND EXISTS (SELECT 1 FROM customers WHERE id = ?1 AND merged_into = ?2)";
        sql::run(storage, query, vec![loser.into(), winner.into()])?;
    }
    Ok(())
}

pub(super) fn is_erased(storage: &SqlStorage, id: &str) -> Result<bool> {
    let query = "SELECT erased AS flag FROM customers WHERE id = ?";
    let found: Vec<Flag> = sql::rows(storage, query, vec![id.into()])?;
    Ok(found.first().is_some_and(|f| f.flag != 0))
}

async fn chores(env: &Env, storage: &SqlStorage, policy: &Policy, id: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Chore {
        chore: String,
    }
    let found: Vec<Chore> =
        sql::rows(storage, "SELECT chore FROM chores WHERE customer_id = ?", vec![id.into()])?;
    for Chore { chore } in found {
        let (customer_id, policy) = (id.to_owned(), policy.clone());
        let stub = objects::ledger(env, &policy.workspace_id, policy.mode, id)?;
        let message = match chore.as_str() {
            "erase" => ToLedger::Erase { customer_id, policy },
            _ => ToLedger::Project { customer_id, policy },
        };
        let () = objects::call(&stub, &message).await?;
        let values: Vec<SqlStorageValue> = vec![id.into(), chore.into()];
        sql::run(storage, "DELETE FROM chores WHERE customer_id = ? AND chore = ?", values)?;
    }
    Ok(())
}

/// Erases at once what the chore would erase later.
pub(super) async fn erase(env: &Env, storage: &SqlStorage, id: &str, policy: &Policy) -> Result<()> {
    let id = accept::current(storage, id)?;
    chores(env, storage, policy, &id).await
}
