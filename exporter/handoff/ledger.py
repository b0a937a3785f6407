"""The analyser's memory that outlives it: counters and panes, committed whole or not at all.

It has chapters, one for each model, and may have others with every commit. An edition says in words which chapters
there are, which arrays these hold and where. One slot of the head, `ROOT`, names the edition that is in force. A commit
first writes a record of the bytes that it is about to overwrite, names it in the slot `UNDO`, writes what is new, moves
`ROOT` if need be, and clears `UNDO` at last: who comes and finds it set takes the old bytes as they were. So a death at
any instant leaves either the state before or the state after, and all of it lies in memory but once. Counters on
/metrics are taken from committed state only and therefore never go back. Room that the edition in force does not name
is free.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.handoff import memory, undo
from exporter.handoff.undo import Change

Arrays = Mapping[str, NDArray[Any]]
Chapters = Mapping[str, Arrays]
Layout = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, type and shape of each array."""

_HEAD_BYTES: Final = 4096
_ROOT: Final = 0
_UNDO: Final = 1
_ALIGN: Final = 64
_SUM_BYTES: Final = hashlib.sha256().digest_size
_LENGTH_BYTES: Final = 8
_LARGE_RECORD: Final = 1 << 20
"""The memory of larger ones is given back: it is little work beside writing them, and they may be as large as all
panes, as when windows are read from disk."""


class _Extent(NamedTuple):
    """Room in the block, in bytes."""

    start: int
    size: int


class _Chapter:
    """Some arrays in the block."""

    __slots__ = ("arrays", "layout", "places", "room")

    def __init__(self, layout: Layout, room: _Extent) -> None:
        self.layout = layout
        self.room = room
        self.arrays: dict[str, NDArray[Any]] = {}
        self.places: dict[str, int] = {}
        """Where the arrays lie in the block."""

    def map(self, block: mmap.mmap) -> None:
        """Find the arrays in a block."""
        for name, place, array in _views(block, self.layout, self.room.start):
            self.arrays[name], self.places[name] = array, place

    def write(self, arrays: Arrays) -> None:
        """Have all of it be `arrays`; only where it is not in force."""
        for name, target in self.arrays.items():
            target[...] = arrays[name]

    def changes(self, arrays: Arrays) -> Iterator[Change]:
        """What must be written for it to be `arrays`."""
        for name, held in self.arrays.items():
            if held.size:
                yield from undo.differences(self.places[name], held, np.ascontiguousarray(arrays[name]))


