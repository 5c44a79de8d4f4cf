//! Accepting a delivery: one transaction.

use serde::Deserialize;
use worker::{Result, SqlStorage, SqlStorageValue};

use super::handover::is_erased;
use super::{Directory, arrivals, in_transaction, log, schema};
use crate::core::ids;
use crate::core::ledger::alias::{Alias, aliases, refusal};
use crate::core::ledger::fact::Fact;
use crate::core::ledger::messages::{Accepted, Delivery};
use crate::core::ledger::view::Policy;
use crate::core::sentences::Sentence;
use crate::edge::{codec, entropy, sql};

#[derive(Deserialize)]
struct Owner {
    customer_id: String,
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
}

#[derive(Deserialize)]
struct Merged {
    merged_into: Option<String>,
}

/// What a fact's aliases led to.
struct Named {
    customer_id: String,
    was_known: bool,
}

impl Directory {
    /// Keeps the delivery for good. When this returns, everything it states will reach its ledger, whatever
    /// happens to this process.
    pub(super) fn accept(&self, delivery: Delivery) -> Result<Accepted> {
        let storage = self.sql();
        let now = entropy::now();
        // Everything that can fail on input has been done by the caller; randomness is drawn before as well.
        let salt = alias_salt(&storage)?;
        let fresh: Vec<String> =
            delivery.facts.iter().map(|_| entropy::object_id("cus_")).collect::<Result<_>>()?;
        in_transaction(&self.state, move || {
            schema::learn_policy(&storage, &delivery.policy)?;
            if let Some(claim) = &delivery.claim {
                let query = "SELECT answer FROM claims WHERE claim IN (?, ?)";
                let keys = vec![claim.key.as_str().into(), hidden(&salt, &claim.key).into()];
                let earlier: Vec<Answer> = sql::rows(&storage, query, keys)?;
                if let Some(earlier) = earlier.into_iter().next() {
                    let customer_id = known(&storage, &salt, &delivery.facts)?;
                    let was_known = customer_id.is_some();
                    return Ok(Accepted {
                        earlier: Some(earlier.answer),
                        customer_id,
                        was_known,
                        ..Accepted::default()
                    });
                }
            }
            if let Some(reason) = refused(&storage, &salt, &delivery)? {
                return Ok(Accepted { refused: Some(reason.to_owned()), ..Accepted::default() });
            }
            if let Some(claim) = &delivery.claim {
                let query = "INSERT INTO claims (claim, answer) VALUES (?, ?)";
                sql::run(&storage, query, vec![claim.key.as_str().into(), claim.answer.as_str().into()])?;
            }
            let mut accepted = Accepted::default();
            for (fact, fresh) in delivery.facts.iter().zip(fresh) {
                let named = name(&storage, &salt, fact, fresh)?;
                hand_over(&storage, fact, &named.customer_id)?;
                if let Some(session) = fact.body.refs().and_then(|refs| refs.session.as_deref()) {
                    arrivals::give(&storage, session, &fact.source.account, &named.customer_id)?;
                }
                if let Some(claim) = &delivery.claim {
                    let query = "INSERT OR IGNORE INTO claim_owners (customer_id, claim) VALUES (?, ?)";
                    let values = vec![named.customer_id.as_str().into(), claim.key.as_str().into()];
                    sql::run(&storage, query, values)?;
                }
                accepted.was_known = named.was_known;
                accepted.customer_id = Some(named.customer_id);
            }
            if let Some(parking) = &delivery.parked {
                log::park(&storage, &delivery.note, parking)?;
            }
            log::note(&storage, &delivery.note, accepted.customer_id.as_deref(), now)?;
            Ok(accepted)
        })
    }

