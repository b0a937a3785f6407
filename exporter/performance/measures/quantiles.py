"""Where errors lie: the value that a share of them is not above, to 1 % of itself.

A quantile is the least error that so many are not above (numpy's `inverted_cdf`), taken to be in the middle of its bin;
none is told of beyond the bins, from 32 units on. The interval is that of the ranks, which are binomial.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import NONE, Interval, Z, even_rows
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
        low, high = (edge * residuals.scale for edge in _edges(_bin(summed, rank)))
        ends = _ends(summed, rank, rows).times(residuals.scale)
        yield Measure("residual_quantile", (low + high) / 2, *ends, (high - low) / 2, (f"{rank:g}",))


def _ends(summed: NDArray[np.float64], rank: float, rows: float) -> Interval:
    """Of so many even rows as many lie below a quantile as a binomial number with its rank says."""
    if not rows > 0:
        return NONE
    reach = Z * math.sqrt(rank * (1 - rank) / rows)
    ends = Interval(_within(summed, rank - reach), _within(summed, rank + reach + 1 / rows))
    return NONE if math.isnan(sum(ends)) else ends


def _bin(summed: NDArray[np.float64], rank: float) -> int:
    """The bin in which a rank lies."""
    return int(np.searchsorted(summed, rank * summed[-1] * (1 - 1e-12)))


def _edges(at: int) -> tuple[float, float]:
    """Of a bin; NaN where it has no end."""
    return (float(EDGES[at - 1]), float(EDGES[at])) if 0 < at < len(EDGES) else (math.nan, math.nan)


def _within(summed: NDArray[np.float64], rank: float) -> float:
    """Where a rank lies if what is in its bin lies evenly; NaN beyond the bins, and where there is no such rank."""
    if not 0 < rank < 1:
        return math.nan
    at = _bin(summed, rank)
    low, high = _edges(at)
    before = float(summed[at - 1]) if at else 0.0
    return low + (high - low) * (rank * float(summed[-1]) - before) / (float(summed[at]) - before)
