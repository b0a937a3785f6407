"""How unusual the rows of the training data are: beyond which point lies one in a hundred of them.

Columns come one after the other, so a sum of each row of a run of rows waits until all columns were there. Memory: four
bytes for each of these rows, and a histogram of 2^14 cells.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import Column, Unusual
from exporter.sketch.rarity import surprises, takes_part

_CELLS: Final = 1 << 14
_LEAST_ROWS: Final = 500
"""Of fewer a hundredth says too little."""
_BEYOND: Final = 100
"""One row in so many."""


class Surprise:
    """The histogram of all rows under way. It can be pickled, and merged with those of other parts of the table."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """`columns` are the features. Their counts should be final already."""
        self._counts = [column.counts for column in columns if takes_part(column)]
        self._tables = {column.name: surprises(column) for column in columns if takes_part(column)}
        self._missing = {column.name: int(self._tables[column.name][_missing(column)])
                         for column in columns if takes_part(column)}  # fmt: skip
        most = sum(int(table.max()) for table in self._tables.values())
        self._shift = max(0, most.bit_length() - (_CELLS.bit_length() - 1))
        self.rows = np.zeros(_CELLS, np.int64)
        """By cell."""
        self._clear()

    def _clear(self) -> None:
        self._sums = np.zeros(0, np.int32)
        self._seen: dict[str, int] = {}

    def add(self, column: Column, bins: NDArray[np.int64], start: int) -> None:
        """Some rows of a column, `start` rows behind the beginning of the run."""
        if column.name not in self._tables:
            return
        stop = start + bins.size
        if stop > self._sums.size:  # all but the first column find room
            self._sums = np.concatenate((self._sums, np.zeros(max(stop, 2 * start) - self._sums.size, np.int32)))
        self._sums[start:stop] += self._tables[column.name][bins]
        self._seen[column.name] = stop

    def end(self) -> None:
        """The run is over: every column was there, or is missing in the rows that it was not there for."""
        rows = max(self._seen.values(), default=0)
        for name, missing in self._missing.items():
            self._sums[self._seen.get(name, 0) : rows] += missing
        self.rows += np.bincount(self._sums[:rows] >> self._shift, minlength=_CELLS)
        self._clear()

    def merge(self, other: "Surprise") -> None:
        """Add all that another one holds, whose run is over."""
        self.rows += other.rows

    def __getstate__(self) -> dict[str, Any]:
        """Without the last run."""
        return vars(self) | {"_sums": np.zeros(0, np.int32), "_seen": {}}

    def found(self, columns: Sequence[Column]) -> Unusual | None:
        """From where on it is no more than one row in a hundred; None where there are few rows.

        Nor is it known where the counts of the columns turned out to be others, so that live shares are, too.
        """
        rows = int(self.rows.sum())
        final = [column.counts for column in columns if takes_part(column)]
        if rows < _LEAST_ROWS or not self._tables or final != self._counts:
            return None
        beyond = self.rows[::-1].cumsum()[::-1]  # rows in the cell and above it
        cell = int(np.argmax(np.append(beyond, 0) <= rows // _BEYOND))
        return Unusual(cell << self._shift, rows, int(beyond[cell]) if cell < _CELLS else 0)


def _missing(column: Column) -> int:
    (place,) = column.quality_bins()["missing"]
    return place
