"""How well scores tell a class from the others (ROC), and how many of the highest are of it (average precision).

Of several classes: each against the rest, and the mean of these. The mean is as sure as the influence of each row on
all of them says: on each by its bin, on two at a time by coarse groups of bins; of more than ten classes it has no
interval.
"""

import math
from collections.abc import Callable, Iterator
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from exporter.performance.areas import Area, average_precision, roc
from exporter.performance.curves import Curves
from exporter.performance.intervals import NONE, bounded
from exporter.performance.measures.case import Case
from exporter.performance.rivals import Rivals
from exporter.performance.task import BINARY
from exporter.performed import Measure

Floats = NDArray[np.float64]
Under = Callable[[Floats, Floats], Area]


def _mean(name: str, under: Under) -> Callable[[Case], Iterator[Measure]]:
    def measure(case: Case) -> Iterator[Measure]:
        curves = case.sums.curves
        if curves is None:
            return
        areas = list(starmap(under, zip(curves.weight, curves.squares, strict=True)))
        value, bound = (float(np.mean([area[at] for area in areas])) for at in (0, 1))
        variance = _variance(areas, curves, case.sums.rivals)
        rows = min(area.rows for area in areas) / case.dependence
        interval = NONE if math.isnan(variance) else bounded(value, variance * case.dependence, rows)
        yield Measure(name, value, *interval, bound)

    return measure


def _by_class(name: str, under: Under) -> Callable[[Case], Iterator[Measure]]:
    def measure(case: Case) -> Iterator[Measure]:
        curves = case.sums.curves
        if curves is None or case.task.kind == BINARY:
            return
        for label, weight, squares in zip(case.task.classes, curves.weight, curves.squares, strict=True):
            area = under(weight, squares)
            interval = bounded(area.value, area.variance * case.dependence, area.rows / case.dependence)
            yield Measure(name, area.value, *interval, area.bound, (label,))

    return measure


def _variance(areas: list[Area], curves: Curves, rivals: Rivals | None) -> float:
    """Of the mean of areas."""
    alone = sum(area.variance for area in areas)
    if len(areas) == 1 or math.isnan(alone):
        return alone
    if rivals is None:
        return math.nan
    grouped = [
        _grouped(area.influence, weight, rivals.groups) for area, weight in zip(areas, curves.weight, strict=True)
    ]
    together = 0.0
    for (first, second), weight in zip(rivals.pairs, rivals.weight, strict=True):
        one, other = grouped[first][[0, 1, 0]], grouped[second][[0, 0, 1]]  # as who is true, of the pair, has it
        together += float(np.einsum("sab,sa,sb->", weight, one, other))
    uneven = float(curves.squares.sum() / curves.weight.sum())
    return max(alone + 2 * together * uneven, 0.0) / len(areas) ** 2


def _grouped(influence: Floats, weight: Floats, groups: NDArray[np.intp]) -> Floats:
    """The mean influence of the rows of each group, shape (2, groups)."""
    sums = [
        [np.bincount(groups, part) for part in (side * moved, side)]
        for side, moved in zip(weight, influence, strict=True)
    ]
    return np.array([np.divide(above, below, out=np.zeros_like(above), where=below > 0) for above, below in sums])


roc_auc = _mean("roc_auc", roc)
"""Of two classes, or the mean over each of several."""
roc_auc_of_class = _by_class("roc_auc_of_class", roc)
"""Of each of several classes."""
pr_auc = _mean("pr_auc", average_precision)
"""Of two classes, or the mean over each of several."""
pr_auc_of_class = _by_class("pr_auc_of_class", average_precision)
"""Of each of several classes."""
