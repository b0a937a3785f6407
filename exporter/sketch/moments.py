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
_IN_CACHE: Final = 1 << 15
"""Values that are worked on together: half the time that many more take, whose parts have left the cache."""


def sums(values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.int64]:
    """Summed deviations of `values` (rows, columns) from the reference, shape (columns, 2); not finite counts 0.

    Words are whole numbers below 2^31, so that the sums of 2^20 rows are exact in floats, too.
    """
    total = np.zeros((values.shape[1], WORDS), np.int64)
    rows = max(1, _IN_CACHE // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        total += _sums(values[start : start + rows], mean, sd)
    return total


def _sums(values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        deviation = (values - mean) / sd
    is_plain = np.isfinite(deviation).all()  # mostly so, and quickly seen
    np.clip(deviation, -MOST_SD, MOST_SD, out=deviation)
    if not is_plain:
        deviation[~np.isfinite(values) | np.isnan(deviation)] = 0.0
    deviation *= _COARSE
    coarse = np.rint(deviation)
    deviation -= coarse
    deviation *= _FINE
    np.rint(deviation, out=deviation)
    return np.stack((coarse.sum(axis=0), deviation.sum(axis=0)), axis=-1).astype(np.int64)


def in_sd(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of words (shape (..., 2)) in standard deviations."""
    return words[..., 0] / _COARSE + words[..., 1] / (_COARSE * _FINE)
