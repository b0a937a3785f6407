"""How the model server is reached, and what a client is told when it is not."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Final

from exporter.addresses import Place

_LINGER_S: Final = 5.0


def _answer(status: bytes, text: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(text)) + text


UNREACHABLE: Final = _answer(b"502 Bad Gateway", b"inference-exporter: the model server cannot be reached\n")
TOO_MANY: Final = _answer(b"503 Service Unavailable", b"inference-exporter: too many connections\n")


class Upstream:
    """One port of the model server. Its name is resolved at every connect, so that it may move."""

    __slots__ = ("_place", "introduce", "server_name", "timeout", "tls")

    def __init__(
        self, place: Place, timeout: float, tls: ssl.SSLContext | None = None, server_name: str | None = None
    ) -> None:
        """`server_name` is what the server's certificate must say, its host where left out."""
        self._place = place
        self.server_name = server_name
        self.timeout = timeout
        self.tls = tls
        self.introduce: Callable[[asyncio.BaseTransport], bytes] | None = None
        """What the server is told of a client before the client's own first byte."""

    async def connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Open a connection for `protocol`, to the first address that takes it. OSError if none does.

        The caller ends it after `timeout`, and not once the socket is open.
        """
        loop = asyncio.get_running_loop()
        if isinstance(self._place, str):
            await loop.create_unix_connection(protocol, self._place)
        else:
            name = (self.server_name or self._place[0]) if self.tls else None
            await loop.create_connection(protocol, *self._place, ssl=self.tls, server_hostname=name)


class Refusal(asyncio.Protocol):
    """Takes a client over that has no server: answers its first bytes, then ends.

    No byte of the client's has been forwarded, so nothing stands in the way of an answer of our own. What the
    client still sends is read and dropped for a while: closing on unread bytes would reset the connection and
    could destroy the answer on its way.
    """

    def __init__(self, answer: bytes, crowd: "set[Any] | None" = None) -> None:
        """`crowd` holds the refusals under way."""
        self._answer = answer
        self._answered = False
        self._crowd = crowd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is to be refused."""
        self._transport: Any = transport
        self._timer = asyncio.get_running_loop().call_later(_LINGER_S, transport.close)
        if self._crowd is not None:
            self._crowd.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer once."""
        if self._answered:
            return
        self._answered = True
        if data.startswith(b"PRI * HTTP/2"):
            self._transport.close()
            return
        self._transport.write(self._answer)
        if self._transport.can_write_eof():
            with contextlib.suppress(OSError):  # the client has gone: it answers bytes with a reset
                self._transport.write_eof()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The end."""
        self._timer.cancel()
        if self._crowd is not None:
            self._crowd.discard(self)