class Ledger:
    """A block of memory holding chapters of named arrays."""

    def __init__(self, fd: int) -> None:
        """Attach to `fd`, which may hold nothing yet. What somebody left half-made is not touched before `commit`."""
        self._fd = fd
        self._edition = _Extent(_HEAD_BYTES, 0)
        self._chapters: dict[str, _Chapter] = {}
        self._map(memory.attach(fd))
        self._is_half_made = _HEAD_BYTES <= self._slots[_UNDO] < len(self._block) - undo.LEAST
        if self._is_half_made:
            self._map(memory.attach_privately(fd))
            self._put_back()
        self._read()

    def chapters(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Copies of what was committed last."""
        return {
            title: {name: array.copy() for name, array in chapter.arrays.items()}
            for title, chapter in self._chapters.items()
        }

    def commit(self, chapters: Chapters, changed: Collection[str] | None = None) -> None:
        """Make `chapters` the committed state, others are no more. OSError where there is no room; all is as it was.

        `changed` are the titles of those that may differ from the last commit's; None for any.
        """
        self._settle()
        layouts = {title: _layout(arrays) for title, arrays in chapters.items()}
        in_force = {title: known for title, known in self._chapters.items() if known.layout == layouts.get(title)}
        changes = [
            change
            for title, chapter in in_force.items() if changed is None or title in changed
            for change in chapter.changes(chapters[title])
        ]  # fmt: skip
        self._edition, record = self._make_room(layouts, undo.size_of(changes))
        for title in chapters.keys() - in_force.keys():
            self._chapters[title].write(chapters[title])
        if changes:
            undo.record(self._block, record.start, self._slots[_ROOT], changes)
            self._slots[_UNDO] = record.start
            undo.overwrite(self._block, changes)
        self._slots[_ROOT] = self._edition.start
        self._slots[_UNDO] = 0
        if record.size > _LARGE_RECORD:
            memory.give_back(self._block, record.start, record.size)

    def _settle(self) -> None:
        """Put back what somebody who died was about to overwrite."""
        if self._is_half_made:
            self._map(memory.attach(self._fd))
            self._put_back()
            self._is_half_made = False

    def _put_back(self) -> None:
        """Have the block be as it was before that commit. It may be tried again and again."""
        self._slots[_ROOT] = undo.put_back(self._block, self._slots[_UNDO])
        self._slots[_UNDO] = 0

    def _make_room(self, layouts: Mapping[str, Layout], record_size: int) -> tuple[_Extent, _Extent]:
        """Room for chapters, the edition that names them, and a record; nothing that is in force is touched."""
        used = [self._edition, *(chapter.room for chapter in self._chapters.values())]
        if layouts == {title: chapter.layout for title, chapter in self._chapters.items()}:
            return self._edition, self._have(used, record_size)
        after: dict[str, _Chapter] = {}
        for title, layout in layouts.items():
            known = self._chapters.get(title)
            if known is None or known.layout != layout:
                known = _Chapter(layout, _room(used, _size(layout)))
                used.append(known.room)
            after[title] = known
        text = _text(after)
        edition = _room(used, len(text))
        most = undo.most(sum(map(_size, layouts.values())), sum(map(len, layouts.values())))
        record = self._have([*used, edition], record_size, most)
        fresh = [chapter for title, chapter in after.items() if chapter is not self._chapters.get(title)]
        for room in (edition, *(chapter.room for chapter in fresh)):  # they may lie where memory was given back
            memory.take_room(self._fd, room.start, room.size)
        for chapter in fresh:
            chapter.map(self._block)
        self._chapters = after  # from here on nothing can fail
        self._block[edition.start : edition.start + edition.size] = text
        return edition, record

    def _have(self, used: Sequence[_Extent], record_size: int, most: int = 0) -> _Extent:
        """Make sure of all that is used, and of room for a record beside it; no later one has more than `most` bytes.

        So the block grows with its layout alone: a limit on files that comes later costs no commit.
        """
        record = _room(used, record_size)
        size = max(extent.start + extent.size for extent in (*used, record))
        if size > os.fstat(self._fd).st_size:
            memory.grow(self._fd, size + most, size)
        if size > len(self._block):  # which may be older than the file is large
            self._map(memory.attach(self._fd))
        memory.take_room(self._fd, record.start, record.size)
        return record

    def _map(self, block: mmap.mmap) -> None:
        """Use a mapping of all of the block; whoever held on to an older one would keep its pages twice."""
        self._block = block
        self._slots = memory.slots(self._block, _HEAD_BYTES // memory.SLOT)
        for chapter in self._chapters.values():
            chapter.map(self._block)

    def _read(self) -> None:
        """Find the edition in force; a block that has none, or none that is whole, has no chapters."""
        start = self._slots[_ROOT]
        text = _told(self._block, start)
        if not text:
            return
        self._edition = _Extent(start, len(text))
        for title, (room, layout) in json.loads(text[_LENGTH_BYTES + _SUM_BYTES :]).items():
            arrays = tuple((name, dtype, tuple(shape)) for name, dtype, shape in layout)
            chapter = self._chapters[title] = _Chapter(arrays, _Extent(*room))
            chapter.map(self._block)


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


def _views(block: mmap.mmap, layout: Layout, start: int) -> Iterator[tuple[str, int, NDArray[Any]]]:
    """Name, place and array."""
    for name, dtype, shape in layout:
        size = _bytes(dtype, shape)
        count = size // np.dtype(dtype).itemsize
        yield name, start, np.frombuffer(block, dtype, count, start if size else 0).reshape(shape)
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
