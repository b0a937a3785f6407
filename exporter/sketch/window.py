"""Rolling windows as rings of panes: add to the newest pane, sum the panes a window covers, never subtract.

`now` is any clock that does not go back (seconds); the caller owns it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PaneRing:
    """Integer counts of a fixed shape, per pane, for the last `slots` panes.

    `panes` and `marks` are plain arrays, so that they can be kept elsewhere; a pane is true where its mark is the
    number of the pane it holds (panes are numbered from the clock's zero, plus one: a mark of 0 is an empty slot).
    """

    __slots__ = ("_pane_s", "_slots", "marks", "panes")

    def __init__(self, slots: int, pane_s: float, shape: tuple[int, ...], dtype: type[np.signedinteger[Any]]) -> None:
        self._slots = slots
        self._pane_s = pane_s
        self.panes: NDArray[Any] = np.zeros((slots, *shape), dtype)
        self.marks: NDArray[np.int64] = np.zeros(slots, np.int64)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept for the ring to go on elsewhere."""
        return {f"{prefix}.panes": self.panes, f"{prefix}.marks": self.marks}

    def pane(self, at: float) -> NDArray[Any] | None:
        """The pane of the moment `at`, to add to; None where it has already left the ring."""
        number = int(at // self._pane_s) + 1
        slot = number % self._slots
        if self.marks[slot] > number:
            return None
        if self.marks[slot] < number:
            self.panes[slot] = 0
            self.marks[slot] = number
        pane: NDArray[Any] = self.panes[slot]
        return pane

    def total(self, now: float, length_s: float) -> NDArray[Any]:
        """The sum over the window of `length_s` that ends in the pane of `now`, as int64."""
        newest = int(now // self._pane_s) + 1
        oldest = newest - round(length_s / self._pane_s) + 1
        within = (self.marks >= max(oldest, 1)) & (self.marks <= newest)
        total: NDArray[Any] = self.panes[within].sum(axis=0, dtype=np.int64)
        return total


class Windows:
    """Several window lengths over two resolutions: fine panes for short windows, coarser ones for long.

    Memory is bounded by the panes, not by the traffic.
    """

    __slots__ = ("_rings", "lengths")

    _FINE_SLOTS = 60
    _COARSE = 5

    def __init__(
        self,
        lengths: tuple[float, ...],
        pane_s: float,
        shape: tuple[int, ...],
        dtype: type[np.signedinteger[Any]],
    ) -> None:
        """`lengths` in seconds, multiples of `pane_s`."""
        self.lengths = lengths
        self._rings: dict[float, PaneRing] = {}
        for length in lengths:
            width = self._width(length, pane_s)
            slots = round(length / width)
            known = self._rings.get(width)
            if known is None or known.marks.size < slots:
                self._rings[width] = PaneRing(slots, width, shape, dtype)

    def _width(self, length: float, pane_s: float) -> float:
        coarse = pane_s * self._COARSE
        fits = abs(length / coarse - round(length / coarse)) < 1e-9
        return coarse if fits and length > pane_s * self._FINE_SLOTS else pane_s

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on elsewhere."""
        kept: dict[str, NDArray[Any]] = {}
        for width, ring in self._rings.items():
            kept |= ring.arrays(f"{prefix}.{width:g}")
        return kept

    def add(self, at: float, counts: NDArray[Any]) -> None:
        """Add counts that belong to the moment `at`."""
        for ring in self._rings.values():
            pane = ring.pane(at)
            if pane is not None:
                pane += counts.astype(pane.dtype, copy=False)

    def total(self, now: float, length: float) -> NDArray[Any]:
        """The sum over the window of `length` seconds that ends now, as int64."""
        width = min(width for width in self._rings if self._serves(width, length))
        return self._rings[width].total(now, length)

    def _serves(self, width: float, length: float) -> bool:
        panes = length / width
        return abs(panes - round(panes)) < 1e-9 and round(panes) <= self._rings[width].marks.size
