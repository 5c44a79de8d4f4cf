-- What POST requests with an Idempotency-Key were answered, for a day.
CREATE TABLE idempotency_keys (
  workspace_id TEXT NOT NULL,
  key TEXT NOT NULL,
  -- SHA-256 of method, path, query and body: the same key with another request is a mistake
  fingerprint TEXT NOT NULL,
  -- NULL while the first request is under way
  status INTEGER,
  body TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

ALTER TABLE workspaces ADD COLUMN logo TEXT;
