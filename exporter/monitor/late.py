"""Between the models and whatever keeps predictions until the truth comes: out go those, in comes what was joined.

What is joined has numbers that count up. What has been added, and what has not, is told by one of them: it is kept, and
committed, together with the sums; so each is added once, whoever dies. A run that begins with nothing has windows take
what earlier runs had joined, and counters nothing of it.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.monitor import Monitor
from exporter.monitor.models import Models
from exporter.performance.task import Task
from exporter.records import Label
from exporter.truths import Joined, Prediction

_BEGUN, _APPLIED, _BEFORE, _STRANGERS = range(4)


class Late:
    """Of all models."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._marks = np.zeros(_STRANGERS + 1, np.int64)
        """Whether it has begun; the number that was added last; the last one of earlier runs; how many were of a model
        that is not watched here."""
        self.own: dict[str, NDArray[Any]] = {"late": self._marks}

    @property
    def has_begun(self) -> bool:
        """Whether it is known what earlier runs had joined."""
        return bool(self._marks[_BEGUN])

    @property
    def applied(self) -> int:
        """The number of the last one that was added."""
        return int(self._marks[_APPLIED])

    @property
    def strangers(self) -> int:
        """Joined predictions of models that are not watched here."""
        return int(self._marks[_STRANGERS])

    def begin(self, last_number: int) -> None:
        """Go on, once; `last_number` is the store's, before it has joined anything for this process.

        A store whose numbers are lower than what was added is another one, and all that it has is new.
        """
        if not self.has_begun:
            self._marks[:] = 1, 0, last_number, self._marks[_STRANGERS]
        elif last_number < self._marks[_APPLIED]:
            self._marks[_APPLIED] = self._marks[_BEFORE] = 0

    def opened(self) -> tuple[list[Prediction], int]:
        """Predictions that came since, and how many more there was no room for; counts must be flushed."""
        found = [watched.opened() for watched in self._models]
        return [one for predictions, _ in found for one in predictions], sum(dropped for _, dropped in found)

    def tasks(self) -> dict[str, Task]:
        """Of each model whose task is known, if its versions have one alike; of the only model under no name, too."""
        found: dict[str, set[Task]] = {}
        for watched in [one for one in self._models if not one.idle] or self._models:
            performing = watched.monitor.performing
            found.setdefault(watched.label.model, set()).update([performing.task] if performing else [])
        if len(found) == 1:
            found[""] = next(iter(found.values()))
        return {model: next(iter(tasks)) for model, tasks in found.items() if len(tasks) == 1}

    def join(self, joined: Sequence[Joined], wall_s: float) -> None:
        """Add what was joined at a Unix time or before, in the order of numbers; those that were added stay out."""
        new = [one for one in joined if one.number > self._marks[_APPLIED]]
        if not new:
            return
        before = [one for one in new if one.number <= self._marks[_BEFORE]]
        for monitor, some in self._by_model(before):
            if monitor and monitor.performing:
                _worth(monitor, monitor.performing.rejoin(some, wall_s), wall_s)
        for monitor, some in self._by_model(new[len(before) :]):
            if monitor and monitor.performing:
                _worth(monitor, monitor.performing.join(some, wall_s), wall_s)
            else:
                self._marks[_STRANGERS] += len(some)
        self._marks[_APPLIED] = new[-1].number

    def _by_model(self, joined: Sequence[Joined]) -> Iterator[tuple[Monitor | None, Sequence[Joined]]]:
        """Whose they are, each one's in the order of numbers."""
        for owner, some in groupby(sorted(joined, key=lambda one: one.owner), key=lambda one: one.owner):
            watched = self._models.returning(Label(owner.model, owner.version))
            if watched:
                self._models.changed.add(watched.title)
            yield watched.monitor if watched else None, list(some)


def _worth(monitor: Monitor, joined: Sequence[Joined], wall_s: float) -> None:
    """Count what truths say that predictions were worth."""
    if monitor.valuing:
        monitor.valuing.add_feedback(joined, wall_s)
