"""Where clients come in: accepts on the worker's sockets, within what the process can hold.

Accepting is done here rather than by the event loop's servers: out of descriptors, libuv throws waiting clients out
without a word, and asyncio stops to look. Here they wait in the kernel's queue until there is room, and it is counted.
"""

import asyncio
import errno
import resource
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from exporter.handoff.tally import Slot, Tally
from exporter.proxy.upstream import TOO_MANY, Refusal

_BATCH: Final = 64
"""Clients accepted before others get their turn."""
_REST_S: Final = 0.1
"""How long nobody is accepted after it failed: descriptors come back as connections end."""
_MOST_REFUSALS: Final = 32
_OWN_DESCRIPTORS: Final = 32
"""What the process itself has open, and a little more."""
_OUT_OF_DESCRIPTORS: Final = frozenset((errno.EMFILE, errno.ENFILE))
_OUT_OF_MEMORY: Final = frozenset((errno.ENOBUFS, errno.ENOMEM))


def most_connections(wanted: int) -> int:
    """How many clients may be connected: as many as wanted (0: any number), two descriptors each."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    room = max((descriptors - _OWN_DESCRIPTORS - _MOST_REFUSALS) // 2, 1)
    return min(wanted or room, room)


class Crowd:
    """Who is inside: the bound that all doors of a worker share."""

    __slots__ = ("arriving", "connections", "limit", "refusals", "tally", "tls")

    def __init__(self, tally: Tally, connections: "set[Any]", limit: int) -> None:
        self.tally = tally
        self.connections = connections
        self.limit = limit
        self.tls: ssl.SSLContext | None = None
        self.arriving: set[asyncio.Task[Any]] = set()
        self.refusals: set[Refusal] = set()

    @property
    def full(self) -> bool:
        """No room for another connection."""
        return len(self.connections) + len(self.arriving) >= self.limit

    def refuse(self) -> asyncio.Protocol:
        """Whoever comes now is told that there is no room."""
        self.tally.add(Slot.CLOSED_MAX_CONNECTIONS)
        return Refusal(TOO_MANY, self.refusals)


class Door:
    """One listening socket."""

    def __init__(self, listener: socket.socket, crowd: Crowd, relay: Callable[[], asyncio.Protocol]) -> None:
        self._listener = listener
        self._crowd = crowd
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        # Handed on to every client accepted: one that vanished without a word is noticed one day.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def open(self) -> None:
        """Begin to accept."""
        self._rest = None
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Take in those who wait already: closing on them would reset them. Then accept no more."""
        if self._rest:
            self._rest.cancel()
        else:
            self._loop.remove_reader(self._listener.fileno())
        while not self._rest and self._accept():
            pass
        if self._rest:
            self._rest.cancel()
        self._listener.close()

    def _accept(self) -> bool:
        """Accept a few; whether there may be more."""
        for _ in range(_BATCH):
            if len(self._crowd.refusals) >= _MOST_REFUSALS:
                self._pause()
                return False
            try:
                client, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return False
            except OSError as error:
                self._count(error.errno)
                self._pause()
                return False
            self._welcome(client)
        return True

    def _welcome(self, client: socket.socket) -> None:
        client.setblocking(False)
        crowd = self._crowd
        protocol = crowd.refuse if crowd.full else self._relay
        arriving = self._loop.create_task(self._loop.connect_accepted_socket(protocol, client, ssl=crowd.tls))
        crowd.arriving.add(arriving)
        arriving.add_done_callback(self._arrived)

    def _arrived(self, arriving: "asyncio.Task[Any]") -> None:
        self._crowd.arriving.discard(arriving)
        if not arriving.cancelled() and arriving.exception():
            self._crowd.tally.add(Slot.ACCEPT_ERRORS_TLS if self._crowd.tls else Slot.ACCEPT_ERRORS_OTHER)

    def _pause(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._rest = self._loop.call_later(_REST_S, self.open)

    def _count(self, number: int | None) -> None:
        slot = Slot.ACCEPT_ERRORS_OTHER
        if number in _OUT_OF_DESCRIPTORS:
            slot = Slot.ACCEPT_ERRORS_DESCRIPTORS
        elif number in _OUT_OF_MEMORY:
            slot = Slot.ACCEPT_ERRORS_MEMORY
        self._crowd.tally.add(slot)
