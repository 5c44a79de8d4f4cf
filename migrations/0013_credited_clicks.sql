-- What reports need of the clicks that leads, sales and entries came by, a small table instead of one among all clicks:
-- a hundredth of them, and next to each other.

CREATE TABLE credited_clicks (
  click_id TEXT PRIMARY KEY,
  -- the same, or NULL while the click itself is not stored: its message may still be in the queue
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

-- "OR IGNORE" would not hold in a trigger: the conflict clause of the statement that fires it takes its place.

CREATE TRIGGER leads_credit_their_click AFTER INSERT ON leads WHEN NEW.click_id IS NOT NULL BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER leads_credit_another_click AFTER UPDATE OF click_id ON leads
WHEN NEW.click_id IS NOT NULL AND NEW.click_id IS NOT OLD.click_id BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_their_click AFTER INSERT ON sales WHEN NEW.click_id IS NOT NULL BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_another_click AFTER UPDATE OF click_id ON sales
WHEN NEW.click_id IS NOT NULL AND NEW.click_id IS NOT OLD.click_id BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER entries_credit_their_click AFTER INSERT ON entries WHEN NEW.click_id IS NOT NULL BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER entries_credit_another_click AFTER UPDATE OF click_id ON entries
WHEN NEW.click_id IS NOT NULL AND NEW.click_id IS NOT OLD.click_id BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT NEW.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM (SELECT 1) LEFT JOIN clicks AS c ON c.id = NEW.click_id
    WHERE NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = NEW.click_id);
END;

CREATE TRIGGER sales_credit_their_touches AFTER INSERT ON sales BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM json_each(NEW.touches) AS t LEFT JOIN clicks AS c ON c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER sales_credit_other_touches AFTER UPDATE OF touches ON sales WHEN NEW.touches <> OLD.touches BEGIN
  INSERT INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
    SELECT DISTINCT t.value ->> 'clickId', c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
    FROM json_each(NEW.touches) AS t LEFT JOIN clicks AS c ON c.id = t.value ->> 'clickId'
    WHERE t.value ->> 'clickId' IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM credited_clicks WHERE click_id = t.value ->> 'clickId');
END;

CREATE TRIGGER credited_clicks_arrive AFTER INSERT ON clicks BEGIN
  UPDATE credited_clicks SET id = NEW.id, continent = NEW.continent, country = NEW.country,
    region = NEW.region, city = NEW.city, device = NEW.device, browser = NEW.browser, os = NEW.os, qr = NEW.qr,
    referer = NEW.referer, referer_url = NEW.referer_url, source = NEW.source, url = NEW.url
  WHERE click_id = NEW.id;
END;

-- What is removed of a person is removed here too.
CREATE TRIGGER credited_clicks_follow AFTER UPDATE ON clicks BEGIN
  UPDATE credited_clicks SET id = NEW.id, continent = NEW.continent, country = NEW.country,
    region = NEW.region, city = NEW.city, device = NEW.device, browser = NEW.browser, os = NEW.os, qr = NEW.qr,
    referer = NEW.referer, referer_url = NEW.referer_url, source = NEW.source, url = NEW.url
  WHERE click_id = NEW.id;
END;

INSERT OR IGNORE INTO credited_clicks
    (click_id, id, continent, country, region, city, device, browser, os, qr, referer, referer_url, source, url)
  SELECT e.click_id, c.id, c.continent, c.country, c.region, c.city, c.device, c.browser, c.os, c.qr,
      c.referer, c.referer_url, c.source, c.url
  FROM (SELECT click_id FROM leads UNION SELECT click_id FROM sales UNION SELECT click_id FROM entries
    UNION SELECT t.value ->> 'clickId' FROM sales AS s, json_each(s.touches) AS t) AS e
  LEFT JOIN clicks AS c ON c.id = e.click_id WHERE e.click_id IS NOT NULL;
