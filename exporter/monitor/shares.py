"""Values that are not as they should be, by the bins that hold them: how many, what share, and what chance explains."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.chance import largest_share
from exporter.reference import OUT_OF_RANGE, QUALITY, Column

Values = NDArray[np.float64]
_LEAST_ROWS: Final = 10
"""Of a category that has a name in a profile; rarer ones are expected as unseen."""
_AT_LEAST_ROWS: Final = 0.25
"""Of the categories that share the bin `other`, those that have just so many, at most."""


class Shares:
    """Of some columns, by QUALITY; NaN where one does not apply."""

    def __init__(self, columns: Sequence[Column], judged: NDArray[np.int64]) -> None:
        """`judged` are the places of columns of which people say what is in range: their bins do not tell."""
        width = max(len(column.counts) for column in columns)
        shape = (len(columns), width)
        self._applies = {name: np.zeros(len(columns), bool) for name in QUALITY}
        self._bins = {name: np.zeros(shape, bool) for name in QUALITY}
        self._found = {name: np.full(len(columns), np.nan) for name in QUALITY}
        for place, column in enumerate(columns):
            for name, chosen in column.quality_bins().items():
                self._applies[name][place] = True
                self._bins[name][place, list(chosen)] = True
                self._found[name][place] = expected(column, name)
        self._found[OUT_OF_RANGE][judged] = np.nan
        self._rows = np.array([float(column.rows) for column in columns])
        self._dependence = np.array([column.dependence or 1.0 for column in columns])

    def counted(self, counts: NDArray[np.int64]) -> dict[str, Values]:
        """Values in the bins of each, of counts of shape (columns, bins)."""
        return {
            name: np.where(self._applies[name], (counts * bins).sum(axis=1), np.nan)
            for name, bins in self._bins.items()
        }

    def critical(self, samples: NDArray[np.int64]) -> dict[str, Values]:
        """The share that so many values exceed at most about once in 1000 windows, where nothing has changed."""
        live = np.where(samples > 0, samples, np.nan) / self._dependence
        return {name: largest_share(found, self._rows, live) for name, found in self._found.items()}


def expected(column: Column, name: str) -> float:
    """Values of the reference in the bins of one of QUALITY, as if the bins had not been made from these very values.

    Of numbers nothing lies beyond the smallest and the largest of them: as much as one value does, on average, of two
    ends. Categories of fewer than ten rows are unseen by definition: those that are so again have, on average, the rows
    of the ones that now have exactly ten, too (Robbins, Ann. Math. Stat. 39, 1968). Of those in `other` this is not
    known; a quarter of them is more than there are.
    """
    found = float(sum(column.counts[place] for place in column.quality_bins()[name]))
    if name == OUT_OF_RANGE:
        found += 1
    if name == "unseen" and column.kind == "categorical":
        exactly = sum(rows == _LEAST_ROWS for rows in column.counts[: len(column.categories)])
        found += _LEAST_ROWS * (exactly + _AT_LEAST_ROWS * len(column.others))
    return min(found, column.rows)


def of_samples(counted: Mapping[str, Values], samples: NDArray[np.int64]) -> dict[str, Values]:
    """Shares of so many values; NaN where there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: values / samples for name, values in counted.items()}
