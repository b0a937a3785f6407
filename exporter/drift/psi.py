"""Population stability index: Σ (p - r) ln(p / r), the symmetric Kullback-Leibler divergence, in nats.

Only bins where live + reference count > 0 take part (B′ of them); shares are smoothed by half a count,
p = (c + ½) / (n + B′/2), and the reference alike (Jeffreys). Under no drift PSI / (1/n + 1/m) is about χ² with
B′ - 1 degrees of freedom (Yurdakul 2018), which gives the critical value.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from exporter.drift.summary import Summary

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """PSI per column."""
    used = (reference.counts + current.counts) > 0
    bins = used.sum(axis=1, keepdims=True)
    p = (current.counts + 0.5) / (current.samples[:, None] + bins / 2)
    r = (reference.counts + 0.5) / (reference.samples[:, None] + bins / 2)
    return np.asarray(np.where(used, (p - r) * np.log(p / r), 0.0).sum(axis=1))


def critical(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """What PSI exceeds once in 1000 windows of this size without drift; 0 where only one bin is in use."""
    bins = ((reference.counts + current.counts) > 0).sum(axis=1)
    quantile = np.where(bins > 1, chdtri(np.maximum(bins - 1, 1), _LEVEL), 0.0)
    return np.asarray(quantile * (1 / current.samples + 1 / reference.samples))
