-- Identity: who looked at whom (usage), what was done to guards, and verification jobs with their items.

CREATE TABLE official (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Append-only. Whom is a keyed pseudonym; no value of a record is kept.
CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- The latest `at` of this row and all before it. It rises with the id whatever the clock did, so an
    -- instant leads with one look to the first row that can be of interest.
    at_latest INTEGER NOT NULL,
    participant INTEGER NOT NULL,
    system INTEGER NOT NULL,
    official INTEGER NOT NULL,
    subject BLOB CHECK (length(subject) = 16),
    -- Equal for neighbouring numbers.
    block BLOB CHECK (length(block) = 16),
    purpose TEXT NOT NULL,
    dossier TEXT,
    kind INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    reason TEXT,
    -- Sets of fields, a bit each.
    asked INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    as_relative INTEGER NOT NULL,
    request_id TEXT NOT NULL
) STRICT;

-- An index ends with the id, so each of these pages by it.
CREATE INDEX usage_subject ON usage (subject) WHERE subject IS NOT NULL;
CREATE INDEX usage_participant ON usage (participant);
CREATE INDEX usage_latest ON usage (at_latest);

-- Append-only.
CREATE TABLE guard_action (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    participant INTEGER NOT NULL,
    system INTEGER NOT NULL,
    -- NULL for the whole system.
    official INTEGER,
    -- 1 held, 2 blocked, 3 lifted.
    kind INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX guard_action_at ON guard_action (at);

-- state: 1 uploading, 2 running, 3 paused, 4 done, 5 cancelled, 6 erased. Rows stay for ever.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    participant INTEGER NOT NULL,
    system INTEGER NOT NULL,
    key TEXT NOT NULL,
    official INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    dossier TEXT,
    state INTEGER NOT NULL,
    state_reason TEXT,
    items_total INTEGER NOT NULL,
    items_received INTEGER NOT NULL DEFAULT 0,
    items_matched INTEGER NOT NULL DEFAULT 0,
    items_not_matched INTEGER NOT NULL DEFAULT 0,
    items_undecided INTEGER NOT NULL DEFAULT 0,
    items_failed INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    -- Microseconds that it may stand still.
    keep INTEGER NOT NULL,
    -- NULL while it runs, and once it is erased.
    erase_at INTEGER,
    -- What claims and answers are sealed with, wrapped under key `kek` of the key file; NULL once destroyed.
    data_key BLOB,
    kek INTEGER,
    -- When its next ready item is due; NULL for none.
    due_at INTEGER,
    -- Its place in the round: whoever was served last has the highest.
    turn INTEGER NOT NULL DEFAULT 0,
    -- 1: it has items that are to be deleted.
    untidy INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX job_key ON job (participant, system, key);
CREATE INDEX job_participant ON job (participant);
-- The round is read from the index alone, hence the state in it; likewise the count of what is in flight.
CREATE INDEX job_turn ON job (turn, id, due_at, state) WHERE state = 2 AND due_at IS NOT NULL;
CREATE INDEX job_due ON job (due_at) WHERE state = 2 AND due_at IS NOT NULL;
CREATE INDEX job_erase ON job (erase_at) WHERE erase_at IS NOT NULL;
CREATE INDEX job_kek ON job (kek) WHERE kek IS NOT NULL;
CREATE INDEX job_untidy ON job (id) WHERE untidy = 1;

-- id = 2^20 * job.id + position, from 1 and without gaps when they are added, so no number comes twice.
-- state: 1 ready, 2 sent, 3 calling, 4 answered. What is erased, or withdrawn by a cancellation, is deleted.
CREATE TABLE job_item (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    state INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    lease_until INTEGER,
    -- JSON, like the answer, sealed with the job's key for its column and this row; NULL once answered.
    claims BLOB,
    answer BLOB,
    -- Why there is no answer: the name of an error code.
    failure TEXT,
    usage INTEGER
) STRICT;

-- What can be claimed of a job, oldest due first.
CREATE INDEX job_item_due ON job_item (job, next_at) WHERE state = 1;
-- What of a job is not answered, by position.
CREATE INDEX job_item_open ON job_item (job) WHERE state IN (1, 2, 3);
CREATE INDEX job_item_leased ON job_item (lease_until, state) WHERE state IN (2, 3);
