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


class ExactSum:
    """Sum and count of finite numbers."""

    __slots__ = ("count", "high", "low")

    def __init__(self) -> None:
        self.high = np.zeros(_EXPONENTS, np.int64)
        self.low = np.zeros(_EXPONENTS, np.int64)
        self.count = 0

    def update(self, numbers: NDArray[np.float64]) -> None:
        """Add finite numbers."""
        fraction, exponent = np.frexp(numbers)
        mantissa = np.ldexp(fraction, 53).astype(np.int64)
        where = exponent + _OFFSET
        np.add.at(self.high, where, mantissa >> _HALF)
        np.add.at(self.low, where, mantissa & ((1 << _HALF) - 1))
        self.count += numbers.size

    def merge(self, other: "ExactSum") -> None:
        """Add all that another one holds."""
        self.high += other.high
        self.low += other.low
        self.count += other.count

    def mean(self) -> float:
        """The mean, correctly rounded; NaN where nothing was added."""
        if not self.count:
            return float("nan")
        total = Fraction(0)
        for where in np.flatnonzero(self.high | self.low):
            mantissa = (int(self.high[where]) << _HALF) + int(self.low[where])
            total += Fraction(mantissa) * Fraction(2) ** int(where - _OFFSET - 53)
        return float(total / self.count)
