//! Reports about people rather than events: how clicks become customers, and what customers are worth in time.
//!
//! As in [`crate::core::analytics`], nothing here runs a query: functions give text and values, and take rows. Money
//! is converted per entry ([`crate::core::figures`]) and divided only to be shown.

pub mod cohorts;
mod first_sales;
mod fraction;
pub mod funnel;
pub mod lifetime;

pub use fraction::fraction;

use crate::core::analytics::{Filter, Window};
use crate::core::mode::Mode;
use crate::core::money::{Currency, total_sql};
use crate::core::sql::{Bind, Where};

/// A query: its text, and its values in order.
pub type Statement = (String, Vec<Bind>);

/// Whose report it is, and about what.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// `ws_…`
    pub workspace_id: &'a str,
    /// Live and test never mix.
    pub mode: Mode,
    /// The workspace's currency.
    pub currency: Currency,
    /// Payments only, without what undid them.
    pub gross: bool,
    /// From when to when.
    pub window: Window,
    /// Of which links, places, devices …
    pub filter: &'a Filter,
}

impl Subject<'_> {
    /// The condition over what a derived table calls `ev`, and its click `c`.
    fn condition(&self) -> Where {
        let mut all = self.filter.condition(self.workspace_id, self.window);
        all.and("ev.mode = ?", [self.mode.as_str().into()]);
        self.filter.customer_of_events(&mut all);
        all
    }

    fn owner(&self) -> Vec<Bind> {
        vec![self.workspace_id.into(), self.mode.as_str().into()]
    }

    fn span(&self) -> Vec<Bind> {
        vec![self.window.start.0.into(), self.window.end.0.into()]
    }

    /// The two values of [`MONEY`].
    fn currencies(&self) -> Vec<Bind> {
        vec![self.currency.as_str().into(), self.currency.as_str().into()]
    }

    /// Narrows entries `e` to payments.
    fn kind(&self) -> &'static str {
        if self.gross { " AND e.kind = 'sale'" } else { "" }
    }
}

/// Columns of [`crate::core::figures::Amounts`] over entries `e`, to be grouped by the first three.
const MONEY: &str = concat!(
    "e.currency AS currency, CASE WHEN e.currency = ? THEN '' ELSE e.rate_day END AS rate_day, ",
    "CASE WHEN e.currency = ? THEN NULL ELSE e.amount END AS each, ",
    total_sql!("e.amount"),
    " AS total, COUNT(*) AS n"
);
