"""Windows over the last so many rows instead of the last so many minutes: for models that are seldom asked.

The clock of their panes is the number of rows so far. A window has its length at least, as soon as there were so many
rows, and at most a pane more. Memory: 21 panes a window, whatever the traffic.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.window import Arrays, PaneRing

PANES: Final = 20
"""Of a window: it may be longer by one part in so many."""
_NS: Final = 1_000_000_000
Count = Callable[[slice], NDArray[np.int64]]
"""Counts some rows of a batch."""


class RowWindows:
    """Windows of several lengths, in rows. The newest rows of a batch are its last ones."""

    __slots__ = ("_begun", "_rings", "lengths", "rows")

    def __init__(self, lengths: tuple[int, ...], shape: tuple[int, ...], dtype: type[np.signedinteger[Any]]) -> None:
        """`lengths` in rows, multiples of 20."""
        self.lengths = lengths
        self.rows: NDArray[np.int64] = np.zeros(1, np.int64)
        """How many there have been."""
        self._rings = {length: PaneRing(PANES + 1, length // PANES, shape, dtype) for length in lengths}
        self._begun = {length: PaneRing(PANES + 1, length // PANES, (1,), np.int64) for length in lengths}
        """When the first row of each pane came, in nanoseconds; 0 is not known."""

    def _all(self, prefix: str) -> Iterator[tuple[str, PaneRing]]:
        for length in self.lengths:
            yield f"{prefix}.{length}", self._rings[length]
            yield f"{prefix}.{length}.begun", self._begun[length]

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on elsewhere; nothing where there are none."""
        kept: dict[str, NDArray[Any]] = {f"{prefix}.rows": self.rows} if self.lengths else {}
        for name, ring in self._all(prefix):
            kept |= ring.arrays(name)
        return kept

    def add(self, at: float, rows: int, count: Count) -> None:
        """Add a batch of so many rows, which came at the moment `at`."""
        before = int(self.rows[0])
        for length, ring in self._rings.items():
            width = length // PANES
            start = max(0, rows - length - width)  # those before would leave it at once
            while start < rows:
                stop = min(rows, start + width - (before + start) % width)
                counts = ring.pane(before + start)
                if counts is not None:
                    counts += count(slice(start, stop)).astype(counts.dtype, copy=False)
                    self._note(length, before + start, at)
                start = stop
        self.rows += rows

    def clear(self) -> None:
        """Begin anew: the rows so far are not the last ones any longer."""
        if self.rows[0]:
            self.rows[0] = 0
            for _, ring in self._all(""):
                ring.marks[:] = 0

    def _note(self, length: int, row: int, at: float) -> None:
        begun = self._begun[length].pane(row)
        moment = round(at * _NS) or 1
        if begun is not None and (begun[0] > moment or not begun[0]):
            begun[0] = moment

    def total(self, length: int) -> NDArray[Any]:
        """The sum over the last `length` rows, as int64, or over all there are."""
        return self._rings[length].total(self._last, length + length // PANES)

    def begun(self, length: int) -> float:
        """When the first row came that the window holds, in seconds; NaN where it holds none."""
        found = self._begun[length].recent(self._last, PANES + 1)
        known = found[found != 0]
        return float(known.min()) / _NS if known.size else math.nan

    @property
    def _last(self) -> int:
        return max(0, int(self.rows[0]) - 1)

    def held(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on later."""
        kept: dict[str, NDArray[Any]] = {f"{prefix}.rows": self.rows.copy()} if self.lengths else {}
        for name, ring in self._all(prefix):
            kept |= ring.held(name, self._last)
        return kept

    def put_back(self, held: Arrays, prefix: str, shift_s: float) -> int:
        """Go on with what other windows held when the clock showed `shift_s` less: how many panes.

        Rows that have come since are newer: what was held takes the places before them, unless it is of the same time.
        Its last pane may be one that was not full then; the windows lack so much of their length until it leaves them.
        """
        rows = held.get(f"{prefix}.rows")
        if rows is None or rows.shape != (1,) or rows.dtype != np.int64 or rows[0] <= 0:
            return 0
        before = int(rows[0])
        was_empty = not self.rows[0]
        if was_empty:
            self.rows[0] = before
        taken = 0
        for length in self.lengths:
            begun = f"{prefix}.{length}.begun"
            known = {**held, f"{begun}.panes": _later(held.get(f"{begun}.panes"), shift_s)}
            if was_empty or self._are_older(length, known[f"{begun}.panes"]):
                shift = 0.0 if was_empty else -self._rings[length].whole(before)
                self._begun[length].put_back(known, begun, shift, self._last)
                taken += self._rings[length].put_back(known, f"{prefix}.{length}", shift, self._last)
        return taken

    def _are_older(self, length: int, begun: NDArray[Any]) -> bool:
        own = self.begun(length)
        return bool(begun.size) and (math.isnan(own) or float(begun.max()) / _NS < own)


def _later(begun: NDArray[Any] | None, shift_s: float) -> NDArray[Any]:
    """When panes began, by a clock that shows so much more."""
    if begun is None or begun.dtype != np.int64:
        return np.zeros((0, 1), np.int64)
    return np.where(begun != 0, begun + round(shift_s * _NS), 0)
