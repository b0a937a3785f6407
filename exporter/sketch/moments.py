"""Sums of numbers in units of the reference's standard deviation, as integers: exact, subtractable, order-free.

A deviation (x - mean) / sd, kept within ±1024 so that one wild value cannot poison a mean, is split into two words:
round(d * 2^20), and what is left of it in units of 2^-52. No bit of it is lost, and 2^32 rows of the wildest values
fit the 64 bits of either word.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_SD: Final = 1024.0
WORDS: Final = 2
_COARSE: Final = float(1 << 20)
_FINE: Final = float(1 << 32)


def standardise(values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.int64]:
    """Deviations of `values` (rows, columns) from the reference, shape (rows, columns, 2); not finite counts 0."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        deviation = np.clip((values - mean) / sd, -MOST_SD, MOST_SD)
    usable = np.isfinite(values) & np.isfinite(deviation)
    scaled = np.where(usable, deviation, 0.0) * _COARSE
    coarse = np.rint(scaled)
    return np.stack((coarse, np.rint((scaled - coarse) * _FINE)), axis=-1).astype(np.int64)


def in_sd(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of `standardise` (shape (..., 2)) in standard deviations."""
    return words[..., 0] / _COARSE + words[..., 1] / (_COARSE * _FINE)
