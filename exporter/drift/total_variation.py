"""Total variation: ½ Σ |p - r|, the share of values that changed bin."""

import math
from typing import Final

import numpy as np

from exporter.drift.summary import Summary, Values, inverse_size, pooled, shares

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> Values:
    """Total variation per column, 0 to 1."""
    # Shares add up to a little more than 1, now and then.
    return np.asarray(np.minimum(np.abs(shares(current) - shares(reference)).sum(axis=1) / 2, 1.0))


def expected(reference: Summary, current: Summary) -> Values:
    """What it is on average without drift, about: ½ Σ √(2 r (1 - r) / (π n_e)) with r pooled."""
    share = pooled(reference, current)
    inverse = inverse_size(reference, current)[:, None]
    return np.asarray(np.sqrt(2 / math.pi * share * (1 - share) * inverse).sum(axis=1) / 2)


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most once in 1000 windows of this size without drift."""
    return critical_of(1, reference, current)


def critical_of(columns: int, reference: Summary, current: Summary) -> Values:
    """What the largest of so many columns exceeds at most once in 1000 windows, whatever they have in common.

    The expectation plus McDiarmid's bound: one value more or less moves the score by at most 1/n (or 1/m).
    """
    beyond = np.sqrt(math.log(columns / _LEVEL) / 2 * inverse_size(reference, current))
    return np.asarray(np.minimum(expected(reference, current) + beyond, 1.0))
