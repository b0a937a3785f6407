"""Population stability index: Σ (p - r) ln(p / r), the symmetric Kullback-Leibler divergence, in nats.

Only bins where live + reference count > 0 take part (B′ of them); shares are smoothed by half a count,
p = (c + ½) / (n + B′/2), and the reference alike (Jeffreys). Under no drift PSI / (1/n + 1/m) is about χ² with
B′ - 1 degrees of freedom (Yurdakul 2018), which gives the critical value.
"""

import numpy as np

from exporter.drift import chi_square_law
from exporter.drift.summary import Summary, Values, smoothed


def score(reference: Summary, current: Summary) -> Values:
    """PSI per column."""
    r, p = smoothed(reference, current)
    return np.asarray(((p - r) * np.log(p / r)).sum(axis=1))


def critical(reference: Summary, current: Summary) -> Values:
    """What PSI exceeds once in 1000 windows of this size without drift; 0 where only one bin is in use."""
    return chi_square_law.quantile(reference, current)
