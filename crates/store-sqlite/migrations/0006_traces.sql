-- The spans of an event: a delivery carries the trace it was accepted in, so that claims and attempts need no other row.

-- 25 bytes: trace, span, flags; NULL where nobody traces.
ALTER TABLE delivery ADD COLUMN trace BLOB CHECK (length(trace) = 25);
-- The span of the latest attempt, which the next one links to.
ALTER TABLE delivery ADD COLUMN last_span BLOB CHECK (length(last_span) = 8);
