"""How unusual a row is: the sum over its columns of -ln r, r being the share of the training data's values in its bin.

A row may be in no column where nobody else was, and still be where few others were in several of them: each adds a
little. Columns count as if they had nothing to do with each other; what is normal for a whole row is therefore asked of
whole rows of the training data. Surprises are whole numbers of 1/1024 nat, so that sums do not depend on their order.
Scalars of embeddings take no part: their bins are filled only while rows are counted.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import Column

NAT: Final = 1024.0
_IN_CACHE: Final = 1 << 14
"""Values that are worked on together."""


def surprises(column: Column) -> NDArray[np.int32]:
    """Of each bin of a column, half a row added to each bin that exists (Jeffreys); shape (bins,), none negative."""
    counts = np.array(column.counts, np.float64) + 0.5
    total = sum(column.counts) + len(column.bins()) / 2
    found = np.maximum(np.rint(-NAT * np.log(counts / total)), 0.0)
    return np.asarray(found * takes_part(column), np.int32)


def takes_part(column: Column) -> bool:
    """Whether it adds anything."""
    return column.kind != "embedding"


def average(table: NDArray[np.int32], column: Column) -> int:
    """What a column adds in the mean of the training data, of which `table` has the surprises."""
    return round(float(np.dot(table.astype(np.float64), np.array(column.counts, np.float64))) / max(1, column.rows))


class Rarity:
    """Of several columns."""

    def __init__(self, tables: Sequence[NDArray[np.int32]]) -> None:
        """`tables` have the surprises of each column's bins."""
        widths = [table.size for table in tables]
        self._starts = np.concatenate(([0], np.cumsum(widths)[:-1])).astype(np.int64)
        self._table = np.concatenate(list(tables))

    def of(self, bins: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The sum of each row, shape (rows,), of `bins`, shape (rows, columns)."""
        rows, columns = bins.shape
        found = np.empty(rows, np.int64)
        step = max(1, _IN_CACHE // columns)
        for start in range(0, rows, step):
            part = slice(start, start + step)
            found[part] = self._table.take(bins[part] + self._starts).sum(axis=1, dtype=np.int64)
        return found
