-- The same tables as in SQLite: see there. Times of day are Unix milliseconds, durations milliseconds, moments within a call
-- samples of its 8 kHz media clock.
CREATE TABLE calls (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL DEFAULT 'default',
    node             TEXT NOT NULL DEFAULT 'default',
    direction        TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    caller           TEXT NOT NULL,
    called           TEXT NOT NULL,
    sip_call_id      TEXT,
    dialplan         TEXT NOT NULL,
    dialplan_version TEXT NOT NULL,
    dialplan_hash    TEXT NOT NULL,
    started_at       BIGINT NOT NULL,
    ended_at         BIGINT,
    answered_ms      BIGINT,
    duration_ms      BIGINT NOT NULL DEFAULT 0,
    end_reason       TEXT,
    disposition      TEXT,
    turns            BIGINT NOT NULL DEFAULT 0,
    slots            TEXT NOT NULL DEFAULT '{}',
    rtp              TEXT NOT NULL DEFAULT 'null',
    recording        TEXT,
    journal          TEXT
);

CREATE INDEX calls_by_start ON calls (started_at);
CREATE INDEX calls_by_tenant ON calls (tenant, started_at);
CREATE INDEX calls_unfinished ON calls (id) WHERE end_reason IS NULL;

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE events (
    cursor  BIGINT PRIMARY KEY,
    tenant  TEXT   NOT NULL,
    call_id TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    time    BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    data    TEXT   NOT NULL,
    UNIQUE (call_id, seq)
);

INSERT INTO counters (name, value) VALUES ('events', 0);
