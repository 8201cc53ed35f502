-- Every call belongs to a tenant and to the service (node) that answered it. Events of all calls form one log: `cursor` rises
-- in the order in which they are committed, with gaps; `seq` counts within a call.
ALTER TABLE calls ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE calls ADD COLUMN node TEXT NOT NULL DEFAULT 'default';
CREATE INDEX calls_by_tenant ON calls (tenant, started_at);

-- Numbers that only rise; changing one holds its row until the transaction is over, which keeps the log in order.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE events RENAME TO events_1;
CREATE TABLE events (
    cursor  INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    call_id TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    time    INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    data    TEXT    NOT NULL,
    UNIQUE (call_id, seq)
) STRICT;

INSERT INTO events (cursor, tenant, call_id, seq, at, time, kind, data)
SELECT row_number() OVER (ORDER BY c.started_at, e.call_id, e.seq), c.tenant, e.call_id, e.seq, e.at,
       c.started_at + coalesce(c.answered_ms, 0) + e.at / 8,
       CASE e.kind WHEN 'dialog' THEN coalesce(json_extract(e.data, '$.event'), 'dialog') ELSE e.kind END,
       CASE e.kind WHEN 'dialog' THEN json_remove(e.data, '$.event') ELSE e.data END
FROM events_1 e JOIN calls c ON c.id = e.call_id;
DROP TABLE events_1;
INSERT INTO counters (name, value) SELECT 'events', coalesce(max(cursor), 0) FROM events;
