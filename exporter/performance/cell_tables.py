"""Rows of every cell of one or two columns of codes, and of what is around each: tables behind each other."""

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.performance.parts import UNKNOWN

CODES: Final = 11
"""Of a column, at most."""
AROUND: Final = 4
"""The cell; all rows whose codes are known; of two columns those with the first one's code, those with the second's."""
_PAIR: Final = CODES * CODES
_NOWHERE: Final = -1
Counts = NDArray[np.int64]
Places = tuple[tuple[int, int], ...]


class Tables:
    """Of so many columns: first each alone, then two by two."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        pairs = [*combinations(range(columns), 2)]
        self._first, self._second = np.array(pairs, np.int64).reshape(-1, 2).T
        self._pairs = {pair: at for at, pair in enumerate(pairs)}
        self._alone = columns * CODES
        self.cells = self._alone + len(pairs) * _PAIR

    def counted(self, codes: NDArray[np.uint8], wrong: NDArray[np.bool_]) -> Counts:
        """Rows of each cell, and the wrong ones among them, shape (2, cells), of codes of shape (rows, columns)."""
        cells = self._cells_of(codes)
        known = cells != _NOWHERE
        return np.array([np.bincount(cells[some], minlength=self.cells) for some in (known, known & wrong[:, None])])

    def _cells_of(self, codes: NDArray[np.uint8]) -> Counts:
        """The cells that each row is in, shape (rows, columns + pairs)."""
        code, known = codes.astype(np.int64), codes != UNKNOWN
        alone = code + np.arange(self.columns) * CODES
        first, second, pairs = self._first, self._second, np.arange(self._first.size)
        both = code[:, first] * CODES + code[:, second] + self._alone + pairs * _PAIR
        return np.hstack((
            np.where(known, alone, _NOWHERE), np.where(known[:, first] & known[:, second], both, _NOWHERE)
        ))  # fmt: skip

    def around(self, counts: Counts) -> Counts:
        """From counts of shape (2, cells) to those of each cell and around it, shape (AROUND, 2, cells)."""
        alone = counts[:, : self._alone].reshape(2, -1, CODES)
        pairs = counts[:, self._alone :].reshape(2, -1, CODES, CODES)
        every = _spread(alone.sum(axis=2, keepdims=True), alone)
        found = [pairs.sum(axis=axes, keepdims=True) for axes in ((2, 3), 3, 2)]
        return np.array([counts, *(np.hstack((every, _spread(sums, pairs))) for sums in found)])

    def places(self, cell: int) -> Places:
        """Column and code, once or twice, of a cell by its number."""
        if cell < self._alone:
            return (divmod(cell, CODES),)
        pair, within = divmod(cell - self._alone, _PAIR)
        one, other = divmod(within, CODES)
        return (int(self._first[pair]), one), (int(self._second[pair]), other)

    def number(self, *places: tuple[int, int]) -> int:
        """Of a cell by columns, which differ, and codes."""
        if len(places) == 1:
            return places[0][0] * CODES + places[0][1]
        (first, one), (second, other) = sorted(places)
        return self._alone + self._pairs[first, second] * _PAIR + one * CODES + other


def _spread(sums: Counts, over: Counts) -> Counts:
    return np.broadcast_to(sums, over.shape).reshape(2, -1)
