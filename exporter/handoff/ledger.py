"""The analyser's memory that outlives it: counters and panes, committed whole or not at all.

It has chapters, one for each model, and may have others with every commit. An edition says in words which chapters
there are, which arrays these hold and where; each chapter lies there twice. One slot of the head, `ROOT`, names the
edition that is in force and which of the two copies is true, for all chapters at once. A commit writes the other
copies, and where the chapters are others also new room and a new edition, and then moves that one slot: a death at any
instant leaves either the state before or the state after. Counters on /metrics are taken from committed state only and
therefore never go back. Room that the edition in force does not name is free.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.handoff import memory

Arrays = Mapping[str, NDArray[Any]]
Chapters = Mapping[str, Arrays]
Layout = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, type and shape of each array."""

_HEAD_BYTES: Final = 4096
_ROOT: Final = 0
_ALIGN: Final = 64
_SUM_BYTES: Final = hashlib.sha256().digest_size
_LENGTH_BYTES: Final = 8


class _Extent(NamedTuple):
    """Room in the block, in bytes."""

    start: int
    size: int


class _Chapter:
    """The two copies of some arrays."""

    __slots__ = ("copies", "layout", "room", "stale")

    def __init__(self, layout: Layout, room: _Extent) -> None:
        self.layout = layout
        self.room = room
        self.copies: list[dict[str, NDArray[Any]]] = []
        self.stale = [True, True]
        """Which copies do not hold what was committed last."""

    def map(self, block: mmap.mmap) -> None:
        """Find the copies in a block."""
        half = self.room.size // 2
        self.copies = [dict(_views(block, self.layout, self.room.start + which * half)) for which in (0, 1)]

    def write(self, which: int, arrays: Arrays) -> None:
        """Have one copy hold `arrays`."""
        for name, target in self.copies[which].items():
            target[...] = arrays[name]
        self.stale[which] = False


class Ledger:
    """A block of memory holding chapters of named arrays."""

    def __init__(self, fd: int) -> None:
        """Attach to `fd`, which may hold nothing yet."""
        self._fd = fd
        self._edition = _Extent(_HEAD_BYTES, 0)
        self._which = 0
        self._chapters: dict[str, _Chapter] = {}
        self._map()
        self._read()

    def chapters(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Copies of what was committed last."""
        return {
            title: {name: array.copy() for name, array in chapter.copies[self._which].items()}
            for title, chapter in self._chapters.items()
        }

    def commit(self, chapters: Chapters, changed: Collection[str] | None = None) -> None:
        """Make `chapters` the committed state, others are no more.

        `changed` are the titles of those that may differ from the last commit's; None for any.
        """
        layouts = {title: _layout(arrays) for title, arrays in chapters.items()}
        other, edition = 1 - self._which, self._edition
        if layouts != {title: chapter.layout for title, chapter in self._chapters.items()}:
            edition = self._turn_over(layouts)
        for title, arrays in chapters.items():
            chapter = self._chapters[title]
            if changed is None or title in changed:
                chapter.stale = [True, True]
            if chapter.stale[other]:
                chapter.write(other, arrays)
        self._edition, self._which = edition, other
        self._slots[_ROOT] = edition.start | other

    def _turn_over(self, layouts: Mapping[str, Layout]) -> _Extent:
        """Make room for chapters and for the edition that names them; nothing that is in force is touched."""
        used = [self._edition, *(chapter.room for chapter in self._chapters.values())]
        after: dict[str, _Chapter] = {}
        for title, layout in layouts.items():
            known = self._chapters.get(title)
            if known is None or known.layout != layout:
                known = _Chapter(layout, _room(used, 2 * _size(layout)))
                used.append(known.room)
            known.stale = [True, True]
            after[title] = known
        text = _text(after)
        edition = _room(used, len(text))
        self._grow(max(extent.start + extent.size for extent in (*used, edition)))
        self._chapters = after
        self._map()
        self._block[edition.start : edition.start + edition.size] = text
        return edition

    def _grow(self, size: int) -> None:
        if size > os.fstat(self._fd).st_size:
            memory.grow(self._fd, size)

    def _map(self) -> None:
        """Map all of the block; whoever held on to an older mapping of it would keep its pages twice."""
        self._block = memory.attach(self._fd)
        self._slots = memory.slots(self._block, _HEAD_BYTES // memory.SLOT)
        for chapter in self._chapters.values():
            chapter.map(self._block)

    def _read(self) -> None:
        """Find the edition in force; a block that has none, or none that is whole, has no chapters."""
        root = self._slots[_ROOT]
        start, which = root & ~1, root & 1
        text = _told(self._block, start)
        if not text:
            return
        self._edition, self._which = _Extent(start, len(text)), which
        for title, (room, layout) in json.loads(text[_LENGTH_BYTES + _SUM_BYTES :]).items():
            arrays = tuple((name, dtype, tuple(shape)) for name, dtype, shape in layout)
            chapter = _Chapter(arrays, _Extent(*room))
            chapter.stale[which] = False
            chapter.map(self._block)
            self._chapters[title] = chapter


# --- layouts


def _layout(arrays: Arrays) -> Layout:
    return tuple((name, array.dtype.str, array.shape) for name, array in arrays.items())


def _padded(size: int) -> int:
    return size + -size % _ALIGN


def _bytes(dtype: str, shape: Iterable[int]) -> int:
    size = np.dtype(dtype).itemsize
    for side in shape:
        size *= side
    return size


def _size(layout: Layout) -> int:
    return sum(_padded(_bytes(dtype, shape)) for _, dtype, shape in layout)


def _views(block: mmap.mmap, layout: Layout, start: int) -> Iterable[tuple[str, NDArray[Any]]]:
    for name, dtype, shape in layout:
        size = _bytes(dtype, shape)
        count = size // np.dtype(dtype).itemsize
        yield name, np.frombuffer(block, dtype, count, start if size else 0).reshape(shape)
        start += _padded(size)


# --- room


def _room(used: Iterable[_Extent], size: int) -> _Extent:
    """The first gap between what is used that is large enough, or what lies behind all of it."""
    start = _HEAD_BYTES
    for extent in sorted(used):
        if extent.start - start >= size:
            break
        start = max(start, _padded(extent.start + extent.size))
    return _Extent(start, size)


# --- editions: length, checksum, JSON


def _text(chapters: Mapping[str, _Chapter]) -> bytes:
    told = json.dumps({title: (chapter.room, chapter.layout) for title, chapter in chapters.items()}).encode()
    return len(told).to_bytes(_LENGTH_BYTES, "little") + hashlib.sha256(told).digest() + told


def _told(block: mmap.mmap, start: int) -> bytes:
    """The edition at `start`, empty where there is none."""
    if not _HEAD_BYTES <= start < len(block) - _LENGTH_BYTES:
        return b""
    size = int.from_bytes(block[start : start + _LENGTH_BYTES], "little")
    text = block[start : min(start + _LENGTH_BYTES + _SUM_BYTES + size, len(block))]
    content = text[_LENGTH_BYTES + _SUM_BYTES :]
    return text if hashlib.sha256(content).digest() == text[_LENGTH_BYTES : _LENGTH_BYTES + _SUM_BYTES] else b""
