"""Weights of rows, and counts of rows by cells: how many, how heavy, and how uneven their weights are.

Weights are whole numbers of a millionth, up to a thousand. The sum of their squares says how many even rows are worth
as much as uneven ones: (Σw)² / Σw² (Kish 1965).
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.task import Rows

UNIT: Final = 1e6
MOST: Final = 1000.0
SQUARES: Final = 2
"""Words of a sum of squares of weights."""
WORDS: Final = 2 + SQUARES
"""Of each cell: rows, weight, and its square."""
_HALF: Final = 30
_LOW: Final = (1 << _HALF) - 1


class Batch(NamedTuple):
    """Rows that are added up together: 2^20 at most, so that sums of halves of squares are exact in floats."""

    said: NDArray[np.float64]
    true: NDArray[np.float64]
    units: NDArray[np.int64]
    """Weights, in millionths."""

    def where(self, kept: NDArray[np.bool_]) -> "Batch":
        """Some of them."""
        return self if kept.all() else Batch(self.said[kept], self.true[kept], self.units[kept])

    @property
    def weight(self) -> NDArray[np.float64]:
        """As numbers."""
        return self.units / UNIT


def batch(rows: Rows) -> Batch:
    """Rows with their weights as whole numbers; one that is no number weighs nothing."""
    weight = np.clip(np.nan_to_num(rows.weight), 0.0, MOST)
    return Batch(rows.said, rows.true, np.rint(weight * UNIT).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Weighed:
    """Counts by cells, any shape; floats of weights are correctly rounded."""

    rows: NDArray[np.int64]
    weight: NDArray[np.float64]
    squares: NDArray[np.float64]
    """Σw²."""

    def at(self, where: Any) -> "Weighed":  # noqa: ANN401 (any index)
        """Some of the cells."""
        return Weighed(*(np.asarray(part[where]) for part in (self.rows, self.weight, self.squares)))

    def plus(self, other: "Weighed", times: int = 1) -> "Weighed":
        """Together with others, or without them where `times` is -1."""
        return Weighed(
            self.rows + times * other.rows,
            self.weight + times * other.weight,
            self.squares + times * other.squares,
        )

    def sum(self, axis: int | None = None) -> "Weighed":
        """Over an axis, or over all."""
        return Weighed(*(np.asarray(part.sum(axis=axis)) for part in (self.rows, self.weight, self.squares)))


def count(cells: NDArray[np.intp], units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Words of rows by their cell, shape (4, size)."""
    found = np.empty((WORDS, size), np.int64)
    found[0] = np.bincount(cells, minlength=size)
    found[1] = np.bincount(cells, units, minlength=size)
    found[2:] = squares_of(cells, units, size)
    return found


def squares_of(cells: NDArray[np.intp], units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Words of squares of weights by their cell, shape (2, size)."""
    found = np.empty((SQUARES, size), np.int64)
    for at, part in enumerate(squares_of_each(units)):
        found[at] = np.bincount(cells, part, minlength=size)
    return found


def squares_of_each(units: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The words of the square of each weight."""
    squares = units * units
    return squares >> _HALF, squares & _LOW


def read(words: NDArray[np.int64], shape: tuple[int, ...]) -> Weighed:
    """Counts from their words, all of them in one row."""
    planes = words.reshape(WORDS, *shape)
    return Weighed(planes[0], planes[1] / UNIT, read_squares(planes[2:]))


def read_squares(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of squares from words of shape (2, …)."""
    return np.asarray((words[0].astype(np.float64) * (1 << _HALF) + words[1]) / UNIT**2)
