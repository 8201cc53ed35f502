-- The same tables as in SQLite: see there.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    tenant     TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE audit (
    seq     BIGINT PRIMARY KEY,
    time    BIGINT NOT NULL,
    tenant  TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    object  TEXT    NOT NULL,
    details TEXT    NOT NULL,
    prev    TEXT    NOT NULL,
    hash    TEXT    NOT NULL
);

INSERT INTO counters (name, value) VALUES ('audit', 0);
