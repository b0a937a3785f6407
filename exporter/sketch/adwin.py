"""The share of ones among the latest bits of a stream, over as many of them as look alike: ADWIN.

Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing" (SDM 2007), the variant ADWIN2: the
window is a row of buckets whose sizes are powers of two, and its oldest ones go while the window can be parted at one
of their borders into two whose shares differ by more than chance. Parameters are the defaults of the library `river`,
and so are the moments at which bits go (0.26.1); its class forgets all of the window then, where the paper and this
one keep what looks alike.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DELTA: Final = 0.002
"""How sure: about the chance that a bound is passed where nothing has changed."""
_EVERY: Final = 32
"""Bits between two looks."""
_MOST: Final = 5
"""Buckets of one size."""
_LEAST: Final = 5
"""Bits of a part of the window."""
_GRACE: Final = 10
"""Bits of the window, no more than which are not looked at."""
_SIZES: Final = 40
"""So many different sizes: a window of a billion bits needs 28 of them."""
_Buckets = list[list[int]]


class Adwin:
    """Of one stream. Memory: 2 kB, however long it is."""

    def __init__(self) -> None:
        self._ones: NDArray[np.int64] = np.zeros((_SIZES, _MOST), np.int64)
        """Ones in each bucket; row k has buckets of 2^k bits, the oldest first."""
        self._held: NDArray[np.int64] = np.zeros(_SIZES, np.int64)
        """Buckets of each size."""
        self._bits: NDArray[np.int64] = np.zeros(1, np.int64)
        """Since the start."""
        self._changes: NDArray[np.int64] = np.zeros(1, np.int64)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere; the last one is a counter."""
        names = ("ones", "held", "bits", "changes")
        return {f"{prefix}.{name}": getattr(self, f"_{name}") for name in names}

    @property
    def width(self) -> int:
        """Bits in the window."""
        return int((self._held << np.arange(_SIZES)).sum())

    @property
    def share(self) -> float:
        """Of ones among them; NaN where there are none."""
        return int(self._ones.sum()) / self.width if self.width else math.nan

    @property
    def changes(self) -> int:
        """Looks since the start that let old bits go."""
        return int(self._changes[0])

    def add(self, bits: NDArray[np.bool_]) -> None:
        """Take bits, in their order; how they come in batches makes no difference."""
        given: list[int] = bits.astype(np.int64).tolist()
        buckets = self._unpacked()
        ticks, start = int(self._bits[0]), 0
        while start < len(given):
            stop = min(len(given), start + _EVERY - ticks % _EVERY)
            _insert(buckets, given[start:stop])
            ticks += stop - start
            start = stop
            if ticks % _EVERY == 0:
                self._changes += _let_go(buckets)
        self._bits[0] = ticks
        self._pack(buckets)

    def _unpacked(self) -> _Buckets:
        return [ones[:held] for ones, held in zip(self._ones.tolist(), self._held.tolist(), strict=True)]

    def _pack(self, buckets: _Buckets) -> None:
        self._ones[...] = [ones + [0] * (_MOST - len(ones)) for ones in buckets]
        self._held[...] = [len(ones) for ones in buckets]


def _insert(buckets: _Buckets, bits: list[int]) -> None:
    """Add bits one by one; of too many buckets of a size the two oldest become one of the next."""
    for bit in bits:
        buckets[0].append(bit)
        size = 0
        while len(buckets[size]) > _MOST:
            oldest, next_oldest = buckets[size].pop(0), buckets[size].pop(0)
            if size + 1 == _SIZES:
                break
            size += 1
            buckets[size].append(oldest + next_oldest)


def _let_go(buckets: _Buckets) -> bool:
    """Drop the oldest buckets while the window can be parted; whether any was."""
    dropped = False
    while _can_be_parted(buckets):
        next(ones for ones in reversed(buckets) if ones).pop(0)
        dropped = True
    return dropped


def _can_be_parted(buckets: _Buckets) -> bool:
    sizes = np.array([1 << size for size in range(_SIZES - 1, -1, -1) for _ in buckets[size]], np.float64)
    width = sizes.sum()
    if width <= _GRACE:
        return False
    ones = np.array([one for of_size in reversed(buckets) for one in of_size], np.float64)
    older, ones_older = sizes.cumsum()[:-1], ones.cumsum()[:-1]
    newer, share = width - older, ones.sum() / width
    long_enough = (older >= _LEAST) & (newer >= _LEAST)
    older, ones_older, newer = older[long_enough], ones_older[long_enough], newer[long_enough]
    apart = np.abs(ones_older / older - (ones.sum() - ones_older) / newer)
    sure = math.log(2 * math.log(width) / _DELTA)
    inverse = 1 / (older - _LEAST + 1) + 1 / (newer - _LEAST + 1)
    bound = np.sqrt(2 * inverse * share * (1 - share) * sure) + 2 / 3 * sure * inverse
    return bool((apart > bound).any())
