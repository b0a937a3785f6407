"""Windows over the last so many rows instead of the last so many minutes: for models that are seldom asked.

The clock of their panes is the number of rows so far. A window has its length at least, and at most a pane more.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.window import PaneRing

_PANES: Final = 20
"""Of a window: it may be longer by one part in so many."""
Count = Callable[[int, int], NDArray[np.int64]]
"""Counts the rows from one place of a batch to another."""


class RowWindows:
    """Windows of several lengths, in rows. The newest rows of a batch are its last ones."""

    __slots__ = ("_rings", "lengths", "rows")

    def __init__(self, lengths: tuple[int, ...], shape: tuple[int, ...], dtype: type[np.signedinteger[Any]]) -> None:
        """`lengths` in rows, multiples of 20."""
        self.lengths = lengths
        self.rows: NDArray[np.int64] = np.zeros(1, np.int64)
        """How many there have been."""
        self._rings = {length: PaneRing(_PANES + 1, length // _PANES, shape, dtype) for length in lengths}

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on elsewhere."""
        kept: dict[str, NDArray[Any]] = {f"{prefix}.rows": self.rows}
        for length, ring in self._rings.items():
            kept |= ring.arrays(f"{prefix}.{length}")
        return kept

    def add(self, rows: int, count: Count) -> None:
        """Add a batch of so many rows."""
        before = int(self.rows[0])
        for length, ring in self._rings.items():
            pane = length // _PANES
            start = max(0, rows - length - pane)  # those before would leave it at once
            while start < rows:
                stop = min(rows, start + pane - (before + start) % pane)
                counts = ring.pane(before + start)
                if counts is not None:
                    counts += count(start, stop).astype(counts.dtype, copy=False)
                start = stop
        self.rows += rows

    def total(self, length: int) -> NDArray[Any]:
        """The sum over the last `length` rows, as int64, or over all there are."""
        return self._rings[length].total(self._last, length + length // _PANES)

    def reach(self, length: int) -> float:
        """How many rows the window holds; NaN where it holds none."""
        begun = self._rings[length].reach(self._last, length + length // _PANES)
        return math.nan if math.isnan(begun) else begun + 1

    @property
    def _last(self) -> int:
        return max(0, int(self.rows[0]) - 1)

    def held(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on later."""
        kept: dict[str, NDArray[Any]] = {f"{prefix}.rows": self.rows.copy()}
        for length, ring in self._rings.items():
            kept |= ring.held(f"{prefix}.{length}", self._last)
        return kept

    def put_back(self, held: dict[str, NDArray[Any]], prefix: str) -> int:
        """Go on with what other windows held, where nothing has come since: how many panes."""
        rows = held.get(f"{prefix}.rows")
        if rows is None or rows.shape != (1,) or rows.dtype != np.int64 or self.rows[0]:
            return 0
        self.rows[0] = rows[0]
        return sum(ring.put_back(held, f"{prefix}.{length}", 0.0, self._last) for length, ring in self._rings.items())
