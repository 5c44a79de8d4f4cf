-- How many days a workspace keeps the rows of its clicks; NULL: as long as the instance does.
ALTER TABLE workspaces ADD COLUMN click_retention_days INTEGER CHECK (click_retention_days BETWEEN 1 AND 3650);
-- How far the clicks before `kept_from` have been deleted: some at a time, so that no run writes more than it should.
ALTER TABLE click_sums_until ADD COLUMN deleted_to INTEGER NOT NULL DEFAULT 0;
