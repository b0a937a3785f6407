"""Answered rows that wait for their truth: the key of each, and what was said."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Came, Scope
from exporter.performance.task import Task, pack
from exporter.sketch.binning import category_name
from exporter.truths import key_of

_NS_IN_MS: Final = 1_000_000
_MOST: Final = 1 << 16
"""Rows that wait to be taken; that many come between two commits of one who is hopelessly behind."""
_MOST_CODES: Final = 1 << 12


class Opened(NamedTuple):
    """An answer that waits for its truth."""

    key: int
    at_ms: int
    content: bytes


class _Noted(NamedTuple):
    """Rows of one exchange that are among those that wait to be counted."""

    came: Came
    start: int
    """The first of them within the exchange, and within what waits."""
    at: int
    rows: int


class Opening:
    """Of one model."""

    def __init__(self, task: Task, scope: Scope) -> None:
        """`scope` is that of the outputs. ValueError where the task is of an output that is not read."""
        self._task = task
        self._label = _reader(task, scope) if task.label else None
        self._scores = np.array([_ordered(scope, name) for name in task.scores], np.int64)
        self._noted: list[_Noted] = []
        self._waiting = 0
        self._found: list[Opened] = []
        self.dropped = 0
        """Rows for which there was no room since somebody took them last."""

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take in that the next so many rows are those of an exchange from `start` on."""
        if came.request_id or came.row_ids:
            self._noted.append(_Noted(came, start, self._waiting, rows))
        self._waiting += rows

    def add(self, batch: Batch) -> NDArray[np.float64]:
        """Take the rows that were noted; Unix times in seconds of those that can be found by an id."""
        noted, self._noted, self._waiting = self._noted, [], 0
        if not noted:
            return np.zeros(0)
        said = pack(self._said(batch))
        width = len(said) // batch.rows
        opened = [Opened(key, at_ms, said[row * width : (row + 1) * width]) for row, key, at_ms in _keys(noted)]
        room = max(0, _MOST - len(self._found))
        self.dropped += len(opened[room:])
        self._found += opened[:room]
        return np.array([one.at_ms for one in opened]) / 1e3

    def take(self) -> list[Opened]:
        """Those that came since."""
        found, self._found = self._found, []
        return found

    def _said(self, batch: Batch) -> NDArray[np.float64]:
        """Shape (rows, width): as it was decoded, classes by their codes."""
        said = np.full((batch.rows, self._task.width), np.nan)
        if self._label:
            said[:, 0] = self._label(batch)
        said[:, 1:] = batch.numbers[:, self._scores] if self._scores.size else np.zeros((batch.rows, 0))
        return said


def _keys(noted: Sequence[_Noted]) -> Iterator[tuple[int, int, int]]:
    """Row of the batch, key, and time in milliseconds, of all that have an id."""
    for came, start, at, rows in noted:
        at_ms = came.wall_ns // _NS_IN_MS
        for row in range(rows):
            own = came.row_ids[start + row] if start + row < len(came.row_ids) else ""
            if own:
                yield at + row, key_of(own), at_ms
            elif came.request_id:
                yield at + row, key_of(came.request_id, start + row), at_ms


# --- what was said


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
