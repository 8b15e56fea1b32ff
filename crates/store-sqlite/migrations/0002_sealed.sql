-- Personal data at rest: each dossier has a data key of its own, and the texts of its events are sealed
-- with it. The rows of `event` are sealed into `event_sealed` in batches, which then takes its place.

-- The data key, wrapped under key `kek` of the key file; both NULL when it was destroyed, or never needed.
ALTER TABLE dossier ADD COLUMN data_key BLOB;
ALTER TABLE dossier ADD COLUMN kek INTEGER;
-- When a data key was last destroyed, and the last sequence whose texts were sealed with it; 0 for none.
ALTER TABLE dossier ADD COLUMN erased_at INTEGER;
ALTER TABLE dossier ADD COLUMN erased_through INTEGER NOT NULL DEFAULT 0;

CREATE INDEX dossier_kek ON dossier (kek) WHERE kek IS NOT NULL;

CREATE TABLE event_sealed (
    id INTEGER PRIMARY KEY,
    dossier INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    participant INTEGER NOT NULL,
    key TEXT NOT NULL,
    system INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    -- Blinded: a keyed hash of the content hash.
    content_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    source_sequence INTEGER,
    late INTEGER NOT NULL,
    -- JSON, names of warnings only; NULL for none.
    warnings TEXT,
    -- The sequence of the event that holds the details as they stood with this one; 0 for none.
    details_sequence INTEGER NOT NULL,
    -- JSON, like the two below, sealed with the dossier's data key for its column and this row.
    progress BLOB,
    -- The details that came with the event.
    offered BLOB,
    -- The dossier's details from this event on; NULL when they equal `offered` or did not change.
    merged BLOB
) STRICT;

-- What tells the key file that this database was written with from another one.
CREATE TABLE vault (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    index_key_mark BLOB NOT NULL
) STRICT;
