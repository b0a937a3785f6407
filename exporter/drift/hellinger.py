"""Hellinger distance: √(1 - Σ √(p r)), from 0 to 1. Of raw shares."""

from typing import Final

import numpy as np

from exporter.drift import chi_square_law
from exporter.drift.summary import Summary, Values, shares

_EXCESS: Final[chi_square_law.Excess] = (0.0, 0.534, 0.814, 0.645, 0.247, 0.052, 0.0)


def score(reference: Summary, current: Summary) -> Values:
    """The distance per column."""
    # As half the squared difference of roots: 1 - Σ √(p r) loses what is small.
    gap = np.sqrt(shares(current)) - np.sqrt(shares(reference))
    return np.asarray(np.minimum(np.sqrt((gap**2).sum(axis=1) / 2), 1.0))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most about once in 1000 windows of this size without drift: its square is χ²/8."""
    return np.asarray(np.sqrt(np.minimum(chi_square_law.quantile(reference, current, _EXCESS) / 8, 1.0)))
