"""The beginning of a JSON document that was cut off, closed behind its last complete row.

One bounded pass over strings and brackets; what it gives is judged by the ordinary parser and the ordinary decoder.
Rows of a prefix are the first ones: where the order of a batch means something, they are no fair sample of it.
"""

import re
from collections.abc import Collection
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[\[\]{}]', re.DOTALL)
_MOST_TOKENS: Final = 400_000
"""Strings and brackets that are looked at, some 200 ms; complete rows behind them are left out."""
_DEEPEST: Final = 64
_CLOSERS: Final = {b"[": b"]", b"{": b"}"}


class Rows(NamedTuple):
    """Where a protocol has its list of rows."""

    path: tuple[str, ...]
    """Keys that lead to it from the top level, an empty one into a list; none where the top level is the list."""
    beside: tuple[str, ...] = ()
    """Keys that must have come with it: without them the rows could be misread."""


def close(content: bytes, places: Collection[Rows]) -> bytes | None:
    """The document with the complete rows of a list at one of `places`; None where there is no complete row."""
    scan = _Scan({tuple(key.encode("utf-8", "surrogatepass") for key in place.path) for place in places})
    stop = len(content)
    for number, token in enumerate(_TOKEN.finditer(content)):
        if number >= _MOST_TOKENS or not scan.read(token):
            stop = token.start()
            break
    return scan.closed(content, stop)


def explained(document: object, places: Collection[Rows]) -> bool:
    """Whether rows that are there have beside them what they need."""
    for place in places:
        if not place.beside:
            continue
        holder = document
        for key in place.path[:-1]:
            holder = _inside(holder, key)
        if not isinstance(holder, dict) or not place.path or not isinstance(holder.get(place.path[-1]), list):
            continue
        if any(key not in holder for key in place.beside):
            return False
    return True


def _inside(holder: object, key: str) -> object:
    if isinstance(holder, dict):
        return holder.get(key)
    return holder[-1] if isinstance(holder, list) and holder and not key else None


class _Scan:
    """How deep one is in a document, by which keys, and where the last complete row ended."""

    def __init__(self, paths: Collection[tuple[bytes, ...]]) -> None:
        self._paths = paths
        self._closers: list[bytes] = []
        self._keys: list[bytes] = []
        """The key by which each open container is held; empty for one in a list."""
        self._string = b""
        self._behind = 0
        """Where the last token ended."""
        self._rows_depth = -1
        """How deep one is between two rows."""
        self._cut: tuple[int, bytes] | None = None

    def read(self, token: "re.Match[bytes]") -> bool:
        """One more string or bracket; False where nothing from there on can be read."""
        text = token[0]
        if text[:1] == b'"':
            if not token[1]:
                return False  # the document was cut off inside of it
            self._string = text[1:-1] if len(text) < 100 else b""
        elif text in _CLOSERS:
            if len(self._closers) == _DEEPEST:
                return False
            self._open(text)
        elif not self._closers or self._closers.pop() != text:
            return False
        else:
            self._keys.pop()
        self._behind = token.end()
        depth = len(self._closers)
        if depth == self._rows_depth and text != b"[":
            self._cut = self._behind, self._closing()
        elif depth < self._rows_depth:  # the list is complete
            self._cut = self._behind, self._closing()
            self._rows_depth = -1
        return True

    def _open(self, bracket: bytes) -> None:
        in_object = self._closers[-1:] == [b"}"]
        self._closers.append(_CLOSERS[bracket])
        self._keys.append(self._string if in_object else b"")
        if bracket == b"[" and tuple(self._keys[1:]) in self._paths:
            self._rows_depth = len(self._closers)

    def closed(self, content: bytes, stop: int) -> bytes | None:
        """The document up to its last complete row, of what was read before `stop`."""
        if len(self._closers) == self._rows_depth:
            # Numbers have no brackets; one with a comma behind it is complete.
            comma = content.rfind(b",", self._behind, stop)
            if comma >= 0:
                self._cut = comma, self._closing()
        return content[: self._cut[0]] + self._cut[1] if self._cut else None

    def _closing(self) -> bytes:
        return b"".join(reversed(self._closers))
