"""Total variation: ½ Σ |p - r|, the share of values that changed bin."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift.summary import Summary

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """Total variation per column, 0 to 1."""
    gap = current.counts / current.samples[:, None] - reference.counts / reference.samples[:, None]
    return np.asarray(np.abs(gap).sum(axis=1) / 2)


def critical(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """What it exceeds at most once in 1000 windows of this size without drift."""
    return critical_of(1, reference, current)


def critical_of(columns: int, reference: Summary, current: Summary) -> NDArray[np.float64]:
    """What the largest of so many columns exceeds at most once in 1000 windows, whatever they have in common.

    The expectation under no drift, ½ Σ √(2 r (1 - r) / (π n_e)) with r pooled, plus McDiarmid's bound: one value
    more or less moves the score by at most 1/n (or 1/m).
    """
    inverse_n = 1 / current.samples + 1 / reference.samples
    total = (current.samples + reference.samples)[:, None]
    pooled = (current.counts + reference.counts) / total
    expected = np.sqrt(2 / math.pi * pooled * (1 - pooled) * inverse_n[:, None]).sum(axis=1) / 2
    return np.asarray(np.minimum(expected + np.sqrt(math.log(columns / _LEVEL) / 2 * inverse_n), 1.0))
