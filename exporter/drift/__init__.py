"""Statistics: two summaries in, a score per column out. A statistic never decides an alarm.

To add one: a file with `score` (and `critical`, what the score exceeds once in 1000 windows of that size without
drift), and a line in the table. A score is never negative unless it is signed by nature.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import kolmogorov_smirnov, mean_shift, psi, total_variation
from exporter.drift.summary import Summary

Function = Callable[[Summary, Summary], NDArray[np.float64]]


class Statistic(NamedTuple):
    """One entry of the table."""

    score: Function
    critical: Function | None
    numbers_only: bool
    """Whether it needs an order, which categories do not have."""


STATISTICS: Final[Mapping[str, Statistic]] = {
    "psi": Statistic(psi.score, psi.critical, numbers_only=False),
    "total_variation": Statistic(total_variation.score, total_variation.critical, numbers_only=False),
    "ks": Statistic(kolmogorov_smirnov.score, kolmogorov_smirnov.critical, numbers_only=True),
    "mean_shift_zscore": Statistic(mean_shift.score, None, numbers_only=True),
}
