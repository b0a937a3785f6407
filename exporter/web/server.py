"""A threaded WSGI server on a socket that somebody else bound, within bounds that no client can stretch.

cheroot parses HTTP and keeps the threads; `lobby` has the connections while nothing is to be done for them. A request
must be whole within ten seconds and its answer be taken within thirty, it is no longer than it may be, and of all
threads only some ever wait for bodies: the page that Prometheus scrapes is served by the others.

In memory there are at most, beside what the application makes: for each of 256 connections a head of 128 KiB and a
piece of an answer; for each of 24 threads a request of the longest body.
"""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cheroot import wsgi

from exporter.web.connection import Connection
from exporter.web.in_force import InForce, Terms
from exporter.web.lobby import MOST_CLIENTS, Lobby
from exporter.web.refused import Refused
from exporter.web.streams import LONGEST_HEAD

_LOG = logging.getLogger("exporter.web")
_THREADS: Final = 24
_WAITING_FOR_BODIES: Final = 8
_STACK_BYTES: Final = 2 << 20
"""Of each thread: eight MiB, as is usual, count against the memory that an analyser may have."""
_LONGEST_BODY: Final = 64 << 10
"""Where the application takes none at all."""
_BACKLOG: Final = 1024
_NAME: Final = "inference-exporter"
"""In answers: which version it is is for those who may see the pages."""


class Doors(NamedTuple):
    """Who is let in."""

    terms: Callable[[], Terms | None]
    """None where nobody is."""
    refused: Refused


class _Server(wsgi.Server):
    """cheroot binds where it is told to; this one is handed its socket."""

    def __init__(self, sock: socket.socket, app: Any, longest_body: int, doors: Doors) -> None:  # noqa: ANN401 (WSGI)
        super().__init__(sock.getsockname()[:2], app, numthreads=_THREADS, max=_THREADS, server_name=_NAME,
                         request_queue_size=_BACKLOG)  # fmt: skip
        self._given = sock
        self.software = _NAME
        self.max_request_header_size = LONGEST_HEAD
        self.longest = LONGEST_HEAD + longest_body + longest_body // 2
        """Bytes of a request; in chunks it is longer than its body."""
        self.seats = threading.Semaphore(_WAITING_FOR_BODIES)
        self.doors = doors
        self.clients: set[Connection] = set()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """To our log, which never holds anyone up. What clients do wrong is of no interest to most."""
        level = level if level >= logging.ERROR else logging.DEBUG
        _LOG.log(level, "%s", msg, exc_info=traceback)

    def bind(self, *_: Any) -> socket.socket:  # noqa: ANN401 (cheroot's signature)
        """Take the socket that is already bound."""
        self.socket = self._given
        return self._given

    def prepare(self) -> None:
        """As cheroot, but for who looks after connections."""
        super().prepare()
        self._connections.close()
        self._connections: Any = Lobby(self)

    @property
    def is_crowded(self) -> bool:
        """Whether there are as many as may be."""
        return len(self.clients) >= MOST_CLIENTS

    def gone(self, client: Connection) -> None:
        """A connection has ended."""
        self.clients.discard(client)


class WebServer:
    """Serves an application in threads of its own."""

    def __init__(
        self,
        sock: socket.socket,
        app: Any,  # noqa: ANN401 (any WSGI application)
        longest_body: int = _LONGEST_BODY,
        doors: Doors | None = None,
    ) -> None:
        """`longest_body` is what the application takes, bytes; everybody is let in where no `doors` are said."""
        self._server = _Server(sock, app, longest_body, doors or Doors(InForce(None).now, Refused()))
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._server.prepare()
            self._thread.start()
        finally:
            threading.stack_size(before)

    def stop(self) -> None:
        """End; requests under way get a moment."""
        self._server.stop()
        self._thread.join(timeout=2)
