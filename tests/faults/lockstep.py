"""Bytes through a real relay piece by piece: the next one is sent when the last one has arrived, so none are joined."""

import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import IntEnum
from typing import Final, NamedTuple, Self

from proxy.rig import Relay, relay
from support import PATIENCE_S

from exporter import records
from exporter.handoff.tally import Slot
from exporter.records import Body

_AT_ONCE: Final = 64
"""Conversations that go on side by side: one piece of each, then the next of each."""
_LINE: Final = re.compile(rb".*?(?:\r\n|$)", re.DOTALL)


class Side(IntEnum):
    CLIENT = 0
    SERVER = 1


Said = tuple[Side, bytes]


class Conversation(NamedTuple):
    """Who says what, piece by piece."""

    name: str
    pieces: Sequence[Said]


Cut = Callable[[bytes], list[bytes]]


def whole(data: bytes) -> list[bytes]:
    return [data]


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def line_by_line(data: bytes) -> list[bytes]:
    """Cut behind every CRLF."""
    return _LINE.findall(data)


def conversation(name: str, said: Sequence[Said], cut: Cut) -> Conversation:
    """What both say, in pieces; none of them is empty."""
    return Conversation(name, [(side, piece) for side, data in said for piece in cut(data) if piece])


class _Call:
    """A client's socket, and the server's at the other end of the relay."""

    def __init__(self, said: Conversation, client: socket.socket, server: socket.socket) -> None:
        self.said = said
        self.sockets = (client, server)
        self.wrong: list[str] = []
        for sock in self.sockets:
            sock.settimeout(PATIENCE_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def expect(self, sock: socket.socket, piece: bytes) -> None:
        """These bytes, or the end where there are none; what is not as it should be is noted."""
        got = b""
        try:
            while len(got) < len(piece) and (data := sock.recv(len(piece) - len(got))):
                got += data
            got += b"" if piece else sock.recv(1)
        except OSError as error:
            self.wrong.append(f"{error!r} instead of {piece!r}")
        else:
            if got != piece:
                self.wrong.append(f"{got!r} instead of {piece!r}")


class Exchange(NamedTuple):
    """What an observer made of one exchange, without its times."""

    method: str
    path: str
    status: int
    headers: tuple[str, str]
    bodies: tuple[Body, Body]

    @classmethod
    def of(cls, one: records.Exchange) -> Self:
        headers = (str(one.request_headers), str(one.response_headers))
        return cls(one.method, one.path, one.status, headers, (one.request, one.response))


class Outcome(NamedTuple):
    """What an observer made of some conversations."""

    exchanges: Counter[Exchange]
    losses: Counter[str]
    """Connections that became unobservable, and exchanges that were cut off."""


class Bench:
    """A relay between us and us."""

    def __init__(self, running: Relay, listener: socket.socket) -> None:
        self.relay = running
        self.sent = [0, 0]
        """Bytes to the server, bytes to the client."""
        self.connections = 0
        self._losses: Counter[str] = Counter()
        self._listener = listener

    @classmethod
    @contextmanager
    def new(cls) -> Iterator[Self]:
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            listener.settimeout(PATIENCE_S)
            with relay(listener.getsockname()[1]) as running:
                yield cls(running, listener)

    def converse(self, conversations: Sequence[Conversation]) -> dict[str, list[str]]:
        """Hold all of them; what went wrong in those in which something did."""
        wrong = {}
        for at in range(0, len(conversations), _AT_ONCE):
            with ExitStack() as open_sockets:
                calls = [self._call(said, open_sockets) for said in conversations[at : at + _AT_ONCE]]
                _talk(calls)
            wrong.update({call.said.name: call.wrong for call in calls if call.wrong})
        return wrong

    def _call(self, said: Conversation, open_sockets: ExitStack) -> _Call:
        client = open_sockets.enter_context(socket.create_connection(("127.0.0.1", self.relay.port), PATIENCE_S))
        server = open_sockets.enter_context(self._listener.accept()[0])
        self.connections += 1
        for side, piece in said.pieces:
            self.sent[side] += len(piece)
        return _Call(said, client, server)

    def outcome(self) -> Outcome:
        """What the observer made of all that was said since it was last asked; to the unit, or it fails."""
        self.relay.settled()
        slot = self.relay.slot
        offered = slot(Slot.OFFERED) - slot(Slot.TAKEN)
        exchanges = [Exchange.of(one) for one in self.relay.exchanges()]
        assert len(exchanges) == offered
        assert slot(Slot.RING_FULL) == self.relay.reader.corrupt == 0
        assert [slot(Slot.BYTES_TO_SERVER), slot(Slot.BYTES_TO_CLIENT)] == self.sent
        assert slot(Slot.CONNECTIONS) == self.connections
        before, self._losses = self._losses, Counter(self.relay.unobservable() | self.relay.incomplete())
        return Outcome(Counter(exchanges), self._losses - before)


def _talk(calls: Sequence[_Call]) -> None:
    """All of them say what they have to say, then end: the client first."""
    for step in range(max(len(call.said.pieces) for call in calls)):
        saying = [call for call in calls if step < len(call.said.pieces) and not call.wrong]
        for call in saying:
            side, piece = call.said.pieces[step]
            call.sockets[side].sendall(piece)
        for call in saying:
            side, piece = call.said.pieces[step]
            call.expect(call.sockets[1 - side], piece)
    for call in calls:
        call.sockets[Side.CLIENT].shutdown(socket.SHUT_WR)
    for call in calls:
        call.expect(call.sockets[Side.SERVER], b"")
        call.sockets[Side.SERVER].close()
    for call in calls:
        call.expect(call.sockets[Side.CLIENT], b"")
