"""Rows by the class that was true and the one that was predicted.

All pairs of up to 20 classes and OTHER; of up to 200 what was true, what was predicted and what was right of each; of
more only how many were right. OTHER is a class like the others: a truth and an answer that are both of no known class
count as the same one. Rows without a prediction, or without a truth, are left out and counted.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.task import Task
from exporter.performance.weighing import WORDS, Batch, Weighed, count, read

MOST_PAIRED: Final = 20
"""Classes of which pairs are counted."""
MOST_COUNTED: Final = 200
"""Classes that are counted each."""


class Outcomes(NamedTuple):
    """What the words say. Classes are those of the task, then OTHER."""

    left_out: int
    """Rows that nobody can judge."""
    all: Weighed
    right: Weighed
    pairs: Weighed | None
    """By true class and predicted one, shape (classes, classes); None where there are too many classes."""
    true: Weighed
    """By class, as the next two; empty where there are too many."""
    said: Weighed
    hits: Weighed
    """Right ones."""


class OutcomeTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self._classes = len(task.classes) + 1
        self._paired = len(task.classes) <= MOST_PAIRED
        counted = self._classes if len(task.classes) <= MOST_COUNTED else 0
        self._shape = (self._classes, self._classes) if self._paired else (3, counted)
        self._cells = int(np.prod(self._shape))
        self.size = 1 + WORDS * (2 + self._cells)

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = batch.where(np.isfinite(batch.said[:, 0]) & np.isfinite(batch.true))
        said, true = (self._codes(side) for side in (kept.said[:, 0], kept.true))
        right = (said == true).astype(np.intp)
        parts = (
            np.array([len(batch.true) - len(kept.true)]),
            count(right, kept.units, 2).ravel(),
            self._counted(true, said, kept.units).ravel(),
        )
        return np.concatenate(parts)

    def _codes(self, side: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.clip(side, 0, self._classes - 1).astype(np.intp)

    def _counted(self, true: NDArray[np.intp], said: NDArray[np.intp], units: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._paired:
            return count(true * self._classes + said, units, self._cells)
        if not self._cells:
            return np.empty((WORDS, 0), np.int64)
        hits = true == said
        sides = ((true, units), (said, units), (true[hits], units[hits]))
        return np.concatenate([count(codes, weights, self._classes) for codes, weights in sides], axis=1)

    def read(self, words: NDArray[np.int64]) -> Outcomes:
        """What the words say."""
        both, cells = read(words[1 : 1 + 2 * WORDS], (2,)), read(words[1 + 2 * WORDS :], self._shape)
        if self._paired:
            hits = cells.at(np.diag_indices(self._classes))
            return Outcomes(int(words[0]), both.sum(), both.at(1), cells, cells.sum(1), cells.sum(0), hits)
        return Outcomes(int(words[0]), both.sum(), both.at(1), None, cells.at(0), cells.at(1), cells.at(2))
