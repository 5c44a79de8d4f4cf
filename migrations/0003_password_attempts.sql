-- Wrong passwords of links, counted before they are looked at and taken back when one was right.
CREATE TABLE password_attempts (
  link_id TEXT NOT NULL,
  -- keyed hash of the address; '' counts everybody
  who TEXT NOT NULL,
  -- quarters of an hour since 1970
  quarter INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (link_id, who, quarter)
) STRICT, WITHOUT ROWID;
