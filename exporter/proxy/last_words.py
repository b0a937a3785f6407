"""The one exception to unchanged bytes, asked for by a setting: `Connection: close` in answers while the relay drains.

A client that is told so opens its next connection elsewhere instead of losing a request to a connection that ends.
It is put in only where the observer knows that a final answer to the only request under way begins with these very
bytes, where its head is whole in them, and where that head says nothing of its connection. Otherwise nothing changes.
"""

import asyncio
import re
from typing import Any, Final

from exporter.proxy.observer import Observer

_FINAL: Final = re.compile(rb"HTTP/1\.[01] [2-5]\d\d[ \r]")
_OWN_WORDS: Final = re.compile(rb"\r\n(?:connection|keep-alive|proxy-connection|upgrade)[ \t]*:", re.IGNORECASE)
_LONGEST_HEAD: Final = 64 << 10
_CLOSE: Final = b"\r\nConnection: close"


def with_close(data: bytes) -> bytes:
    """The bytes with `Connection: close` after the status line, or as they are where that is not safe."""
    end = data.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
    if end < 0 or not _FINAL.match(data) or _OWN_WORDS.search(data, 0, end):
        return data
    line = data.index(b"\r\n")
    return data[:line] + _CLOSE + data[line:]


class LastWords(asyncio.Protocol):
    """Stands before the server's leg: all goes to it, the heads of answers with one line more."""

    def __init__(self, leg: Any, observer: Observer) -> None:  # noqa: ANN401 (the leg knows us, not we it)
        self._leg = leg
        self._observer = observer
        self.eof_received = leg.eof_received  # type: ignore[method-assign]
        self.pause_writing = leg.pause_writing  # type: ignore[method-assign]
        self.resume_writing = leg.resume_writing  # type: ignore[method-assign]
        self.connection_lost = leg.connection_lost  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        """Forward first, look later."""
        self._leg.forward(with_close(data) if self._observer.awaits_head else data, data)
