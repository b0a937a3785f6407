"""How scores of two classes lie together: what is needed to know how sure a mean over classes is.

Of each two classes, whether either is true, by coarse groups of the scores of both: 5 each of up to six classes, 3 of
up to ten. Of more classes nothing is counted.
"""

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.curves import grid_of
from exporter.performance.scoring import probabilities, scored
from exporter.performance.task import Task
from exporter.performance.weighing import UNIT, Batch

_EDGES: Final = ((6, (0.02, 0.2, 0.5, 0.9)), (10, (0.1, 0.5)))
"""Up to so many classes: between groups, as near to it as bins of curves allow."""
MOST: Final = _EDGES[-1][0]
"""Classes of which they are counted."""
_STATES: Final = 3
"""Neither is true, the first is, the second is."""


class Rivals(NamedTuple):
    """What the words say."""

    pairs: tuple[tuple[int, int], ...]
    weight: NDArray[np.float64]
    """By pair, by who is true (neither, the first, the second), by the groups of the first and of the second."""
    groups: NDArray[np.intp]
    """Of each bin of a curve its group."""


class RivalTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        grid = grid_of(len(task.classes))
        edges = next(edges for most, edges in _EDGES if len(task.classes) <= most)
        starts = np.concatenate(([0.0], grid.edges))
        self._grid = grid
        self._pairs = tuple(combinations(range(len(task.classes)), 2))
        self._groups = np.searchsorted(edges, starts + 1e-9)
        self._shape = (len(self._pairs), _STATES, len(edges) + 1, len(edges) + 1)
        self.size = int(np.prod(self._shape))

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = scored(batch)
        groups = self._groups[self._grid.cells(probabilities(kept))]
        pairs, states, across, _ = self._shape
        first, second = np.array(self._pairs).T
        state = (kept.true[:, None] == first) + 2 * (kept.true[:, None] == second)
        cells = ((np.arange(pairs) * states + state) * across + groups[:, first]) * across + groups[:, second]
        return np.bincount(cells.ravel(), np.repeat(kept.units, pairs), minlength=self.size).astype(np.int64)

    def read(self, words: NDArray[np.int64]) -> Rivals:
        """What the words say."""
        return Rivals(self._pairs, words.reshape(self._shape) / UNIT, self._groups)
