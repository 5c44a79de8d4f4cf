-- Clicks counted ahead, so that what a report costs follows the number of different values, not of clicks.
-- All of it can be made again from `clicks`, as far back as those are kept.

CREATE TABLE click_sums (
  workspace_id TEXT NOT NULL,
  -- '' : all links together
  link_id TEXT NOT NULL,
  -- core::analytics::dimension
  dimension TEXT NOT NULL,
  -- day: a whole UTC day; hours: the same day, each hour apart; hour: an hour of a day that is not over
  span TEXT NOT NULL CHECK (span IN ('day', 'hours', 'hour')),
  -- the first instant of the day or hour
  at INTEGER NOT NULL,
  -- many values are spread over several rows
  part INTEGER NOT NULL,
  -- {"FR": 12, …}; hours: {"07 FR": 3, …}
  counts TEXT NOT NULL,
  PRIMARY KEY (workspace_id, link_id, dimension, span, at, part)
) STRICT, WITHOUT ROWID;

-- How far each workspace's clicks are summed.
CREATE TABLE click_sums_until (
  workspace_id TEXT PRIMARY KEY,
  -- every hour before this instant has its sums
  hours INTEGER NOT NULL,
  -- every day before this one has them, also per link
  days INTEGER NOT NULL,
  -- older clicks may have been deleted
  kept_from INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Clicks that were stored after their hour had been summed: a report adds them until the sums are made anew.
CREATE TABLE late_clicks (
  workspace_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (workspace_id, at, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER late_clicks_are_noted AFTER INSERT ON clicks
WHEN NEW.at < (SELECT hours FROM click_sums_until WHERE workspace_id = NEW.workspace_id) BEGIN
  INSERT OR IGNORE INTO late_clicks (workspace_id, at, id) VALUES (NEW.workspace_id, NEW.at, NEW.id);
END;

-- Counters of links are moved once per batch by the statement that stores it, not once per click.
DROP TRIGGER clicks_are_counted;
