"""How scores lie where their class was true, and where it was not: what ROC and PR curves are made of.

By bins of a fixed grid: 252 of two classes, 126 of three or four, 62 of up to ten, 32 of up to twenty; of more classes
there are no curves. A truth of no known class is none of each.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.score_grid import ScoreGrid, score_grid
from exporter.performance.scoring import probabilities, scored
from exporter.performance.task import BINARY, Task
from exporter.performance.weighing import UNIT, WORDS, Batch, Weighed, count, read

_GRIDS: Final = ((2, 80, 85), (4, 40, 42), (10, 20, 20), (20, 10, 10))
"""Up to so many classes: bins of the middle and of a tail."""
MOST_CURVED: Final = _GRIDS[-1][0]
"""Classes that have curves."""


class Curves(NamedTuple):
    """What the words say."""

    weight: NDArray[np.float64]
    """By class, whether it was true (no, yes), and bin, ascending; of two classes the positive one alone."""
    sides: Weighed
    """By class, and whether it was true."""


class CurveTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self._codes = np.arange(1, 2) if task.kind == BINARY else np.arange(len(task.classes))
        self.grid = grid_of(len(task.classes))
        self._sides = len(self._codes) * 2
        self.size = self._sides * (self.grid.bins + WORDS)

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = scored(batch)
        sides = (np.arange(len(self._codes)) * 2 + (kept.true[:, None] == self._codes)).ravel()
        units = np.repeat(kept.units, len(self._codes))
        cells = sides * self.grid.bins + self.grid.cells(probabilities(kept)).ravel()
        weight = np.bincount(cells, units, minlength=self._sides * self.grid.bins).astype(np.int64)
        return np.concatenate((weight, count(sides, units, self._sides).ravel()))

    def read(self, words: NDArray[np.int64]) -> Curves:
        """What the words say."""
        weight, sides = np.split(words, [self._sides * self.grid.bins])
        shape = len(self._codes), 2
        return Curves(weight.reshape(*shape, self.grid.bins) / UNIT, read(sides, shape))


def grid_of(classes: int) -> ScoreGrid:
    """The finest that so many classes can afford."""
    middle, tail = next((middle, tail) for most, middle, tail in _GRIDS if classes <= most)
    return score_grid(middle, tail)
