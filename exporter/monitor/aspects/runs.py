"""How often the same value comes in a row: a sensor that is stuck, a field that somebody fills with a constant.

Values follow each other as the rows came. What is missing or not finite neither ends a run nor lengthens it. A run is
as long as it was when it was last seen in the window, be it that it began before. A column that has one value most of
the time has long runs by chance, so each length has a critical one beside it.

Kept: three numbers a column, and 12 panes of two for each window, 4 bytes each: 300 bytes with three windows.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.largest import largest_share
from exporter.monitor.batch import Batch, Scope
from exporter.monitor.tokens import present, tokens
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.runs import Runs
from exporter.sketch.window import Arrays
from exporter.snapshots import Measured
from exporter.values import format_duration

LONGEST: Final = "longest_run_values"
CRITICAL: Final = "longest_run_values_critical"
CURRENT: Final = "current_run_values"
_PANES: Final = 12
_LEVEL: Final = 0.001
_LONGEST: Final = np.iinfo(np.int32).max


class RunLengths:
    """Of all the columns of a side."""

    def __init__(self, scope: Scope) -> None:
        columns = scope.columns
        self._columns = columns
        ordered = np.array([column.ordered for column in columns])
        self._ordered = np.flatnonzero(ordered)
        self._named = np.flatnonzero(~ordered & scope.readable)
        self._numbers = Runs(self._ordered.size, np.float64)
        self._names = Runs(self._named.size, np.int64)
        shape = (len(columns),)
        self._longest = CoarseWindows(scope.windows.lengths, scope.windows.pane, _PANES, shape, np.int32)
        self._values = CoarseWindows(scope.windows.lengths, scope.windows.pane, _PANES, shape, np.int32)
        self._surprise = np.array([-math.log(largest_share(column)) for column in columns])
        self._dependence = np.array([column.dependence or 1.0 for column in columns])

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {
            f"{prefix}.numbers": self._numbers.last.view(np.int64), f"{prefix}.number_runs": self._numbers.lengths,
            f"{prefix}.names": self._names.last, f"{prefix}.name_runs": self._names.lengths,
            **self._longest.arrays(f"{prefix}.longest"), **self._values.arrays(f"{prefix}.values"),
        }  # fmt: skip

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`. No value is written to a disk: runs begin anew after a restart."""
        return self._longest.held(f"{prefix}.longest", now) | self._values.held(f"{prefix}.values", now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._longest.put_back(held, f"{prefix}.longest", shift_s, now)
        self._values.put_back(held, f"{prefix}.values", shift_s, now)

    # in

    def add(self, batch: Batch) -> None:
        """Count rows."""
        longest = np.zeros(len(self._columns), np.int64)
        values = np.zeros(len(self._columns), np.int64)
        if self._ordered.size:
            finite = np.isfinite(batch.numbers)
            longest[self._ordered] = self._numbers.add(batch.numbers, finite)
            values[self._ordered] = finite.sum(axis=0)
        if self._named.size:
            there = present(batch, self._named, self._columns)
            longest[self._named] = self._names.add(tokens(batch, self._named, self._columns), there)
            values[self._named] = there.sum(axis=0)
        for pane in self._longest.panes(batch.at):
            np.maximum(pane, np.minimum(longest, _LONGEST).astype(pane.dtype), out=pane)
        for pane in self._values.panes(batch.at):
            pane[...] += values.astype(pane.dtype)

    # out

    def snapshot(self, now: float) -> Iterator[Measured]:
        """Lengths of windows that hold a value, and of the runs that go on."""
        for length in self._longest.lengths:
            window, values = format_duration(length), self._values.total(now, length)
            longest = self._longest.largest(now, length)
            yield Measured(LONGEST, np.where(values > 0, longest, np.nan), window)
            yield Measured(CRITICAL, self._critical(values), window)
        current = np.full(len(self._columns), np.nan)
        current[self._ordered], current[self._named] = self._numbers.lengths, self._names.lengths
        yield Measured(CURRENT, np.where(current > 0, current, np.nan))

    def _critical(self, values: NDArray[np.int64]) -> NDArray[np.float64]:
        """What is exceeded at most once in 1000 windows of so many values, if each is drawn on its own.

        A run has come to r values at one of n places with a chance of at most n times the sum of p^r over all values,
        which is at most n q^(r-1) where q is the largest share. Where rows come as d at a time, it is d times as long.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.ceil(1 + np.log(values / _LEVEL) / self._surprise) * self._dependence
        return np.where((values > 0) & (self._surprise > 0), length, np.nan)


def made(scope: Scope) -> RunLengths:
    """Of the columns of a side."""
    return RunLengths(scope)
