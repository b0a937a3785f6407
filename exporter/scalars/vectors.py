"""Numbers of a vector: how it lies to the centroid and the principal axes of the training data.

They are rounded to 21 bits, which are six digits: whoever multiplies matrices in whatever order, with whatever library,
gets the same numbers. Unit vectors of single precision have the norm 1 then, and not one of a hundred thousand.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DROPPED: Final = 32
_HALF: Final = np.int64(1 << (_DROPPED - 1))
_KEPT: Final = np.int64(-(1 << _DROPPED))
_NOISE: Final = 1e-5
"""A part of a vector that is shorter than so much of it is what rounding leaves."""
Array = NDArray[np.float64]


class Measure:
    """One embedding. It takes vectors in, and gives a row of scalars for each, in the order of `vector_scalars`."""

    def __init__(self, centroid: Sequence[float], axes: Sequence[Sequence[float]]) -> None:
        self._centroid = np.array(centroid, np.float64)
        self._axes = np.array(axes, np.float64).reshape(len(axes), len(centroid))
        self._length = float(np.sqrt(self._centroid @ self._centroid))

    def __call__(self, vectors: Array) -> Array:
        """Of vectors, shape (rows, dimensions): their scalars, shape (rows, scalars).

        Of a vector with a NaN all are NaN, which is missing; else of one that is not finite all are infinite.
        """
        with np.errstate(all="ignore"):
            return rounded(self._told_apart(vectors))

    def _told_apart(self, vectors: Array) -> Array:
        total = vectors.sum(axis=1)
        fine = np.isfinite(total)
        if fine.all():
            return self._of(vectors)
        fine = np.isfinite(vectors).all(axis=1)
        scalars = np.full((len(vectors), 3 + len(self._axes)), np.inf)
        scalars[np.isnan(vectors).any(axis=1)] = np.nan
        scalars[fine] = self._of(vectors[fine])
        return scalars

    def _of(self, vectors: Array) -> Array:
        norm = _lengths(vectors)
        away = vectors - self._centroid
        distance = _lengths(away)
        along = away @ self._axes.T
        along[np.abs(along) < _NOISE * distance[:, None]] = 0.0
        rest = _lengths(away - along @ self._axes)
        rest[rest < _NOISE * distance] = 0.0
        cosine = (vectors @ self._centroid) / (norm * self._length)
        cosine[~np.isfinite(cosine)] = 0.0  # a vector of no length has no direction
        return np.column_stack((norm, np.clip(cosine, -1.0, 1.0), rest, along))


def _lengths(vectors: Array) -> Array:
    squares: Array = np.einsum("ij,ij->i", vectors, vectors)
    return np.sqrt(squares)


def rounded(values: Array) -> Array:
    """Numbers to 21 bits, the nearest; what is not finite stays as it is."""
    bits = np.ascontiguousarray(values + 0.0).view(np.int64)
    return np.where(np.isfinite(values), ((bits + _HALF) & _KEPT).view(np.float64), values)
