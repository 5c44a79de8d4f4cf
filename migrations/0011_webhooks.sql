-- Outbound webhooks: whom to tell of what, and how that went.

CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  -- whose leads and sales it is told of; links and clicks have no mode
  mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- AES-GCM under the Worker's ENCRYPTION_KEY: base64 of nonce and ciphertext
  sealed TEXT NOT NULL,
  last_four TEXT NOT NULL,
  -- the secret before the last rotation, which signs as well until then
  previous TEXT,
  previous_until INTEGER,
  -- JSON array of names
  triggers TEXT NOT NULL,
  -- link.clicked of every link, not only of those in webhook_links
  all_links INTEGER NOT NULL DEFAULT 0 CHECK (all_links IN (0, 1)),
  -- events in a row that could not be delivered
  failures INTEGER NOT NULL DEFAULT 0,
  disabled_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhooks_by_url ON webhooks (workspace_id, url);

CREATE TABLE webhook_links (
  webhook_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  PRIMARY KEY (webhook_id, link_id)
) STRICT, WITHOUT ROWID;

-- The outbox and the log: one row per webhook and event, whatever happens to the queue.
CREATE TABLE webhook_deliveries (
  webhook_id TEXT NOT NULL,
  -- derived from workspace, mode, kind and what it tells of: the same event is never a second row
  event_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  event TEXT NOT NULL,
  -- whose data the body has, for erasure
  customer_id TEXT,
  -- core::webhook::Subject as JSON
  subject TEXT NOT NULL,
  -- exactly what is sent; NULL until the first attempt
  body TEXT,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0,
  -- when the next attempt is due; while one is under way, when it is given up
  next_at INTEGER NOT NULL,
  -- of the last attempt
  status INTEGER,
  response TEXT,
  -- whether its failure was counted: once per event
  counted INTEGER NOT NULL DEFAULT 0 CHECK (counted IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, event_id)
) STRICT;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (webhook_id, created_at);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
CREATE INDEX webhook_deliveries_by_customer ON webhook_deliveries (customer_id) WHERE customer_id IS NOT NULL;
