"""A deterministic, mergeable summary of real numbers on a log-linear grid.

A float64 is mapped to an integer that keeps its order (its bit pattern, mirrored for negative numbers). A cell is
such an integer with its lowest `shift` bits dropped: cells are finest where the data are dense in the floating-point
sense, 2^(52-shift) to an octave, and never straddle zero. When more than `LIMIT` cells are occupied the shift is
raised and neighbouring cells fall together. The final shift is the smallest at which the occupied cells fit, which
depends on the set of values alone: neither order nor partitioning of the rows changes a bit. (The collapsing is that
of UDDSketch, arXiv 2004.08604, on a log-linear instead of a logarithmic grid.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LIMIT: Final = 4096
"""Most occupied cells."""
_CLOSE: Final = 4
_MIRROR: Final = np.int64(0x7FFFFFFFFFFFFFFF)


def keys(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order-preserving integers of finite numbers; both zeros are 0."""
    bits = (values + 0.0).view(np.int64)  # -0.0 + 0.0 is 0.0
    return np.where(bits < 0, -(bits & _MIRROR), bits)


def values(keys_: NDArray[np.int64]) -> NDArray[np.float64]:
    """The inverse of `keys`."""
    bits = np.where(keys_ < 0, -keys_ | ~_MIRROR, keys_)
    return bits.view(np.float64)


class Grid:
    """Counts per occupied cell; cell `c` holds the numbers from key `c << shift` up to the next cell's."""

    __slots__ = ("cells", "counts", "shift")

    def __init__(self) -> None:
        self.shift = 0
        self.cells: NDArray[np.int64] = np.empty(0, np.int64)
        """Occupied cells, ascending."""
        self.counts: NDArray[np.int64] = np.empty(0, np.int64)

    def update(self, numbers: NDArray[np.float64], counts: NDArray[np.int64] | None = None) -> None:
        """Add finite numbers, each once or `counts` times."""
        if numbers.size:
            cells = keys(numbers) >> self.shift
            self._add(*(_count(cells) if counts is None else (cells, counts)))

    def merge(self, other: "Grid") -> None:
        """Add all that another grid holds."""
        shift = max(self.shift, other.shift)
        self._coarsen(shift)
        self._add(*_combine(other.cells >> (shift - other.shift), other.counts))

    def lower_bounds(self) -> NDArray[np.float64]:
        """The smallest number of each occupied cell."""
        # The first cell of all would begin at minus infinity.
        return np.maximum(values(self.cells << self.shift), -np.finfo(np.float64).max)

    def upper_bound(self) -> float:
        """The smallest number above every occupied cell."""
        return float(self._upper_bounds()[-1])

    def centres(self) -> NDArray[np.float64]:
        """A number to stand for each occupied cell: itself while cells hold one number each, else the middle."""
        low = self.lower_bounds()
        return low if self.shift == 0 else low / 2 + self._upper_bounds() / 2

    def _upper_bounds(self) -> NDArray[np.float64]:
        # The last cell of all would end at infinity.
        return np.minimum(values((self.cells + 1) << self.shift), np.finfo(np.float64).max)

    def _add(self, cells: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        cells, counts = np.concatenate((self.cells, cells)), np.concatenate((self.counts, counts))
        order = np.argsort(cells, kind="stable")  # which is quick where sorted runs follow each other
        self.cells, self.counts = _combine(cells[order], counts[order])
        if self.cells.size > LIMIT:
            self._coarsen(self.shift + _least_shift(self.cells))

    def _coarsen(self, shift: int) -> None:
        self.cells, self.counts = _combine(self.cells >> (shift - self.shift), self.counts)
        self.shift = shift


def _count(cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct cells, ascending, and how often each occurs: by counting where they lie close together, else sorted."""
    first, last = int(cells.min()), int(cells.max())
    if last - first < _CLOSE * cells.size:
        counts = np.bincount(cells - first)
        occupied = np.flatnonzero(counts)
        return occupied + first, counts[occupied]
    unique, counts = np.unique(cells, return_counts=True)
    return unique, counts.astype(np.int64)


def _combine(cells: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct cells, and the counts of each added up. The cells come in ascending order."""
    if not cells.size:
        return cells, counts
    first = np.flatnonzero(np.concatenate(([True], cells[1:] != cells[:-1])))
    return cells[first], np.add.reduceat(counts, first)


def _least_shift(cells: NDArray[np.int64]) -> int:
    """By how much distinct ascending cells must be shifted, at least, for no more than `LIMIT` to be left."""
    # Two neighbours fall together where the highest bit in which they differ is shifted out.
    differing = (cells[1:] ^ cells[:-1]).view(np.uint64)
    high, low = (differing >> np.uint64(32)).astype(np.float64), (differing & np.uint64(0xFFFFFFFF)).astype(np.float64)
    lengths = np.where(high > 0, np.frexp(high)[1] + 32, np.frexp(low)[1])
    left = 1 + np.cumsum(np.bincount(lengths, minlength=65)[::-1])[::-1]  # of those that differ in bit k or above
    return int(np.flatnonzero(left <= LIMIT)[0]) - 1
