"""Kullback-Leibler divergence of the live from the reference distribution: Σ p ln(p / r), in nats.

Shares are smoothed as those of the PSI are: with raw ones a single new value would make it infinite.
"""

import numpy as np
import scipy

from exporter.drift import chi_square_law
from exporter.drift.summary import Summary, Values, smoothed


def score(reference: Summary, current: Summary) -> Values:
    """The divergence per column."""
    r, p = smoothed(reference, current)
    # kl_div is p ln(p/r) - p + r: no term of it is negative, and the shares add up to 1 on both sides.
    return np.asarray(scipy.special.kl_div(p, r).sum(axis=1))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds about once in 1000 windows of this size without drift: it is χ²/2."""
    return chi_square_law.quantile(reference, current) / 2