    /// Forgets the person in the names: later deliveries still find the customer, by hash.
    pub(super) fn erase(&self, customer_id: &str) -> Result<Option<Policy>> {
        let storage = self.sql();
        let salt = alias_salt(&storage)?;
        let customer_id = customer_id.to_owned();
        in_transaction(&self.state, move || {
            #[derive(Deserialize)]
            struct Row {
                alias: String,
            }
            let query = "SELECT alias FROM aliases WHERE customer_id = ? AND alias LIKE 'ext:%'";
            let named: Vec<Row> = sql::rows(&storage, query, vec![customer_id.as_str().into()])?;
            for row in named {
                let hidden = hidden(&salt, &row.alias);
                sql::run(&storage, "DELETE FROM aliases WHERE alias = ?", vec![row.alias.as_str().into()])?;
                let query = "INSERT OR REPLACE INTO aliases (alias, payment, tracked, customer_id) VALUES (?, NULL, 0, ?)";
                sql::run(&storage, query, vec![hidden.into(), customer_id.as_str().into()])?;
            }
            hide_claims(&storage, &salt, &customer_id)?;
            sql::run(
                &storage,
                "UPDATE customers SET erased = 1 WHERE id = ?",
                vec![customer_id.as_str().into()],
            )?;
            let query = "UPDATE log SET verdict = ? WHERE customer_id = ?";
            let values = vec![Sentence::OfErased.words().into(), customer_id.as_str().into()];
            sql::run(&storage, query, values)?;
            let query = "INSERT OR IGNORE INTO chores (customer_id, chore) VALUES (?, 'erase')";
            sql::run(&storage, query, vec![customer_id.as_str().into()])?;
            schema::policy(&storage)
        })
    }
}

/// Puts a fact on its way to a customer's ledger.
pub(super) fn hand_over(storage: &SqlStorage, fact: &Fact, customer_id: &str) -> Result<()> {
    let query = "INSERT OR IGNORE INTO handovers (fact_key, customer_id, body) VALUES (?, ?, ?)";
    let values: Vec<SqlStorageValue> =
        vec![fact.key().into(), customer_id.into(), codec::encode(fact)?.into()];
    sql::run(storage, query, values)
}

/// Finds or names the customer of a fact; unites those that turn out to be one.
///
/// All inside the transaction of [`Directory::accept`]: no `await`, so nothing can come between the look-up
/// and the write.
fn name(storage: &SqlStorage, salt: &str, fact: &Fact, fresh: String) -> Result<Named> {
    let names = aliases(fact);
    let mut owners = all_owners(storage, salt, &names)?.into_iter();
    let was_known = owners.len() > 0;
    // Ids begin with their time: the smallest is the customer known longest.
    let winner = owners.next().unwrap_or(fresh);
    if !was_known {
        sql::run(storage, "INSERT INTO customers (id) VALUES (?)", vec![winner.as_str().into()])?;
    }
    for loser in owners {
        merge(storage, &loser, &winner)?;
    }
    for alias in names {
        let query =
            "INSERT OR IGNORE INTO aliases (alias, payment, tracked, customer_id) VALUES (?, ?, ?, ?)";
        // An erased person's name is known by its hash only and must not come back.
        if alias.text.starts_with("ext:") && owner(storage, &hidden(salt, &alias.text))?.is_some() {
            continue;
        }
        if alias.own_id().is_some() {
            continue;
        }
        let values: Vec<SqlStorageValue> = vec![
            alias.text.into(),
            alias.payment.map_or(SqlStorageValue::Null, Into::into),
            i32::from(alias.tracked).into(),
            winner.as_str().into(),
        ];
        sql::run(storage, query, values)?;
    }
    Ok(Named { customer_id: winner, was_known })
}

