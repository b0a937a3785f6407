"""A PostgreSQL server: how to come to it, and what becomes of its errors. Every call is over within seconds."""

import contextlib
import importlib
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

from exporter.errors import ConfigError
from exporter.feedback.password import Password
from exporter.feedback.stores import Access, Unavailable
from exporter.feedback.stores.postgres import statements

_CONNECT_S: Final = 3
_CALL_S: Final = 5.0
_FORM: Final = "feedback.store: must have the form postgresql://[USER@]HOST[:PORT]/DATABASE[?NAME=VALUE...]"
_LONGEST: Final = 200
"""Characters of an error that are told."""


class Server:
    """A connection that is made when it is needed, and again after a fault."""

    def __init__(self, access: Access) -> None:
        """ConfigError where the address is none, or the library is missing."""
        try:
            self._psycopg = importlib.import_module("psycopg")
        except ImportError as error:
            words = f"postgresql needs its extra ({error.name}): pip install 'inference-exporter[postgres]'"
            raise ConfigError(f"feedback.store: {words}") from None
        try:
            known = self._psycopg.conninfo.conninfo_to_dict(access.url)
        except self._psycopg.Error:  # its words may hold a password
            raise ConfigError(_FORM) from None
        if not all(port.isdecimal() for port in str(known.get("port", 0)).split(",") if port):
            raise ConfigError(_FORM)
        self._known = {"application_name": "inference-exporter", **known, "connect_timeout": _CONNECT_S}
        self._password = Password(access.password_file, known.get("password"))
        self._connection: Any = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor within one; all of it is committed at the end, or nothing. Unavailable."""
        try:
            if self._connection is None:
                self._connection = self._connected()
            with self._in_time(self._connection), self._connection.transaction():
                self._connection.execute(statements.LIMITS.format(int(_CALL_S * 1000)))
                yield self._connection.cursor(binary=True)
        except (self._psycopg.Error, OSError) as error:
            self.close()
            raise Unavailable(f"postgresql: {self._said(error)}") from None
        except BaseException:
            self.close()
            raise

    def _connected(self) -> Any:  # noqa: ANN401 (of a library that may be missing)
        password = self._password()
        said = {} if password is None else {"password": password}
        made = self._psycopg.connect(**(self._known | said), autocommit=True, prepare_threshold=None)
        made.isolation_level = self._psycopg.IsolationLevel.READ_COMMITTED
        try:
            with self._in_time(made), made.transaction():
                _make(made.cursor())
        except BaseException:
            made.close()
            raise
        return made

    @contextlib.contextmanager
    def _in_time(self, connection: Any) -> Iterator[None]:  # noqa: ANN401 (as above)
        """Cut the connection if it takes too long: a server that hangs does not heed its own limits."""
        with socket.socket(fileno=os.dup(connection.fileno())) as own:
            timer = threading.Timer(_CALL_S, _cut, (own,))
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()

    def _said(self, error: Exception) -> str:
        """A line that names the fault, and no values."""
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        return self._password.hidden(" ".join((primary or str(error)).split()))[:_LONGEST]

    def verify(self) -> None:
        """ConfigError where the password cannot be read."""
        self._password.verify()

    def close(self) -> None:
        """Let go of it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(self._psycopg.Error, OSError):
                connection.close()


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _make(cursor: Any) -> None:  # noqa: ANN401 (as above)
    """Tables, unless they are there. Replicas that begin at once make them one after the other."""
    if not _one(cursor, statements.IS_MADE):
        cursor.execute(statements.ALONE)
        cursor.execute(statements.TABLES)
        cursor.execute(statements.ENTITLE, (statements.EDITION,))
    edition = _one(cursor, statements.THE_EDITION)
    if edition != statements.EDITION:
        raise Unavailable(f"postgresql: its tables are of edition {edition}, not {statements.EDITION}")


def _one(cursor: Any, statement: str, values: Sequence[object] = ()) -> Any:  # noqa: ANN401 (as above)
    return cursor.execute(statement, values).fetchone()[0]
