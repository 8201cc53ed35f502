-- The same tables as in SQLite: see there.
CREATE TABLE sinks (
    name        TEXT PRIMARY KEY,
    position    BIGINT NOT NULL,
    lease_node  TEXT    NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE deliveries (
    sink     TEXT    NOT NULL,
    cursor   BIGINT NOT NULL,
    call_id  TEXT    NOT NULL,
    attempts BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    dead     BIGINT NOT NULL DEFAULT 0,
    problem  TEXT    NOT NULL,
    PRIMARY KEY (sink, cursor)
);
CREATE INDEX deliveries_by_call ON deliveries (sink, dead, call_id, cursor);
