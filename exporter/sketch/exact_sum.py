"""The exact sum of any number of finite floats: the same in whatever order, rounded once at the end.

Mantissas are summed as integers, one sum per binary exponent (a superaccumulator; Neal, arXiv 1505.05571).
"""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

_EXPONENTS: Final = 2200
_OFFSET: Final = 1100
_HALF: Final = 27
"""Mantissas are split so that 2^36 halves can be added without overflow."""
_MOST_AT_ONCE: Final = 1 << 26
"""The sum of so many halves is exact in a double."""


class ExactSum:
    """Sum and count of finite numbers."""

    __slots__ = ("count", "high", "low")

    def __init__(self) -> None:
        self.high = np.zeros(_EXPONENTS, np.int64)
        self.low = np.zeros(_EXPONENTS, np.int64)
        self.count = 0

    def update(self, numbers: NDArray[np.float64], counts: NDArray[np.int64] | None = None) -> None:
        """Add finite numbers, each once or `counts` times."""
        fraction, exponent = np.frexp(numbers)
        mantissa = np.ldexp(fraction, 53).astype(np.int64)
        where = exponent + _OFFSET
        high, low = mantissa >> _HALF, mantissa & ((1 << _HALF) - 1)
        if counts is None and numbers.size < _MOST_AT_ONCE:
            _add_fast(self.high, where, high)
            _add_fast(self.low, where, low)
        else:
            times = 1 if counts is None else counts
            np.add.at(self.high, where, high * times)
            np.add.at(self.low, where, low * times)
        self.count += numbers.size if counts is None else int(counts.sum())

    def merge(self, other: "ExactSum") -> None:
        """Add all that another one holds."""
        self.high += other.high
        self.low += other.low
        self.count += other.count

    def __getstate__(self) -> tuple[int, NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
        """What is pickled: the few exponents that occur."""
        where = np.flatnonzero(self.high | self.low)
        return self.count, where, self.high[where], self.low[where]

    def __setstate__(self, state: tuple[int, NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]) -> None:
        self.__init__()  # type: ignore[misc]
        self.count, where, high, low = state
        self.high[where], self.low[where] = high, low

    def mean(self) -> float:
        """The mean, correctly rounded; NaN where nothing was added."""
        if not self.count:
            return float("nan")
        total = Fraction(0)
        for where in np.flatnonzero(self.high | self.low):
            mantissa = (int(self.high[where]) << _HALF) + int(self.low[where])
            total += Fraction(mantissa) * Fraction(2) ** int(where - _OFFSET - 53)
        return float(total / self.count)


def _add_fast(total: NDArray[np.int64], where: NDArray[np.int32], halves: NDArray[np.int64]) -> None:
    sums = np.bincount(where, halves)
    total[: sums.size] += sums.astype(np.int64)
