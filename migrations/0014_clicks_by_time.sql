-- A click is one row, in the order of time, without any index beside it: what D1 charges for is rows and entries of
-- indexes written, and of those a click had six. What the indexes were for:
--   by workspace and time   the table itself
--   by id                   the time is in the id, and credited_clicks keeps it of every click that somebody asks for by id
--   by link                 sums, and for days with few clicks of a link the list of them (click_sums, dimension 'few')
--   by visitor              the last hour of the table, once for a batch

CREATE TABLE clicks_by_time (
  id TEXT NOT NULL,
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
  fingerprint TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (workspace_id, at, id)
) STRICT, WITHOUT ROWID;

INSERT INTO clicks_by_time
  (id, workspace_id, link_id, at, visitor, url, ip, continent, country, region, city, latitude, longitude,
   edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, referer, referer_url, source,
   signals, fingerprint)
  SELECT id, workspace_id, link_id, at, visitor, url, ip, continent, country, region, city, latitude, longitude,
    edge_location, device, browser, browser_version, engine, os, os_version, ua, qr, referer, referer_url, source,
    signals, fingerprint
  FROM clicks;

-- Days with few clicks of a link name them from now on.
UPDATE click_sums SET counts = COALESCE((SELECT json_group_object(c.id, c.at) FROM clicks AS c
    WHERE c.link_id = click_sums.link_id AND c.workspace_id = click_sums.workspace_id
      AND c.at >= click_sums.at AND c.at < click_sums.at + 86400000), '{}')
  WHERE dimension = 'few';

-- When the click was made that the lead came by: with its id the place of its row.
ALTER TABLE leads ADD COLUMN clicked_at INTEGER;
UPDATE leads SET clicked_at = (SELECT c.at FROM clicks AS c WHERE c.id = leads.click_id) WHERE click_id IS NOT NULL;

-- contract, since version 0.1: the table of the same name that follows has the same columns
DROP TABLE clicks;
-- contract, since version 0.1: the new table takes the place of the one before
ALTER TABLE clicks_by_time RENAME TO clicks;

-- Ids issued elsewhere do not tell their time; ours have 44 characters.
CREATE INDEX clicks_issued_elsewhere ON clicks (id) WHERE length(id) <> 44;

CREATE TRIGGER late_clicks_are_noted AFTER INSERT ON clicks
WHEN NEW.at < (SELECT hours FROM click_sums_until WHERE workspace_id = NEW.workspace_id) BEGIN
  INSERT OR IGNORE INTO late_clicks (workspace_id, at, id) VALUES (NEW.workspace_id, NEW.at, NEW.id);
END;

-- What reports need of the clicks that customers, leads, sales and entries came by: a hundredth of all clicks, next to
-- each other, by id.
CREATE TABLE credited_clicks (
  click_id TEXT PRIMARY KEY,
  at INTEGER,
  -- the same as click_id, or NULL while the click itself is not stored: its message may still be in the queue
  id TEXT,
  continent TEXT,
  country TEXT,
  region TEXT,
  city TEXT,
  device TEXT,
  browser TEXT,
  os TEXT,
  qr INTEGER,
  referer TEXT,
  referer_url TEXT,
  source TEXT,
  url TEXT
) STRICT, WITHOUT ROWID;

-- "OR IGNORE" would not hold in these: the conflict clause of the statement that fires a trigger takes its place. Every
-- click of an entry is one of its sale.

CREATE TRIGGER leads_credit_their_click AFTER INSERT ON leads WHEN NEW.click_id IS NOT NULL BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, NEW.clicked_at, c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = NEW.clicked_at AND c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER leads_credit_another_click AFTER UPDATE OF click_id ON leads
WHEN NEW.click_id IS NOT NULL AND NEW.click_id IS NOT OLD.click_id BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, NEW.clicked_at, c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = NEW.clicked_at AND c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_their_click AFTER INSERT ON sales WHEN NEW.click_id IS NOT NULL BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, NEW.clicked_at, c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = NEW.clicked_at AND c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_another_click AFTER UPDATE OF click_id ON sales
WHEN NEW.click_id IS NOT NULL AND NEW.click_id IS NOT OLD.click_id BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, NEW.clicked_at, c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = NEW.clicked_at AND c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_their_touches AFTER INSERT ON sales BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', t.value ->> 'at', c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM json_each(NEW.touches) AS t LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = t.value ->> 'at' AND c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER sales_credit_other_touches AFTER UPDATE OF touches ON sales WHEN NEW.touches <> OLD.touches BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', t.value ->> 'at', c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM json_each(NEW.touches) AS t LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = t.value ->> 'at' AND c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER customers_credit_their_touches AFTER INSERT ON customers BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', t.value ->> 'at', c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM json_each(NEW.body, '$.touches') AS t LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = t.value ->> 'at' AND c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER customers_credit_other_touches AFTER UPDATE OF body ON customers WHEN NEW.body <> OLD.body BEGIN
  INSERT INTO credited_clicks
    (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', t.value ->> 'at', c.id,
      c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
    FROM json_each(NEW.body, '$.touches') AS t LEFT JOIN clicks AS c
      ON c.workspace_id = NEW.workspace_id AND c.at = t.value ->> 'at' AND c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER credited_clicks_arrive AFTER INSERT ON clicks BEGIN
  UPDATE credited_clicks SET at = NEW.at, id = NEW.id,
    continent = NEW.continent, country = NEW.country, region = NEW.region, city = NEW.city,
    device = NEW.device, browser = NEW.browser, os = NEW.os, qr = NEW.qr, referer = NEW.referer,
    referer_url = NEW.referer_url, source = NEW.source, url = NEW.url
  WHERE click_id = NEW.id;
END;

-- What is removed of a person is removed here too.
CREATE TRIGGER credited_clicks_follow AFTER UPDATE ON clicks BEGIN
  UPDATE credited_clicks SET at = NEW.at, id = NEW.id,
    continent = NEW.continent, country = NEW.country, region = NEW.region, city = NEW.city,
    device = NEW.device, browser = NEW.browser, os = NEW.os, qr = NEW.qr, referer = NEW.referer,
    referer_url = NEW.referer_url, source = NEW.source, url = NEW.url
  WHERE click_id = NEW.id;
END;

INSERT INTO credited_clicks
  (click_id, at, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
  SELECT e.click_id, MAX(e.at), c.id,
    c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr, c.referer, c.referer_url, c.source,
      c.url
  FROM (SELECT workspace_id, click_id, clicked_at AS at FROM leads
    UNION ALL SELECT workspace_id, click_id, clicked_at FROM sales
    UNION ALL SELECT s.workspace_id, t.value ->> 'clickId', t.value ->> 'at' FROM sales AS s, json_each(s.touches) AS t
    UNION ALL SELECT k.workspace_id, t.value ->> 'clickId', t.value ->> 'at'
      FROM customers AS k, json_each(k.body, '$.touches') AS t) AS e
  LEFT JOIN clicks AS c ON c.workspace_id = e.workspace_id AND c.at = e.at AND c.id = e.click_id
  WHERE e.click_id IS NOT NULL GROUP BY e.click_id;
