-- Every row is sealed: the sealed ones take the place of the others.

DROP TABLE event;
ALTER TABLE event_sealed RENAME TO event;

CREATE UNIQUE INDEX event_key ON event (participant, key);
CREATE UNIQUE INDEX event_sequence ON event (dossier, sequence);