/// Why a delivery that must unite nobody is not taken.
fn refused(storage: &SqlStorage, salt: &str, delivery: &Delivery) -> Result<Option<&'static str>> {
    for fact in delivery.facts.iter().filter(|_| delivery.apart) {
        let names = aliases(fact);
        let owners = all_owners(storage, salt, &names)?;
        let mut any_erased = false;
        for owner in &owners {
            any_erased |= is_erased(storage, owner)?;
        }
        if let Some(reason) = refusal(&names, &owners, any_erased) {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}

/// Everybody the names lead to, sorted.
fn all_owners(storage: &SqlStorage, salt: &str, names: &[Alias]) -> Result<Vec<String>> {
    let mut owners = Vec::new();
    for alias in names {
        owners.extend(owners_of(storage, salt, alias)?);
    }
    owners.sort();
    owners.dedup();
    Ok(owners)
}

/// Customers that already bear a name or one that joins it ([`Alias::joins`]).
fn owners_of(storage: &SqlStorage, salt: &str, alias: &Alias) -> Result<Vec<String>> {
    if let Some(id) = alias.own_id() {
        let query = "SELECT COALESCE(merged_into, id) AS customer_id FROM customers WHERE id = ?";
        let found: Vec<Owner> = sql::rows(storage, query, vec![id.into()])?;
        return Ok(found.into_iter().map(|owner| owner.customer_id).collect());
    }
    let mut found: Vec<String> = owner(storage, &alias.text)?.into_iter().collect();
    if alias.text.starts_with("ext:") {
        found.extend(owner(storage, &hidden(salt, &alias.text))?);
    }
    if let Some(payment) = &alias.payment {
        let query = "SELECT DISTINCT customer_id FROM aliases WHERE payment = ? AND (tracked <> 0 OR ? <> 0)";
        let values: Vec<SqlStorageValue> = vec![payment.as_str().into(), i32::from(alias.tracked).into()];
        let joined: Vec<Owner> = sql::rows(storage, query, values)?;
        found.extend(joined.into_iter().map(|o| o.customer_id));
    }
    Ok(found)
}

/// Whom the aliases of facts name already; nothing is written.
fn known(storage: &SqlStorage, salt: &str, facts: &[Fact]) -> Result<Option<String>> {
    for alias in facts.iter().flat_map(aliases) {
        if let Some(owner) = owners_of(storage, salt, &alias)?.into_iter().next() {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

fn owner(storage: &SqlStorage, alias: &str) -> Result<Option<String>> {
    let query = "SELECT customer_id FROM aliases WHERE alias = ?";
    let found: Vec<Owner> = sql::rows(storage, query, vec![alias.into()])?;
    Ok(found.into_iter().next().map(|o| o.customer_id))
}

/// Two customers are one: everything that names the loser names the winner from this commit on; sealing and
/// absorbing is work for the hand-over, which this row makes durable.
fn merge(storage: &SqlStorage, loser: &str, winner: &str) -> Result<()> {
    for query in [
        "UPDATE aliases SET customer_id = ?1 WHERE customer_id = ?2",
        "UPDATE handovers SET customer_id = ?1 WHERE customer_id = ?2",
        "UPDATE log SET customer_id = ?1 WHERE customer_id = ?2",
        "UPDATE customers SET merged_into = ?1 WHERE id = ?2 OR merged_into = ?2",
        "UPDATE customers SET erased = 1 WHERE id = ?1 AND EXISTS
           (SELECT 1 FROM customers WHERE id = ?2 AND erased <> 0)",
    ] {
        sql::run(storage, query, vec![winner.into(), loser.into()])?;
    }
    sql::run(storage, "INSERT OR IGNORE INTO merges (loser) VALUES (?)", vec![loser.into()])
}

/// The customer that stands for `id` today.
pub(super) fn current(storage: &SqlStorage, id: &str) -> Result<String> {
    let query = "SELECT merged_into FROM customers WHERE id = ?";
    let found: Vec<Merged> = sql::rows(storage, query, vec![id.into()])?;
    Ok(found.into_iter().next().and_then(|m| m.merged_into).unwrap_or_else(|| id.to_owned()))
}

/// What a person's track calls were answered goes; that they were made is still recognised.
fn hide_claims(storage: &SqlStorage, salt: &str, customer_id: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        claim: String,
    }
    let owners = "customer_id IN (SELECT id FROM customers WHERE id = ?1 OR merged_into = ?1)";
    let query = format!("SELECT claim FROM claim_owners WHERE {owners}");
    let claims: Vec<Row> = sql::rows(storage, &query, vec![customer_id.into()])?;
    for Row { claim } in claims {
        sql::run(storage, "DELETE FROM claims WHERE claim = ?", vec![claim.as_str().into()])?;
        let query = "INSERT OR IGNORE INTO claims (claim, answer) VALUES (?, '')";
        sql::run(storage, query, vec![hidden(salt, &claim).into()])?;
    }
    let query = format!("DELETE FROM claim_owners WHERE {owners}");
    sql::run(storage, &query, vec![customer_id.into()])
}

/// The name of an erased person: a salted hash, so that it can be recognised but not read.
fn hidden(salt: &str, alias: &str) -> String {
    format!("erased:{}", ids::sha256_hex(format!("{salt}|{alias}").as_bytes()))
}

/// A random salt of this object.
fn alias_salt(storage: &SqlStorage) -> Result<String> {
    if let Some(salt) = schema::setting(storage, "alias_salt")? {
        return Ok(salt);
    }
    let salt = ids::hex(&entropy::random::<16>()?);
    schema::keep(storage, "alias_salt", &salt)?;
    Ok(salt)
}
