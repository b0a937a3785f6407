"""Names as numbers: equal ones have equal numbers, as long as this process lives.

A category that the reference lists is its bin; of others, which share a bin, it is Python's hash, salted by process.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch
from exporter.reference import Column

_SHARED: Final = 3
"""Bins at the end: other, unseen, missing."""


def tokens(batch: Batch, places: NDArray[np.int64], columns: tuple[Column, ...]) -> NDArray[np.int64]:
    """Of the columns at `places`, which are no numbers: shape (rows, places)."""
    found = batch.bins[:, places].astype(np.int64)
    for at, place in enumerate(places.tolist()):
        if (found[:, at] >= len(columns[place].counts) - _SHARED).any():
            _name_apart(found[:, at], batch.names[place], len(columns[place].counts) - _SHARED)
    return found


def _name_apart(bins: NDArray[np.int64], names: Sequence[str | None], shared: int) -> None:
    rows = np.flatnonzero(bins >= shared)
    bins[rows] = [hash(names[row]) for row in rows.tolist()]


def present(batch: Batch, places: NDArray[np.int64], columns: tuple[Column, ...]) -> NDArray[np.bool_]:
    """Whether there is a name, of the same columns and of the same shape."""
    missing = [len(columns[place].counts) - 1 for place in places.tolist()]
    return np.asarray(batch.bins[:, places] != np.array(missing, np.uint8))
