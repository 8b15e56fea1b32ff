-- A large database, on top of the schema and some accepted events. `size` says how much: the first `parked` dossiers have a
-- parked delivery and one that waits behind it, the next `waiting` one that is ready, the next `past` one that was
-- delivered. Every tenth is due.

INSERT OR IGNORE INTO root (code)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 33)
SELECT printf('H%02d', i + 1) FROM n;

CREATE TEMP TABLE fill (i INTEGER PRIMARY KEY, root INTEGER, code TEXT);
INSERT INTO fill
WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n, size WHERE i < 9 + parked + waiting + past)
SELECT i, r.id, r.code FROM n JOIN root r ON r.code = printf('H%02d', i % 34 + 1);

INSERT INTO dossier (id, root, code, procedure, participant, status, occurred_at, last_sequence, details_sequence,
    first_accepted_at, updated_at, due_at, due_open_at)
SELECT i, code, code || '.1-250701-' || printf('%05d', i / 34), '1.00' || printf('%04d', i % 7), 1, 4, now, 1, 0, now,
    now, iif(i % 10 = 0, now + i, NULL), iif(i % 10 = 0 AND i < 10 + parked + waiting, now + i, NULL)
FROM fill, size;

INSERT INTO event (id, dossier, sequence, participant, key, system, event_id, content_hash, status, occurred_at,
    accepted_at, late, details_sequence)
SELECT i, i, 1, 1, 'k' || i, 1, zeroblob(16), zeroblob(32), 4, now, now + i, 0, 0 FROM fill, size;
INSERT INTO delivery (id, destination, dossier, sequence, state, next_at, root)
SELECT i * 64, 0, i, 1, iif(i < 10 + parked + waiting, 1, 4), now + i, root FROM fill, size WHERE i >= 10 + parked;

INSERT INTO delivery (id, destination, dossier, sequence, state, next_at, root, attempts_made, ended_at, park_reason)
SELECT i * 64, 0, i, 1, 5, now + i, root, 1, now + i, i % 2 FROM fill, size WHERE i < 10 + parked;
INSERT INTO parked (delivery, parking, destination, root, dossier, sequence, procedure, reason, code, parked_at, repeats,
    overtaken)
SELECT i * 64, i, 0, root, i, 1, '1.00' || printf('%04d', i % 7), i % 2, '-' || (i % 5), now + i, 1, 0
FROM fill, size WHERE i < 10 + parked;
INSERT INTO attempt (delivery, number, after_event, started_at, took, outcome, code, message)
SELECT i * 64, 1, i, now, 1, 4, '-' || (i % 5), 'Không tìm thấy thủ tục' FROM fill, size WHERE i < 10 + parked;

INSERT INTO event (id, dossier, sequence, participant, key, system, event_id, content_hash, status, occurred_at,
    accepted_at, late, details_sequence)
SELECT i + parked + waiting + past, i, 2, 1, 'l' || i, 1, zeroblob(16), zeroblob(32), 4, now, now + i, 0, 0
FROM fill, size WHERE i < 10 + parked;
INSERT INTO delivery (id, destination, dossier, sequence, state, next_at, root)
SELECT (i + parked + waiting + past) * 64, 0, i, 2, 0, now, root FROM fill, size WHERE i < 10 + parked;

INSERT INTO tally (destination, state, deliveries)
SELECT 0, 0, parked FROM size UNION ALL SELECT 0, 1, waiting FROM size UNION ALL SELECT 0, 4, past FROM size
UNION ALL SELECT 0, 5, parked FROM size WHERE true
ON CONFLICT DO UPDATE SET deliveries = deliveries + excluded.deliveries;

-- An action a microsecond, a figure a minute, a line of each report a day.
INSERT INTO action (at, by, kind, subject, reason)
SELECT now + i, 'account:' || (i % 9), iif(i % 2 = 0, 'pause', 'replay'), i * 64, 'đã sửa danh mục'
FROM fill, size WHERE i < 10 + past;
INSERT INTO sample_key (id, name, about) VALUES (1, 'waiting', 'dvcqg');
INSERT INTO sample (key, minute, value) SELECT 1, now / 60000000 - i, i % 97 FROM fill, size WHERE i < 10 + past;
INSERT INTO day_flow (day, destination, root, accepted, delivered, parked, retried, given_up)
SELECT now / 86400000000 - i, 0, root, 1, 1, 0, 0, 0 FROM fill, size WHERE i < 10 + past;
INSERT INTO day_delay (day, destination, root, bucket, deliveries)
SELECT now / 86400000000 - i, 0, root, 9, 1 FROM fill, size WHERE i < 10 + past;
INSERT INTO day_slow (day, destination, root, dossier, sequence, delay)
SELECT now / 86400000000 - i, 0, root, i, 1, 9 FROM fill, size WHERE i < 10 + past;
