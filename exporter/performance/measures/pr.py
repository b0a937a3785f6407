"""How many of the highest scores are of a class: average precision, from counts by bins of scores.

Within a bin true and other rows are taken to be mixed evenly. The bound is what they could do at most: every true one
ahead of the others, all at once, or behind all of them. The variance is that of the influence of each row on the area,
on its own precision and on that of all true ones below it. Of several classes: each against the rest, and the mean.
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

Floats = NDArray[np.float64]


class _Area(NamedTuple):
    value: float
    variance: float
    bound: float
    rows: float
    """True ones."""


def pr_auc(case: Case) -> Iterator[Measure]:
    """Of two classes, or the mean over each of several."""
    areas = list(_areas(case))
    if areas:
        value, bound = (float(np.mean([area[at] for area in areas])) for at in (0, 2))
        variance = float(np.mean(np.sqrt([area.variance for area in areas]))) ** 2
        rows = min(area.rows for area in areas) / case.dependence
        yield Measure("pr_auc", value, *bounded(value, variance * case.dependence, rows), bound)


def pr_auc_of_class(case: Case) -> Iterator[Measure]:
    """Of each of several classes."""
    if case.task.kind != BINARY:
        for name, area in zip(case.task.classes, _areas(case), strict=False):
            interval = bounded(area.value, area.variance * case.dependence, area.rows / case.dependence)
            yield Measure("pr_auc_of_class", area.value, *interval, area.bound, (name,))


def _areas(case: Case) -> Iterator[_Area]:
    if case.sums.curves is not None:
        for at, weight in enumerate(case.sums.curves.weight):
            yield _area(weight[:, ::-1], case.sums.curves.squares[at, :, ::-1])


def _area(weight: Floats, squares: Floats) -> _Area:
    """`weight` from the highest bin down."""
    no, yes = weight
    if not yes.sum() > 0:
        return _Area(math.nan, math.nan, math.nan, math.nan)
    share = yes / yes.sum()
    above_no, above_yes = no.cumsum() - no, yes.cumsum() - yes
    value = float(share @ _mixed(yes, no, above_yes, above_no))
    best = float(share @ _ratio(above_yes + yes, above_no))
    worst = float(share @ _behind(yes, above_yes, above_no + no))
    rows = float(yes.sum() ** 2 / squares[1].sum())
    return _Area(value, _variance(weight, squares, value, rows), max(best - value, value - worst), rows)


def _ratio(yes: Floats, no: Floats) -> Floats:
    """Precision, 1 where there is nothing."""
    return np.divide(yes, yes + no, out=np.ones_like(yes), where=yes + no > 0)


def _mixed(yes: Floats, no: Floats, above_yes: Floats, above_no: Floats) -> Floats:
    """Mean precision over the true ones of each bin, the others evenly among them (Davis and Goadrich 2006)."""
    there = yes > 0
    part = np.where(there, _ratio(yes, no), 1.0)
    above = above_yes + above_no
    grown = np.log1p(np.divide(yes + no, above, out=np.zeros_like(above), where=above > 0))
    mean = part + _divided((above_yes - above * part) * part * grown, yes)
    return np.where(there, mean, 0.0)


def _behind(yes: Floats, above_yes: Floats, no: Floats) -> Floats:
    """Mean precision over the true ones of each bin, the others of it, and of those above, being ahead of them all."""
    before = above_yes + no
    grown = np.log1p(np.divide(yes, before, out=np.zeros_like(before), where=before > 0))
    return np.asarray(np.where(yes > 0, 1 - _divided(no * grown, yes), 0.0))


def _variance(weight: Floats, squares: Floats, value: float, rows: float) -> float:
    """Of the area over so many true rows, by the influence of rows in the middle of their bins."""
    no, yes = weight
    true, false = yes.cumsum() - yes / 2, no.cumsum() - no / 2
    held = yes / np.maximum((true + false) ** 2, 1e-300)
    below = [side[::-1].cumsum()[::-1] - side / 2 for side in (held * false, held * true)]
    influence = _ratio(true, false) - value + below[0], below[1]
    sums = float(squares[1] @ influence[0] ** 2), float(squares[0] @ influence[1] ** 2)
    return (sums[0] * rows / max(rows - 1, 1e-9) + sums[1]) / float(yes.sum()) ** 2


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
