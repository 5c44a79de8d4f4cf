-- What a workspace has chosen for requests that do not say. `window_days` has been there from the beginning.
ALTER TABLE workspaces ADD COLUMN conversion_enabled INTEGER NOT NULL DEFAULT 1 CHECK (conversion_enabled IN (0, 1));
ALTER TABLE workspaces ADD COLUMN attribution_model TEXT NOT NULL DEFAULT 'last'
  CHECK (attribution_model IN ('last', 'first', 'linear', 'position', 'decay'));
-- An IANA name; NULL: the reader's own in the dashboard, UTC in the API.
ALTER TABLE workspaces ADD COLUMN timezone TEXT;
