"""How well scores tell a class from the others: the area under the ROC curve, from counts by bins of scores.

Rows of one bin count as ties: what that does is at most half of the pairs that share a bin, ½ Σ P(bin|true) P(bin|not).
The variance is DeLong's (1988) of the binned scores. Of several classes: each against the rest, and the mean of these.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import bounded
from exporter.performance.measures.case import Case
from exporter.performance.task import BINARY
from exporter.performed import Measure


class _Area(NamedTuple):
    value: float
    variance: float
    bound: float
    rows: float
    """Of the smaller side."""


def roc_auc(case: Case) -> Iterator[Measure]:
    """Of two classes, or the mean over each of several."""
    areas = list(_areas(case))
    if areas:
        value, bound = (float(np.mean([area[at] for area in areas])) for at in (0, 2))
        variance = float(np.mean(np.sqrt([area.variance for area in areas]))) ** 2
        rows = min(area.rows for area in areas) / case.dependence
        yield Measure("roc_auc", value, *bounded(value, variance * case.dependence, rows), bound)


def roc_auc_of_class(case: Case) -> Iterator[Measure]:
    """Of each of several classes."""
    if case.task.kind != BINARY:
        for name, area in zip(case.task.classes, _areas(case), strict=False):
            interval = bounded(area.value, area.variance * case.dependence, area.rows / case.dependence)
            yield Measure("roc_auc_of_class", area.value, *interval, area.bound, (name,))


def _areas(case: Case) -> Iterator[_Area]:
    if case.sums.curves is not None:
        for at, weight in enumerate(case.sums.curves.weight):
            yield _area(weight, case.sums.curves.squares[at])


def _area(weight: NDArray[np.float64], squares: NDArray[np.float64]) -> _Area:
    totals = weight.sum(axis=1)
    if not (totals > 0).all():
        return _Area(math.nan, math.nan, math.nan, math.nan)
    no, yes = weight / totals[:, None]
    below = no.cumsum() - no / 2  # of the others, for each true one of a bin
    above = 1 - yes.cumsum() + yes / 2
    value = float(yes @ below)
    rows = totals**2 / squares.sum(axis=1)  # of even weight, on either side
    away = np.stack((above - value, below - value))
    parts = (squares * away**2).sum(axis=1) / totals**2 * rows / np.maximum(rows - 1, 1e-9)
    return _Area(value, float(parts.sum()), float(yes @ no) / 2, float(rows.min()))
