"""Where errors lie: the value that a share of them is not above, to 1 % of itself.

A quantile is the least error that so many are not above (numpy's `inverted_cdf`), taken to be in the middle of its bin;
none is told of beyond the bins, from 32 units on. The interval is that of the ranks (Wilson 1927).
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import Interval, even_rows, wilson
from exporter.performance.measures.case import Case
from exporter.performance.residuals import EDGES
from exporter.performed import Measure

RANKS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


def residual_quantile(case: Case) -> Iterator[Measure]:
    """Of each of RANKS."""
    residuals = case.sums.residuals
    if residuals is None:
        return
    summed = residuals.bins.cumsum()
    rows = even_rows(residuals.all) / case.dependence
    for rank in RANKS:
        low, high = _bin(summed, rank)
        ranks = wilson(rank, rows)
        ends = Interval(_bin(summed, ranks.lower)[0], _bin(summed, ranks.upper)[1]).times(residuals.scale)
        value, bound = (low + high) / 2 * residuals.scale, (high - low) / 2 * residuals.scale
        yield Measure("residual_quantile", value, *ends, bound, (f"{rank:g}",))


def _bin(summed: NDArray[np.float64], rank: float) -> tuple[float, float]:
    """The edges of the bin in which a rank lies; NaN beyond them."""
    if math.isnan(rank) or not summed[-1] > 0:
        return math.nan, math.nan
    at = int(np.searchsorted(summed, rank * summed[-1] * (1 - 1e-12)))
    if not 0 < at < len(EDGES):
        return math.nan, math.nan
    return float(EDGES[at - 1]), float(EDGES[at])
