//! Every binding name, once. `build.rs` compares this list with `wrangler.toml`.

/// KV: the redirect record per `domain/key`.
pub(crate) const LINKS: &str = "LINKS";
/// D1: relational truth and read model.
pub(crate) const DB: &str = "DB";
/// Queue: clicks on their way to D1.
pub(crate) const CLICKS: &str = "CLICKS";
/// Queue: deliveries of outbound webhooks that wait.
pub(crate) const HOOKS: &str = "HOOKS";
/// Static files: the dashboard, the browser script, the API's reference.
pub(crate) const ASSETS: &str = "ASSETS";
/// Rate limit: what one address may report in a minute.
pub(crate) const REPORTS: &str = "REPORTS";
/// Durable Object: one per workspace and mode.
pub(crate) const DIRECTORY: &str = "DIRECTORY";
/// Durable Object: one per customer.
pub(crate) const LEDGER: &str = "LEDGER";
/// Analytics Engine: a data point per answer, where it is bound. `src/entry.js` knows it as well.
pub(crate) const OPTIONAL_METRICS: &str = "METRICS";
