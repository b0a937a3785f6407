"""Infinite numbers by their sign, apart from values of a wrong type, with which they share a bin.

Wrong types count as a positive infinity on their way into bins; these are taken off here. Kept: 12 panes of three
numbers for each window and column.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.reference import NONFINITE
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.window import Arrays
from exporter.snapshots import Listed
from exporter.values import format_duration

WORD: Final = "infinite_ratio"
SIGNS: Final = ("positive", "negative")
_ALL: Final = len(SIGNS)
_PANES: Final = 12


class InfiniteNumbers:
    """Of the ordered columns of a side."""

    def __init__(self, scope: Scope) -> None:
        self._ordered = np.flatnonzero([column.ordered for column in scope.columns])
        windows, shape = scope.windows, (self._ordered.size, _ALL + 1)
        self._windows = CoarseWindows(windows.lengths, windows.pane, _PANES, shape, np.int32)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._windows.arrays(prefix)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, prefix, shift_s, now)

    def add(self, batch: Batch) -> None:
        """Count rows."""
        counts = np.zeros((self._ordered.size, _ALL + 1), np.int64)
        counts[:, _ALL] = batch.rows
        if (batch.bins[:, self._ordered] == NONFINITE).any():
            negative = (batch.numbers == -np.inf).sum(axis=0)
            positive = (batch.numbers == np.inf).sum(axis=0) - batch.mistyped[self._ordered]
            counts[:, 0], counts[:, 1] = np.maximum(positive, 0), negative
        for pane in self._windows.panes(batch.at):
            pane[...] += counts.astype(pane.dtype)

    def snapshot(self, now: float) -> Iterator[Listed]:
        """Shares of windows that had some."""
        for length in self._windows.lengths:
            counts, window = self._windows.total(now, length), format_duration(length)
            for at, sign in np.argwhere(counts[:, :_ALL] > 0).tolist():
                ratio = counts[at, sign] / counts[at, _ALL]
                yield Listed(WORD, int(self._ordered[at]), (SIGNS[sign], window), float(ratio))


def made(scope: Scope) -> InfiniteNumbers | None:
    """Of the columns of a side, where some are numbers."""
    return InfiniteNumbers(scope) if any(column.ordered for column in scope.columns) else None
