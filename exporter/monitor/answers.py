"""What one model says, read out of batches of its answers: the class or the number, and the scores."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.performance.task import Task
from exporter.sketch.binning import category_name

_MOST_CODES: Final = 1 << 12


class Answers:
    """Of one task."""

    def __init__(self, task: Task, scope: Scope) -> None:
        """`scope` is that of the outputs. ValueError where the task is of an output that is not read."""
        self.task = task
        self._label = _reader(task, scope) if task.label else None
        self._scores = np.array([_ordered(scope, name) for name in task.scores], np.int64)

    def said(self, batch: Batch) -> NDArray[np.float64]:
        """Shape (rows, width): as it was decoded, classes by their codes."""
        said = np.full((batch.rows, self.task.width), np.nan)
        if self._label:
            said[:, 0] = self._label(batch)
        if self._scores.size:
            said[:, 1:] = batch.numbers[:, self._scores]
        return said


def _reader(task: Task, scope: Scope) -> Callable[[Batch], NDArray[np.float64]]:
    """What reads the class, as its code, or the number."""
    place = _place(scope, task.label)
    if scope.columns[place].ordered:
        at = _ordered(scope, task.label)
        if not task.is_classification:
            return lambda batch: batch.numbers[:, at]
        return lambda batch: _codes_of_numbers(task, batch.numbers[:, at])
    codes: dict[str | None, float] = {}
    return lambda batch: _codes(task, batch.names[place], codes)


def _codes(task: Task, names: Sequence[str | None], known: dict[str | None, float]) -> NDArray[np.float64]:
    found = np.empty(len(names))
    for row, name in enumerate(names):
        code = known.get(name)
        if code is None:
            code = task.code(name)
            if len(known) < _MOST_CODES:
                known[name] = code
        found[row] = code
    return found


def _codes_of_numbers(task: Task, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of classes that are called by numbers."""
    values, places = np.unique(numbers, return_inverse=True)
    codes = [task.code(category_name(value)) if np.isfinite(value) else np.nan for value in values.tolist()]
    return np.array(codes, np.float64)[places]


def _place(scope: Scope, name: str) -> int:
    place = next((at for at, column in enumerate(scope.columns) if column.name == name), None)
    if place is None or not scope.readable[place]:
        raise ValueError(f"the output {name!r} is not read")
    return place


def _ordered(scope: Scope, name: str) -> int:
    """The place of an output among those that are numbers."""
    place = _place(scope, name)
    if not scope.columns[place].ordered:
        raise ValueError(f"the output {name!r} is no number")
    return sum(column.ordered for column in scope.columns[:place])
