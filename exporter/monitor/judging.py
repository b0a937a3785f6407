"""Predictions with their truths, added up by when they were predicted and by when their truth came.

Windows go by Unix time here, as predictions and truths have it: what waits in a store may have been answered before the
last boot. Each has at most so many panes: sums of scores and errors are large.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.performance.joining import Usable
from exporter.performance.measures import measured
from exporter.performance.tally import Tally
from exporter.performance.task import OTHER, Rows, Task
from exporter.performed import BY, LAG_BOUNDS, Counted, Judged, Measure
from exporter.sketch.coarse import CoarseWindows
from exporter.values import format_duration

_PANES: Final = 30
"""Of a window."""
_OPENED, _JOINED, _UNUSABLE, _LAG_MS = range(4)
_LAG_BOUNDS_MS: Final = [bound * 1e3 for bound in LAG_BOUNDS]
_PREDICTION, _ARRIVAL = BY
Arrays = Mapping[str, NDArray[Any]]


class Judging:
    """Of one model and task."""

    def __init__(self, task: Task, settings: Performance, pane_s: float) -> None:
        self._task, self._enough, self._costs = task, settings.minimum_samples, settings.costs
        self._tally = Tally(task)
        self._windows = {by: _windows(settings, pane_s, self._tally.size) for by in BY}
        self._rows = {by: _windows(settings, pane_s, 1) for by in BY}
        """How many, of each pane."""
        self._opened = _windows(settings, pane_s, 1)
        self._totals = np.zeros(self._tally.size, np.int64)
        self._counts = np.zeros(_LAG_MS + 1, np.int64)
        self._measured: dict[bytes, tuple[int, tuple[Measure, ...]]] = {}
        """By the sums that they are of: of the last look, and of the one before."""
        self._before = self._measured
        self._lag = np.zeros(len(LAG_BOUNDS) + 1, np.int64)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        kept = {f"{prefix}.totals": self._totals, f"{prefix}.counts": self._counts, f"{prefix}.lag": self._lag}
        for name, windows in self._every(prefix):
            kept |= windows.arrays(name)
        return kept

    def _every(self, prefix: str) -> Iterator[tuple[str, CoarseWindows]]:
        yield f"{prefix}.opened", self._opened
        yield from self._of_truths(prefix)

    def _of_truths(self, prefix: str) -> Iterator[tuple[str, CoarseWindows]]:
        for by in BY:
            yield f"{prefix}.rows.{by}", self._rows[by]
            yield f"{prefix}.{by}", self._windows[by]

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time; no counts since start."""
        for name, windows in self._every(prefix):
            yield from windows.held(name, wall_s).items()

    def put_back_opened(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with the predictions that windows held."""
        self._opened.put_back(held, f"{prefix}.opened", 0.0, wall_s)

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with the truths that windows held."""
        for name, windows in self._of_truths(prefix):
            windows.put_back(held, name, 0.0, wall_s)

    # in

    def opened(self, at_s: NDArray[np.float64]) -> None:
        """Count predictions that wait for their truth from now on, by their Unix times."""
        self._counts[_OPENED] += at_s.size
        for at, rows in zip(*np.unique(at_s, return_counts=True), strict=True):
            self._opened.add(float(at), np.array([rows]))

    def join(self, usable: Usable, unusable: int, wall_s: float) -> None:
        """Add what was joined, of which so many cannot be of this model."""
        self._counts[_JOINED] += len(usable.joined)
        self._counts[_UNUSABLE] += unusable
        lags = np.array([max(one.told_ms - one.at_ms, 0) for one in usable.joined], np.int64)
        self._counts[_LAG_MS] += lags.sum()
        self._lag += np.bincount(np.searchsorted(_LAG_BOUNDS_MS, lags), minlength=self._lag.size)
        self._totals += self._add(usable, wall_s)

    def rejoin(self, usable: Usable, wall_s: float) -> None:
        """Have windows hold what was joined before this run; counts since start do not go back by that."""
        self._add(usable, wall_s)

    def _add(self, usable: Usable, wall_s: float) -> NDArray[np.int64]:
        """Add rows to windows, pane by pane; the sum of all."""
        total = np.zeros_like(self._totals)
        if not usable.joined:
            return total
        moments = {
            _PREDICTION: np.array([one.at_ms for one in usable.joined]) / 1e3,
            _ARRIVAL: np.array([one.told_ms for one in usable.joined]) / 1e3,
        }
        moments = {by: np.minimum(at, wall_s) for by, at in moments.items()}  # of another's clock, maybe
        for some in _together([self._windows[by].places(moments[by], wall_s) for by in BY]):
            sums = self._tally.of(Rows(*(part[some] for part in usable.rows)))
            total += sums
            for by in BY:
                at = float(moments[by][some[0]])
                self._windows[by].add(at, sums)
                self._rows[by].add(at, np.array([some.size]))
        return total

    # out

    def counted(self) -> Counted:
        """Counts since start."""
        opened, joined, unusable, lag_ms = self._counts.tolist()
        lag = tuple(self._lag.tolist())
        return Counted(opened, joined, unusable, lag, lag_ms / 1e3, tuple(self._confusion()))

    def _confusion(self) -> Iterator[tuple[str, str, int]]:
        """Rows since start by true class and predicted one; none where there are too many classes."""
        outcomes = self._tally.view(self._totals).outcomes
        if outcomes is None or outcomes.pairs is None:
            return
        names = (*self._task.classes, OTHER)
        for true, row in zip(names, outcomes.pairs.rows.tolist(), strict=True):
            yield from ((true, said, rows) for said, rows in zip(names, row, strict=True))

    def judged(self, wall_s: float) -> Iterator[Judged]:
        """Every window that ends at a Unix time; truth is rare beside looks, so what was measured is measured once."""
        for _, windows in self._every(""):
            windows.forget_after(wall_s)
        self._before, self._measured = self._measured, {}
        for by in BY:
            for length in self._windows[by].lengths:
                yield self._judge(by, length, wall_s)

    def _judge(self, by: str, length: float, wall_s: float) -> Judged:
        window, samples = format_duration(length), int(self._rows[by].total(wall_s, length)[0])
        predicted = int(self._opened.total(wall_s, length)[0]) if by == _PREDICTION else samples
        if not samples:
            return Judged(by, window, 0, predicted, False, ())
        rows, measures = self._said(self._windows[by].total(wall_s, length))
        return Judged(by, window, samples, max(predicted, samples), rows >= self._enough, measures)

    def _said(self, words: NDArray[np.int64]) -> tuple[int, tuple[Measure, ...]]:
        """Rows that measures are of, and the measures; several windows hold the same, often, as before."""
        key = words.tobytes()
        found = self._measured.get(key) or self._before.get(key)
        if found is None:
            found = int(self._tally.view(words).all.rows), measured(self._task, words, self._costs)
        self._measured[key] = found
        return found


def _windows(settings: Performance, pane_s: float, size: int) -> CoarseWindows:
    return CoarseWindows(settings.windows, pane_s, _PANES, (size,), np.int64)


def _together(places: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Rows that are in the same panes of all windows."""
    _, group = np.unique(np.concatenate(places, axis=1), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
