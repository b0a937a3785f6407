"""A database of SQLite in one file that is ours alone, or in memory: opened, asked, and set aside where it is damaged.

One statement does the work of a whole batch, whatever its size: between two of them the interpreter's lock must be had
again, and the analyser's loop may hold it for milliseconds. So batches go in as JSON and one blob, and come back as one
text.

With WAL and synchronous=NORMAL a transaction survives the death of the process, by kill -9, too; what was committed
within the last seconds before a loss of power may be gone, whole transactions only, and the file stays sound
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import orjson

from exporter.errors import ConfigError
from exporter.feedback.stores import Unavailable

_LOG = logging.getLogger("exporter.feedback")
MEMORY: Final = ":memory:"
_APPLICATION_ID: Final = 0x1F3EDB
_LOCK_PATIENCE_S: Final = 1.0
_WAL_BYTES: Final = 4 << 20
"""What is left of the log of transactions after a checkpoint, which comes every 1,000 pages."""
_CACHE_KIB: Final = 4096
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PASSING: Final = frozenset({
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
_ASIDE: Final = ".set-aside"


class Damaged(Exception):
    """The file is no database, or of another edition."""


class _NotOurs(Exception):
    """It is a database of another program, which may still want it."""


_FAULTS: Final = (sqlite3.Error, Damaged, _NotOurs, OSError)


def path_of(url: str) -> str:
    """Of the file at sqlite:/PATH. ConfigError."""
    path = url.partition(":")[2]
    path = path.removeprefix("//") if path.startswith("///") else path
    if not path or path.startswith("//") or path.endswith("/"):
        raise ConfigError(
            "feedback.store: sqlite: is followed by the path of a file, as in sqlite:/var/lib/feedback.db"
        )
    return path


class File:
    """A database; it is opened when it is needed, and again after a fault."""

    def __init__(self, path: str, edition: int, make: Callable[[sqlite3.Connection], None]) -> None:
        """`make` fills an empty database; one of another edition is not used."""
        self._path = path
        self._edition = edition
        self._make = make
        self._connection: sqlite3.Connection | None = None
        self.set_aside = 0

    # asked

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed within happens, or nothing. Unavailable."""
        try:
            connection = self._opened()
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
                self._execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    self._execute("ROLLBACK")
                raise
        except _FAULTS as error:
            self._fail(error)

    def change(self, statement: str, *values: object, **named: object) -> int:
        """Execute a statement; how many rows it inserted, updated or deleted. Only within a transaction."""
        return self._execute(statement, *values, **named).rowcount

    def ask(self, statement: str, *values: object) -> Any:  # noqa: ANN401 (whoever asks knows)
        """The one value that a query gives; where that is text, the JSON in it. Only within a transaction."""
        (found,) = self._execute(statement, *values).fetchone()
        return orjson.loads(found) if isinstance(found, str) else found

    def _execute(self, statement: str, *values: object, **named: object) -> sqlite3.Cursor:
        assert self._connection is not None  # noqa: S101 (a transaction has opened it)
        return self._connection.execute(statement, named or values)

    def bytes(self) -> int:
        """On disk, or in memory. Only within a transaction."""
        if self._path == MEMORY:
            return int(self.ask("PRAGMA page_count")) * int(self.ask("PRAGMA page_size"))
        return sum(_size(self._path + ending) for ending in ("", "-wal"))

    def empty_log(self) -> None:
        """Leave nothing of what was overwritten in the log of transactions. Unavailable."""
        try:
            self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except _FAULTS as error:
            self._fail(error)

    def close(self) -> None:
        """Let go of it. Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    # opened

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path != MEMORY:
                Path(self._path).parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._connection = _connected(self._path)
            self._prepare(self._connection)
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Have it for ourselves, and have it filled."""
        connection.execute("BEGIN EXCLUSIVE")
        with connection:
            marks = tuple(
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            if marks != (_APPLICATION_ID, self._edition):
                if marks[0] == _APPLICATION_ID:
                    raise Damaged("it is of another edition of this program")
                self._make(connection)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {self._edition}")

    # faults

    def _fail(self, error: Exception) -> NoReturn:
        """Unavailable where it may be better another time, after a damaged file was set aside; else the error."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, Damaged) or code in _DAMAGED:
            self.close()
            with contextlib.suppress(OSError):
                self._put_aside(error)
        elif code not in _PASSING and not isinstance(error, OSError | _NotOurs):
            raise error
        elif self._path != MEMORY:
            self.close()
        raise Unavailable(f"{self._path}: {error}") from error

    def _put_aside(self, error: Exception) -> None:
        """Give the file another name, for whoever wants to look at it; only the last one is kept."""
        self.set_aside += 1
        _LOG.error("%s: %s: it is set aside as %s, and a new one begins", self._path, error, self._path + _ASIDE)
        for ending in ("-wal", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(self._path + ending).replace(self._path + _ASIDE + ending)


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCK_PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        _refuse_others(connection)
        for name, value in (
            ("locking_mode", "EXCLUSIVE"),
            ("journal_mode", "WAL"),
            ("synchronous", "NORMAL"),
            ("journal_size_limit", _WAL_BYTES),
            ("cache_size", -_CACHE_KIB),
            ("temp_store", "MEMORY"),
            ("secure_delete", "ON"),
        ):
            connection.execute(f"PRAGMA {name} = {value}").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_others(connection: sqlite3.Connection) -> None:
    """Before anything is written: a journal's mode would be, too."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark != _APPLICATION_ID and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise _NotOurs("it is of another program: have feedback.store name a file of its own")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return 0
