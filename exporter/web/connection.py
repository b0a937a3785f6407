"""One client's connection: cheroot's reading and writing of HTTP, in steps that never wait for the client to take more.

A thread has a connection only while there is something to do: its head is complete before (`lobby`), and an answer that
the client does not take goes back there. What a thread may wait for is the rest of a body, and only some at a time.
"""

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import Any, Final

from cheroot import server, wsgi

from exporter.web import streams
from exporter.web.streams import BLOCKED, LONGEST_LINE, PIECE, Reader, Writer

_LOG = logging.getLogger("exporter.web")
ANSWER_S: Final = 30.0
"""How long an answer may take, as far as the client is what it waits for."""
_IDLE_S: Final = 3.0
_FAREWELL_S: Final = 2.0
_FAREWELL_BYTES: Final = 16 << 20
"""What is still read and thrown away, so that an answer given early is not lost with the rest of its request."""
HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "deny"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Of every answer that says nothing else: but for the status page none needs scripts or styles, and nobody else shows
them."""


class Stage(IntEnum):
    """What a connection is at."""

    IDLE = 0
    """Between two requests."""
    HANDSHAKING = 1
    ASKING = 2
    """Of its next head there is a part."""
    LEAVING = 3
    ANSWERING = 4
    """It has not taken all of its answer."""


class _Request(server.HTTPRequest):
    def parse_request(self) -> None:
        """Its first line is looked at by many; a long one is no request of ours."""
        if not self.conn.rfile.has_line and self.conn.rfile.held > LONGEST_LINE:
            self.simple_response("414 Request-URI Too Long")
        else:
            super().parse_request()

    @property
    def is_unread(self) -> bool:
        """Whether there may be more of its body than was read."""
        return not self.rfile.closed if self.chunked_read else getattr(self.rfile, "remaining", 0) > 0

    def steps(self) -> Iterator[None]:
        """Answer, a piece with each step."""
        self.conn.rfile.raw.begin(self.server.longest, self.server.seats)
        length = int(self.inheaders.get(b"Content-Length", 0))
        self.rfile = (
            server.ChunkedRFile(self.conn.rfile, 0) if self.chunked_read
            else server.KnownLengthRFile(self.conn.rfile, length)
        )  # fmt: skip
        gateway = wsgi.Gateway_10(self)
        answer = self.server.wsgi_app(gateway.env, gateway.start_response)
        try:
            for chunk in answer:
                if chunk:
                    gateway.write(chunk)
                    yield
        finally:
            if hasattr(answer, "close"):
                answer.close()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")

    def send_headers(self) -> None:
        """Of a body that was not wanted the rest is not waited for: no other request can follow it."""
        if (b"Connection", b"close") in self.outheaders or self.is_unread:
            self.close_connection = True
        super().send_headers()

    def simple_response(self, status: str, msg: str = "") -> None:
        """What is said where the application is not asked; the connection ends with it."""
        self.close_connection = self.sent_headers = True
        text = f"{msg or status}\n".encode("latin-1", "replace")
        fields = (
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text))), ("Connection", "close"),
            ("Server", self.server.server_name), *HEADERS,
        )  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.conn.wfile.write(f"{self.server.protocol} {status}\r\n{head}\r\n".encode("latin-1") + text)


class Connection(server.HTTPConnection):
    """A client that is connected."""

    def __init__(self, owner: Any, sock: socket.socket, address: tuple[Any, ...]) -> None:  # noqa: ANN401
        """What cheroot begins with makes a circle of each, which would be there until it is looked for."""
        self.server, self.socket = owner, sock
        self.rfile, self.wfile = Reader(sock), Writer(sock)
        self.remote_addr, self.remote_port = address[:2]
        self.requests_seen = 0
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self.stage = Stage.HANDSHAKING if self.is_tls else Stage.ASKING
        self.since_s = time.monotonic()
        """When it began what it is at; an answer that is not taken is part of its request."""
        self.due_s = self.since_s + streams.REQUEST_S
        """When this stage is over at the latest."""
        self.watched = 0
        """For what the lobby waits."""
        self.allowed_sans: Collection[str] = ()
        self._request: Any = None
        self._steps: Iterator[None] | None = None
        self._thrown_away = 0

    def receive(self) -> bool:
        """Take what has come of a head; whether it is complete. EOFError where the client is gone, OSError too."""
        searched = self.rfile.held
        if self.stage is Stage.IDLE:
            self.rfile.skip_blank_line()
            searched = 0
        while not self.rfile.has_head(searched):
            searched = self.rfile.held
            try:
                data = self.socket.recv(PIECE)
            except BLOCKED:
                self._note_beginning()
                return False
            if not data:
                raise EOFError
            self.rfile.put(data)
        return True

    def _note_beginning(self) -> None:
        if self.stage is Stage.IDLE and self.rfile.held:
            self.stage, self.since_s = Stage.ASKING, time.monotonic()
            self.due_s = self.since_s + streams.REQUEST_S

    def communicate(self) -> bool:
        """Go on as far as the client lets us; whether the connection is to be kept."""
        try:
            return self._go_on() if self._request else self._begin()
        except TimeoutError:
            self._say("408 Request Timeout")
        except OSError:  # it is gone
            return False
        except Exception:  # noqa: BLE001 (one request costs itself alone)
            _LOG.exception("a request was not answered")
            self._say("500 Internal Server Error")
        return self._leave()

    def _begin(self) -> bool:
        self._request = request = _Request(self.server, self)
        if self.is_tls:
            request.scheme = b"https"
        request.parse_request()
        if not request.ready:
            return self._leave()
        self.due_s = time.monotonic() + ANSWER_S
        self._steps = request.steps()
        return self._go_on()

    def _go_on(self) -> bool:
        done = object()
        while self.wfile.send():
            if self._steps is None:
                return self._finish()
            if next(self._steps, done) is done:
                self._steps = None
        self.stage = Stage.ANSWERING
        return True

    def _finish(self) -> bool:
        request, self._request = self._request, None
        if request.is_unread or self._is_crowding():
            return self._leave()
        if request.close_connection:
            return False
        self.stage, self.since_s = Stage.IDLE, time.monotonic()
        self.due_s = self.since_s + _IDLE_S
        return True

    def _is_crowding(self) -> bool:
        """Whether it has sent its next request before this answer, while others wait for their first."""
        is_so: bool = self.rfile.held > 0 and self.server.is_crowded
        if is_so:
            self.server.doors.refused.count("crowded")
        return is_so

    def _say(self, status: str) -> None:
        if self._request is not None and not self._request.sent_headers:
            self._request.simple_response(status)

    def time_out(self) -> None:
        """Tell a client that was too slow with its head."""
        self._request = _Request(self.server, self)
        self._say("408 Request Timeout")
        self.wfile.send()

    def _leave(self) -> bool:
        self.stage, self.due_s = Stage.LEAVING, time.monotonic() + _FAREWELL_S
        return True

    def has_left(self) -> bool:
        """Send the last words, and throw away what still comes; whether it is over. OSError, too."""
        if not self.wfile.send():
            return False
        if not self._thrown_away:
            self._thrown_away = 1
            self._end_ours()
        while self._thrown_away <= _FAREWELL_BYTES:
            try:
                data = self.socket.recv(PIECE)
            except BLOCKED:
                return False
            if not data:
                break
            self._thrown_away += len(data)
        return True

    @property
    def has_said_all(self) -> bool:
        """Of one that leaves: whether only its client's end is waited for."""
        return self._thrown_away > 0

    def _end_ours(self) -> None:
        if isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):  # it need not answer
                self.socket.unwrap()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it, and whatever was under way."""
        steps, self._steps = self._steps, None
        try:
            if steps is not None:
                steps.close()  # type: ignore[attr-defined]
            super().close()
        except OSError:
            pass  # the client was faster
        finally:
            self.server.gone(self)
