"""What panes before looked like, over a short, a longer and a long while: old panes fade.

A session that goes on from pane to pane would be foretold from its own rows, which is no drift: the latest panes wait
until most such have ended before anything is learnt of them.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.bets import LEARNT
from exporter.evidence.clipped import Shares

OF_PANES: Final = (5, 60, 1440)
OF_HOURS: Final = (6, 24, 168)
WAIT_PANES: Final = 10


class Memories:
    """Of streams with one number of bins."""

    def __init__(self, shape: tuple[int, int], panes: tuple[int, ...], wait: int = 1) -> None:
        """`panes` are how many are remembered, about, after a wait of so many."""
        self.seen: Shares = np.zeros((shape[0], LEARNT, shape[1]))
        """Counts that have faded, shape (streams, LEARNT, bins)."""
        self.waiting: NDArray[np.int32] = np.zeros((wait, *shape), np.int32)
        """Counts of the latest panes; of one alone nothing waits."""
        self._fading = np.array([math.exp(-1 / one) for one in panes])[None, :, None]

    def add(self, counts: NDArray[np.int64], pane: int) -> None:
        """Take a pane of this number, shape (streams, bins)."""
        known: NDArray[np.integer] = counts
        if len(self.waiting) > 1:
            known, self.waiting[pane % len(self.waiting)] = self.waiting[pane % len(self.waiting)].copy(), counts
        self.seen *= self._fading
        self.seen += known[:, None, :]

    def forget(self, streams: NDArray[np.bool_]) -> None:
        """Begin anew with some streams."""
        self.seen[streams] = 0.0
        self.waiting[:, streams] = 0
