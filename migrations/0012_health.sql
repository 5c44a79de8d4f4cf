-- What the Worker notes of itself, for GET /api/health.

-- Messages a queue gave up on, kept until somebody has looked at them.
CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;

-- When something last happened, and a figure that belongs to it.
CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
