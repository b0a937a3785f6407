"""Cells that came in, as a batch: every value in its bin, numbers and names beside."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exporter.monitor import cells
from exporter.monitor.batch import Batch
from exporter.monitor.intake import Intake, Taken
from exporter.monitor.reading import Reading
from exporter.override import Override
from exporter.reference import Side
from exporter.scalars.salted import Salt
from exporter.sketch.binning import CategoryBins, NumberBins


class Binner:
    """The bins of one side's columns."""

    def __init__(self, side: Side, salt: Salt | None) -> None:
        columns = side.columns
        self._columns = columns
        self._reading = Reading(side, salt)
        self.readable = np.array([place not in self._reading.unreadable for place in range(len(columns))])
        """Columns of which anything is counted, shape (columns,)."""
        self._fields = self._reading.fields_of_columns()
        self._ordered = np.flatnonzero([column.ordered for column in columns])
        self._number_bins = NumberBins([columns[place].edges for place in self._ordered])
        self._category_bins = {
            place: CategoryBins(column.categories, column.others)
            for place, column in enumerate(columns) if not column.ordered
        }  # fmt: skip

    def intake(self) -> Intake:
        """Where cells wait."""
        return Intake(self._reading.number_places, self._reading.other_places, self._reading.embeddings)

    def spelled(self, said: Sequence[Override]) -> list[Override]:
        """What is said of the columns, with categories as they are called here."""
        return self._reading.spelled(said)

    def batch(self, taken: Taken, rows: int, at: float) -> Batch:
        """What came in at the moment `at`."""
        mistyped = np.zeros(len(self._columns), np.int64)
        numbers = self._numbers(taken, rows, mistyped)
        bins = placed = self._number_bins.place(numbers, np.isnan(numbers))
        if self._category_bins:
            bins = np.zeros((rows, len(self._columns)), np.uint8)
            bins[:, self._ordered] = placed
        names = {}
        for place, waiting in self._reading.others(taken.others):
            if place in self._category_bins:
                names[place], wrong = self._reading.names(place, waiting)
                bins[:, place] = self._category_bins[place].place(names[place])
                mistyped[place] += wrong
        return Batch(at, bins, numbers, names, mistyped, np.where(self.readable, taken.absent[self._fields], 0))

    def _numbers(self, taken: Taken, rows: int, mistyped: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of the ordered columns, and how many were of a wrong type."""
        found = list(self._reading.numbers(taken.numbers))
        for places, wrong in self._reading.errors(taken.errors, taken.vector_errors):
            mistyped[places] += wrong
        for place, waiting in self._reading.others(taken.others):
            if place not in self._category_bins:
                packed, wrong_rows = cells.measured(waiting, self._columns[place].scalar)
                found.append((np.array([place]), np.frombuffer(packed)[:, None]))
                mistyped[place] += len(wrong_rows)
        if len(found) == 1 and found[0][0].size == self._ordered.size:  # in their order: the usual case, not copied
            return found[0][1]
        numbers = np.full((rows, self._ordered.size), np.nan)
        for places, values in found:
            numbers[:, np.searchsorted(self._ordered, places)] = values
        return numbers
