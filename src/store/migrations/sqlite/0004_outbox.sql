-- Who is told of events, and how far. Everything up to `position` was taken by the sink, but for the rows in `deliveries`:
-- those wait for their next attempt, or are dead letters.
CREATE TABLE sinks (
    name        TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    lease_node  TEXT    NOT NULL DEFAULT '',
    lease_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE deliveries (
    sink     TEXT    NOT NULL,
    cursor   INTEGER NOT NULL,
    call_id  TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    dead     INTEGER NOT NULL DEFAULT 0,
    problem  TEXT    NOT NULL,
    PRIMARY KEY (sink, cursor)
) STRICT;
CREATE INDEX deliveries_by_call ON deliveries (sink, dead, call_id, cursor);
