"""Total variation: ½ Σ |p - r|, the share of values that changed bin."""

import math
from typing import Final

import numpy as np

from exporter.drift.summary import Summary, Values, inverse_size, pooled, shares

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> Values:
    """Total variation per column, 0 to 1."""
    return np.asarray(np.abs(shares(current) - shares(reference)).sum(axis=1) / 2)


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most once in 1000 windows of this size without drift."""
    return critical_of(1, reference, current)


def critical_of(columns: int, reference: Summary, current: Summary) -> Values:
    """What the largest of so many columns exceeds at most once in 1000 windows, whatever they have in common.

    The expectation under no drift, ½ Σ √(2 r (1 - r) / (π n_e)) with r pooled, plus McDiarmid's bound: one value
    more or less moves the score by at most 1/n (or 1/m).
    """
    inverse = inverse_size(reference, current)
    share = pooled(reference, current)
    expected = np.sqrt(2 / math.pi * share * (1 - share) * inverse[:, None]).sum(axis=1) / 2
    return np.asarray(np.minimum(expected + np.sqrt(math.log(columns / _LEVEL) / 2 * inverse), 1.0))
