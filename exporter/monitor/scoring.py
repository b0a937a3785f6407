"""The counts of a window against the reference: every statistic, of every column at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import Needs, chosen, total_variation
from exporter.drift.summary import Summary
from exporter.override import Override
from exporter.reference import MISSING, Column
from exporter.snapshots import IMPACT, Moved

_MOST_MOVED: Final = 3
"""Bins of a column that are named."""
_LEAST_REACH: Final = 8.0
Values = NDArray[np.float64]


class Scored(NamedTuple):
    """What the statistics say, by name; arrays have shape (columns,) and NaN where one does not apply."""

    values: Mapping[str, Values]
    critical: Mapping[str, Values]
    moved: Sequence[Moved]
    """Of columns whose total variation is beyond its critical value."""


class Scoring:
    """The reference of some columns, and the statistics that are asked of it."""

    def __init__(
        self, columns: Sequence[Column], optional: Sequence[str] = (), importance: Values | None = None
    ) -> None:
        """`optional` names statistics beside the default ones; `importance` has NaN where it is not known."""
        self._importance = np.full(len(columns), np.nan) if importance is None else importance
        self._statistics = chosen(optional)
        self._ordered = np.array([column.ordered for column in columns])
        self._spread = np.array([column.ordered and column.sd > 0 for column in columns])
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._reach = np.array([_reach(column) if spread else 0.0
                                for column, spread in zip(columns, self._spread.tolist(), strict=True)])  # fmt: skip
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
        return Summary(
            counts, counts.sum(axis=1), ordered, finite, deviation, self._steps, self._dependence, self._reach
        )

    def score(self, counts: NDArray[np.int64], deviation: Values) -> Scored:
        """Of counts of shape (columns, bins), and summed deviations in the reference's sd, each value within reach."""
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
            average = total_variation.expected(self._reference, current)
        moved, beyond = values["total_variation"], values["total_variation"] > critical["total_variation"]
        values[IMPACT] = self._importance * np.where(beyond, moved - average, np.where(np.isnan(moved), np.nan, 0.0))
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


def importance(columns: Sequence[Column], said: Sequence[Override]) -> Values:
    """Of some columns by the profile, times the weight that people say; in all as much as the profile's.

    NaN where the profile knows none.
    """
    known = np.array([np.nan if column.importance is None else column.importance for column in columns])
    weighted = known * np.array([1.0 if rule.weight is None else rule.weight for rule in said])
    total = np.nansum(weighted)
    return np.asarray(weighted * (np.nansum(known) / total if total else 0.0))


def _reach(column: Column) -> float:
    """From the mean to the farthest number, in standard deviations."""
    return max(column.maximum - column.mean, column.mean - column.minimum) / column.sd


def reach(columns: Sequence[Column]) -> Values:
    """How far from the mean a value counts for its shift, in standard deviations: twice as far as the reference goes.

    So a unit error is a shift as large as any, and a single wild value is none.
    """
    return np.array([max(_LEAST_REACH, 2 * _reach(column)) if column.sd else _LEAST_REACH for column in columns])


def _steps(column: Column) -> Values:
    """From each ordered bin to the next that exists, in standard deviations; 0 behind those that do not."""
    places, centres = zip(*column.centres(), strict=True)
    steps = np.zeros(MISSING - 1)
    steps[list(places[:-1])] = np.diff(centres) / column.sd
    return steps
