"""One client connection and its one upstream connection, coupled: what comes from one goes to the other.

Bytes, half-closes, resets and back-pressure are passed on as they are. Each client connection has an upstream
connection of its own, so no bytes of two clients can ever meet.
"""

import asyncio
from typing import cast

from exporter.handoff.tally import Slot
from exporter.proxy.last_words import LastWords
from exporter.proxy.leg import Leg
from exporter.proxy.observer import Observer
from exporter.proxy.tap import Tap
from exporter.proxy.upstream import UNREACHABLE, Refusal, Upstream


class Connection(asyncio.Protocol):
    """A client's leg, the server's leg and the observer of both.

    It is itself the client socket's protocol until the server's socket is open. One read is kept until then, and no
    more is read; not reading at all would hide that the client has gone.
    """

    _patience: asyncio.Timeout

    __slots__ = (
        "_client", "_connecting", "_connections", "_early", "_observer", "_over", "_patience", "_server", "_stopped",
        "_upstream", "ending", "slots",
    )  # fmt: skip

    def __init__(self, upstream: Upstream, tap: Tap, connections: "set[Connection]") -> None:
        self._upstream = upstream
        self._connections = connections
        self._over = False
        self._stopped = False
        self.ending = False
        """Whether the client is to be told, once the server's socket is open, that its connection ends."""
        self._early: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None
        self.slots = tap.tally.slots
        self._observer = Observer(tap)
        self._client = Leg(self, tap, self._observer, "client")
        self._server = Leg(self, tap, self._observer, "upstream")
        self._client.peer, self._server.peer = self._server, self._client

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return self._observer.idle and not self._early

    def dawdles(self, since_ns: int) -> bool:
        """Whether all that is under way is a request's head, begun before then."""
        begun = self._observer.awaited_since_ns
        return begun is not None and begun < since_ns

    @property
    def over_unsaid(self) -> bool:
        """Whether the client has ended and nothing is under way, but the server could not be told."""
        return self._client.ended and not self._connecting and self._server.is_tls and self.idle

    # while the server's socket is being opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._client.transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self.slots[Slot.CONNECTIONS] += 1
        self.slots[Slot.CONNECTIONS_OPEN] += 1
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        """The client was faster than the connect."""
        self._client.transport.pause_reading()
        self._early.append(data)

    def eof_received(self) -> bool:
        """The client has already said all it will say."""
        self._client.ended = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has given up waiting."""
        self.lost(self._client, exc)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._upstream.timeout) as self._patience:
                await self._upstream.connect(lambda: cast("asyncio.Protocol", self._server))
        except Exception:  # noqa: BLE001 (whatever it was, the client must not be left waiting)
            if self._connecting is None:  # bytes have passed: nothing of ours may follow them
                self._client.reset()
            elif not self._over:
                self.slots[Slot.CONNECT_ERRORS] += 1
                self._refuse()

    def _refuse(self) -> None:
        self._over = True
        self._leave()
        refusal = Refusal(UNREACHABLE)
        refusal.connection_made(self._client.transport)
        self._client.transport.set_protocol(refusal)
        if self._early:
            refusal.data_received(self._early[0])
        self._client.transport.resume_reading()

    # once it is open

    def couple(self) -> None:
        """Both sockets are open: let the bytes through, those that came early first."""
        if self._over or self._patience.expired():
            # The client has gone, or will be told that time ran out, which it did in this very moment.
            self._server.transport.abort()
            return
        self._patience.reschedule(None)  # from here on it would close a socket that is in use
        client, self._connecting = self._client, None
        if self._upstream.introduce:
            self._server.transport.write(self._upstream.introduce(client.transport))
        client.transport.set_protocol(cast("asyncio.Protocol", client))
        if self.ending:
            self.announce_end()
        if not client.ended:
            client.transport.resume_reading()  # before the first write, which may have to pause it again
        early, self._early = self._early, []
        for data in early:
            client.data_received(data)
        if client.ended:
            client.eof_received()

    def half_closed(self, leg: Leg) -> None:
        """One side has said all it will say."""
        if leg is self._server:
            self._observer.response_eof()

    def lost(self, leg: Leg, exc: Exception | None) -> None:
        """One socket is gone, so the other goes too."""
        if leg is self._server and self._connecting:  # opened too late: nobody was coupled with it
            return
        leg.lost = True
        if not self._over:
            self._over = True
            self._end_other(leg, exc)
        if self._client.lost and self._server.lost:
            self._leave()

    def _end_other(self, leg: Leg, exc: Exception | None) -> None:
        if self._connecting:
            self._connecting.cancel()
            self._server.lost = True
        elif exc is None:
            leg.peer.transport.close()
        else:
            leg.salvage()
            leg.peer.reset()
        # The server's ordinary end was noted when it came, so an end without an error is the client's.
        self._observer.close("shutdown" if self._stopped else leg.name if exc else "client")

    def _leave(self) -> None:
        if self in self._connections:
            self._connections.remove(self)
            self.slots[Slot.CONNECTIONS_OPEN] -= 1

    # when the process is to end

    def announce_end(self) -> None:
        """Tell the client, in the heads of the answers that are still to come, that its connection ends."""
        self.ending = True
        if not self._connecting and not self._over:
            self._server.transport.set_protocol(LastWords(self._server, self._observer))

    def close(self) -> None:
        """End both legs; what is buffered is still sent."""
        self._client.transport.close()
        if not self._connecting:
            self._server.transport.close()

    def abort(self) -> None:
        """Reset both legs."""
        self._stopped = True
        self._client.reset()
        if not self._connecting:
            self._server.reset()
