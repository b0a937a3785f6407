"""Live quantiles of numbers, beside those of the reference as far as its edges tell them.

They are of one window, the second shortest, which moves in quarters of its length: four panes of 512 counts for each
ordered column (8 kB), whatever the traffic. A quantile is told where ten values at least lie on either side of it:
before that it would be noise, and somebody's own value.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.ranks import RANKS, of_reference
from exporter.monitor.batch import Batch, Scope
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.quantiles import CELLS, QuantileCells
from exporter.sketch.window import Arrays
from exporter.snapshots import Measured
from exporter.values import format_duration

WORD: Final = "quantile"
REFERENCE: Final = "reference_quantile"
_PANES: Final = 4
_LEAST: Final = 10


class Quantiles:
    """Of the ordered columns of a side."""

    def __init__(self, scope: Scope, places: NDArray[np.intp]) -> None:
        self._places = places
        columns = [scope.columns[place] for place in places]
        self._cells = QuantileCells([column.edges for column in columns])
        windows = scope.windows
        self._length = sorted(windows.lengths)[:2][-1]
        self._window = CoarseWindows((self._length,), windows.pane, _PANES, (places.size, CELLS), np.int32)
        self._columns = len(scope.columns)
        known = np.full((places.size, len(RANKS)), np.nan)
        for at, column in enumerate(columns):
            for rank, value in of_reference(column):
                known[at, RANKS.index(rank)] = value
        self._of_reference = list(self._told(REFERENCE, known, ""))

    def add(self, batch: Batch) -> None:
        """Count rows."""
        bins = batch.bins if batch.bins.shape[1] == self._places.size else batch.bins[:, self._places]
        self._window.add(batch.at, self._cells.counts(batch.numbers, bins))

    def arrays(self, prefix: str) -> Arrays:
        """What must be kept."""
        return self._window.arrays(prefix)

    def held(self, prefix: str, now: float) -> Arrays:
        """What the window holds at `now`."""
        return self._window.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._window.put_back(held, prefix, shift_s, now)

    def snapshot(self, now: float) -> Iterator[Measured]:
        """Quantiles that enough values support."""
        yield from self._of_reference
        counts = self._window.total(now, self._length)
        counts[:, -1] = 0  # what is no finite number
        beyond = counts.sum(axis=1)[:, None] * [min(rank, 1 - rank) for rank in RANKS]
        found = self._cells.quantiles(counts, RANKS)
        found[beyond < _LEAST - 1e-9] = np.nan
        yield from self._told(WORD, found, format_duration(self._length))

    def _told(self, word: str, found: NDArray[np.float64], window: str) -> Iterator[Measured]:
        """Rank by rank; `found` has the shape (ordered columns, ranks)."""
        for at, rank in enumerate(RANKS):
            values = np.full(self._columns, np.nan)
            values[self._places] = found[:, at]
            yield Measured(word, values, window, (f"{rank:g}",))


def made(scope: Scope) -> Quantiles | None:
    """Of the ordered columns of a side; None where there are none."""
    places = np.flatnonzero([column.ordered for column in scope.columns])
    return Quantiles(scope, places) if places.size else None
