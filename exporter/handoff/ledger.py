"""The analyser's memory that outlives it: counters and panes, committed whole or not at all.

Two copies lie behind a head; `ACTIVE` names the one that is true. A commit writes the other copy and then moves
that one slot, so that a death at any instant leaves either the state before or the state after. Counters on
/metrics are taken from committed state only and therefore never go back.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.handoff import memory

Arrays = Mapping[str, NDArray[Any]]

_HEAD_BYTES: Final = 16384
_ACTIVE, _DIGEST = 0, 1
_DIGEST_SLOTS: Final = 4
_TEXT: Final = 512
"""Where the layout stands in words, so that another one can find what it has in common with it."""
_ALIGN: Final = 64


def holds(fd: int, arrays: Arrays) -> bool:
    """Whether a ledger in `fd` holds exactly arrays of these names and shapes."""
    with memory.attach(fd) as block:
        return _slots(block)[_DIGEST:] == _digest(_text(arrays, _layout(arrays)[1]))


class Ledger:
    """A block of memory holding named arrays of fixed shapes."""

    def __init__(self, fd: int, arrays: Arrays) -> None:
        """Attach to `fd`; `self.restored` says whether it already held arrays of these names and shapes.

        Where it held others as well, or others instead, those it has in common with them go on; the rest starts anew.
        """
        layout, size = _layout(arrays)
        text = _text(arrays, size)
        held = _read(fd)
        os.ftruncate(fd, max(_HEAD_BYTES + 2 * size, os.fstat(fd).st_size))
        self._block: mmap.mmap = memory.attach(fd)
        self._slots = memory.slots(self._block, _HEAD_BYTES // memory.SLOT)
        self._copies = [_views(self._block, arrays, layout, _HEAD_BYTES + which * size) for which in (0, 1)]
        digest = _digest(text)
        known = self._slots[_DIGEST : _DIGEST + _DIGEST_SLOTS].tolist() == digest
        self.restored = known or bool(held)
        if not known:
            # The digest goes in last: a half-made ledger is made again.
            for slot in range(_DIGEST, _DIGEST + _DIGEST_SLOTS):
                self._slots[slot] = 0
            for name, array in arrays.items():
                old = held.get(name)
                goes_on = old is not None and (old.dtype, old.shape) == (array.dtype, array.shape)
                self._copies[0][name][...] = old if goes_on else array
            self._slots[_ACTIVE] = 0
            self._block[_TEXT : _TEXT + len(text)] = text
            for slot, word in enumerate(digest, _DIGEST):
                self._slots[slot] = word

    def load(self, arrays: Arrays) -> None:
        """Copy the committed state into `arrays`."""
        active = self._copies[self._slots[_ACTIVE]]
        for name, array in arrays.items():
            array[...] = active[name]

    def commit(self, arrays: Arrays) -> None:
        """Make `arrays` the committed state."""
        other = 1 - self._slots[_ACTIVE]
        for name, target in self._copies[other].items():
            target[...] = arrays[name]
        self._slots[_ACTIVE] = other


def _layout(arrays: Arrays) -> tuple[dict[str, int], int]:
    offsets = {}
    cursor = 0
    for name, array in arrays.items():
        offsets[name] = cursor
        cursor += array.nbytes + -array.nbytes % _ALIGN
    return offsets, cursor


def _views(block: mmap.mmap, arrays: Arrays, layout: Mapping[str, int], start: int) -> dict[str, NDArray[Any]]:
    return {
        name: np.frombuffer(block, array.dtype, array.size, start + layout[name]).reshape(array.shape)
        for name, array in arrays.items()
    }


def _text(arrays: Arrays, size: int) -> bytes:
    """The layout as JSON, ended by a zero: a digest of it all, and its first arrays, as many as there is room for."""
    names = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    whole = hashlib.sha256(json.dumps(names).encode()).hexdigest()
    while True:
        text = json.dumps({"size": size, "whole": whole, "arrays": names}).encode() + b"\0"
        if len(text) <= _HEAD_BYTES - _TEXT:
            return text
        names = names[: len(names) // 2]


def _digest(text: bytes) -> list[int]:
    found: list[int] = np.frombuffer(hashlib.sha256(text).digest(), dtype=np.uint64).tolist()
    return found


def _slots(block: mmap.mmap) -> list[int]:
    """A copy of the numbers a block begins with."""
    found: list[int] = np.frombuffer(block[: (_DIGEST + _DIGEST_SLOTS) * memory.SLOT], np.uint64).tolist()
    return found


def _read(fd: int) -> dict[str, NDArray[Any]]:
    """Copies of the arrays that the block holds; none where it holds no whole layout."""
    with memory.attach(fd) as block:
        head = block[:_HEAD_BYTES]
        text = head[_TEXT:].partition(b"\0")[0] + b"\0"
        slots = _slots(block)
        if slots[_DIGEST:] != _digest(text):
            return {}
        told = json.loads(text[:-1])
        known = {name: np.empty(shape, dtype) for name, dtype, shape in told["arrays"]}
        size = told["size"]
        content = block[: _HEAD_BYTES + 2 * size]
    layout, _ = _layout(known)
    start = _HEAD_BYTES + slots[_ACTIVE] * size
    return {
        name: np.frombuffer(content, array.dtype, array.size, start + layout[name]).reshape(array.shape)
        for name, array in known.items()
    }
