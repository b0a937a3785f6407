"""How many different values a column has, and how few would be too few for chance: a field that has collapsed.

Windows have two panes, so they hold from half of their length to all of it; numbers of values are those of the same
panes. Kept are the registers of a sketch, 512 bytes for each pane: 3 KiB a column with three windows.

The reference says how many are expected. Of n rows of it, drawn without order, the different values grow ever more
slowly with n: at least the share n/N of the D that all its N rows have. And a bin that is not empty holds one at least.
Where rows come as d at a time, n/d of them are on their own. Hours that differ by w from all of them (in total
variation), as those of what follows the clock do, may lack w of each bin, and are taken to lack w of the values.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.reference import MISSING, Column
from exporter.sketch import cardinality
from exporter.sketch.cardinality import ERROR, REGISTERS
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.window import Arrays
from exporter.snapshots import Measured
from exporter.values import format_duration

DISTINCT: Final = "distinct_values"
CRITICAL: Final = "distinct_values_critical"
REFERENCE: Final = "reference_distinct_values"
_PANES: Final = 2
_LEVEL: Final = 0.001
_SIGMA: Final = 3.1
"""Standard errors that a normal number is off once in 1000 times, to one side."""
_COLLISIONS: Final = 1 / REGISTERS
"""So often two values share a register; of a column this is so for good."""
_LEAST: Final = 1.5
"""Fewer than one value there cannot be, whatever the sketch makes of it."""
Values = NDArray[np.float64]


class DistinctValues:
    """Of all the columns of a side."""

    def __init__(self, scope: Scope) -> None:
        columns, windows = scope.columns, scope.windows
        ordered = np.array([column.ordered for column in columns])
        self._columns = len(columns)
        self._ordered = np.flatnonzero(ordered)
        self._named = np.flatnonzero(~ordered & scope.readable).tolist()
        shape = (len(columns), REGISTERS)
        self._registers = CoarseWindows(windows.lengths, windows.pane, _PANES, shape, np.int8)
        self._values = CoarseWindows(windows.lengths, windows.pane, _PANES, shape[:1], np.int64)
        self._reference = np.array([_known(column) for column in columns])
        self._rows = np.array([max(column.present, 1) for column in columns])
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._wander = np.array([column.wander or 0.0 for column in columns])
        self._shares = _shares(columns, self._wander)
        self._seen = _seen(self._shares.shape[1])

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._registers.arrays(f"{prefix}.registers") | self._values.arrays(f"{prefix}.values")

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`; registers tell of no value what it was."""
        return self._registers.held(f"{prefix}.registers", now) | self._values.held(f"{prefix}.values", now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._registers.put_back(held, f"{prefix}.registers", shift_s, now)
        self._values.put_back(held, f"{prefix}.values", shift_s, now)

    # in

    def add(self, batch: Batch) -> None:
        """Count rows."""
        found = cardinality.registers(self._columns)
        values = np.zeros(self._columns, np.int64)
        if self._ordered.size:
            finite = np.isfinite(batch.numbers)
            numbers = cardinality.registers(self._ordered.size)
            cardinality.add_numbers(numbers, batch.numbers, finite)
            found[self._ordered], values[self._ordered] = numbers, finite.sum(axis=0)
        for place in self._named:
            names = batch.names[place]
            cardinality.add(found[place], cardinality.of_texts(name for name in set(names) if name is not None))
            values[place] = batch.rows - names.count(None)
        for pane in self._registers.panes(batch.at):
            np.maximum(pane, found, out=pane)
        for pane in self._values.panes(batch.at):
            pane[...] += values

    # out

    def snapshot(self, now: float) -> Iterator[Measured]:
        """Of windows that hold a value, and of the reference where it is known."""
        for length in self._values.lengths:
            values = self._values.total(now, length)
            estimate = cardinality.estimate(self._registers.largest(now, length))
            window = format_duration(length)
            yield Measured(DISTINCT, np.where(values > 0, np.minimum(np.maximum(estimate, 1), values), np.nan), window)
            yield Measured(CRITICAL, self._critical(values), window)
        yield Measured(REFERENCE, self._reference)

    def _critical(self, values: NDArray[np.int64]) -> Values:
        """So many there are at least in all but one of 1000 windows of so many values; NaN where 1 would be enough."""
        alone = values / self._dependence
        all_rows = _at_least(self._reference * (1 - _SIGMA * ERROR)) * (1 - self._wander)
        growth = _at_least(all_rows * np.minimum(alone / self._rows, 1)) * (1 - _SIGMA * ERROR)
        chances = np.exp(np.log1p(-self._shares) * alone[:, None])  # of each bin to stay empty
        filled = ((chances * self._shares.shape[1] <= _LEVEL) & (self._shares > 0)).sum(axis=1)
        fewest = np.fmax(growth, self._seen[filled])
        return np.where(fewest > _LEAST, fewest, np.nan)


def _known(column: Column) -> float:
    return math.nan if column.different is None else float(column.different)


def _at_least(expected: Values) -> Values:
    """What a number of different values falls below once in 1000 times, if so many are expected, and the other way.

    It is self-bounding: exp(-t^2 / 2E) bounds the chance to be t below E (Boucheron, Lugosi & Massart, A sharp
    concentration inequality with applications, 2000).
    """
    return np.asarray(np.maximum(expected - np.sqrt(2 * math.log(1 / _LEVEL) * expected), 0))


def _seen(most: int) -> Values:
    """What the sketch makes of so many different values at least: in all but one of 500 sets of them; 0 to `most`.

    Values that share a register are one to it, for as long as they come. About Poisson of i (i - 1) / 2 pairs.
    """
    values = np.arange(most + 1)
    pairs = values * (values - 1) / (2 * REGISTERS)
    hidden = (scipy.special.pdtrc(values[:, None], pairs) > _COLLISIONS).sum(axis=0)
    filled = np.arange(REGISTERS) < (values - hidden)[:, None]
    return cardinality.estimate(filled.astype(np.int8))


def _shares(columns: Sequence[Column], wander: Values) -> Values:
    """Shares of the bins among the values that are there, three standard errors and `wander` below the reference's.

    Shape (columns, bins); just under 1 where there is but one, for its logarithm.
    """
    shares = np.zeros((len(columns), max(len(column.counts) for column in columns)))
    for place, column in enumerate(columns):
        counts = np.array(column.counts[:MISSING] if column.ordered else column.counts[:-1], np.float64)
        share = counts / max(column.present, 1)
        error = np.sqrt(share * (1 - share) / max(column.present, 1))
        shares[place, : counts.size] = np.clip(share - _SIGMA * error - wander[place], 0, 1 - 1e-9)
    return shares


def made(scope: Scope) -> DistinctValues:
    """Of the columns of a side."""
    return DistinctValues(scope)
