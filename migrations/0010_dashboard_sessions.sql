-- Sessions of the dashboard that have not been ended. A session goes with its row, and with its key.
CREATE TABLE dashboard_sessions (
  -- SHA-256 of the cookie's text: who reads this table cannot sign in with it
  hash TEXT PRIMARY KEY,
  -- the API key it stands for
  key_id TEXT NOT NULL,
  -- whose it is, if the key is shared by people who sign in by name; else empty
  person TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dashboard_sessions_by_key ON dashboard_sessions (key_id, person);
CREATE INDEX dashboard_sessions_by_end ON dashboard_sessions (expires_at);
