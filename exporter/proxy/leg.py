"""One socket of a relayed connection: what comes from it goes to the other one, first and unchanged."""

import asyncio
import contextlib
import socket
import struct
from typing import Final, Protocol, cast

from exporter.proxy.observer import Observer
from exporter.proxy.tap import Tap

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_READ_BYTES: Final = 64 << 10
_SALVAGED_READS: Final = 16


class Both(Protocol):
    """What a leg tells of itself to whom it belongs."""

    def couple(self) -> None:
        """The server's socket is open."""

    def half_closed(self, leg: "Leg", /) -> None:
        """One side has said all it will say."""

    def lost(self, leg: "Leg", exc: Exception | None, /) -> None:
        """One socket is gone."""


class Leg:
    """One socket of a relayed connection: a protocol of asyncio, which asks for no base class."""

    __slots__ = ("_answers", "_both", "_meter", "_observer", "_tap", "ended", "lost", "name", "peer", "transport")

    peer: "Leg"
    transport: asyncio.Transport

    def __init__(self, both: Both, tap: Tap, observer: Observer, name: str) -> None:
        """`name` is "client" or "upstream"."""
        self._both = both
        self._tap = tap
        self._meter = tap.meter
        self._observer = observer
        self._answers = name == "upstream"
        self.name = name
        self.ended = False
        """It has said all it will say."""
        self.lost = False
        """Its socket is gone, or never was."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server's socket is open (the client's always was: `Connection` had it first)."""
        self.transport = cast("asyncio.Transport", transport)
        self._both.couple()

    def data_received(self, data: bytes) -> None:
        """Forward first, look later."""
        meter = self._meter
        meter.left -= 1
        if meter.left:
            self.peer.transport.write(data)
        else:
            meter.relay(self.peer.transport.write, data)
        if self._answers:
            self._observer.response(data)
        else:
            self._observer.request(data)

    def forward(self, sent: bytes, received: bytes) -> None:
        """As `data_received` from the server, where other bytes are sent than were received."""
        self.peer.transport.write(sent)
        self._tap.passed(len(sent) - len(received), True)
        self._observer.response(received)

    def eof_received(self) -> bool:
        """Pass a half-close on; the other direction goes on until it ends too."""
        self.ended = True
        self._both.half_closed(self)
        if self.peer.ended:
            self.peer.transport.close()
            return False
        if self.peer.transport.can_write_eof():
            self.peer.transport.write_eof()
        elif self._answers:
            self.peer.transport.close()
        return not self.is_tls

    def pause_writing(self) -> None:
        """This side's buffer is full: stop reading from the other."""
        with contextlib.suppress(RuntimeError):  # the other side is closing
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """This side's buffer has drained."""
        if not self.peer.ended:
            with contextlib.suppress(RuntimeError):
                self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side the same way: a reset stays a reset."""
        self._both.lost(self, exc)

    @property
    def is_tls(self) -> bool:
        """Whether its socket carries TLS, which knows no half-close and whose bytes are not to be read raw."""
        return self.transport.get_extra_info("ssl_object") is not None

    def salvage(self) -> None:
        """Pass on what a broken socket still holds.

        Writing to a server that has answered early and closed fails before its answer was read.
        """
        if self.is_tls:
            return
        with contextlib.suppress(OSError, RuntimeError), self.transport.get_extra_info("socket").dup() as raw:
            for _ in range(_SALVAGED_READS):
                data = raw.recv(_READ_BYTES, socket.MSG_DONTWAIT)
                if not data:
                    return
                self.data_received(data)

    def reset(self) -> None:
        """Abort with RST, so that a body cut off does not look like one that ended."""
        with contextlib.suppress(OSError, RuntimeError):  # the socket may be gone already
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()
