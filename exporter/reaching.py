"""How the model server is asked something beside its clients: a connection, and all that is said on it, until a moment.

The standard library's client knows a time for each step alone: a byte now and then would keep it for ever. It is given
sockets of this kind instead.
"""

import io
import socket
import ssl
import time
from typing import Final, NamedTuple

from exporter.addresses import Place

_PIECE: Final = 64 << 10


class Way(NamedTuple):
    """How a server is reached."""

    place: Place
    context: ssl.SSLContext | None = None
    name: str = ""
    """In its certificate."""
    preface: bytes = b""
    """What it wants to hear before anything else, TLS too."""


def left(until_s: float) -> float:
    """Seconds until a moment of the monotonic clock. TimeoutError where there are none."""
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def connected(way: Way, until_s: float) -> socket.socket:
    """A connection, which the caller closes. OSError."""
    sock = _reached(way.place, until_s)
    try:
        sock.sendall(way.preface)
        if way.context is None:
            return sock
        sock.settimeout(left(until_s))
        return way.context.wrap_socket(sock, server_hostname=way.name)  # the time is for the whole handshake
    except OSError:
        sock.close()
        raise


def _reached(place: Place, until_s: float) -> socket.socket:
    if isinstance(place, tuple):
        try:
            return socket.create_connection(place, left(until_s))
        except UnicodeError:  # a name of which one part is empty or too long, says the codec before anybody is asked
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(left(until_s))
        sock.connect(place)
    except OSError:
        sock.close()
        raise
    return sock


class Wire:
    """As much of a socket as http.client needs. TimeoutError where it takes too long as a whole."""

    def __init__(self, sock: socket.socket, until_s: float) -> None:
        self._sock = sock
        self._until_s = until_s

    def left(self) -> float:
        """Seconds."""
        return left(self._until_s)

    def sendall(self, content: bytes) -> None:
        """All of it."""
        self._sock.settimeout(self.left())
        self._sock.sendall(content)

    def makefile(self, _: str) -> io.BufferedReader:
        """What is answered."""
        return io.BufferedReader(_Coming(self._sock, self), _PIECE)

    def close(self) -> None:
        """Not here: whoever connected does."""


class _Coming(io.RawIOBase):
    """Bytes as they come."""

    def __init__(self, sock: socket.socket, wire: Wire) -> None:
        self._sock = sock
        self._wire = wire

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As of any raw stream."""
        self._sock.settimeout(self._wire.left())
        return self._sock.recv_into(buffer)
