"""The bytes of a client: as many as one request may have, for as long as it may take, and what it is sent."""

import io
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any, Final

from cheroot import makefile

REQUEST_S: Final = 10.0
"""How long a request may take from its first byte to its last."""
LONGEST_HEAD: Final = 64 << 10
LONGEST_LINE: Final = 16 << 10
PIECE: Final = 64 << 10
_SILENCE_S: Final = 3.0
"""How long the next byte of a body may take."""
BLOCKED: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What reading and writing raise where the client must do something first."""


class Crowded(OSError):
    """Too many others wait for the rest of their requests' bodies."""


class TooLong(OSError):
    """A request is longer than any may be."""


class _Incoming(socket.SocketIO):
    """A client's bytes behind a head, as many as one request may have, for as long as it may take."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:  # noqa: ANN401 (SocketIO's own)
        super().__init__(sock, mode)
        self._client = sock
        self._left = 0
        self._until_s = 0.0
        self._seats: threading.Semaphore | None = None

    def begin(self, longest: int, seats: threading.Semaphore) -> None:
        """A request's body is expected; whoever has to wait for it takes one of the seats."""
        self._left, self._until_s, self._seats = longest, time.monotonic() + REQUEST_S, seats

    def read(self, size: int = -1) -> bytes | None:
        """As of any raw stream, but never more room than a piece: what clients declare is not allocated."""
        return super().read(PIECE if size < 0 else min(size, PIECE))

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (any buffer)
        """OSError: it took too long, it is too long, too many wait."""
        if self._left <= 0 or self._seats is None:
            raise TooLong("request too long")
        count = self._at_once(buffer)
        if count is None:
            count = self._seated(buffer, self._seats)
        self._left -= count
        return count

    def _at_once(self, buffer: Any) -> int | None:  # noqa: ANN401
        try:
            return self._client.recv_into(buffer)
        except BLOCKED:
            return None

    def _seated(self, buffer: Any, seats: threading.Semaphore) -> int:  # noqa: ANN401
        if not seats.acquire(blocking=False):
            raise Crowded("too many wait")
        left_s = self._until_s - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError("timed out")
            self._client.settimeout(min(left_s, _SILENCE_S))
            return self._client.recv_into(buffer)
        finally:
            self._client.setblocking(False)
            seats.release()


class Reader(makefile.StreamReader):
    """cheroot's, over such a stream; a head is put into it before."""

    _read_buf: bytes
    _read_pos: int

    def __init__(self, sock: socket.socket) -> None:
        stream: Any = _Incoming(sock, "r")
        super(makefile.StreamReader, self).__init__(stream, io.DEFAULT_BUFFER_SIZE)
        self.bytes_read = 0

    def put(self, data: bytes) -> None:
        """Have this read behind what is here already."""
        self._read_buf, self._read_pos = self._read_buf[self._read_pos :] + data, 0

    def skip_blank_line(self) -> None:
        """What ends a body in chunks is left before the next head, and nobody minds one there."""
        if self._read_buf.startswith(b"\r\n", self._read_pos):
            self._read_pos += 2

    @property
    def held(self) -> int:
        """How many bytes are here."""
        return len(self._read_buf) - self._read_pos

    def has_head(self, already: int) -> bool:
        """Whether a head is here that is complete, or too long; so many bytes were searched before."""
        start = max(self._read_pos + already - 2, self._read_pos)
        if self._read_buf.find(b"\n\r\n", start) >= 0 or self._read_buf.find(b"\n\n", start) >= 0:
            return True
        return self.held > LONGEST_HEAD or (self.held > LONGEST_LINE and not self.has_line)

    @property
    def has_line(self) -> bool:
        """Whether its first line is here, and no longer than it may be."""
        return self._read_buf.find(b"\n", self._read_pos, self._read_pos + LONGEST_LINE) >= 0

    def readline(self, size: int | None = -1) -> bytes:
        """As cheroot's, which looks at each line of a head in five steps: what is here is cut off in one."""
        start = self._read_pos
        end = self._read_buf.find(b"\n", start) + 1
        if not 0 < end - start <= (size if size is not None and size >= 0 else LONGEST_HEAD):
            return bytes(super().readline(size))
        self._read_pos = end
        return self._read_buf[start:end]


class Writer:
    """What goes to a client, as it takes it. Nothing is copied: many may be sent the same bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self._client = sock
        self._rest: deque[memoryview] = deque()
        self.bytes_written = 0

    def write(self, data: bytes) -> int:
        """Have it sent."""
        if data:
            self._rest.append(memoryview(data))
        return len(data)

    def send(self) -> bool:
        """Send what the client takes; whether it has all. OSError where it is gone."""
        while self._rest:
            try:
                sent = self._client.send(self._rest[0])
            except BLOCKED:
                return False
            self._rest[0] = self._rest[0][sent:]
            if not self._rest[0]:
                self._rest.popleft()
        return True
