-- What the links API keeps beside the link itself.

-- The destination without query, fragment and closing slash: what `?url=` compares with.
ALTER TABLE links ADD COLUMN base_url TEXT;
ALTER TABLE links ADD COLUMN program_id TEXT;
ALTER TABLE links ADD COLUMN partner_id TEXT;
CREATE INDEX links_by_base_url ON links (workspace_id, base_url) WHERE deleted_at IS NULL;
CREATE INDEX links_by_folder ON links (workspace_id, folder_id) WHERE deleted_at IS NULL;

CREATE TABLE tags (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  name TEXT NOT NULL,
  color TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tags_by_name ON tags (workspace_id, name COLLATE NOCASE);

CREATE TABLE link_tags (
  link_id TEXT NOT NULL,
  tag_id TEXT NOT NULL,
  -- as assigned
  position INTEGER NOT NULL,
  PRIMARY KEY (link_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_tags_by_tag ON link_tags (tag_id);

CREATE TABLE folders (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id),
  name TEXT NOT NULL,
  description TEXT,
  access_level TEXT CHECK (access_level IN ('write', 'read')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX folders_by_name ON folders (workspace_id, name COLLATE NOCASE);
