//! The Durable Object that knows the customers of one workspace and mode.
//!
//! Accepting a delivery is **one** storage transaction ([`accept`]): its facts are kept, its aliases united,
//! its customer named. That commit is what a 2xx means. Then the facts go to the ledgers ([`handover`]); what
//! could not be handed over is retried by the alarm. Invariants of merging are in ARCHITECTURE.md.

mod accept;
mod arrivals;
mod handover;
mod log;
mod schema;

use std::cell::Cell;
use std::rc::Rc;

use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, State, console_error, durable_object,
};

use crate::core::ledger::messages::{Accepted, ToDirectory};
use crate::core::mode::Mode;
use crate::edge::{entropy, objects};

/// When the alarm runs after a delivery, in ms: it only finds work if the hand-over in the request failed.
const ALARM_AFTER_MS: i64 = 2_000;

/// Aliases, inbox and webhook log of one workspace and mode.
#[durable_object(alarm)]
pub struct Directory {
    state: State,
    env: Env,
    /// Whether this instance has set an alarm that has not run yet.
    armed: Cell<bool>,
    /// How often the alarm failed in a row.
    failures: Cell<u32>,
    ready: Cell<bool>,
}

impl DurableObject for Directory {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, armed: Cell::new(false), failures: Cell::new(0), ready: Cell::new(false) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match self.handle(&mut request).await {
            Ok(response) => Ok(response),
            Err(error) => {
                console_error!("directory: {error}");
                objects::failure(&error)
            }
        }
    }

    /// Never throws: an alarm that does is dropped after seven runs.
    async fn alarm(&self) -> Result<Response> {
        self.armed.set(false);
        let outcome = match self.prepare() {
            Ok(()) => self.drain_all().await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(false) => self.failures.set(0),
            Ok(true) => {
                self.failures.set(0);
                self.arm(0).await;
            }
            Err(error) => {
                console_error!("directory alarm: {error}");
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                self.arm(retry_after_ms(failures)).await;
            }
        }
        Response::empty()
    }
}

/// 0.5 s, doubling, at most 30 s.
fn retry_after_ms(failures: u32) -> i64 {
    500_i64.saturating_mul(1 << failures.min(6)).min(30_000)
}

impl Directory {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    /// Creates the tables once per instance.
    fn prepare(&self) -> Result<()> {
        if !self.ready.get() {
            schema::create(&self.sql())?;
            self.ready.set(true);
        }
        Ok(())
    }

    async fn handle(&self, request: &mut Request) -> Result<Response> {
        self.prepare()?;
        match objects::message::<ToDirectory>(request).await? {
            ToDirectory::Accept(delivery) => {
                let accepted = self.accept(*delivery)?;
                if accepted.customer_id.is_some() && accepted.earlier.is_none() {
                    self.arm_unless_armed(ALARM_AFTER_MS).await;
                }
                objects::answer(&self.hand_over_now(accepted).await)
            }
            ToDirectory::Arrived(arrival) => {
                let customer_id = self.arrived(&arrival)?;
                if customer_id.is_some() {
                    self.arm_unless_armed(ALARM_AFTER_MS).await;
                    drop(self.hand_over_now(Accepted { customer_id, ..Accepted::default() }).await);
                }
                objects::answer(&())
            }
            ToDirectory::Log { limit, before } => objects::answer(&log::rows(&self.sql(), limit, before)?),
            ToDirectory::Health => objects::answer(&log::health(&self.sql())?),
            ToDirectory::Parked => objects::answer(&log::parked(&self.sql(), &[])?),
            ToDirectory::Waiting { accounts } => objects::answer(&log::parked(&self.sql(), &accounts)?),
            ToDirectory::Unpark { keys } => objects::answer(&log::unpark(&self.sql(), &keys)?),
            ToDirectory::Erase { customer_id } => {
                let policy = self.erase(&customer_id)?;
                self.arm_unless_armed(ALARM_AFTER_MS).await;
                if let Some(policy) = policy {
                    handover::erase(&self.env, &self.sql(), &customer_id, &policy).await?;
                }
                objects::answer(&())
            }
            ToDirectory::Settle { policy } => self.listed(schema::settle(&self.sql(), &policy)?).await,
            ToDirectory::Rebuild { policy } => {
                self.listed(schema::queue_rebuild(&self.sql(), &policy)?).await
            }
        }
    }

    /// The alarm works off the customers that were listed.
    async fn listed(&self, customers: i64) -> Result<Response> {
        if customers > 0 {
            self.arm(0).await;
        }
        objects::answer(&customers)
    }

    /// Hands over in the same request, so that what was accepted is visible at once. A failure only delays it.
    async fn hand_over_now(&self, mut accepted: Accepted) -> Accepted {
        let Some(customer_id) = accepted.customer_id.clone() else { return accepted };
        match handover::customer(&self.env, &self.sql(), &customer_id).await {
            Ok(shown) => accepted.customer = shown,
            Err(error) => console_error!("hand-over of {customer_id} is left to the alarm: {error}"),
        }
        accepted
    }

    /// Works off everything that waits; `true` when more is left.
    async fn drain_all(&self) -> Result<bool> {
        let sql = self.sql();
        log::prune(&sql, entropy::now())?;
        handover::drain(&self.env, &sql).await
    }

    async fn arm_unless_armed(&self, after_ms: i64) {
        if !self.armed.get() {
            self.arm(after_ms).await;
        }
    }

    async fn arm(&self, after_ms: i64) {
        self.armed.set(true);
        if let Err(error) = self.state.storage().set_alarm(after_ms).await {
            self.armed.set(false);
            console_error!("directory: the alarm could not be set: {error}");
        }
    }
}

/// An error of ours inside an object.
fn broken(what: &str) -> Error {
    Error::RustError(what.to_owned())
}

/// Runs `work` in one transaction and gives its result out.
fn in_transaction<T: 'static>(state: &State, work: impl FnOnce() -> Result<T> + 'static) -> Result<T> {
    let slot: Rc<Cell<Option<T>>> = Rc::new(Cell::new(None));
    let filled = Rc::clone(&slot);
    crate::edge::sql::transaction(&state.storage(), move || {
        filled.set(Some(work()?));
        Ok(())
    })?;
    slot.take().ok_or_else(|| broken("the transaction gave nothing"))
}

/// The mode stored beside a row.
fn mode(text: &str) -> Mode {
    Mode::parse(text).unwrap_or_default()
}
