"""What panes before looked like, over a short, a longer and a long while: old panes fade."""

import math
from typing import Final

import numpy as np

from exporter.evidence.bets import LEARNT
from exporter.evidence.clipped import Shares

OF_PANES: Final = (5, 60, 1440)
OF_HOURS: Final = (6, 24, 168)


class Memories:
    """Of streams with one number of bins."""

    def __init__(self, shape: tuple[int, int], panes: tuple[int, ...]) -> None:
        """`panes` are how many are remembered, about."""
        self.seen: Shares = np.zeros((shape[0], LEARNT, shape[1]))
        """Counts that have faded, shape (streams, LEARNT, bins)."""
        self._fading = np.array([math.exp(-1 / one) for one in panes])[None, :, None]

    def add(self, counts: Shares) -> None:
        """Take a pane, shape (streams, bins)."""
        self.seen *= self._fading
        self.seen += counts[:, None, :]
