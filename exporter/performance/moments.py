"""A mean over rows, and how sure it is: what is added up for it, and what comes of that.

The variance is that of a ratio of sums, by linearisation: Σw²(x - mean)² / (Σw)², n/(n-1) times (Cochran 1977, §2.11).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.weighing import UNIT, Batch, Weighed


class Mean(NamedTuple):
    """A mean and the variance of it; NaN where there is none."""

    value: float
    variance: float


def mean(total: float, crossed: float, squared: float, weighed: Weighed) -> Mean:
    """Of Σwx, Σw²x, Σw²x², and the rows that they are of."""
    weight, rows = float(weighed.weight), int(weighed.rows)
    if weight <= 0:
        return Mean(math.nan, math.nan)
    value = total / weight
    if rows < 2:
        return Mean(value, math.nan)
    around = squared - 2 * value * crossed + value * value * float(weighed.squares)
    return Mean(value, max(around, 0.0) / weight**2 * rows / (rows - 1))


class Scale(NamedTuple):
    """How numbers are added up whose mean is asked for: themselves times weights, and for the variance both squared."""

    exact: Fixed
    rough: Fixed
    """Of w²x and w²x², which need not be so exact, but reach far."""

    @property
    def size(self) -> int:
        """Words of each kind of number."""
        return self.exact.words + 2 * self.rough.words

    def of(self, numbers: NDArray[np.float64], batch: Batch) -> NDArray[np.int64]:
        """Words of numbers of shape (kinds, rows), shape (kinds * size,)."""
        crossed = batch.weight**2 * numbers
        parts = (
            self.exact.weighed_sums(numbers, batch.units),
            self.rough.sums(crossed),
            self.rough.sums(crossed * numbers),
        )
        return np.concatenate(parts).ravel()

    def read(self, words: NDArray[np.int64], weighed: Weighed) -> list[Mean]:
        """The mean of each kind over the rows that they are of."""
        kinds = words.reshape(self.size, -1)
        ends = self.exact.words, self.exact.words + self.rough.words
        exact, crossed, squared = np.split(kinds, ends)
        sums = self.exact.read(exact) / UNIT, self.rough.read(crossed), self.rough.read(squared)
        return [mean(one, once, twice, weighed) for one, once, twice in np.stack(sums, axis=-1).tolist()]
