"""A page as it is kept: its families, from which each scraper gets what it asks for.

All scrapers share the text of the families. Compressed it is once for all who ask in the same format: nearly every
scraper does, and it is a fifteenth then.
"""

import threading
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from exporter.collect.exposition import Block

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
DRAFT_OPEN_METRICS: Final = "application/openmetrics-text; version=0.0.1; charset=utf-8"
"""The same text under the name that it had as a draft."""
_END: Final = b"# EOF\n"
"""Of OpenMetrics, which so tells a whole page from one that broke off."""
_GZIP: Final = 31
"""How zlib calls the largest window with the head and the sum of gzip."""
_LEVEL: Final = 1
"""More effort takes thrice the time and gains a third."""
_PIECE: Final = 64 << 10
_SUFFIXES: Final = ("_bucket", "_sum", "_count", "_total", "_created", "_info", "_gsum", "_gcount")
"""What names of series have behind that of the family, ours or the model server's; by whichever of the two formats."""


class Rendered:
    """Families in order; frozen, and safe to read from many threads."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks: Final = tuple(blocks)
        self._compressed: dict[str, bytes] = {}
        self._compressing = threading.Lock()

    def only(self, names: Collection[str]) -> "Rendered":
        """What of it has one of these names, of a family or of one of its series."""
        wanted = set(names)
        return Rendered([block for block in self.blocks if not wanted.isdisjoint(_names(block.name))])

    def size(self, media: str) -> int:
        """Bytes of the text."""
        return sum(map(len, self._parts(media)))

    def pieces(self, media: str) -> Iterator[bytes]:
        """The text in pieces worth a system call each; what is large is not copied."""
        held: list[bytes] = []
        length = 0
        for part in self._parts(media):
            if len(part) >= _PIECE:  # by itself: many clients may be slow to take the same one
                yield from (b"".join(held), part)
                held, length = [], 0
                continue
            held.append(part)
            length += len(part)
            if length >= _PIECE:
                yield b"".join(held)
                held, length = [], 0
        yield b"".join(held)

    def compressed(self, media: str) -> bytes:
        """The text in the format of gzip."""
        with self._compressing:
            if media not in self._compressed:
                self._compressed[media] = _compress(self._parts(media))
            return self._compressed[media]

    def _parts(self, media: str) -> Iterator[bytes]:
        is_open = media != TEXT
        for block in self.blocks:
            yield block.open_head if is_open else block.head
            yield block.open_body if is_open and block.open_body is not None else block.body
        if is_open:
            yield _END


def _compress(parts: Iterator[bytes]) -> bytes:
    press = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return b"".join([*(press.compress(part) for part in parts), press.flush()])


def _names(name: str) -> tuple[str, ...]:
    """How people may call a family."""
    return (name, name.removesuffix("_total"), *(name + suffix for suffix in _SUFFIXES))
