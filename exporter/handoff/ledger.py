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
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
_UNDO: Final = 1
_ALIGN: Final = 64
_SUM_BYTES: Final = hashlib.sha256().digest_size
_LENGTH_BYTES: Final = 8
_RECORD: Final = struct.Struct("<QQ")  # the root as it was, how many entries
_ENTRY: Final = struct.Struct("<QQ")  # where, how many bytes; they follow
_ROW_BYTES: Final = 1 << 10
"""Of arrays with rows of such a size (panes, mostly) those that differ are overwritten; others as a whole."""
_LARGE_RECORD: Final = 8 << 20
"""The memory of larger ones is given back: they are rare, as when windows are read from disk."""


class _Extent(NamedTuple):
    """Room in the block, in bytes."""

    start: int
    size: int


class _Change(NamedTuple):
    """Bytes to be written over others."""

    at: int
    new: NDArray[np.uint8]


class _Chapter:
    """Some arrays in the block."""

    __slots__ = ("arrays", "layout", "room")

    def __init__(self, layout: Layout, room: _Extent) -> None:
        self.layout = layout
        self.room = room
        self.arrays: dict[str, NDArray[Any]] = {}

    def map(self, block: mmap.mmap) -> None:
        """Find the arrays in a block."""
        self.arrays = {name: array for name, _, array in _views(block, self.layout, self.room.start)}

    def write(self, arrays: Arrays) -> None:
        """Have all of it be `arrays`; only where it is not in force."""
        for name, target in self.arrays.items():
            target[...] = arrays[name]

    def changes(self, block: mmap.mmap, arrays: Arrays) -> Iterator[_Change]:
        """What must be written for it to be `arrays`."""
        for name, at, held in _views(block, self.layout, self.room.start):
            if held.size:
                yield from _differences(at, held, np.ascontiguousarray(arrays[name]))


class Ledger:
    """A block of memory holding chapters of named arrays."""

    def __init__(self, fd: int) -> None:
        """Attach to `fd`, which may hold nothing yet. What somebody left half-made is not touched before `commit`."""
        self._fd = fd
        self._edition = _Extent(_HEAD_BYTES, 0)
        self._chapters: dict[str, _Chapter] = {}
        self._map(memory.attach(fd))
        self._is_half_made = _holds_record(self._block, self._slots[_UNDO])
        if self._is_half_made:
            self._map(memory.attach_privately(fd))
            _put_back(self._block, self._slots)
        self._read()

    def chapters(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Copies of what was committed last."""
        return {
            title: {name: array.copy() for name, array in chapter.arrays.items()}
            for title, chapter in self._chapters.items()
        }

    def commit(self, chapters: Chapters, changed: Collection[str] | None = None) -> None:
        """Make `chapters` the committed state, others are no more.

        `changed` are the titles of those that may differ from the last commit's; None for any. OSError where there is
        no room: then nothing has changed.
        """
        self._settle()
        layouts = {title: _layout(arrays) for title, arrays in chapters.items()}
        in_force = {title: known for title, known in self._chapters.items() if known.layout == layouts.get(title)}
        changes = [
            change
            for title, chapter in in_force.items() if changed is None or title in changed
            for change in chapter.changes(self._block, chapters[title])
        ]  # fmt: skip
        self._edition, record = self._make_room(layouts, _record_size(changes))
        for title in chapters.keys() - in_force.keys():
            self._chapters[title].write(chapters[title])
        self._overwrite(changes, record)
        self._slots[_ROOT] = self._edition.start
        self._slots[_UNDO] = 0
        if record.size > _LARGE_RECORD:
            memory.give_back(self._block, record.start, record.size)

    def _settle(self) -> None:
        """Put back what somebody who died was about to overwrite."""
        if self._is_half_made:
            self._map(memory.attach(self._fd))
            _put_back(self._block, self._slots)
            self._is_half_made = False

    def _make_room(self, layouts: Mapping[str, Layout], record_size: int) -> tuple[_Extent, _Extent]:
        """Room for chapters, the edition that names them, and a record; nothing that is in force is touched."""
        used = [self._edition, *(chapter.room for chapter in self._chapters.values())]
        if layouts == {title: chapter.layout for title, chapter in self._chapters.items()}:
            record = _room(used, record_size)
            self._have([*used, record], record)
            return self._edition, record
        after: dict[str, _Chapter] = {}
        for title, layout in layouts.items():
            known = self._chapters.get(title)
            if known is None or known.layout != layout:
                known = _Chapter(layout, _room(used, _size(layout)))
                used.append(known.room)
            after[title] = known
        text = _text(after)
        edition = _room(used, len(text))
        used.append(edition)
        record = _room(used, record_size)
        self._have([*used, record], record)
        self._chapters = after
        self._map(memory.attach(self._fd))
        self._block[edition.start : edition.start + edition.size] = text
        return edition, record

    def _have(self, used: Iterable[_Extent], record: _Extent) -> None:
        size = max(extent.start + extent.size for extent in used)
        if size > os.fstat(self._fd).st_size:
            memory.grow(self._fd, size)
            self._map(memory.attach(self._fd))
        memory.take_room(self._fd, record.start, record.size)

    def _overwrite(self, changes: Sequence[_Change], record: _Extent) -> None:
        if not changes:
            return
        block, cursor = self._block, record.start + _RECORD.size
        block[record.start : cursor] = _RECORD.pack(self._slots[_ROOT], len(changes))
        for at, new in changes:
            block[cursor : cursor + _ENTRY.size] = _ENTRY.pack(at, new.size)
            cursor += _ENTRY.size
            block[cursor : cursor + new.size] = block[at : at + new.size]
            cursor += new.size
        self._slots[_UNDO] = record.start
        for at, new in changes:
            block[at : at + new.size] = new.data

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


# --- what a commit overwrites


def _differences(at: int, held: NDArray[Any], new: NDArray[Any]) -> Iterator[_Change]:
    """Runs of rows that differ, bit by bit, of two arrays of one layout, the first of which lies at `at`."""
    rows = len(new) if new.ndim > 1 and new.nbytes >= len(new) * _ROW_BYTES else 1
    whole = np.dtype(f"u{new.itemsize}")  # -0.0 is another number than 0.0, and NaN the same as itself
    different = (held.view(whole).reshape(rows, -1) != new.view(whole).reshape(rows, -1)).any(axis=1)
    ends = np.flatnonzero(np.diff(different, prepend=False, append=False)).tolist()
    content, width = new.reshape(-1).view(np.uint8), new.nbytes // rows
    for start, stop in zip(ends[::2], ends[1::2], strict=True):
        yield _Change(at + start * width, content[start * width : stop * width])


def _record_size(changes: Sequence[_Change]) -> int:
    return _RECORD.size + sum(_ENTRY.size + change.new.size for change in changes) if changes else 0


def _holds_record(block: mmap.mmap, start: int) -> bool:
    return _HEAD_BYTES <= start < len(block) - _RECORD.size


def _put_back(block: mmap.mmap, slots: "memoryview[int]") -> None:
    """Have a block be as it was before the commit that somebody did not end. It may be tried again and again."""
    start = slots[_UNDO]
    root, entries = _RECORD.unpack_from(block, start)
    cursor = start + _RECORD.size
    for _ in range(entries):
        at, size = _ENTRY.unpack_from(block, cursor)
        cursor += _ENTRY.size
        block[at : at + size] = block[cursor : cursor + size]
        cursor += size
    slots[_ROOT] = root
    slots[_UNDO] = 0


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
