"""What turns out where the model's decision was followed, and where it was not: exposed rows against a holdout.

A holdout is a part of the traffic that is served without the model's decision, or by lot; somebody has to keep one, and
a segment says which it is. That the two turn out otherwise is what decisions are for; it is also by how much truths are
made by the model. Counted are the truths of each, their sum, and that of the squares, by when it was predicted.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.looped import Gap, Group
from exporter.monitor.batch import UNKNOWN_SEGMENT
from exporter.performance.intervals import NONE, Interval, Z, wilson
from exporter.performance.joining import Usable
from exporter.performance.task import BINARY, REGRESSION, Task
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.moments import MOST_SD
from exporter.values import format_duration

_NAME: Final = "exposure"
_PANES: Final = 30
_GROUPS: Final = ("exposed", "holdout")
_ROWS, _SUM, _SQUARES = range(3)
_WORD: Final = float(1 << 20)
_SQUARE: Final = float(1 << 16)
"""Units of numbers and of their squares, both of what is `unit` of the task."""
Arrays = Mapping[str, NDArray[Any]]


class Exposing:
    """Of one model and task, whose truth is one of two classes or a number."""

    def __init__(self, task: Task, settings: Performance, pane_s: float, holdout: str) -> None:
        """`holdout` is what names the part of the traffic."""
        self._task, self._enough = task, settings.minimum_samples
        self._name = f"{_NAME}.{hashlib.sha256(repr((task.fingerprint, holdout)).encode()).hexdigest()[:8]}"
        shape = (len(_GROUPS), _SQUARES + 1)
        self._windows = CoarseWindows(settings.windows, pane_s, _PANES, shape, np.int64)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry what the holdout is."""
        return self._windows.arrays(f"{prefix}.{self._name}")

    def held(self, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time."""
        yield from self._windows.held(self._name, wall_s).items()

    def put_back(self, held: Arrays, wall_s: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, self._name, 0.0, wall_s)

    # in

    def join(self, usable: Usable, segments: NDArray[np.uint8], holdout: int | None, wall_s: float) -> None:
        """Count rows by their segment, shape (rows,), of which `holdout` is one; None where it has not come yet."""
        known = segments != UNKNOWN_SEGMENT
        groups = np.zeros(len(segments), np.int64) if holdout is None else (segments == holdout).astype(np.int64)
        words = self._words(usable.rows.true)
        at_s = np.minimum(np.array([one.at_ms for one in usable.joined], np.float64) / 1e3, wall_s)
        for at in np.unique(at_s[known]).tolist():
            found = np.zeros((len(_GROUPS), _SQUARES + 1), np.int64)
            some = known & (at_s == at)
            np.add.at(found, groups[some], words[some])
            self._windows.add(at, found)

    def _words(self, true: NDArray[np.float64]) -> NDArray[np.int64]:
        """Shape (rows, 3): one row, its truth and the square of that."""
        if self._task.kind == BINARY:
            positive = (true == 1).astype(np.int64)
            return np.stack([np.ones_like(positive), positive, positive], axis=1)
        numbers = np.clip((true - self._task.centre) / self._task.unit, -MOST_SD, MOST_SD)
        parts = (np.ones_like(numbers), np.rint(numbers * _WORD), np.rint(numbers**2 * _SQUARE))
        return np.stack(parts, axis=1).astype(np.int64)

    # out

    def snapshot(self, wall_s: float) -> tuple[Gap, ...]:
        """Of every window that ends at a Unix time and has truths."""
        self._windows.forget_after(wall_s)
        totals = ((format_duration(length), self._windows.total(wall_s, length)) for length in self._windows.lengths)
        return tuple(self._gap(window, total) for window, total in totals if total.any())

    def _gap(self, window: str, total: NDArray[np.int64]) -> Gap:
        groups = [Group(name, *self._group(words.tolist())) for name, words in zip(_GROUPS, total, strict=True)]
        fewest = min(group.truths for group in groups)
        if not fewest:
            return Gap(window, tuple(groups), math.nan, math.nan, math.nan, False)
        gap = groups[0].mean - groups[1].mean
        lower, upper = self._interval(groups, total)
        return Gap(window, tuple(groups), gap, lower, upper, fewest >= self._enough)

    def _group(self, words: list[int]) -> tuple[int, float]:
        """How many truths, and their mean."""
        rows, total, _ = words
        if not rows:
            return 0, math.nan
        if self._task.kind == BINARY:
            return rows, total / rows
        return rows, self._task.centre + self._task.unit * total / _WORD / rows

    def _interval(self, groups: list[Group], total: NDArray[np.int64]) -> Interval:
        """Of the difference: Newcombe's tenth (1998) for shares, Welch's for means, normal."""
        exposed, holdout = groups
        gap = exposed.mean - holdout.mean
        if self._task.kind == BINARY:
            one, other = (wilson(group.mean, group.truths) for group in groups)
            below = math.hypot(exposed.mean - one.lower, other.upper - holdout.mean)
            above = math.hypot(one.upper - exposed.mean, holdout.mean - other.lower)
            return Interval(gap - below, gap + above)
        variances = [_variance(words) for words in total.tolist()]
        if any(math.isnan(one) for one in variances):
            return NONE
        half = Z * self._task.unit * math.sqrt(sum(variances))
        return Interval(gap - half, gap + half)


def _variance(words: list[int]) -> float:
    """Of a mean, in the task's unit squared; NaN of fewer than two rows."""
    rows, total, squares = words
    if rows < 2:
        return math.nan
    mean = total / _WORD / rows
    return max(squares / _SQUARE / rows - mean**2, 0.0) / (rows - 1)


def exposing(task: Task, settings: Performance, pane_s: float, holdout: str) -> Exposing | None:
    """None where truths have no mean."""
    return Exposing(task, settings, pane_s, holdout) if task.kind in {BINARY, REGRESSION} else None
