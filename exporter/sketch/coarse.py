"""Windows of few panes, for what is too large to be kept by the minute, or is no sum: the largest of each element.

A window ends in the pane of now and reaches back over as many panes as it has, so by up to a pane less than its length;
where the panes do not go into the length, by up to a pane more.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.window import Arrays, PaneRing


class CoarseWindows:
    """Several windows, each a ring of its own. Memory: `most` times the shape for each length."""

    __slots__ = ("_reach", "_rings", "lengths")

    def __init__(
        self, lengths: tuple[float, ...], pane_s: float, most: int,
        shape: tuple[int, ...], dtype: type[np.signedinteger[Any]],
    ) -> None:  # fmt: skip
        """`lengths` in seconds, multiples of `pane_s`; a window has `most` panes at most."""
        self.lengths = lengths
        self._rings: dict[float, PaneRing] = {}
        self._reach: dict[float, float] = {}
        for length in lengths:
            slots, wide = panes_of(length, pane_s, most)
            self._rings[length] = PaneRing(slots, wide * pane_s, shape, dtype)
            self._reach[length] = slots * wide * pane_s

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on elsewhere."""
        kept = (ring.arrays(name) for name, ring in self._named(prefix))
        return {name: array for arrays in kept for name, array in arrays.items()}

    def _named(self, prefix: str) -> Iterator[tuple[str, PaneRing]]:
        """Names carry how wide a pane is: the place of one says nothing without."""
        for length, ring in self._rings.items():
            yield f"{prefix}.{length:g}.{self._reach[length] / ring.marks.size:g}", ring

    def panes(self, at: float) -> list[NDArray[Any]]:
        """The panes of the moment `at`, one of each window that still has it, to be changed in place."""
        found = (ring.pane(at) for ring in self._rings.values())
        return [pane for pane in found if pane is not None]

    def add(self, at: float, counts: NDArray[Any]) -> None:
        """Add counts that belong to the moment `at`."""
        for pane in self.panes(at):
            np.add(pane, counts, out=pane, casting="unsafe")

    def forget_after(self, now: float) -> None:
        """Empty panes that are later than `now`, of a clock that was set back."""
        for ring in self._rings.values():
            ring.forget_after(now)

    def places(self, at: NDArray[np.float64], now: float) -> NDArray[np.int64]:
        """Of many moments the number of the pane in each window, shape (moments, windows); OUTSIDE where it is in none.

        What has the same places is in the same panes: it may be added up first, and added as of any of its moments.
        """
        found = [ring.places(at, now) for ring in self._rings.values()]
        return np.stack(found, axis=1)

    def total(self, now: float, length: float) -> NDArray[Any]:
        """The sum over the window of `length` seconds that ends now, as int64."""
        return self._rings[length].total(now, self._reach[length])

    def largest(self, now: float, length: float) -> NDArray[Any]:
        """The largest of each element over the window of `length` seconds that ends now; 0 where it has nothing."""
        return self._rings[length].largest(now)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on later, on another machine even."""
        held = (ring.held(name, now) for name, ring in self._named(prefix))
        return {name: array for arrays in held for name, array in arrays.items()}

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what other windows held, as far as it fits. The clock showed `shift_s` less."""
        for name, ring in self._named(prefix):
            ring.put_back(held, name, shift_s, now)


def panes_of(length: float, pane_s: float, most: int) -> tuple[int, int]:
    """How many panes a window has, and how many of the finest ones each of them is."""
    fine = max(1, round(length / pane_s))
    wide = -(-fine // most)
    return -(-fine // wide), wide
