-- Times are microseconds since 1970 in UTC. Tables are STRICT, so a column holds its type or NULL.
-- Rows are never deleted here. Foreign keys are not declared: one writer writes them, and a check
-- costs every accepted event a look-up.

CREATE TABLE participant (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE system (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE destination (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 63),
    name TEXT NOT NULL UNIQUE,
    lane INTEGER NOT NULL,
    paused_by TEXT,
    paused_reason TEXT,
    paused_at INTEGER,
    breaker_open_until INTEGER,
    breaker_openings INTEGER NOT NULL DEFAULT 0
) STRICT;

-- How many deliveries of a destination are in a state: written with every change of them, because
-- counting the deliveries of years would make each start slow.
CREATE TABLE tally (
    destination INTEGER NOT NULL,
    state INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (destination, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE dossier (
    id INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    code TEXT NOT NULL,
    procedure TEXT,
    participant INTEGER NOT NULL,
    status INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    source_sequence INTEGER,
    last_sequence INTEGER NOT NULL,
    -- The sequence of the event that holds the present details; 0 for none.
    details_sequence INTEGER NOT NULL,
    first_accepted_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The root follows from the code, so this is unique by code; a province lists its own part of it.
CREATE UNIQUE INDEX dossier_code ON dossier (root, code);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    dossier INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    participant INTEGER NOT NULL,
    key TEXT NOT NULL,
    system INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    content_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    source_sequence INTEGER,
    late INTEGER NOT NULL,
    -- JSON, like the four below; NULL for none.
    warnings TEXT,
    -- The sequence of the event that holds the details as they stood with this one; 0 for none.
    details_sequence INTEGER NOT NULL,
    progress TEXT,
    -- The details that came with the event.
    offered TEXT,
    -- The dossier's details from this event on; NULL when they equal `offered` or did not change.
    merged TEXT
) STRICT;

CREATE UNIQUE INDEX event_key ON event (participant, key);
CREATE UNIQUE INDEX event_sequence ON event (dossier, sequence);

-- id = 64 * event.id + destination.id, so neither needs an index to find the other.
-- state: 0 queued, 1 ready, 2 sent, 3 calling, 4 done, 5 parked, 6 superseded, 7 discarded.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    destination INTEGER NOT NULL,
    dossier INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    state INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    step INTEGER NOT NULL DEFAULT 0,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    attempts_counted INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    -- Not to be claimed before; 0 for at once.
    next_at INTEGER NOT NULL,
    begun_at INTEGER,
    lease_until INTEGER,
    ended_at INTEGER,
    park_reason INTEGER
) STRICT;

-- A lane: what of it is not final, in order.
CREATE UNIQUE INDEX delivery_lane ON delivery (dossier, destination, sequence) WHERE state IN (0, 1, 2, 3, 5);
-- What can be claimed, oldest due first.
CREATE INDEX delivery_due ON delivery (destination, next_at) WHERE state = 1;
-- Heads of lanes, oldest first.
CREATE INDEX delivery_head ON delivery (destination) WHERE state IN (1, 2, 3);
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE state IN (2, 3);
CREATE INDEX delivery_parked ON delivery (state) WHERE state = 5;

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    number INTEGER NOT NULL,
    -- The newest event when the attempt was recorded: the common order of events and attempts.
    after_event INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    took INTEGER NOT NULL,
    -- 0 delivered, 1 advanced, 2 retry, 3 overloaded, 4 rejected, 5 lease expired.
    outcome INTEGER NOT NULL,
    code TEXT NOT NULL,
    http_status INTEGER,
    message TEXT NOT NULL
) STRICT;

CREATE INDEX attempt_delivery ON attempt (delivery);

CREATE TABLE action (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
