//! The first sale of each customer: what made the customer one, and when.

use super::{Statement, Subject};

/// Sales before which their customer had none. Takes the owner and the span of a [`Subject`].
const FIRST: &str = "(SELECT f.id, f.workspace_id, f.mode, f.customer_id, f.click_id, f.link_id, f.at FROM sales f \
    WHERE f.workspace_id = ? AND f.mode = ? AND f.at >= ? AND f.at <= ? AND NOT EXISTS (SELECT 1 FROM sales o \
    WHERE o.customer_id = f.customer_id AND o.workspace_id = f.workspace_id AND o.mode = f.mode \
    AND (o.at < f.at OR (o.at = f.at AND o.id < f.id))))";

/// `SELECT {columns} FROM {first sales} ev LEFT JOIN credited_clicks c … {joins} WHERE …`: the filter is about the
/// first sale.
/// `before` are the values of the columns; joins have none.
pub(super) fn select(
    subject: &Subject<'_>,
    columns: &str,
    joins: &str,
    before: &[crate::core::sql::Bind],
) -> Statement {
    let condition = subject.condition();
    let text = format!(
        "SELECT {columns} FROM {FIRST} ev LEFT JOIN credited_clicks c ON c.click_id = ev.click_id{joins} WHERE {}",
        condition.text()
    );
    (text, [before, &subject.owner(), &subject.span(), condition.binds()].concat())
}
