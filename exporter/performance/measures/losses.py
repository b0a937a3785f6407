"""What scores cost: log loss and Brier score, as in scikit-learn (of two classes the Brier score is not doubled)."""

from collections.abc import Iterator

from exporter.performance.intervals import positive
from exporter.performance.measures.case import Case
from exporter.performance.moments import Mean
from exporter.performed import Measure


def log_loss(case: Case) -> Iterator[Measure]:
    """The mean of -ln of what the true class was given."""
    if case.sums.scored is not None:
        yield _loss("log_loss", case.sums.scored.log_loss, case)


def brier(case: Case) -> Iterator[Measure]:
    """The mean squared distance of scores from what turned out."""
    if case.sums.scored is not None:
        yield _loss("brier", case.sums.scored.brier, case)


def _loss(name: str, mean: Mean, case: Case) -> Measure:
    return Measure(name, mean.value, *positive(mean.value, case.widened(mean)))
