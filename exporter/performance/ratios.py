"""Precision, recall and F1 of one class, from what was true, what was predicted, and what was both.

As in scikit-learn they are 0 where there is nothing to divide by, and a class that was neither is not there (NaN).
Each is a share of rows, or a smooth function of one, so that its interval is Wilson's (1927): F1 is 2J / (1 + J), J
being the share of right ones among the rows that were true or predicted.
"""

import math
from typing import Final, NamedTuple

from exporter.performance.intervals import NONE, Interval, share
from exporter.performance.outcomes import Outcomes
from exporter.performance.weighing import Weighed


class Ratio(NamedTuple):
    """One of them: hits · right / (true · true + said · predicted)."""

    hits: float
    true: float
    said: float


PRECISION: Final = Ratio(1.0, 0.0, 1.0)
RECALL: Final = Ratio(1.0, 1.0, 0.0)
F1: Final = Ratio(2.0, 1.0, 1.0)


def of_class(ratio: Ratio, outcomes: Outcomes, at: int, dependence: float) -> tuple[float, Interval]:
    """The value of one class and its interval; none where there is nothing to divide by."""
    true, said, hits = (side.at(at) for side in (outcomes.true, outcomes.said, outcomes.hits))
    if not true.rows and not said.rows:
        return math.nan, NONE
    value, interval = share(hits, _whole(ratio, true, said, hits), dependence)
    if math.isnan(value):
        return 0.0, NONE
    return (_f1(value), Interval(*map(_f1, interval))) if ratio is F1 else (value, interval)


def _whole(ratio: Ratio, true: Weighed, said: Weighed, hits: Weighed) -> Weighed:
    if ratio is F1:
        return true.plus(said).plus(hits, -1)
    return true if ratio is RECALL else said


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
