-- What was given back or reinstated, by time: few of many entries.
CREATE INDEX entries_taken_back ON entries (workspace_id, mode, at, id) WHERE kind <> 'sale';
