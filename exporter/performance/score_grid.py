"""A fixed grid of scores between 0 and 1: even in the middle, where most is decided, even in log odds in the tails.

It does not depend on data, so that counts of any two models, windows or replicas can be added.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MIDDLE: Final = 0.1
"""Where the middle begins; it ends as far from 1."""
_TAIL: Final = 1e-6
"""Where the tail begins; below it is one bin."""


class ScoreGrid(NamedTuple):
    """Bins of scores."""

    edges: NDArray[np.float64]

    @property
    def bins(self) -> int:
        """How many."""
        return len(self.edges) + 1

    def cells(self, scores: NDArray[np.float64]) -> NDArray[np.intp]:
        """The bin of each score, any shape; one on an edge is in the upper one, as with thresholds."""
        return np.searchsorted(self.edges, scores, side="right")


def score_grid(middle: int, tail: int) -> ScoreGrid:
    """One of so many bins between 0.1 and 0.9, and so many on either side of it, and beyond these the ends."""
    odds = np.linspace(math.log(_TAIL / (1 - _TAIL)), math.log(_MIDDLE / (1 - _MIDDLE)), tail, endpoint=False)
    low = 1 / (1 + np.exp(-odds))
    return ScoreGrid(np.concatenate((low, np.linspace(_MIDDLE, 1 - _MIDDLE, middle + 1), 1 - low[::-1])))
