"""What a thousand predictions cost, by what it costs to predict one class where another is true."""

import math
from collections.abc import Iterator

from exporter.performance.costs import are_of, matrix
from exporter.performance.intervals import plain
from exporter.performance.measures.case import Case
from exporter.performed import Measure


def cost_per_thousand(case: Case) -> Iterator[Measure]:
    """Where costs of its classes are set, and pairs of classes are counted."""
    outcomes = case.sums.outcomes
    if outcomes is None or outcomes.pairs is None or not are_of(case.costs, case.task):
        return
    costs, weight = matrix(case.costs, case.task), float(outcomes.all.weight)
    if not weight > 0:
        yield Measure("cost_per_thousand", math.nan)
        return
    mean = float((outcomes.pairs.weight * costs).sum()) / weight
    rows = int(outcomes.all.rows)
    around = float((outcomes.pairs.squares * (costs - mean) ** 2).sum()) / weight**2 * case.dependence
    interval = plain(mean, around * rows / (rows - 1) if rows > 1 else math.nan)
    yield Measure("cost_per_thousand", 1000 * mean, *interval.times(1000))
