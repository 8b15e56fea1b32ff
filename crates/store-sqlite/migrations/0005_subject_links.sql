-- Citizens with two numbers: whoever asks who looked at them by one is told of the looks by the other as well.

-- Append-only. Two pseudonyms of one citizen, the lesser first, as an answer of the population database told both numbers.
CREATE TABLE subject_link (
    id INTEGER PRIMARY KEY,
    one BLOB NOT NULL CHECK (length(one) = 16),
    other BLOB NOT NULL CHECK (length(other) = 16),
    CHECK (one < other)
) STRICT;

CREATE UNIQUE INDEX subject_link_one ON subject_link (one, other);
CREATE INDEX subject_link_other ON subject_link (other);

-- What was told before: a look that showed somebody, and right behind it the same look under the other number.
INSERT INTO subject_link (one, other)
SELECT min(look.subject, again.subject), max(look.subject, again.subject)
FROM usage AS again CROSS JOIN usage AS look ON look.id = again.id - 1
WHERE again.as_relative = 1 AND again.block IS NOT NULL AND again.subject IS NOT NULL
    AND look.as_relative = 0 AND look.kind = 2 AND look.outcome = 4 AND look.request_id = again.request_id
    AND look.subject IS NOT NULL AND look.subject <> again.subject
ORDER BY again.id
ON CONFLICT DO NOTHING;
