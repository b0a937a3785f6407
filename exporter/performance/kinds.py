"""Kinds of predictions, by what was predicted: bins of a score, classes, or ranges of numbers."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.task import BINARY, OTHER, RANKING, Task
from exporter.performed import MOST_CLASSES
from exporter.reference import Column

_BINS: Final = 10
"""Of scores between 0 and 1."""


class Kinds(NamedTuple):
    """Kinds of predictions."""

    names: tuple[str, ...]
    edges: tuple[float, ...]
    """Between them."""
    place: int
    """Of a prediction's numbers the one that decides."""

    def of(self, said: NDArray[np.float64]) -> NDArray[np.intp]:
        """Of predictions as in `performance.task.Rows`; those that are missing are left out."""
        numbers = said[:, self.place]
        return np.searchsorted(self.edges, numbers[~np.isnan(numbers)], side="right")


def kinds_of(task: Task, column: Column | None) -> Kinds | None:
    """Kinds of what a task predicts; `column` is its output. None of rankings, and of numbers without bins."""
    if task.kind == RANKING:
        return None
    if task.kind == BINARY and task.scores:
        edges = tuple(place / _BINS for place in range(1, _BINS))
        names = [f"{low:g} to {high:g}" for low, high in pairwise((0.0, *edges, 1.0))]
        return Kinds(tuple(names), edges, 1)
    if task.is_classification:
        shown = task.classes[: MOST_CLASSES - 1]
        return Kinds((*shown, OTHER), tuple(place + 0.5 for place in range(len(shown))), 0)
    if column is None or not column.edges:
        return None
    return Kinds(tuple(text for _, text in column.bins()[: len(column.edges) + 1]), column.edges, 0)
