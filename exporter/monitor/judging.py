"""Predictions with their truths, added up by when they were predicted and by when their truth came.

Windows go by Unix time here, as predictions and truths have it: what waits in a store may have been answered before the
last boot. Each has at most so many panes: sums of scores and errors are large.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.performance.joining import Joining, Usable
from exporter.performance.measures import measured
from exporter.performance.tally import Tally
from exporter.performance.task import OTHER, Rows, Task
from exporter.performed import BY, LAG_BOUNDS, Counted, Judged
from exporter.sketch.coarse import CoarseWindows
from exporter.truths import Joined
from exporter.values import format_duration

_PANES: Final = 30
"""Of a window."""
_OPENED, _JOINED, _UNUSABLE, _LAG_MS = range(4)
_LAG_BOUNDS_MS: Final = [bound * 1e3 for bound in LAG_BOUNDS]
_PREDICTION, _ARRIVAL = BY
Arrays = Mapping[str, NDArray[Any]]


class Judging:
    """Of one model and task."""

    def __init__(
        self, task: Task, settings: Performance, pane_s: float, hashed: Callable[[str], str] | None = None
    ) -> None:  # fmt: skip
        """`hashed` gives what classes are called here, where that is not what people call them."""
        self._task, self._enough, self._costs = task, settings.minimum_samples, settings.costs
        self._joining, self._tally = Joining(task, hashed), Tally(task)
        self._windows = {by: _windows(settings, pane_s, self._tally.size) for by in BY}
        self._rows = {by: _windows(settings, pane_s, 1) for by in BY}
        """How many, of each pane."""
        self._opened = _windows(settings, pane_s, 1)
        self._totals = np.zeros(self._tally.size, np.int64)
        self._counts = np.zeros(_LAG_MS + 1, np.int64)
        self._lag = np.zeros(len(LAG_BOUNDS) + 1, np.int64)
        self._held = np.zeros(1, np.int64)
        """The number of the last one that the windows had when they were held; what comes again up to it is in them."""
        self._newest = np.zeros(1, np.int64)
        """And of the last one that they have now."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry the task."""
        prefix = f"{prefix}.{self._task.fingerprint}"
        kept = {
            f"{prefix}.totals": self._totals, f"{prefix}.counts": self._counts, f"{prefix}.lag": self._lag,
            f"{prefix}.held": self._held, f"{prefix}.newest": self._newest,
        }  # fmt: skip
        for name, windows in self._every(prefix):
            kept |= windows.arrays(name)
        return kept

    def _every(self, prefix: str) -> Iterator[tuple[str, CoarseWindows]]:
        yield f"{prefix}.opened", self._opened
        for by in BY:
            yield f"{prefix}.rows.{by}", self._rows[by]
            yield f"{prefix}.{by}", self._windows[by]

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time; no counts since start."""
        prefix = f"{prefix}.{self._task.fingerprint}"
        yield f"{prefix}.newest", self._newest.copy()
        for name, windows in self._every(prefix):
            yield from windows.held(name, wall_s).items()

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with windows that were held, unless there is anything in them already."""
        prefix = f"{prefix}.{self._task.fingerprint}"
        newest = held.get(f"{prefix}.newest")
        self._opened.put_back(held, f"{prefix}.opened", 0.0, wall_s)
        if newest is None or newest.shape != (1,) or self._newest[0]:
            return
        for name, windows in self._every(prefix):
            if windows is not self._opened:
                windows.put_back(held, name, 0.0, wall_s)
        self._held[0] = self._newest[0] = newest[0]

    # in

    def opened(self, at_s: NDArray[np.float64]) -> None:
        """Count predictions that wait for their truth from now on, by their Unix times."""
        self._counts[_OPENED] += at_s.size
        for at, rows in zip(*np.unique(at_s, return_counts=True), strict=True):
            self._opened.add(float(at), np.array([rows]))

    def join(self, joined: Sequence[Joined], wall_s: float) -> Usable:
        """Add what was joined; those that can be of this model, for whoever else counts them."""
        usable = self._joining.usable(joined)
        self._counts[_UNUSABLE] += len(joined) - len(usable.joined)
        self._counts[_JOINED] += len(usable.joined)
        lags = np.array([max(one.told_ms - one.at_ms, 0) for one in usable.joined], np.int64)
        self._counts[_LAG_MS] += lags.sum()
        self._lag += np.bincount(np.searchsorted(_LAG_BOUNDS_MS, lags), minlength=self._lag.size)
        self._totals += self._add(usable, wall_s)
        return usable

    def rejoin(self, joined: Sequence[Joined], wall_s: float) -> Usable:
        """Have windows hold what was joined before this run, as far as they do not; counts since start go not back."""
        usable = self._joining.usable([one for one in joined if one.number > self._held[0]])
        self._add(usable, wall_s)
        return usable

    def _add(self, usable: Usable, wall_s: float) -> NDArray[np.int64]:
        """Add rows to windows, pane by pane; the sum of all."""
        total = np.zeros_like(self._totals)
        if not usable.joined:
            return total
        self._newest[0] = max(int(self._newest[0]), usable.joined[-1].number)
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
        """Every window that ends at a Unix time."""
        for by in BY:
            for length in self._windows[by].lengths:
                yield self._judge(by, length, wall_s)

    def _judge(self, by: str, length: float, wall_s: float) -> Judged:
        window, samples = format_duration(length), int(self._rows[by].total(wall_s, length)[0])
        predicted = int(self._opened.total(wall_s, length)[0]) if by == _PREDICTION else samples
        if not samples:
            return Judged(by, window, 0, predicted, False, ())
        words = self._windows[by].total(wall_s, length)
        enough = int(self._tally.view(words).all.rows) >= self._enough
        return Judged(by, window, samples, max(predicted, samples), enough, measured(self._task, words, self._costs))


def _windows(settings: Performance, pane_s: float, size: int) -> CoarseWindows:
    return CoarseWindows(settings.windows, pane_s, _PANES, (size,), np.int64)


def _together(places: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Rows that are in the same panes of all windows."""
    _, group = np.unique(np.concatenate(places, axis=1), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
