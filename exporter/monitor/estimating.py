"""How good one model is by its scores alone, for as long as nobody knows the truth: an estimate, never a page."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.performance.estimates import Estimates, estimable
from exporter.performance.task import Task
from exporter.performed import Estimated
from exporter.sketch.coarse import CoarseWindows
from exporter.target import Target
from exporter.values import format_duration

_PANES: Final = 30
"""Of a window."""
Arrays = Mapping[str, NDArray[Any]]


class Estimating:
    """Of one model, its task and its profile's target."""

    def __init__(self, task: Task, target: Target, settings: Performance, pane_s: float) -> None:
        """They must be `estimable`."""
        self._estimates = Estimates(task, target)
        self._name = f"estimates.{self._estimates.fingerprint}"
        self._windows = CoarseWindows(settings.windows, pane_s, _PANES, (self._estimates.size,), np.int64)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry the task and how scores are calibrated."""
        return self._windows.arrays(f"{prefix}.{self._name}")

    def held(self, prefix: str, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What is to be kept for another time."""
        yield from self._windows.held(f"{prefix}.{self._name}", now).items()

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held, as far as it fits. The clock showed `shift_s` less."""
        self._windows.put_back(held, f"{prefix}.{self._name}", shift_s, now)

    # in

    def add(self, said: NDArray[np.float64], at: float) -> None:
        """Take answers of the moment `at`, shape (rows, width) as in `performance.task.Rows`, with an id or without."""
        if len(said):
            self._windows.add(at, self._estimates.of(said))

    # out

    def snapshot(self, now: float) -> tuple[Estimated, ...]:
        """Every window that ends now; those without answers are left out."""
        return tuple(self._estimated(now))

    def _estimated(self, now: float) -> Iterator[Estimated]:
        for length in self._windows.lengths:
            words = self._windows.total(now, length)
            samples = self._estimates.samples(words)
            if samples:
                yield Estimated(format_duration(length), samples, self._estimates.measures(words))


def estimating(task: Task | None, target: Target | None, settings: Performance, pane_s: float) -> Estimating | None:
    """None where scores are not known to be probabilities."""
    if task is None or target is None or not estimable(task, target):
        return None
    return Estimating(task, target, settings, pane_s)
