"""By how much an hour may differ from the others where nothing is wrong."""

import math

import numpy as np
from numpy.typing import NDArray

from exporter.calibration import rounded, shares


def wander(hours: NDArray[np.int64], dependence: float = 1.0) -> float:
    """The largest total variation between an hour and the mean of all, beyond what chance does, from 0.

    `hours` are counts of shape (hours, bins); the mean is their own, not a reference's. Chance is what independent
    rows, each standing for `dependence` of them, would do in the farthest of so many hours: the expectation of their
    total variation and √(2 ln hours) of its standard deviations. Hours of few rows thus tell little.
    """
    held = hours[hours.sum(axis=1) > 0]
    if len(held) < 2:
        return 0.0
    rows, mean = held.sum(axis=1), shares(held.sum(axis=0))
    moved = np.abs(shares(held) - mean).sum(axis=1) / 2
    expected, deviation = _of_one_row(mean)
    farthest = expected + math.sqrt(2 * math.log(len(held))) * deviation
    beyond = moved - farthest * np.sqrt(np.maximum(1 / rows - 1 / rows.sum(), 0.0) * dependence)
    return rounded(max(0.0, float(beyond.max())))


def _of_one_row(mean: NDArray[np.float64]) -> tuple[float, float]:
    """√n times the expectation and the standard deviation of the total variation of n rows drawn from `mean`.

    Half the sum of |Z| over bins, Z normal with the covariance of shares: E|Z| = σ √(2/π), and the covariance of two
    such, of correlation c, is σ σ′ (2/π) (√(1 - c²) + c arcsin c - 1).
    """
    held = mean[(mean > 0) & (mean < 1)]
    spread = np.sqrt(held * (1 - held))
    odds = np.sqrt(held / (1 - held))
    correlation = np.clip(-np.outer(odds, odds), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    each = np.sqrt(1 - correlation**2) + correlation * np.arcsin(correlation) - 1
    variance = 2 / math.pi * float(spread @ each @ spread)
    return float(spread.sum()) * math.sqrt(2 / math.pi) / 2, math.sqrt(max(0.0, variance)) / 2
