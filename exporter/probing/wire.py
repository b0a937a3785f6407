"""Connections within a deadline, and what may be read from them."""

import io
import socket
from typing import Final

from exporter.probing.findings import Deadline, Failed, likeliest, told

MOST_BYTES: Final = 64 << 10
"""That are read of one answer, its head included."""
_MOST_ADDRESSES: Final = 8


def connect(place: tuple[str, int], deadline: Deadline) -> socket.socket:
    """A connection to the first address of a name that accepts one. Failed."""
    failures: list[Failed] = []
    addresses = _resolved(place, deadline)[:_MOST_ADDRESSES]
    for at, (family, address) in enumerate(addresses):
        sock: socket.socket | None = None
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(deadline.left() / (len(addresses) - at))  # one that swallows packets leaves time for others
            sock.connect(address)
        except (OSError, Failed) as error:
            failures.append(told(error))
            if sock is not None:
                sock.close()
        else:
            return sock
    raise likeliest(failures)


def _resolved(place: tuple[str, int], deadline: Deadline) -> list[tuple[int, tuple[object, ...]]]:
    """Families and addresses. It takes as long as the system's resolver does: `pace` gives it up before."""
    deadline.resolving = True
    try:
        found = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Failed("dns", f"its name was not found ({getattr(error, 'strerror', None) or 'no name'})") from None
    finally:
        deadline.resolving = False
    if deadline.is_over:
        raise Failed("dns", "its name was not found in time")
    return [(family, address) for family, _, _, _, address in found]


class TooMuch(Exception):
    """More than MOST_BYTES came."""


class Reading(io.RawIOBase):
    """Bytes of a socket, within a deadline for all of them and MOST_BYTES. Failed, TooMuch, OSError."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = MOST_BYTES
        self.is_in_head = True
        """Until somebody says otherwise: then an end is no end."""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As of any raw stream; a byte a second does not keep it from ending."""
        if self._left <= 0:
            raise TooMuch
        self._sock.settimeout(self._deadline.left())
        size = self._sock.recv_into(buffer[: self._left])
        self._left -= size
        if not size and self.is_in_head:
            raise Failed("protocol", "the connection was cut off")
        return size


class Wire:
    """A socket as http.client wants one: it sends, and gives something to read from. Who made it closes it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self.reading = Reading(sock, deadline)

    def sendall(self, content: bytes) -> None:
        """All of it, within the deadline."""
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(content)

    def makefile(self, _: str) -> io.BufferedReader:
        """Where the answer comes from."""
        return io.BufferedReader(self.reading, 4096)

    def close(self) -> None:
        """Not here."""
