"""What was right: accuracy; of each class precision, recall and F1; and every pair of true and predicted class.

As in scikit-learn, precision of a class that was never predicted, and recall of one that was never true, are 0. A class
that was neither is not there.
"""

import math
from collections.abc import Iterator

from exporter.performance.intervals import share
from exporter.performance.measures.case import Case
from exporter.performance.outcomes import Outcomes
from exporter.performance.weighing import Weighed
from exporter.performed import Measure


def accuracy(case: Case) -> Iterator[Measure]:
    """The share of right ones. Interval: Wilson 1927."""
    if case.sums.outcomes is not None:
        value, interval = share(case.sums.outcomes.right, case.sums.outcomes.all, case.dependence)
        yield Measure("accuracy", value, *interval)


def precision(case: Case) -> Iterator[Measure]:
    """Of each class: how many of those predicted were true. Interval: Wilson 1927."""
    for labels, true, said, hits in _classes(case):
        yield Measure("precision", *_of(hits, said, case, bool(true.rows)), labels=labels)


def recall(case: Case) -> Iterator[Measure]:
    """Of each class: how many of the true ones were predicted. Interval: Wilson 1927."""
    for labels, true, said, hits in _classes(case):
        yield Measure("recall", *_of(hits, true, case, bool(said.rows)), labels=labels)


def f1(case: Case) -> Iterator[Measure]:
    """Of each class: the harmonic mean of precision and recall.

    That is 2J / (1 + J), J being the share of right ones among those that were true or predicted: so the interval is
    Wilson's of J.
    """
    for labels, true, said, hits in _classes(case):
        value, lower, upper = (_f1(jaccard) for jaccard in _of(hits, true.plus(said).plus(hits, -1), case, here=False))
        yield Measure("f1", value, lower, upper, labels=labels)


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def confusion_rows(case: Case) -> Iterator[Measure]:
    """Rows by true class and predicted one; OTHER where there is any."""
    outcomes = case.sums.outcomes
    if outcomes is None or outcomes.pairs is None:
        return
    shown = _shown(case, outcomes)
    for at in shown:
        for to in shown:
            rows = float(outcomes.pairs.rows[at, to])
            yield Measure("confusion_rows", rows, labels=(case.names[at], case.names[to]))


def _classes(case: Case) -> Iterator[tuple[tuple[str], Weighed, Weighed, Weighed]]:
    """Of each class its name, and what was true, predicted and both."""
    outcomes = case.sums.outcomes
    if outcomes is not None and outcomes.true.rows.size:
        for at in _shown(case, outcomes):
            yield (case.names[at],), outcomes.true.at(at), outcomes.said.at(at), outcomes.hits.at(at)


def _shown(case: Case, outcomes: Outcomes) -> range:
    other = outcomes.true.rows[-1] or outcomes.said.rows[-1]
    return range(len(case.names) if other else len(case.names) - 1)


def _of(hits: Weighed, whole: Weighed, case: Case, here: bool) -> tuple[float, float, float]:
    if not whole.rows:
        return (0.0 if here else math.nan), math.nan, math.nan
    value, interval = share(hits, whole, case.dependence)
    return (0.0 if math.isnan(value) else value), *interval
