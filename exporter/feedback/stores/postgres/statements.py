"""What is said to PostgreSQL, and its tables. The last of them is made last: where it is, all are there."""

from typing import Final

EDITION: Final = 1
"""Of the tables. Another one is another program's."""
_LOCK: Final = 0x1EE4FEEDBAC4

IS_MADE: Final = "SELECT to_regclass('inference_exporter_edition') IS NOT NULL"
THE_EDITION: Final = "SELECT max(edition) FROM inference_exporter_edition"
ALONE: Final = f"SELECT pg_advisory_xact_lock({_LOCK})"
TABLES: Final = """
CREATE TABLE IF NOT EXISTS inference_exporter_slot (
    key bigint PRIMARY KEY,   -- a hash of the id of a request and its row
    at_ms bigint,             -- when the oldest prediction under it was answered
    early_ms bigint,          -- when the oldest truth came that waits for one
    record bytea NOT NULL     -- predictions with their truths, and truths that wait
);
CREATE INDEX IF NOT EXISTS inference_exporter_slot_at ON inference_exporter_slot (at_ms) WHERE at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS inference_exporter_slot_early
    ON inference_exporter_slot (early_ms) WHERE early_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS inference_exporter_joined (
    replica bigint,           -- who joined a prediction and its truth
    number bigint,            -- counts up for each of them
    key bigint NOT NULL,      -- of their slot
    PRIMARY KEY (replica, number)
);
CREATE TABLE IF NOT EXISTS inference_exporter_owner (
    mark bytea PRIMARY KEY,   -- what it is called in slots
    owner text NOT NULL       -- model, version, and how its predictions are written
);
CREATE TABLE IF NOT EXISTS inference_exporter_replica (
    replica bigint PRIMARY KEY,
    name text NOT NULL,
    number bigint NOT NULL DEFAULT 0,  -- the last one used
    open bigint NOT NULL DEFAULT 0,    -- what it has added to what there is, less what it has taken away
    joined bigint NOT NULL DEFAULT 0,
    early bigint NOT NULL DEFAULT 0,
    seen timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS inference_exporter_call (
    token text PRIMARY KEY,   -- of a call, in case it is made again
    at timestamptz NOT NULL DEFAULT now(),
    answer text NOT NULL
);
CREATE TABLE IF NOT EXISTS inference_exporter_edition (edition int PRIMARY KEY);
"""
ENTITLE: Final = "INSERT INTO inference_exporter_edition VALUES (%s) ON CONFLICT DO NOTHING"

LIMITS: Final = """
SET LOCAL statement_timeout = {0}; SET LOCAL lock_timeout = {0}; SET LOCAL idle_in_transaction_session_timeout = {0}
"""

ENTER: Final = "INSERT INTO inference_exporter_replica (replica, name) VALUES (%s, %s) ON CONFLICT DO NOTHING"
LAST: Final = "SELECT number FROM inference_exporter_replica WHERE replica = %s"
HOLD: Final = LAST + " FOR UPDATE"
COUNT: Final = """
UPDATE inference_exporter_replica SET number = greatest(number, %s), open = open + %s, joined = joined + %s,
    early = early + %s, seen = now() WHERE replica = %s
"""
SEEN: Final = """
UPDATE inference_exporter_replica SET seen = now() WHERE replica = %s AND seen < now() - interval '1 hour'
"""
FOLD: Final = """
WITH gone AS (
    DELETE FROM inference_exporter_replica WHERE replica IN (
        SELECT replica FROM inference_exporter_replica
        WHERE seen < now() - %s * interval '1 ms' AND replica <> %s FOR UPDATE SKIP LOCKED
    ) RETURNING open, joined, early
), sums AS (
    SELECT sum(open) AS open, sum(joined) AS joined, sum(early) AS early FROM gone HAVING count(*) > 0
)
UPDATE inference_exporter_replica AS mine
SET open = mine.open + sums.open, joined = mine.joined + sums.joined, early = mine.early + sums.early
FROM sums WHERE replica = %s
"""
"""What replicas have left behind that nobody has seen for so long becomes one's own."""

ANSWER: Final = "SELECT answer FROM inference_exporter_call WHERE token = %s"
ANSWERED: Final = "INSERT INTO inference_exporter_call (token, answer) VALUES (%s, %s)"
HEARD: Final = "DELETE FROM inference_exporter_call WHERE token = %s"
UNHEARD: Final = "DELETE FROM inference_exporter_call WHERE at < now() - %s * interval '1 s'"

OWNERS: Final = "SELECT mark, owner FROM inference_exporter_owner"
OWNED: Final = """
INSERT INTO inference_exporter_owner SELECT * FROM unnest(%b::bytea[], %b::text[]) ON CONFLICT DO NOTHING
"""

PUT: Final = """
INSERT INTO inference_exporter_slot AS slot (key, at_ms, early_ms, record)
SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[])
ON CONFLICT (key) DO UPDATE SET key = slot.key WHERE false
RETURNING key
"""
"""Adds slots, and says which; those that are there are left as they are, and locked. In the order of what is given."""
GET: Final = "SELECT key, record FROM inference_exporter_slot WHERE key = ANY(%b::bigint[])"
GET_LOCKED: Final = GET + " ORDER BY key FOR UPDATE"
CHANGE: Final = """
UPDATE inference_exporter_slot AS slot SET at_ms = new.at_ms, early_ms = new.early_ms, record = new.record
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[]) AS new (key, at_ms, early_ms, record)
WHERE slot.key = new.key
"""
DROP: Final = "DELETE FROM inference_exporter_slot WHERE key = ANY(%b::bigint[])"
OLD: Final = """
SELECT key, record FROM inference_exporter_slot WHERE at_ms < %s ORDER BY at_ms LIMIT %s FOR UPDATE SKIP LOCKED
"""
OLD_EARLY: Final = """
SELECT key, record FROM inference_exporter_slot WHERE early_ms < %s ORDER BY early_ms LIMIT %s FOR UPDATE SKIP LOCKED
"""

NUMBER: Final = "INSERT INTO inference_exporter_joined SELECT %s, * FROM unnest(%b::bigint[], %b::bigint[])"
UNNUMBER: Final = """
DELETE FROM inference_exporter_joined AS joined USING unnest(%b::bigint[], %b::bigint[]) AS gone (replica, number)
WHERE joined.replica = gone.replica AND joined.number = gone.number
"""
JOINED: Final = """
SELECT number, key, record FROM inference_exporter_joined JOIN inference_exporter_slot USING (key)
WHERE replica = %s AND number > %s ORDER BY number LIMIT %s
"""

COUNTS: Final = "SELECT sum(open)::bigint, sum(joined)::bigint, sum(early)::bigint FROM inference_exporter_replica"
BYTES: Final = """
SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(ARRAY['inference_exporter_slot',
    'inference_exporter_joined', 'inference_exporter_replica', 'inference_exporter_call']) AS name
"""
