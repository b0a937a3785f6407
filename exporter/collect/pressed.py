"""A page as it is kept: compressed, as nearly every scraper asks for it, and a fifteenth of its text.

It is compressed while it is written, once for all who ask.
"""

import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_GZIP: Final = 31
"""How zlib calls the largest window with the head and the sum of gzip."""
_LEVEL: Final = 1
"""More effort takes thrice the time and gains a third."""
_PIECE: Final = 4 << 10


class Pressed(NamedTuple):
    """Some text."""

    content: bytes
    """In the format of gzip."""
    size: int
    """Bytes of the text."""

    def pieces(self) -> Iterator[bytes]:
        """The text, never all of it at once."""
        press = zlib.decompressobj(_GZIP)
        for start in range(0, len(self.content), _PIECE):
            if text := press.decompress(self.content[start : start + _PIECE]):
                yield text


class Mark(NamedTuple):
    """How far a text had come."""

    press: Any
    """zlib's, which has no name for its class."""
    parts: int
    size: int


class Press:
    """Compresses a text piece by piece."""

    def __init__(self) -> None:
        self._press: Any = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, text: bytes) -> None:
        """Go on with a piece."""
        self._size += len(text)
        if part := self._press.compress(text):
            self._parts.append(part)

    def mark(self) -> Mark:
        """Where it is now; it takes a quarter of a MiB."""
        return Mark(self._press.copy(), len(self._parts), self._size)

    def back_to(self, mark: Mark) -> None:
        """Forget all since then. A mark is good for once."""
        self._press, self._size = mark.press, mark.size
        del self._parts[mark.parts :]

    def end(self) -> Pressed:
        """All of it; nothing may be added any more."""
        return Pressed(b"".join((*self._parts, self._press.flush())), self._size)


def pressed(*texts: bytes) -> Pressed:
    """Some pieces of text as one."""
    press = Press()
    for text in texts:
        press.add(text)
    return press.end()
