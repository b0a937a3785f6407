"""Sums of numbers in units of the reference's standard deviation, as integers: exact, subtractable, order-free.

A deviation (x - mean) / sd, kept within ±1024, has a part within the reach that is given for its column and a part
beyond it, so that a mean can be told of which no single value makes much. The part within is split into two words:
round(d * 2^20), and what is left of it in units of 2^-52: no bit is lost. The third word is the part beyond, in units
of 2^-20. 2^32 rows of the wildest values fit the 64 bits of each.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_SD: Final = 1024.0
WORDS: Final = 3
_BEYOND: Final = 2
"""The third word."""
_COARSE: Final = float(1 << 20)
_FINE: Final = float(1 << 32)
_IN_CACHE: Final = 1 << 15
"""Values that are worked on together: half the time that many more take, whose parts have left the cache."""


def sums(
    values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Summed deviations of `values` (rows, columns) from the reference, shape (columns, 3); not finite counts 0.

    `reach` is in standard deviations, one for each column; it ends at MOST_SD. Words are whole numbers below
    2^31, so that the sums of 2^20 rows are exact in floats, too.
    """
    total = np.zeros((values.shape[1], WORDS), np.int64)
    reach = np.minimum(reach, MOST_SD)
    rows = max(1, _IN_CACHE // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        total += _sums(values[start : start + rows], mean, sd, reach)
    return total


def _sums(
    values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        deviation = (values - mean) / sd
    if not np.isfinite(deviation).all():  # mostly it is, which is quickly seen
        deviation[~np.isfinite(values) | np.isnan(deviation)] = 0.0
    within = np.clip(deviation, -reach, reach)
    beyond = np.zeros(values.shape[1]) if np.array_equal(within, deviation) else _beyond(deviation, within)
    within *= _COARSE
    coarse = np.rint(within)
    within -= coarse
    within *= _FINE
    np.rint(within, out=within)
    return np.stack((coarse.sum(axis=0), within.sum(axis=0), beyond), axis=-1).astype(np.int64)


def _beyond(deviation: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.float64]:
    np.clip(deviation, -MOST_SD, MOST_SD, out=deviation)
    return np.asarray(np.rint((deviation - within) * _COARSE).sum(axis=0))


def in_sd(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of words (shape (..., 3)) in standard deviations, the parts beyond the reach too."""
    return within_reach(words) + words[..., _BEYOND] / _COARSE


def within_reach(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of the parts within the reach, in standard deviations."""
    return np.asarray(words[..., 0] / _COARSE + words[..., 1] / (_COARSE * _FINE))
