-- The rest of 0007: the root of each delivery, parked deliveries in a table of their own, operations, figures.

DROP TABLE due_reading;

-- Dossiers of which something is not final, by province and due instant.
CREATE INDEX dossier_due ON dossier (root, due_open_at) WHERE due_open_at IS NOT NULL;

-- Roots of agency codes, such as H21: provinces and ministries.
CREATE TABLE root (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE
) STRICT;

-- One look into the index per root, however many dossiers there are.
INSERT INTO root (code)
WITH RECURSIVE roots (code) AS (
    SELECT min(root) FROM dossier
    UNION ALL
    SELECT (SELECT min(root) FROM dossier WHERE root > roots.code) FROM roots WHERE roots.code IS NOT NULL)
SELECT code FROM roots WHERE code IS NOT NULL;

-- Of the dossier's agency; 0 for deliveries that were final before this migration, which nobody looks for by root.
ALTER TABLE delivery ADD COLUMN root INTEGER NOT NULL DEFAULT 0;
UPDATE delivery INDEXED BY delivery_lane
SET root = coalesce((SELECT r.id FROM dossier o JOIN root r ON r.code = o.root WHERE o.id = delivery.dossier), 0)
WHERE state IN (0, 1, 2, 3, 5);

-- Heads of lanes by root, oldest first: what a province waits for is found at once.
DROP INDEX delivery_head;
CREATE INDEX delivery_head ON delivery (destination, root) WHERE state IN (1, 2, 3);

-- A row while a delivery is parked, with what operators choose by: so that they need no other table.
CREATE TABLE parked (
    delivery INTEGER PRIMARY KEY,
    -- Grows with every parking: an operation means what was parked before it was asked for, whatever the clock did.
    parking INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    root INTEGER NOT NULL,
    dossier INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    -- The dossier's, as it is now.
    procedure TEXT,
    reason INTEGER NOT NULL,
    -- Of the last attempt; empty for none.
    code TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    -- 1: an earlier attempt may have reached the destination.
    repeats INTEGER NOT NULL,
    -- 1: a later event of the lane has been delivered.
    overtaken INTEGER NOT NULL
) STRICT;

INSERT INTO parked (delivery, parking, destination, root, dossier, sequence, procedure, reason, code, parked_at,
    repeats, overtaken)
SELECT d.id, 0, d.destination, d.root, d.dossier, d.sequence, o.procedure, coalesce(d.park_reason, 0),
    coalesce((SELECT a.code FROM attempt a WHERE a.delivery = d.id ORDER BY a.id DESC LIMIT 1), ''),
    coalesce(d.ended_at, 0), d.attempts_made > 0 OR d.step > 0,
    EXISTS (SELECT 1 FROM event e CROSS JOIN delivery later ON later.id = e.id * 64 + d.destination
        WHERE e.dossier = d.dossier AND e.sequence > d.sequence AND later.state = 4)
FROM delivery d INDEXED BY delivery_parked JOIN dossier o ON o.id = d.dossier WHERE d.state = 5;

DROP INDEX delivery_parked;
CREATE INDEX parked_lane ON parked (dossier, destination, sequence);
CREATE INDEX parked_root ON parked (root, dossier);
-- Groups are counted from this index alone, in its order.
CREATE INDEX parked_group ON parked (destination, root, reason, code, procedure, parked_at, parking);

-- kind: 1 replay, 2 discard. state: 1 awaiting approval, 2 running, 3 done, 4 cancelled. Rows stay for ever.
CREATE TABLE operation (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    -- JSON: which parked deliveries, as asked for.
    filter TEXT NOT NULL,
    -- The newest parking when it was asked for.
    parking INTEGER NOT NULL,
    allow_out_of_order INTEGER NOT NULL,
    per_second INTEGER NOT NULL,
    key TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_reason TEXT,
    decided_at INTEGER,
    ended_at INTEGER,
    matched INTEGER NOT NULL,
    moved INTEGER NOT NULL DEFAULT 0,
    left_alone INTEGER NOT NULL DEFAULT 0,
    -- The last delivery dealt with.
    cursor INTEGER NOT NULL DEFAULT 0,
    -- Until when its rate is used up; NULL before it runs.
    stepped_at INTEGER
) STRICT;

CREATE UNIQUE INDEX operation_key ON operation (requested_by, key);
CREATE INDEX operation_open ON operation (id) WHERE state IN (1, 2);

-- What happened on a day (days since 1970 in Vietnam's time), counted in the transactions themselves.
CREATE TABLE day_flow (
    day INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    root INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    retried INTEGER NOT NULL,
    given_up INTEGER NOT NULL,
    PRIMARY KEY (day, destination, root)
) STRICT, WITHOUT ROWID;

-- The delays of what was delivered on a day, in buckets.
CREATE TABLE day_delay (
    day INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    root INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (day, destination, root, bucket)
) STRICT, WITHOUT ROWID;

-- The slowest dossiers among them, a few of each day, destination and root.
CREATE TABLE day_slow (
    day INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    root INTEGER NOT NULL,
    dossier INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    -- Microseconds.
    delay INTEGER NOT NULL,
    PRIMARY KEY (day, destination, root, dossier)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample_key (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    about TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX sample_key_name ON sample_key (name, about);

-- Figures for charts, of the last 30 days. The minute is one since 1970.
CREATE TABLE sample (
    key INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (key, minute)
) STRICT, WITHOUT ROWID;

-- An index ends with the id, so each of the first three pages by it.
CREATE INDEX action_by ON action (by);
CREATE INDEX action_kind ON action (kind);
CREATE INDEX action_subject ON action (subject);
CREATE INDEX action_at ON action (at);
