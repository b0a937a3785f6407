"""Quantiles of many columns from counts in fine cells: fixed before the first value comes, so order cannot matter.

The cells of a column follow its bins. A bin of the reference has 16 cells, none wider than a twelfth of it. Beyond the
outer edges there are 8 cells to each doubling of the distance (plus one unit), as far as 980,000 units: a unit is an
eighth of the range that the edges span, or a 4096th of the largest edge where that is more. A quantile is therefore off
by no more than a twelfth of its bin's width, or beyond the edges by an eighth of its distance from them plus one unit.
(A log-linear grid as in HdrHistogram, but about the reference's edges: the same relative error about zero would be all
of the range of temperatures in kelvin.)
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, BELOW, MISSING, MOST_INSIDE, NONFINITE, NUMERIC_BINS

CELLS: Final = 512
"""To a column."""
_TO_A_BIN: Final = 16
"""Over two doublings: a bin goes from 1 to 4."""
_TO_A_DOUBLING: Final = 8
_SHIFT: Final = 20
"""Bits of a 32-bit float beyond those that tell the exponent and one of 8 steps."""
_ONE: Final = int(np.float32(1).view(np.int32)) >> _SHIFT
_TAIL: Final = 159
"""Cells on either side of the edges; those below lie in memory from the edge outwards."""
_USED: Final = 2 * _TAIL + MOST_INSIDE * _TO_A_BIN
_FURTHEST: Final = float(np.int32((_ONE + _TAIL - 1) << _SHIFT).view(np.float32))
"""The first number of the last cell of a tail. What is no finite number is laid here, too."""
_STARTS: Final = np.array(
    [0, *range(_TAIL, _TAIL + MOST_INSIDE * _TO_A_BIN, _TO_A_BIN), _USED - _TAIL, *[CELLS - _TAIL] * 2]
)
"""The first cell of each bin. What is missing or not finite comes into the last cell of all, which nobody reads."""
_LARGEST: Final = float(np.finfo(np.float64).max)
_SMALLEST_UNIT: Final = 1e-300
_RANGE_IN_UNITS: Final = 8.0
_EDGE_IN_UNITS: Final = 4096.0
_BELOW_ONE: Final = 1 - 2.0**-22
"""So that the end of a bin is not rounded into the next one."""
_AT_ONCE: Final = 1 << 14
_COLUMNS_AT_ONCE: Final = 64
"""Of which quantiles are told: what is made of their counts stays near, and is as large as these several times."""


class QuantileCells:
    """The cells of some columns, 512 each. Counts have the shape (columns, 512)."""

    __slots__ = ("_low", "_offsets", "_scale")

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        """`edges` of each column's bins, ascending finite numbers, as `NumberBins` has them."""
        self._low = np.zeros((len(edges), NUMERIC_BINS))
        """Where a bin's cells begin, and how long a third of it is, or a unit beyond the edges, as its inverse."""
        self._scale = np.ones((len(edges), NUMERIC_BINS))
        for column, numbers in enumerate(edges):
            self._lay(column, np.array(numbers, np.float64))
        self._offsets = np.arange(len(edges))[:, None] * CELLS + _STARTS - _ONE

    def _lay(self, column: int, edges: NDArray[np.float64]) -> None:
        inside = edges.size - 1
        with np.errstate(over="ignore"):
            widths = np.clip(np.diff(edges), _SMALLEST_UNIT, _LARGEST * _BELOW_ONE)
            unit = max((edges[-1] - edges[0]) / _RANGE_IN_UNITS, np.abs(edges).max() / _EDGE_IN_UNITS)
        unit = min(unit, _LARGEST / (1 << 21)) if unit > _SMALLEST_UNIT else 1.0
        self._low[column, 1 : 1 + inside] = edges[:-1]
        self._scale[column, 1 : 1 + inside] = 3 * _BELOW_ONE / widths
        self._low[column, [BELOW, ABOVE]] = edges[0], edges[-1]
        self._scale[column, [BELOW, ABOVE]] = -1 / unit, 1 / unit
        self._scale[column, [MISSING, NONFINITE]] = 0.0

    def counts(self, values: NDArray[np.float64], bins: NDArray[np.uint8]) -> NDArray[np.int64]:
        """How many of the values (rows, columns), which lie in these `bins`, are in each cell."""
        columns = len(self._low)
        cells = np.empty(values.shape, np.int64)
        rows = max(1, _AT_ONCE // max(1, columns))
        for start in range(0, len(values), rows):
            cells[start : start + rows] = self._cells(values[start : start + rows], bins[start : start + rows])
        return np.bincount(cells.ravel(), minlength=columns * CELLS).reshape(columns, CELLS)

    def _cells(self, values: NDArray[np.float64], bins: NDArray[np.uint8]) -> NDArray[np.int64]:
        flat = bins + np.arange(0, self._low.size, NUMERIC_BINS)
        with np.errstate(invalid="ignore", over="ignore"):
            away = values - self._low.ravel().take(flat)
            away *= self._scale.ravel().take(flat)
        away += 1.0
        np.fmin(away, _FURTHEST, out=away)
        steps = away.astype(np.float32).view(np.int32)  # the bits of a float rise with it, and are nearly its logarithm
        steps >>= _SHIFT
        cells: NDArray[np.int64] = self._offsets.ravel().take(flat)
        cells += steps
        return cells

    def quantiles(self, counts: NDArray[np.int64], ranks: Sequence[float]) -> NDArray[np.float64]:
        """Of counts the values at some ranks (shares of all), shape (columns, ranks); NaN where nothing was counted.

        A value is as far in its cell as its place among the cell's values is.
        """
        found = np.empty((len(counts), len(ranks)))
        for start in range(0, len(counts), _COLUMNS_AT_ONCE):
            some = slice(start, start + _COLUMNS_AT_ONCE)
            found[some] = self._of_some(counts[some], ranks, start)
        return found

    def _of_some(self, counts: NDArray[np.int64], ranks: Sequence[float], first: int) -> NDArray[np.float64]:
        """Of columns that lie side by side, from the place `first` on."""
        ordered = np.concatenate((counts[:, :_TAIL][:, ::-1], counts[:, _TAIL:_USED]), axis=1)
        upto = ordered.cumsum(axis=1)
        wanted = np.maximum(np.ceil(upto[:, -1:] * np.array(ranks) - 1e-9), 1)
        at, columns = _reached(upto, wanted), np.arange(len(ordered))[:, None]
        held = ordered[columns, at]
        part = (wanted - (upto[columns, at] - held) - 0.5) / np.maximum(held, 1)
        part[_alone(ordered, at)] = 0.0
        low, high = self._bounds(columns + first, at)
        found = np.clip(low + (high / 2 - low / 2) * (2 * part), -_LARGEST, _LARGEST)
        return np.asarray(np.where(upto[:, -1:] > 0, found, np.nan))

    def _bounds(self, columns: NDArray[np.intp], at: NDArray[np.intp]) -> tuple[NDArray[np.float64], ...]:
        """The smallest and the largest number of some cells, by their place in order."""
        below = at < _TAIL
        inside = ~below & (at < _USED - _TAIL)
        bins = np.where(below, BELOW, np.where(inside, 1 + (at - _TAIL) // _TO_A_BIN, ABOVE))
        step = np.where(below, _TAIL - 1 - at, np.where(inside, (at - _TAIL) % _TO_A_BIN, at - (_USED - _TAIL)))
        low, scale = self._low[columns, bins], self._scale[columns, bins]
        with np.errstate(over="ignore"):
            near, far = (np.clip(low + (_distance(one) - 1) / scale, -_LARGEST, _LARGEST) for one in (step, step + 1))
        return np.where(below, far, near), np.where(below, near, far)


def _distance(step: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where a cell begins: 1, 1 1/8, ... 2, 2 1/4, ... 4, 4 1/2, ..."""
    doublings, part = np.divmod(step, _TO_A_DOUBLING)
    return np.asarray(np.ldexp(1 + part / _TO_A_DOUBLING, doublings))


def _reached(upto: NDArray[np.int64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """The first cell up to which there are as many as are wanted, shape (columns, ranks)."""
    columns = np.arange(len(upto))[:, None]
    apart = int(upto.max(initial=0)) + 2  # so that the columns are one ascending row
    found = np.searchsorted((upto + columns * apart).ravel(), (wanted + columns * apart).astype(np.int64))
    return np.asarray(np.minimum(found - columns * _USED, _USED - 1))


def _alone(ordered: NDArray[np.int64], at: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where all values of a bin are in the cell `at`, its first one: whole numbers, mostly, and its edge is one."""
    of_bins = ordered[:, _TAIL : _USED - _TAIL].reshape(len(ordered), MOST_INSIDE, _TO_A_BIN).sum(axis=2)
    bins, step = np.divmod(at - _TAIL, _TO_A_BIN)
    is_first = (at >= _TAIL) & (at < _USED - _TAIL) & (step == 0)
    columns = np.arange(len(ordered))[:, None]
    return np.asarray(is_first & (of_bins[columns, np.clip(bins, 0, MOST_INSIDE - 1)] == ordered[columns, at]))
