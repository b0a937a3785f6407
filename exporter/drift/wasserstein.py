"""Wasserstein distance in standard deviations of the reference: ∫ |F - G| dx / σ, over the ordered bins.

Every bin stands where its middle is, the open ones at their edge; what moves within a bin is not seen, so it differs
from the distance of the raw data by at most half a bin's width for each value.
"""

import math
from typing import Final

import numpy as np

from exporter.drift.summary import Summary, Values, cumulative

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> Values:
    """The distance per column; NaN where a side has no number."""
    gap = np.abs(cumulative(current) - cumulative(reference))[:, :-1]
    return np.asarray((gap * reference.steps).sum(axis=1))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most about once in 1000 windows of this size without drift.

    F - G is about a Brownian bridge with variance F (1 - F) (1/n + 1/m), so its mean is Σ √(2/π F (1 - F)) step; by the
    Gaussian concentration inequality (Borell, Tsirelson-Ibragimov-Sudakov) it stays within √(2 ln 1000) of the widest
    of its projections, which is the standard error of the binned mean, as all covariances are positive.
    """
    n, m = (side.ordered.sum(axis=1) for side in (current, reference))
    inverse = (current.dependence / n + reference.dependence / m)[:, None]
    together = (current.ordered + reference.ordered).cumsum(axis=1)[:, :-1] / (n + m)[:, None]
    mean = (np.sqrt(2 / math.pi * together * (1 - together) * inverse) * reference.steps).sum(axis=1)
    return np.asarray(mean + np.sqrt(2 * math.log(1 / _LEVEL) * _variance(together, reference.steps) * inverse[:, 0]))


def _variance(share: Values, steps: Values) -> Values:
    """Variance of the binned values: Σ_ij steps_i steps_j (F_min - F_i F_j), by the places of the bins."""
    places = np.pad(steps.cumsum(axis=1), ((0, 0), (1, 0)))
    weight = np.diff(np.pad(share, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1))), axis=1)
    mean = (weight * places).sum(axis=1, keepdims=True)
    return np.asarray((weight * (places - mean) ** 2).sum(axis=1))
