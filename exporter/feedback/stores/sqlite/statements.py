"""What the store of SQLite asks and writes: a batch with each statement, rows as JSON and their blobs as one."""

import re
from typing import Any, Final

import orjson

from exporter.feedback.stores.sqlite.file import File

EDITION: Final = 1
TABLES: Final = (
    "CREATE TABLE owners(id INTEGER PRIMARY KEY, model TEXT, version TEXT, task TEXT)",
    # Once joined, a prediction has a number instead of what was said.
    """CREATE TABLE predictions(key INTEGER, owner INTEGER, at INTEGER, said BLOB, number INTEGER,
        PRIMARY KEY(key, owner)) WITHOUT ROWID""",
    """CREATE TABLE joined(number INTEGER PRIMARY KEY, owner INTEGER, at INTEGER, told INTEGER, said BLOB, truth BLOB,
        extra BLOB)""",
    """CREATE TABLE early(key INTEGER, model TEXT, told INTEGER, truth BLOB, extra BLOB, PRIMARY KEY(key, model))
        WITHOUT ROWID""",
    "CREATE TABLE used(first INTEGER, number INTEGER)",
)


def _sql(text: str) -> str:
    """A statement; `@2` is the third part of a row of JSON. As `->>`, which needs SQLite 3.38."""
    return re.sub(r"@(\d)", r"json_extract(value, '$[\1]')", text)


KEPT: Final = """
    SELECT json_group_array(json_array(p.key, p.owner, p.number, j.told, hex(j.truth), hex(j.extra)))
    FROM json_each(?) AS k CROSS JOIN predictions AS p ON p.key = k.value
    LEFT JOIN joined AS j ON j.number = p.number"""
EARLY: Final = """
    SELECT json_group_array(json_array(e.key, e.model, e.told, hex(e.truth), hex(e.extra)))
    FROM json_each(?) AS k CROSS JOIN early AS e ON e.key = k.value"""
ADD: Final = _sql("""
    INSERT INTO predictions(key, owner, at, said)
    SELECT @0, @1, @2, substr(:blobs, @3, @4) FROM json_each(:rows)""")
WAIT: Final = _sql("""
    INSERT INTO early
    SELECT @0, @1, @2, substr(:blobs, @3, @4),
        substr(:blobs, @5, @6) FROM json_each(:rows)""")
END: Final = _sql("""
    DELETE FROM early WHERE (key, model) IN (SELECT @0, @1 FROM json_each(?))""")
JOIN: Final = _sql("""
    INSERT INTO joined
    SELECT @2, p.owner, p.at, @3, p.said, substr(:blobs, @4, @5),
        substr(:blobs, @6, @7)
    FROM json_each(:rows) AS m CROSS JOIN predictions AS p ON p.key = @0 AND p.owner = @1""")
NUMBER: Final = _sql("""
    UPDATE predictions SET number = m.number, said = NULL
    FROM (SELECT @0 AS key, @1 AS owner, @2 AS number FROM json_each(?)) AS m
    WHERE predictions.key = m.key AND predictions.owner = m.owner""")
JOINED: Final = """
    SELECT json_group_array(json_array(number, owner, at, told, hex(said), hex(truth), hex(extra)))
    FROM (SELECT * FROM joined WHERE number > ? ORDER BY number LIMIT ?)"""
NO_EARLY: Final = "DELETE FROM early WHERE key IN (SELECT value FROM json_each(?))"
OLD_EARLY: Final = "DELETE FROM early WHERE told < ?"
OLDEST_EARLY: Final = """
    DELETE FROM early WHERE (key, model) IN (SELECT key, model FROM early ORDER BY told, key, model LIMIT ?)"""


class Packed:
    """Rows of numbers and words, as lists, and the blobs that belong to them, as one: a place and a length in a row."""

    def __init__(self) -> None:
        """None so far."""
        self.rows: list[list[Any]] = []
        self._blobs: list[bytes] = []
        self._end = 1

    def add(self, row: list[Any], *blobs: bytes) -> None:
        """Add a row."""
        for blob in blobs:
            row += (self._end, len(blob))
            self._end += len(blob)
        self.rows.append(row)
        self._blobs += blobs

    def write(self, file: File, statement: str) -> int:
        """Execute a statement that takes the rows and the blob; how many rows it wrote."""
        return file.change(statement, rows=as_json(self.rows), blobs=b"".join(self._blobs))


def as_json(value: object) -> str:
    """A parameter for `json_each`."""
    return orjson.dumps(value).decode()
