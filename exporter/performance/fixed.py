"""Sums of numbers as whole numbers, in several words each: exact to add, in whatever order and batches.

A number is cut into signed limbs of 32 bits, the first of them a multiple of 2^top: what is below the last one is
rounded off, what is above 2^top is clipped. Sums of 2^30 rows fit the 64 bits of each word, weights and all.
"""

from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LIMB: Final = 32
_LOW: Final = (1 << _LIMB) - 1


class Fixed(NamedTuple):
    """How numbers of up to ±2^top are cut into words."""

    top: int
    words: int

    @property
    def most(self) -> float:
        """The largest number there is."""
        return 2.0**self.top

    @property
    def least(self) -> float:
        """The unit of the last word: what a number is rounded to."""
        return 2.0 ** (self.top - _LIMB * (self.words - 1))

    def limbs(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """Of each number its limbs, shape (words, …)."""
        rest = np.clip(numbers, -self.most, self.most)
        found = np.empty((self.words, *rest.shape), np.int64)
        for at in range(self.words):
            unit = 2.0 ** (self.top - _LIMB * at)
            whole = np.rint(rest / unit)
            found[at] = whole
            rest -= whole * unit
        return found

    def sums(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """Sums over the last axis, shape (words, …)."""
        return np.asarray(self.limbs(numbers).sum(axis=-1))

    def weighed(self, numbers: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each number its limbs times a weight, exactly, shape (words, …); a weight is up to 2^30 of its units."""
        found = self.limbs(numbers) * units
        high = found[1:] >> _LIMB
        found[1:] &= _LOW
        found[:-1] += high
        return found

    def weighed_sums(self, numbers: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sums of such over the last axis, shape (words, …)."""
        return np.asarray(self.weighed(numbers, units).sum(axis=-1))

    def exact(self, words: NDArray[np.int64]) -> Fraction:
        """One sum, as it is, from its words."""
        total = 0
        for word in words.tolist():
            total = (total << _LIMB) + word
        return total * Fraction(2) ** (self.top - _LIMB * (self.words - 1))

    def read(self, words: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sums from words of shape (words, …), each correctly rounded."""
        flat = words.reshape(self.words, -1)
        found = [float(self.exact(flat[:, at])) for at in range(flat.shape[1])]
        return np.array(found, np.float64).reshape(words.shape[1:])
