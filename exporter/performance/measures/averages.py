"""Precision, recall and F1 over all classes: each class alike (macro), or each by how many of it were true (weighted).

As in scikit-learn: over the classes that were true or predicted in any row, and 0 where a class has none to divide by;
balanced accuracy over those that were true. Intervals are those of a share of the variance that the delta method gives
to the measure, which is a smooth function of the confusion matrix; where pairs of classes are not counted, only
balanced accuracy has one, whose classes do not depend on each other.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import NONE, bounded, even_rows
from exporter.performance.measures.case import Case
from exporter.performance.outcomes import Outcomes
from exporter.performed import Measure

Floats = NDArray[np.float64]


class _Ratio(NamedTuple):
    """Of each class a·hits / (b·true + c·said)."""

    hits: float
    true: float
    said: float


_PRECISION, _RECALL, _F1 = _Ratio(1, 0, 1), _Ratio(1, 1, 0), _Ratio(2, 1, 1)


def balanced_accuracy(case: Case) -> Iterator[Measure]:
    """The mean recall of the classes that were true."""
    outcomes = case.sums.outcomes
    if outcomes is None or not outcomes.true.rows.size:
        return
    there = outcomes.true.weight > 0
    if not there.any():
        yield Measure("balanced_accuracy", math.nan)
        return
    true, hits = outcomes.true.at(there), outcomes.hits.at(there)
    recall = hits.weight / true.weight
    squares = hits.squares * (1 - recall) ** 2 + (true.squares - hits.squares) * recall**2
    variance = float((squares / true.weight**2).sum()) / recall.size**2
    even = recall.size**2 / float((true.squares / true.weight**2).sum())
    interval = bounded(float(recall.mean()), variance * case.dependence, even / case.dependence)
    yield Measure("balanced_accuracy", float(recall.mean()), *interval)


def _average(name: str, ratio: _Ratio, *, weighted: bool) -> Callable[[Case], Iterator[Measure]]:
    def measure(case: Case) -> Iterator[Measure]:
        outcomes = case.sums.outcomes
        if outcomes is None or not outcomes.true.rows.size:
            return
        there = (outcomes.true.rows > 0) | (outcomes.said.rows > 0)
        classes = _classes(outcomes, ratio)
        shares = outcomes.true.weight if weighted else there.astype(np.float64)
        if not shares.sum() > 0:
            yield Measure(name, math.nan if not there.any() else 0.0)
            return
        value = float(shares @ classes / shares.sum())
        if outcomes.pairs is None:
            yield Measure(name, value, *NONE)
            return
        slopes = _slopes(outcomes, ratio, classes, shares) + (classes - value)[:, None] * weighted
        variance = float((outcomes.pairs.squares * slopes**2).sum()) / float(shares.sum()) ** 2
        rows = even_rows(outcomes.all) / case.dependence
        yield Measure(name, value, *bounded(value, variance * case.dependence, rows))

    return measure


def _classes(outcomes: Outcomes, ratio: _Ratio) -> Floats:
    """The measure of each class."""
    return _divided(ratio.hits * outcomes.hits.weight, _below(outcomes, ratio))


def _below(outcomes: Outcomes, ratio: _Ratio) -> Floats:
    return ratio.true * outcomes.true.weight + ratio.said * outcomes.said.weight


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)


def _slopes(outcomes: Outcomes, ratio: _Ratio, classes: Floats, shares: Floats) -> Floats:
    """By how much Σ share·measure grows with the weight of each pair of classes, the shares staying as they are."""
    steep = _divided(shares, _below(outcomes, ratio))
    falling = steep * classes
    return np.asarray(np.diag(ratio.hits * steep) - ratio.true * falling[:, None] - ratio.said * falling[None, :])


precision_macro = _average("precision_macro", _PRECISION, weighted=False)
recall_macro = _average("recall_macro", _RECALL, weighted=False)
f1_macro = _average("f1_macro", _F1, weighted=False)
precision_weighted = _average("precision_weighted", _PRECISION, weighted=True)
recall_weighted = _average("recall_weighted", _RECALL, weighted=True)
f1_weighted = _average("f1_weighted", _F1, weighted=True)
