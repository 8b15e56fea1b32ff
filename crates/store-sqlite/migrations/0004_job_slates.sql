-- Which systems' jobs are held for their misses; how many jobs of a system are open; when rows of erased jobs go.

-- The newest answers to the jobs of a system, and since when its jobs are held. No row: a clean slate.
CREATE TABLE job_slate (
    participant INTEGER NOT NULL,
    system INTEGER NOT NULL,
    -- A byte for each answer, the newest last: 1 is a miss.
    answers BLOB NOT NULL CHECK (length(answers) <= 200),
    held_at INTEGER,
    PRIMARY KEY (participant, system)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_open ON job (participant, system) WHERE state IN (1, 2, 3);

-- From here on the row of an erased job is deleted at its `erase_at`; for those there are already, 30 days after their end.
UPDATE job SET erase_at = coalesce(finished_at, created_at) + 2592000000000 WHERE state = 6;
