-- What operators need. This part comes before the rewriting, while the program before may still be started again,
-- so it only adds; the rest is in 0007_operators_end.sql.

-- When the dossier's result is due, as its newest details say; NULL where they name no instant.
ALTER TABLE dossier ADD COLUMN due_at INTEGER;
-- The same while something of the dossier is not final, else NULL.
ALTER TABLE dossier ADD COLUMN due_open_at INTEGER;

-- The last dossier whose due instant was read from its details; gone after the rewriting.
CREATE TABLE due_reading (dossier INTEGER NOT NULL) STRICT;
INSERT INTO due_reading VALUES (-1);
