"""Mean and variance of outputs over windows, in the outputs' own unit: what versions are compared by.

Versions may have profiles of their own: bins differ then, and so do the units in which the drift is counted.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch
from exporter.reference import Column
from exporter.sketch.spread import WORDS, Moments, moments, words_of

_LEAST: Final = 1e-9
"""Of the mean: a standard deviation that is less is a constant's, which nothing can be counted in."""


class Spread:
    """Of those of some columns that are numbers."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [column for column in columns if column.ordered]
        self._origin = np.array([column.mean for column in self._columns])
        self._unit = np.array([_unit(column) for column in self._columns])

    @property
    def shape(self) -> tuple[int, int]:
        """Of what is counted."""
        return len(self._columns), WORDS

    def counted(self, batch: Batch, part: slice) -> NDArray[np.int64]:
        """Words of some rows."""
        return words_of(batch.numbers[part, : len(self._columns)], self._origin, self._unit)


def spread_of(columns: Sequence[Column], words: NDArray[np.int64]) -> Iterator[tuple[int, Moments]]:
    """Of each column that is a number its place and its moments."""
    ordered = [place for place, column in enumerate(columns) if column.ordered]
    for place, of_column in zip(ordered, words.tolist(), strict=True):
        yield place, moments(of_column, columns[place].mean, _unit(columns[place]))


def _unit(column: Column) -> float:
    size = abs(column.mean)
    return column.sd if column.sd > _LEAST * size else size or 1.0
