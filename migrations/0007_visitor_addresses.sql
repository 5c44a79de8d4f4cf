-- Visitors' addresses are stored only where the workspace has asked for it; never those of visitors from Europe.
ALTER TABLE workspaces ADD COLUMN keeps_addresses INTEGER NOT NULL DEFAULT 0 CHECK (keeps_addresses IN (0, 1));
