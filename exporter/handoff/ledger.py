"""The analyser's memory that outlives it: counters and panes, committed whole or not at all.

Two copies lie behind a head; `ACTIVE` names the one that is true. A commit writes the other copy and then moves
that one slot, so that a death at any instant leaves either the state before or the state after. Counters on
/metrics are taken from committed state only and therefore never go back.
"""

import hashlib
import mmap
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.handoff import memory

Arrays = Mapping[str, NDArray[Any]]

_HEAD_BYTES: Final = 4096
_ACTIVE, _DIGEST = 0, 1
_DIGEST_SLOTS: Final = 4
_ALIGN: Final = 64


class Ledger:
    """A block of memory holding named arrays of fixed shapes."""

    def __init__(self, fd: int, arrays: Arrays) -> None:
        """Attach to `fd`; `self.restored` says whether it already held arrays of this very layout."""
        layout, size = _layout(arrays)
        os.ftruncate(fd, max(_HEAD_BYTES + 2 * size, os.fstat(fd).st_size))
        self._block: mmap.mmap = memory.attach(fd)
        self._slots = memory.slots(self._block, _HEAD_BYTES // memory.SLOT)
        self._copies = [_views(self._block, arrays, layout, _HEAD_BYTES + which * size) for which in (0, 1)]
        digest = np.frombuffer(_digest(arrays), dtype=np.uint64).tolist()
        held = self._slots[_DIGEST : _DIGEST + _DIGEST_SLOTS].tolist()
        self.restored = held == digest
        if not self.restored:
            # The digest goes in last: a half-made ledger is made again.
            for slot in range(_DIGEST, _DIGEST + _DIGEST_SLOTS):
                self._slots[slot] = 0
            for name, array in arrays.items():
                self._copies[0][name][...] = array
            self._slots[_ACTIVE] = 0
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


def _digest(arrays: Arrays) -> bytes:
    text = ";".join(f"{name}:{array.dtype.str}:{array.shape}" for name, array in arrays.items())
    return hashlib.sha256(text.encode()).digest()
