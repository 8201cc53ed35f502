-- Who may do what, and who did. Of a token only its SHA-256 is kept. A row of the audit log holds the hash of the one before
-- it, so that no row can be changed or taken out unnoticed.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    tenant     TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    tenant  TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    object  TEXT    NOT NULL,
    details TEXT    NOT NULL,
    prev    TEXT    NOT NULL,
    hash    TEXT    NOT NULL
) STRICT;

INSERT INTO counters (name, value) VALUES ('audit', 0);
