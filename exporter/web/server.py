"""A threaded WSGI server on a socket that somebody else bound, within bounds that no client can stretch.

cheroot waits three seconds for each next byte; who sends one every two would keep a thread for ever. So a request must
be whole within `_REQUEST_S`, is no longer than it may be, and of all threads only some ever wait for bodies: the page
that Prometheus scrapes is served by the others.
"""

import io
import logging
import socket
import threading
import time
from typing import Any, Final

from cheroot import makefile, server, wsgi

_LOG = logging.getLogger("exporter.web")
_THREADS: Final = 16
_WAITING_FOR_BODIES: Final = 8
_TIMEOUT_S: Final = 3
_REQUEST_S: Final = 10.0
_LONGEST_HEAD: Final = 64 << 10
_LONGEST_BODY: Final = 64 << 10
"""Where the application takes none at all."""
_PIECE: Final = 64 << 10


class Crowded(OSError):
    """Too many others wait for the rest of their requests' bodies."""


class TooLong(OSError):
    """A request is longer than any may be."""


class _Incoming(socket.SocketIO):
    """A client's bytes, as many as one request may have, for as long as it may take."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:  # noqa: ANN401 (SocketIO's own)
        super().__init__(sock, mode)
        self._client = sock
        self._left = 0
        self._until_s = 0.0
        self._seats: threading.Semaphore | None = None

    def begin(self, longest: int) -> None:
        """A request's head is expected."""
        self._left, self._until_s, self._seats = longest, time.monotonic() + _REQUEST_S, None

    def body(self, seats: threading.Semaphore) -> None:
        """Its body is; whoever has to wait for it takes one of the seats."""
        self._seats = seats

    def read(self, size: int = -1) -> bytes | None:
        """As of any raw stream, but never more room than a piece: what clients declare is not allocated."""
        return super().read(_PIECE if size < 0 else min(size, _PIECE))

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (any buffer)
        """OSError: it took too long, it is too long, too many wait."""
        if self._left <= 0:
            raise TooLong("request too long")
        if self._seats is None:
            count = self._wait(buffer)
        else:
            count = self._at_once(buffer)
            if count is None:
                count = self._seated(buffer, self._seats)
        self._left -= count or 0
        return count

    def _at_once(self, buffer: Any) -> int | None:  # noqa: ANN401
        self._client.settimeout(0)
        try:
            return self._client.recv_into(buffer)
        except BlockingIOError:
            return None
        finally:
            self._client.settimeout(_TIMEOUT_S)

    def _seated(self, buffer: Any, seats: threading.Semaphore) -> int | None:  # noqa: ANN401
        if not seats.acquire(blocking=False):
            raise Crowded("too many wait")
        try:
            return self._wait(buffer)
        finally:
            seats.release()

    def _wait(self, buffer: Any) -> int | None:  # noqa: ANN401
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")  # as cheroot knows it
        self._client.settimeout(min(left_s, _TIMEOUT_S))
        try:
            return super().readinto(buffer)
        finally:
            self._client.settimeout(_TIMEOUT_S)


class _Reader(makefile.StreamReader):
    """cheroot's, over such a stream."""

    _read_buf: bytes
    _read_pos: int

    def __init__(self, sock: socket.socket, mode: str = "r", bufsize: int = io.DEFAULT_BUFFER_SIZE) -> None:
        stream: Any = _Incoming(sock, mode)
        super(makefile.StreamReader, self).__init__(stream, bufsize)
        self.bytes_read = 0

    def readline(self, size: int | None = -1) -> bytes:
        """As cheroot's, which looks at each line of a head in five steps: what is here is cut off in one."""
        start = self._read_pos
        end = self._read_buf.find(b"\n", start) + 1
        if not 0 < end - start <= (size if size is not None and size >= 0 else _LONGEST_HEAD):
            return bytes(super().readline(size))
        self._read_pos = end
        return self._read_buf[start:end]


def _file(sock: socket.socket, mode: str = "r", bufsize: int = io.DEFAULT_BUFFER_SIZE) -> Any:  # noqa: ANN401
    return (_Reader if "r" in mode else makefile.StreamWriter)(sock, mode, bufsize)


class _Request(server.HTTPRequest):
    def respond(self) -> None:
        """The head is there: what follows is its body."""
        self.conn.rfile.raw.body(self.server.seats)
        super().respond()

    def send_headers(self) -> None:
        """Or all of a body would be read before its sender hears that nobody wants it."""
        if (b"Connection", b"close") in self.outheaders:
            self.close_connection = True
        super().send_headers()


class _Connection(server.HTTPConnection):
    RequestHandlerClass = _Request

    def __init__(self, owner: Any, sock: socket.socket, _: Any = None) -> None:  # noqa: ANN401 (cheroot's signature)
        super().__init__(owner, sock, _file)

    def communicate(self) -> Any:  # noqa: ANN401
        """One more request."""
        self.rfile.raw.begin(self.server.longest)
        return super().communicate()  # type: ignore[no-untyped-call]


class _Server(wsgi.Server):
    """cheroot binds where it is told to; this one is handed its socket."""

    ConnectionClass = _Connection

    def __init__(self, sock: socket.socket, app: Any, longest_body: int) -> None:  # noqa: ANN401 (any WSGI application)
        super().__init__(sock.getsockname()[:2], app, numthreads=_THREADS, max=_THREADS, timeout=_TIMEOUT_S,
                         request_queue_size=128)  # fmt: skip
        self._given = sock
        self.max_request_header_size = _LONGEST_HEAD
        self.longest = _LONGEST_HEAD + longest_body + longest_body // 2
        """Bytes of a request; in chunks it is longer than its body."""
        self.seats = threading.Semaphore(_WAITING_FOR_BODIES)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """To our log, which never holds anyone up. What clients do wrong is of no interest to most."""
        level = level if level >= logging.ERROR else logging.DEBUG
        _LOG.log(level, "%s", msg, exc_info=traceback)

    def bind(self, *_: Any) -> socket.socket:  # noqa: ANN401 (cheroot's signature)
        """Take the socket that is already bound."""
        self.socket = self._given
        return self._given


class WebServer:
    """Serves an application in threads of its own."""

    def __init__(self, sock: socket.socket, app: Any, longest_body: int = _LONGEST_BODY) -> None:  # noqa: ANN401
        self._server = _Server(sock, app, longest_body)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; requests under way get a moment."""
        self._server.stop()
        self._thread.join(timeout=2)
