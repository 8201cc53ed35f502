-- One row per call, and what happened in it. Times of day are Unix milliseconds, durations
-- milliseconds, moments within a call samples of its 8 kHz media clock.
CREATE TABLE calls (
    id               TEXT PRIMARY KEY,
    direction        TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    caller           TEXT NOT NULL,
    called           TEXT NOT NULL,
    sip_call_id      TEXT,
    dialplan         TEXT NOT NULL,
    dialplan_version TEXT NOT NULL,
    dialplan_hash    TEXT NOT NULL,
    started_at       INTEGER NOT NULL,
    ended_at         INTEGER,
    answered_ms      INTEGER,
    duration_ms      INTEGER NOT NULL DEFAULT 0,
    end_reason       TEXT,
    disposition      TEXT,
    turns            INTEGER NOT NULL DEFAULT 0,
    slots            TEXT NOT NULL DEFAULT '{}',
    rtp              TEXT NOT NULL DEFAULT 'null',
    recording        TEXT,
    journal          TEXT
) STRICT;

CREATE INDEX calls_by_start ON calls (started_at);
CREATE INDEX calls_unfinished ON calls (id) WHERE end_reason IS NULL;

CREATE TABLE events (
    call_id TEXT    NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    data    TEXT    NOT NULL,
    PRIMARY KEY (call_id, seq)
) STRICT, WITHOUT ROWID;
