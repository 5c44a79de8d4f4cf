-- Truth: workspaces, keys, domains, links, Stripe connections, exchange rates.
-- Read model: clicks (from the queue) and the ledger's projection (customers … parked), which may be dropped
-- and rebuilt. Money is INTEGER minor units of the stated currency, time INTEGER milliseconds since 1970.

CREATE TABLE workspaces (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  -- the currency of reports, ISO 4217 in lower case
  currency TEXT NOT NULL DEFAULT 'usd' CHECK (currency GLOB '[a-z][a-z][a-z]'),
  -- look-back window of attribution, in days
  window_days INTEGER NOT NULL DEFAULT 90,
  allowed_hostnames TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  name TEXT NOT NULL,
  -- SHA-256 of the whole key, lower-case hex; the key itself is shown once and never stored
  hash TEXT NOT NULL UNIQUE,
  partial TEXT NOT NULL,
  -- space-separated scopes of the wire contract 1.3
  scopes TEXT NOT NULL DEFAULT 'apis.all',
  -- requests a minute
  rate_limit INTEGER NOT NULL DEFAULT 600,
  created_at INTEGER NOT NULL,
  last_used INTEGER,
  expires_at INTEGER
) STRICT;

CREATE TABLE domains (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  is_primary INTEGER NOT NULL DEFAULT 0 CHECK (is_primary IN (0, 1)),
  archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
  verified INTEGER NOT NULL DEFAULT 1 CHECK (verified IN (0, 1)),
  placeholder TEXT,
  expired_url TEXT,
  not_found_url TEXT,
  logo TEXT,
  asset_links TEXT,
  apple_app_site_association TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE links (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  domain TEXT NOT NULL,
  -- ASCII (Punycode) and lower case, as looked up; `_root` for the domain itself
  key TEXT NOT NULL,
  url TEXT NOT NULL,
  external_id TEXT,
  tenant_id TEXT,
  folder_id TEXT,
  track_conversion INTEGER NOT NULL DEFAULT 1 CHECK (track_conversion IN (0, 1)),
  archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
  expires_at INTEGER,
  disabled_at INTEGER,
  title TEXT,
  description TEXT,
  comments TEXT,
  utm_source TEXT,
  utm_medium TEXT,
  utm_campaign TEXT,
  utm_term TEXT,
  utm_content TEXT,
  -- the rest of what a redirect needs (core::link::Options as JSON)
  options TEXT NOT NULL DEFAULT '{}',
  -- exact under redelivery: only a click row that is new moves them (triggers below)
  clicks INTEGER NOT NULL DEFAULT 0,
  last_clicked INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- set when the link is deleted; its id stays for the history that names it
  deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX links_by_key ON links (domain, key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX links_by_external_id ON links (workspace_id, external_id)
  WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX links_by_workspace ON links (workspace_id, created_at);

CREATE TABLE clicks (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- the visitor's anonymous id (cookie)
  visitor TEXT NOT NULL,
  -- destination with the request's UTM values, never with the click id
  url TEXT NOT NULL,
  -- '' for visitors from the EU
  ip TEXT NOT NULL DEFAULT '',
  continent TEXT NOT NULL DEFAULT '',
  country TEXT NOT NULL DEFAULT 'Unknown',
  region TEXT NOT NULL DEFAULT 'Unknown',
  city TEXT NOT NULL DEFAULT 'Unknown',
  latitude TEXT NOT NULL DEFAULT 'Unknown',
  longitude TEXT NOT NULL DEFAULT 'Unknown',
  edge_location TEXT NOT NULL DEFAULT 'Unknown',
  device TEXT NOT NULL DEFAULT 'Desktop',
  browser TEXT NOT NULL DEFAULT 'Unknown',
  browser_version TEXT NOT NULL DEFAULT 'Unknown',
  engine TEXT NOT NULL DEFAULT 'Unknown',
  os TEXT NOT NULL DEFAULT 'Unknown',
  os_version TEXT NOT NULL DEFAULT 'Unknown',
  ua TEXT NOT NULL DEFAULT '',
  qr INTEGER NOT NULL DEFAULT 0 CHECK (qr IN (0, 1)),
  referer TEXT NOT NULL DEFAULT '(direct)',
  referer_url TEXT NOT NULL DEFAULT '(direct)',
  -- link, qr, pageview, deeplink
  source TEXT NOT NULL DEFAULT 'link',
  -- raw signals (method, prefetch headers, bot verdict, variant …) so that a better rule can be applied to history
  signals TEXT NOT NULL DEFAULT '{}',
  -- keyed hash of address and user agent whose key changes daily; '' when the address is unknown
  fingerprint TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX clicks_by_link ON clicks (link_id, at);
CREATE INDEX clicks_by_workspace ON clicks (workspace_id, at);
-- a visitor who comes again within the hour is not counted again
CREATE INDEX clicks_by_visitor ON clicks (link_id, visitor, at);
CREATE INDEX clicks_by_fingerprint ON clicks (link_id, fingerprint, at) WHERE fingerprint <> '';

-- Visits that are not clicks, with the reason: kept so that a better rule can be applied to history.
CREATE TABLE visits (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- bot, prefetch, head, repeat
  verdict TEXT NOT NULL,
  visitor TEXT NOT NULL,
  url TEXT NOT NULL,
  ip TEXT NOT NULL,
  continent TEXT NOT NULL,
  country TEXT NOT NULL,
  region TEXT NOT NULL,
  city TEXT NOT NULL,
  latitude TEXT NOT NULL,
  longitude TEXT NOT NULL,
  edge_location TEXT NOT NULL,
  device TEXT NOT NULL,
  browser TEXT NOT NULL,
  browser_version TEXT NOT NULL,
  engine TEXT NOT NULL,
  os TEXT NOT NULL,
  os_version TEXT NOT NULL,
  ua TEXT NOT NULL,
  qr INTEGER NOT NULL CHECK (qr IN (0, 1)),
  referer TEXT NOT NULL,
  referer_url TEXT NOT NULL,
  source TEXT NOT NULL,
  signals TEXT NOT NULL,
  fingerprint TEXT NOT NULL
) STRICT;
CREATE INDEX visits_by_link ON visits (link_id, at);
CREATE INDEX visits_by_workspace ON visits (workspace_id, at);

CREATE TRIGGER clicks_are_counted AFTER INSERT ON clicks BEGIN
  UPDATE links SET clicks = clicks + 1, last_clicked = MAX(COALESCE(last_clicked, 0), NEW.at)
  WHERE id = NEW.link_id;
END;

CREATE TABLE stripe_secrets (
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
  position INTEGER NOT NULL,
  -- AES-GCM under the Worker's ENCRYPTION_KEY: base64 of nonce and ciphertext
  sealed TEXT NOT NULL,
  last_four TEXT NOT NULL,
  PRIMARY KEY (workspace_id, mode, position)
) STRICT;

-- Who owned a Stripe account when: an event belongs to the first span that had not ended when it was created.
CREATE TABLE stripe_accounts (
  account TEXT NOT NULL,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  connected_at INTEGER NOT NULL,
  -- NULL while connected
  ended_at INTEGER,
  PRIMARY KEY (account, connected_at)
) STRICT;
CREATE UNIQUE INDEX stripe_accounts_once ON stripe_accounts (account) WHERE ended_at IS NULL;

CREATE TABLE fx_rates (
  -- '' for rates fetched for everybody, a workspace's id for its own
  workspace_id TEXT NOT NULL,
  day TEXT NOT NULL,
  -- units of `currency` for one US dollar, a decimal text
  currency TEXT NOT NULL,
  per_usd TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (workspace_id, currency, day)
) STRICT;

-- ── the ledger's projection: written by CustomerLedger objects only, whole changes in one batch ──

CREATE TABLE customers (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  -- the ledger's version; an older projection never overwrites a newer one
  version INTEGER NOT NULL,
  -- the customer that absorbed this one
  merged_into TEXT,
  -- 0: only parked facts or unmatched payments are known; not listed as a customer
  visible INTEGER NOT NULL,
  external_id TEXT,
  name TEXT,
  email TEXT,
  avatar TEXT,
  country TEXT,
  -- the latest touchpoint
  click_id TEXT,
  link_id TEXT,
  created_at INTEGER NOT NULL,
  first_sale_at INTEGER,
  subscription_canceled_at INTEGER,
  -- aliases, touchpoints, merges, mismatches: core::ledger::view::CustomerView as JSON
  body TEXT NOT NULL
) STRICT;
CREATE INDEX customers_by_workspace ON customers (workspace_id, mode, created_at);
CREATE INDEX customers_by_external_id ON customers (workspace_id, mode, external_id);

CREATE TABLE leads (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  event_name TEXT NOT NULL,
  -- how many leads the call reported
  quantity INTEGER NOT NULL,
  click_id TEXT,
  link_id TEXT,
  -- JSON text, or NULL
  metadata TEXT
) STRICT;
CREATE INDEX leads_by_workspace ON leads (workspace_id, mode, at);
CREATE INDEX leads_by_customer ON leads (customer_id);
CREATE INDEX leads_by_link ON leads (link_id, at);

CREATE TABLE sales (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  -- Stripe account, '' for the workspace's own
  account TEXT NOT NULL,
  -- the economic identity: in_…, cs_…, pi_… or the invoiceId of /track/sale
  reference TEXT NOT NULL,
  at INTEGER NOT NULL,
  event_name TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  tax INTEGER NOT NULL DEFAULT 0,
  processor TEXT NOT NULL,
  invoice_id TEXT,
  subscription_id TEXT,
  -- attribution under the default model; NULL: unattributed
  click_id TEXT,
  link_id TEXT,
  clicked_at INTEGER,
  -- the day whose exchange rate applies to the sale and to what undoes it
  rate_day TEXT NOT NULL,
  -- every touchpoint in the window, for the other models: [{"clickId","linkId","at"}]
  touches TEXT NOT NULL,
  -- the receipt: evidence, chain, rejected candidates, mismatches, rule version, as JSON
  receipt TEXT NOT NULL
) STRICT;
CREATE INDEX sales_by_workspace ON sales (workspace_id, mode, at);
CREATE INDEX sales_by_customer ON sales (customer_id);
CREATE INDEX sales_by_link ON sales (link_id, at);
CREATE INDEX sales_by_reference ON sales (workspace_id, mode, reference);

-- Signed entries: every figure is a sum of these rows.
CREATE TABLE entries (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  -- NULL: a refund or dispute that could not be tied to one sale
  sale_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund', 'dispute', 'reinstated')),
  at INTEGER NOT NULL,
  -- sale and reinstated positive, refund and dispute negative (a failed refund comes back as a positive refund)
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  rate_day TEXT NOT NULL,
  click_id TEXT,
  link_id TEXT,
  -- re_…, dp_…, ch_… that moved it
  reference TEXT
) STRICT;
CREATE INDEX entries_by_workspace ON entries (workspace_id, mode, at);
CREATE INDEX entries_by_customer ON entries (customer_id);
CREATE INDEX entries_by_sale ON entries (sale_id);
CREATE INDEX entries_by_link ON entries (link_id, at);

CREATE TABLE subscriptions (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  account TEXT NOT NULL,
  -- sub_…
  reference TEXT NOT NULL,
  status TEXT NOT NULL,
  -- monthly contribution while active or past due, minor units; 0 otherwise
  mrr INTEGER NOT NULL,
  currency TEXT,
  started_at INTEGER,
  churned_at INTEGER,
  click_id TEXT,
  link_id TEXT
) STRICT;
CREATE INDEX subscriptions_by_workspace ON subscriptions (workspace_id, mode);
CREATE INDEX subscriptions_by_customer ON subscriptions (customer_id);

-- Facts that wait for a counterpart, and payments that nothing claims yet.
CREATE TABLE parked (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- refund, dispute, sale, payment, …
  kind TEXT NOT NULL,
  reference TEXT,
  event_id TEXT,
  amount INTEGER,
  currency TEXT,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX parked_by_workspace ON parked (workspace_id, mode, at);
CREATE INDEX parked_by_customer ON parked (customer_id);
