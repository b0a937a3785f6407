"""What was right: accuracy; of each class precision, recall and F1; and every pair of true and predicted class."""

from collections.abc import Callable, Iterator

from exporter.performance.intervals import share
from exporter.performance.measures.case import Case
from exporter.performance.outcomes import Outcomes
from exporter.performance.ratios import F1, PRECISION, RECALL, Ratio, of_class
from exporter.performed import Measure


def accuracy(case: Case) -> Iterator[Measure]:
    """The share of right ones. Interval: Wilson 1927."""
    if case.sums.outcomes is not None:
        value, interval = share(case.sums.outcomes.right, case.sums.outcomes.all, case.dependence)
        yield Measure("accuracy", value, *interval)


def _by_class(name: str, ratio: Ratio) -> Callable[[Case], Iterator[Measure]]:
    def measure(case: Case) -> Iterator[Measure]:
        outcomes = case.sums.outcomes
        if outcomes is not None and outcomes.true.rows.size:
            for at in _shown(case, outcomes):
                value, interval = of_class(ratio, outcomes, at, case.dependence)
                yield Measure(name, value, *interval, labels=(case.names[at],))

    return measure


precision = _by_class("precision", PRECISION)
"""Of each class: how many of those predicted were true."""
recall = _by_class("recall", RECALL)
"""Of each class: how many of the true ones were predicted."""
f1 = _by_class("f1", F1)
"""Of each class: the harmonic mean of precision and recall."""


def confusion_rows(case: Case) -> Iterator[Measure]:
    """Rows by true class and predicted one."""
    outcomes = case.sums.outcomes
    if outcomes is None or outcomes.pairs is None:
        return
    shown = _shown(case, outcomes)
    for at in shown:
        for to in shown:
            rows = float(outcomes.pairs.rows[at, to])
            yield Measure("confusion_rows", rows, labels=(case.names[at], case.names[to]))


def _shown(case: Case, outcomes: Outcomes) -> range:
    """Classes; OTHER where there is any."""
    other = outcomes.true.rows[-1] or outcomes.said.rows[-1]
    return range(len(case.names) if other else len(case.names) - 1)
