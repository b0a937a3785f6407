"""A bounded sample of vectors: which rows are in it depends on what rows there are, not on their order or partition."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_ROWS: Final = 4096
_MOST_BYTES: Final = 64 << 20
_LARGEST: Final = 1e300
"""Squared length, so that sums of some of them are numbers still."""
_SEED: Final = 0x9E3779B97F4A7C15
Groups = Mapping[str, tuple[str, ...]]
"""The columns of each embedding, in order."""
Vectors = NDArray[np.float64]
Hashes = NDArray[np.uint64]


class Sample:
    """The distinct rows of smallest hash, and how often each of them is there. It can be pickled, and merged."""

    def __init__(self, dimensions: int, most: int = _MOST_ROWS) -> None:
        """Of at most so many rows, fewer where they are long."""
        self.dimensions = dimensions
        self.most = max(1, min(most, _MOST_BYTES // (8 * dimensions)))
        self.hashes: Hashes = np.empty(0, np.uint64)
        """Ascending; of the rows of `vectors`, shape (rows, dimensions)."""
        self.vectors: Vectors = np.empty((0, dimensions))
        self.times: NDArray[np.int64] = np.empty(0, np.int64)
        self.complete = 0
        """Rows that count, in the sample or not."""
        self.rows = 0
        """All that were read."""
        self._multipliers = _mixed(np.arange(1, dimensions + 1, dtype=np.uint64) * np.uint64(_SEED)) | np.uint64(1)

    def update(self, vectors: Vectors) -> None:
        """Add rows; those with a gap, or with what is too large to be squared, do not count."""
        self.rows += len(vectors)
        with np.errstate(all="ignore"):
            squares = np.einsum("ij,ij->i", vectors, vectors)
        whole = np.ascontiguousarray(vectors[squares <= _LARGEST] + 0.0)
        self.complete += len(whole)
        hashes = _mixed((_mixed(whole.view(np.uint64)) * self._multipliers).sum(axis=1, dtype=np.uint64))
        if len(self.hashes) == self.most:
            near = hashes <= self.hashes[-1]
            whole, hashes = whole[near], hashes[near]
        self._add(hashes, whole, np.ones(len(whole), np.int64))

    def merge(self, other: "Sample") -> None:
        """Add all that another one holds."""
        self.rows += other.rows
        self.complete += other.complete
        self._add(other.hashes, other.vectors, other.times)

    def _add(self, hashes: Hashes, vectors: Vectors, times: NDArray[np.int64]) -> None:
        every = np.concatenate((self.hashes, hashes))
        distinct, first, place = np.unique(every, return_index=True, return_inverse=True)
        counted = np.bincount(place, np.concatenate((self.times, times)), minlength=distinct.size).astype(np.int64)
        kept = first[: self.most]
        self.vectors = np.concatenate((self.vectors, vectors))[kept]
        self.hashes, self.times = distinct[: self.most], counted[: self.most]


def _mixed(bits: Hashes) -> Hashes:
    """Bits that depend on all bits of a number (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(bits ^ (bits >> np.uint64(31)))
