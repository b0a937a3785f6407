"""Numbers of a row's numeric features as one: how it lies to axes along which training data vary much, or little.

Features are standardised, each to the mean and the deviation that the training data had, and kept within ±8 of them, so
that one wild value does not hide the others. One that is missing, or no finite number, is taken for its mean; of a row
that has none at all the scalars are missing. What goes with what shows along the axes and in the rest, where every
single feature may look as ever.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.scalars.vectors import rounded

_MOST_SD: Final = 8.0
_IN_CACHE: Final = 1 << 14
"""Values that are worked on together."""
_NOISE: Final = 1e-5
"""A part of a row that is shorter than so much of it is what rounding leaves."""
RESIDUAL: Final = "residual"
Array = NDArray[np.float64]


def names(axes: int) -> tuple[str, ...]:
    """What is computed where there are so many axes, in the order of `Measure`."""
    return (RESIDUAL, *(f"axis_{number}" for number in range(1, axes + 1)))


def standardised(values: Array, centre: Array, scales: Array) -> Array:
    """Features of shape (rows, features) in standard deviations from their means; 0 for what is no finite number."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = values - centre
        found /= scales
        fine = np.isfinite(values.sum())  # cheaper than each; sums that overflow are looked at closely in vain
    np.clip(found, -_MOST_SD, _MOST_SD, out=found)
    if not fine:
        found[~np.isfinite(values)] = 0.0
    return found


class Measure:
    """It takes rows in, and gives the scalars of each, in the order of `names`."""

    def __init__(self, centre: Sequence[float], scales: Sequence[float], axes: Sequence[Sequence[float]]) -> None:
        self._centre, self._scales = np.array(centre, np.float64), np.array(scales, np.float64)
        self._axes = np.array(axes, np.float64).reshape(len(axes), len(centre))

    def __call__(self, values: Array) -> Array:
        """Of features of shape (rows, features) their scalars, shape (rows, 1 + axes)."""
        step = max(1, _IN_CACHE // self._centre.size)
        parts = [self._of(values[start : start + step]) for start in range(0, max(1, len(values)), step)]
        return rounded(parts[0] if len(parts) == 1 else np.concatenate(parts))

    def _of(self, values: Array) -> Array:
        rows = standardised(values, self._centre, self._scales)
        length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        along = rows @ self._axes.T
        along[np.abs(along) < _NOISE * length[:, None]] = 0.0
        rows -= along @ self._axes
        rest = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        rest[rest < _NOISE * length] = 0.0
        found = np.column_stack((rest, along))
        if not length.all():  # mostly rows of nothing, and now and then one that is all means
            found[(length == 0) & ~np.isfinite(values).any(axis=1)] = np.nan
        return np.asarray(found)
