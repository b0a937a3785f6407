"""The counts of a window against the reference: every statistic, of every column at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import Needs, chosen
from exporter.drift.summary import Summary
from exporter.reference import MISSING, Column
from exporter.snapshots import Moved

_MOST_MOVED: Final = 3
"""Bins of a column that are named."""
Values = NDArray[np.float64]


class Scored(NamedTuple):
    """What the statistics say, by name; arrays have shape (columns,) and NaN where one does not apply."""

    values: Mapping[str, Values]
    critical: Mapping[str, Values]
    moved: Sequence[Moved]
    """Of columns whose total variation is beyond its critical value."""


class Scoring:
    """The reference of some columns, and the statistics that are asked of it."""

    def __init__(self, columns: Sequence[Column], optional: Sequence[str] = ()) -> None:
        """`optional` names statistics beside the default ones."""
        self._statistics = chosen(optional)
        self._ordered = np.array([column.ordered for column in columns])
        self._spread = np.array([column.ordered and column.sd > 0 for column in columns])
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._steps = np.zeros((len(columns), MISSING - 1))
        for place, column in enumerate(columns):
            if self._spread[place]:
                self._steps[place] = _steps(column)
        self._bins = max(len(column.counts) for column in columns)
        self._reference = self._make_reference(columns)

    def _make_reference(self, columns: Sequence[Column]) -> Summary:
        counts = np.zeros((len(columns), self._bins), np.int64)
        for place, column in enumerate(columns):
            counts[place, : len(column.counts)] = column.counts
        alone = np.ones(len(columns))
        return self._summary(counts, np.zeros(len(columns)))._replace(dependence=alone)

    def _summary(self, counts: NDArray[np.int64], deviation: Values) -> Summary:
        ordered = np.zeros((len(counts), MISSING), np.int64)
        if self._ordered.any():  # categories alone may have fewer bins than there are of numbers
            ordered[self._ordered] = counts[self._ordered, :MISSING]
        finite = np.where(self._spread, ordered.sum(axis=1), 0)  # a constant has no standard error
        return Summary(counts, counts.sum(axis=1), ordered, finite, deviation, self._steps, self._dependence)

    def score(self, counts: NDArray[np.int64], deviation: Values) -> Scored:
        """Of counts of shape (columns, bins), and summed deviations in standard deviations of the reference."""
        current = self._summary(counts, deviation)
        applies = {Needs.BINS: current.samples > 0}
        applies[Needs.ORDER] = self._ordered & (current.ordered.sum(axis=1) > 0)
        applies[Needs.SPREAD] = self._spread & applies[Needs.ORDER]
        values, critical = {}, {}
        with np.errstate(divide="ignore", invalid="ignore"):
            for name, one in self._statistics.items():
                values[name] = np.where(applies[one.needs], one.score(self._reference, current), np.nan)
                if one.critical:
                    known = ~np.isnan(values[name])
                    critical[name] = np.where(known, one.critical(self._reference, current), np.nan)
        beyond = values["total_variation"] > critical["total_variation"]
        return Scored(values, critical, tuple(self._moved(np.flatnonzero(beyond), counts)))

    def _moved(self, columns: NDArray[np.intp], counts: NDArray[np.int64]) -> Iterator[Moved]:
        """The bins of some columns whose shares have changed most, the largest change first."""
        reference = self._reference.counts[columns]
        change = counts[columns] / counts[columns].sum(axis=1, keepdims=True)
        change -= reference / reference.sum(axis=1, keepdims=True)
        largest = np.argsort(-np.abs(change), axis=1, kind="stable")[:, :_MOST_MOVED]
        for at, (column, places) in enumerate(zip(columns.tolist(), largest.tolist(), strict=True)):
            for place in places:
                if change[at, place]:
                    yield Moved(column, place, float(change[at, place]))


def _steps(column: Column) -> Values:
    """From each ordered bin to the next that exists, in standard deviations; 0 behind those that do not."""
    places, centres = zip(*column.centres(), strict=True)
    steps = np.zeros(MISSING - 1)
    steps[list(places[:-1])] = np.diff(centres) / column.sd
    return steps
