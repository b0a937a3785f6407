"""What a commit to the ledger overwrites: found, written down beforehand, and put back where somebody died meanwhile.

A record has the root as it was, and the old bytes of every change with their place.
"""

import mmap
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_RECORD: Final = struct.Struct("<QQ")  # the root as it was, how many entries
_ENTRY: Final = struct.Struct("<QQ")  # where, how many bytes; they follow
_ROW_BYTES: Final = 1 << 10
"""Of arrays with rows of such a size (panes, mostly) those that differ are overwritten; others as a whole."""
_SMALL: Final = 1 << 14
_AT_ONCE: Final = 1 << 18
"""Bytes that are compared while they are near."""
LEAST: Final = _RECORD.size
"""Bytes of a record."""


class Change(NamedTuple):
    """Bytes to be written over others."""

    at: int
    new: NDArray[np.uint8]


def differences(at: int, held: NDArray[Any], new: NDArray[Any]) -> Iterator[Change]:
    """Rows that differ, bit by bit, of two arrays of one layout, the first of which lies at `at`."""
    content = new.reshape(-1).view(np.uint8)
    if new.nbytes <= _SMALL:
        if held.tobytes() != new.tobytes():
            yield Change(at, content)
        return
    width = new.nbytes // len(new) if new.ndim > 1 else new.nbytes
    if width < _ROW_BYTES:
        width = new.nbytes
    word = np.uint64 if width % 8 == 0 else np.uint8  # -0.0 is another number than 0.0, and NaN the same as itself
    before = held.reshape(-1).view(word).reshape(-1, width // word().itemsize)
    after = content.view(word).reshape(before.shape)
    step = max(1, _AT_ONCE // width)
    for start in range(0, len(after), step):
        different = before[start : start + step] != after[start : start + step]
        if different.any():
            for row in (start + np.flatnonzero(different.any(axis=1))).tolist():
                yield Change(at + row * width, content[row * width : (row + 1) * width])


def size_of(changes: Sequence[Change]) -> int:
    """Bytes of the record of some changes."""
    return _RECORD.size + sum(_ENTRY.size + change.new.size for change in changes) if changes else 0


def most(size: int, arrays: int) -> int:
    """Bytes of the record of a commit that changes all of so many arrays, which are of so many bytes together."""
    return _RECORD.size + size + _ENTRY.size * (arrays + size // _ROW_BYTES)


def record(block: mmap.mmap, start: int, root: int, changes: Sequence[Change]) -> None:
    """Write down at `start` what the changes will overwrite."""
    cursor = start + _RECORD.size
    block[start:cursor] = _RECORD.pack(root, len(changes))
    for at, new in changes:
        block[cursor : cursor + _ENTRY.size] = _ENTRY.pack(at, new.size)
        cursor += _ENTRY.size
        block[cursor : cursor + new.size] = block[at : at + new.size]
        cursor += new.size


def overwrite(block: mmap.mmap, changes: Sequence[Change]) -> None:
    """Make the changes."""
    for at, new in changes:
        block[at : at + new.size] = new.data


def put_back(block: mmap.mmap, start: int) -> int:
    """Undo the changes of which the record lies at `start`; the root as it was."""
    root, entries = _RECORD.unpack_from(block, start)
    cursor = start + _RECORD.size
    for _ in range(entries):
        at, size = _ENTRY.unpack_from(block, cursor)
        cursor += _ENTRY.size
        block[at : at + size] = block[cursor : cursor + size]
        cursor += size
    return int(root)
