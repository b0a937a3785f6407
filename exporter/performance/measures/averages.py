"""Precision, recall and F1 over all classes: each class alike (macro), or each by how many of it were true (weighted).

As in scikit-learn: over the classes that were true or predicted in any row, and 0 where a class has none to divide by;
balanced accuracy over those that were true. Intervals are put together from those of the classes (MOVER, Zou and Donner
2008), whose correlations follow from the pairs of classes by the delta method; a class with nothing to divide by may
have been anything. Where pairs are not counted, averages have an interval whose classes do not depend on each other:
balanced accuracy, and precision and recall that are not weighted.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import NONE, Interval, Z
from exporter.performance.measures.case import Case
from exporter.performance.outcomes import Outcomes
from exporter.performance.ratios import F1, PRECISION, RECALL, Ratio, of_class
from exporter.performed import Measure

Floats = NDArray[np.float64]


class _Parts(NamedTuple):
    """What is averaged, shape (classes,)."""

    classes: NDArray[np.intp]
    shares: Floats
    """They add up to 1."""
    values: Floats
    below: Floats
    """How far down the interval of each reaches, and the next one how far up."""
    above: Floats

    @property
    def value(self) -> float:
        """The average."""
        return float(self.shares @ self.values)

    def interval(self, correlation: Floats, more: float | None = None) -> Interval:
        """Of the average; `more` is the deviation of a part that is added, the last one of the correlations."""
        last = [] if more is None else [Z * more]
        sides = (np.append(self.shares * side, last) for side in (self.below, self.above))
        below, above = (math.sqrt(max(float(side @ correlation @ side), 0.0)) for side in sides)
        return Interval(max(self.value - below, 0.0), min(self.value + above, 1.0))


def balanced_accuracy(case: Case) -> Iterator[Measure]:
    """The mean recall of the classes that were true."""
    outcomes = case.sums.outcomes
    if outcomes is not None and outcomes.true.rows.size:
        there = outcomes.true.weight > 0
        if there.any():
            parts = _parts(RECALL, outcomes, there.astype(np.float64), case.dependence)
            yield Measure("balanced_accuracy", parts.value, *parts.interval(np.eye(len(parts.classes))))
        else:
            yield Measure("balanced_accuracy", math.nan)


def _average(name: str, ratio: Ratio, *, weighted: bool) -> Callable[[Case], Iterator[Measure]]:
    def measure(case: Case) -> Iterator[Measure]:
        outcomes = case.sums.outcomes
        if outcomes is None or not outcomes.true.rows.size:
            return
        there = (outcomes.true.rows > 0) | (outcomes.said.rows > 0)
        shares = outcomes.true.weight if weighted else there.astype(np.float64)
        if shares.sum() > 0:
            parts = _parts(ratio, outcomes, shares, case.dependence)
            yield Measure(name, parts.value, *_interval(parts, ratio, outcomes, case.dependence * weighted))
        else:
            yield Measure(name, math.nan)

    return measure


def _parts(ratio: Ratio, outcomes: Outcomes, shares: Floats, dependence: float) -> _Parts:
    classes = np.flatnonzero(shares > 0)
    found = [of_class(ratio, outcomes, int(at), dependence) for at in classes]
    values = np.array([value for value, _ in found])
    lower, upper = np.array([(0.0, 1.0) if math.isnan(ends.lower) else ends for _, ends in found]).T
    return _Parts(classes, shares[classes] / shares.sum(), values, values - lower, upper - values)


def _interval(parts: _Parts, ratio: Ratio, outcomes: Outcomes, dependence: float) -> Interval:
    """A `dependence` of 0 says that shares are given, not counted."""
    if outcomes.pairs is None:
        return NONE if ratio is F1 or dependence else parts.interval(np.eye(len(parts.classes)))
    slopes = _slopes(parts, ratio, outcomes)
    if dependence:
        slopes = np.concatenate((slopes, _slopes_of_shares(parts, outcomes)))
    together = (slopes * outcomes.pairs.squares.ravel()) @ slopes.T
    deviations = np.sqrt(together.diagonal())
    scale = np.where(deviations > 0, deviations, np.inf)
    correlation = together / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return parts.interval(correlation, float(deviations[-1]) * math.sqrt(dependence) if dependence else None)


def _slopes_of_shares(parts: _Parts, outcomes: Outcomes) -> Floats:
    """By how much the average grows with the weight of each pair by that class's share alone, shape (1, pairs)."""
    size = len(outcomes.true.weight)
    of_true = np.zeros(size)
    of_true[parts.classes] = parts.values - parts.value
    return np.repeat(of_true, size)[None] / float(outcomes.all.weight)


def _slopes(parts: _Parts, ratio: Ratio, outcomes: Outcomes) -> Floats:
    """By how much the value of each class grows with the weight of each pair, shape (classes, pairs)."""
    classes, size = parts.classes, len(outcomes.true.weight)
    below = ratio.true * outcomes.true.weight[classes] + ratio.said * outcomes.said.weight[classes]
    steep = np.zeros((len(classes), size, size))
    at = np.arange(len(classes))
    steep[at, classes, :] -= ratio.true * parts.values[:, None]
    steep[at, :, classes] -= ratio.said * parts.values[:, None]
    steep[at, classes, classes] += ratio.hits
    return np.asarray((steep / np.where(below > 0, below, np.inf)[:, None, None]).reshape(len(classes), -1))


precision_macro = _average("precision_macro", PRECISION, weighted=False)
recall_macro = _average("recall_macro", RECALL, weighted=False)
f1_macro = _average("f1_macro", F1, weighted=False)
precision_weighted = _average("precision_weighted", PRECISION, weighted=True)
recall_weighted = _average("recall_weighted", RECALL, weighted=True)
f1_weighted = _average("f1_weighted", F1, weighted=True)
