"""How the model server is reached, and what a client is told when it is not."""

import asyncio
from collections.abc import Callable
from typing import Final

_CONNECT_TIMEOUT_S: Final = 10.0
_LINGER_S: Final = 5.0
_BODY: Final = b"inference-exporter: the model server cannot be reached\n"
_BAD_GATEWAY: Final = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class Upstream:
    """One model server. Its name is resolved at every connect, so that it may move."""

    __slots__ = ("_host", "_port")

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Open a connection for `protocol`. OSError (TimeoutError too) where that fails."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await loop.create_connection(protocol, self._host, self._port)


class Refusal(asyncio.Protocol):
    """Takes a client over that has no server: answers its first bytes with 502, then ends.

    No byte of the client's has been forwarded, so nothing stands in the way of an answer of our own. What the
    client still sends is read and dropped for a while: closing on unread bytes would reset the connection and
    could destroy the answer on its way.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._answered = False
        self._timer = asyncio.get_running_loop().call_later(_LINGER_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Answer once."""
        if self._answered:
            return
        self._answered = True
        if data.startswith(b"PRI * HTTP/2"):
            self._transport.close()
            return
        self._transport.write(_BAD_GATEWAY)
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The end."""
        self._timer.cancel()
