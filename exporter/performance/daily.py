"""Errors of predictions as sums that are kept for each day: how wrong they were on average, and how sure that is.

Of classes whether the predicted one was wrong, of numbers how far off, of rankings whether nothing relevant was among
the first k. Rows without a prediction or a truth that can be used are left out.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.intervals import even_rows
from exporter.performance.moments import Scale
from exporter.performance.residuals import scale_of
from exporter.performance.task import RANKING, REGRESSION, Rows, Task
from exporter.performance.weighing import WORDS, Batch, batch, count, read

_MOST: Final = 2.0**40
"""Units; what is farther off counts as if it were just that."""
_SCALE: Final = Scale(Fixed(40, 4), Fixed(100, 6))
_AT_ONCE: Final = 1 << 20
SIZE: Final = WORDS + _SCALE.size
"""Words of a day, each of 64 bits."""


class Day(NamedTuple):
    """The predictions of one day that have their truth."""

    rows: int
    even: float
    """As many rows of even weight are worth as much."""
    mean: float
    variance: float
    """Of the mean, by the rows of the day alone; NaN of a single one."""


class DailyTally:
    """Adds them up for one task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._scale = scale_of(task.unit) if task.kind == REGRESSION else 1.0
        self.measure = {REGRESSION: "mae", RANKING: "miss_ratio"}.get(task.kind, "error_ratio")

    def of(self, rows: Rows) -> NDArray[np.int64]:
        """Words of some rows, shape (SIZE,)."""
        found = np.zeros(SIZE, np.int64)
        for start in range(0, rows.rows, _AT_ONCE):
            found += self._words(batch(Rows(*(part[start : start + _AT_ONCE] for part in rows))))
        return found

    def _words(self, rows: Batch) -> NDArray[np.int64]:
        known, losses = self._losses(rows)
        kept = rows.where(known)
        counted = count(np.zeros(len(losses), np.intp), kept.units, 1).ravel()
        return np.concatenate((counted, _SCALE.of(losses[None], kept)))

    def _losses(self, rows: Batch) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which rows can be judged, and how wrong each of these is, in units."""
        if self._task.kind == RANKING:
            known = np.asarray(np.isfinite(rows.true).any(axis=1))
            first = np.nan_to_num(rows.true[known, : self._task.ranks])
            return known, np.asarray(~(first > 0).any(axis=1), np.float64)
        known = np.isfinite(rows.said[:, 0]) & np.isfinite(rows.true)
        with np.errstate(over="ignore"):
            off = np.abs(rows.said[known, 0] - rows.true[known]) / self._scale
        wrong = off > 0
        return known, np.minimum(off, _MOST) if self._task.kind == REGRESSION else wrong.astype(np.float64)

    def read(self, words: NDArray[np.int64]) -> Day:
        """What the words of a day say, in the unit of the measure."""
        weighed = read(words[:WORDS], (1,)).at(0)
        if not weighed.rows:
            return Day(0, 0.0, math.nan, math.nan)
        (mean,) = _SCALE.read(words[WORDS:], weighed)
        return Day(int(weighed.rows), even_rows(weighed), mean.value * self._scale, mean.variance * self._scale**2)
