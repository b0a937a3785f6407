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
from exporter.performance.weighing import SQUARES, UNIT, Batch, read_squares, squares_of

_GRIDS: Final = ((2, 80, 85), (4, 40, 42), (10, 20, 20), (20, 10, 10))
"""Up to so many classes: bins of the middle and of a tail."""
_TOGETHER: Final = 3
"""Bins of a group, of which squares of weights are counted."""
MOST_CURVED: Final = _GRIDS[-1][0]
"""Classes that have curves."""


class Curves(NamedTuple):
    """What the words say."""

    weight: NDArray[np.float64]
    """By class, whether it was true (no, yes), and bin, ascending; of two classes the positive one alone."""
    squares: NDArray[np.float64]
    """Σw² of each of the bins, as far as groups of bins tell, shaped as `weight`."""


class CurveTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self._codes = np.arange(1, 2) if task.kind == BINARY else np.arange(len(task.classes))
        self.grid = grid_of(len(task.classes))
        self._sides = len(self._codes) * 2
        self._groups = np.arange(self.grid.bins) // _TOGETHER
        self._cells = self._sides * (int(self._groups[-1]) + 1)
        self.size = self._sides * self.grid.bins + SQUARES * self._cells

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = scored(batch)
        sides = (np.arange(len(self._codes)) * 2 + (kept.true[:, None] == self._codes)).ravel()
        units = np.repeat(kept.units, len(self._codes))
        bins = self.grid.cells(probabilities(kept)).ravel()
        weight = np.bincount(sides * self.grid.bins + bins, units, minlength=self._sides * self.grid.bins)
        groups = sides * (int(self._groups[-1]) + 1) + self._groups[bins]
        return np.concatenate((weight.astype(np.int64), squares_of(groups, units, self._cells).ravel()))

    def read(self, words: NDArray[np.int64]) -> Curves:
        """What the words say."""
        first, second = np.split(words, [self._sides * self.grid.bins])
        weight = first.reshape(len(self._codes), 2, self.grid.bins) / UNIT
        squares = read_squares(second.reshape(SQUARES, len(self._codes), 2, -1))
        together = np.add.reduceat(weight, np.arange(0, self.grid.bins, _TOGETHER), axis=2)
        uneven = np.divide(squares, together, out=np.zeros_like(squares), where=together > 0)
        return Curves(weight, weight * uneven[..., self._groups])


def grid_of(classes: int) -> ScoreGrid:
    """The finest that so many classes can afford."""
    middle, tail = next((middle, tail) for most, middle, tail in _GRIDS if classes <= most)
    return score_grid(middle, tail)
