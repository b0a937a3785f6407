"""Number, sum and sum of squares of numbers as integers: exact, order-free, and good for a mean and a variance.

A number counts as its deviation d = (x - origin) / unit, kept within ±1024 units, with as many bits as a double of its
size has: round(d * 2^20), and what is left in units of 2^-52; d² likewise, round(d² * 2^10) and units of 2^-42. All are
whole numbers below 2^32: 2^31 rows of them fit the 64 bits of each sum.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORDS: Final = 5
_MOST: Final = 1024.0
_FINE: Final = float(1 << 32)
_OF_SUM, _OF_SQUARES = float(1 << 20), float(1 << 10)
_AT_ONCE: Final = 1 << 20
"""Sums of so many words are exact in floats."""


class Moments(NamedTuple):
    """Of finite numbers, in their own unit."""

    samples: int
    mean: float
    """NaN where there is none."""
    variance: float
    """With n - 1; NaN where there are not two."""


def words_of(values: NDArray[np.float64], origin: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.int64]:
    """Summed words of `values` (rows, columns), shape (columns, 5); what is not finite counts as nothing."""
    total = np.zeros((values.shape[1], WORDS), np.int64)
    for start in range(0, len(values), _AT_ONCE):
        total += _words_of(values[start : start + _AT_ONCE], origin, unit)
    return total


def _words_of(values: NDArray[np.float64], origin: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.int64]:
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = np.where(there, np.clip((values - origin) / unit, -_MOST, _MOST), 0.0)
    parts = (*_split(deviation, _OF_SUM), *_split(deviation * deviation, _OF_SQUARES))
    return np.stack([there.sum(axis=0), *(part.sum(axis=0) for part in parts)], axis=-1).astype(np.int64)


def _split(values: NDArray[np.float64], scale: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    coarse = np.rint(values * scale)
    return coarse, np.rint((values * scale - coarse) * _FINE)


def moments(words: Sequence[int], origin: float, unit: float) -> Moments:
    """Of the summed words of one column. The sums are whole numbers until the end: nothing cancels."""
    rows, coarse, fine, coarse_squares, fine_squares = words
    if not rows:
        return Moments(0, float("nan"), float("nan"))
    total = (coarse << 32) + fine
    squares = (coarse_squares << 32) + fine_squares
    """In units of 2^-52 and of 2^-42."""
    mean = total / rows / 2.0**52
    spread = rows * (squares << 62) - total * total
    """The variance times rows and rows - 1, in units of 2^-104."""
    variance = max(spread, 0) / (rows * (rows - 1)) / 2.0**104 if rows > 1 else float("nan")
    return Moments(rows, origin + unit * mean, variance * unit * unit)
