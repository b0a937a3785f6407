"""Between the models and whatever keeps predictions until the truth comes: out go those, in comes what was joined.

What is joined has numbers that count up. What has been added, and what has not, is told by one of them: it is kept, and
committed, together with the sums, for each store; so each is added once, whoever dies, and whichever store is gone back
to. A store that is new to a run has windows take what earlier runs had joined, and counters nothing of it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor import Monitor
from exporter.monitor.models import Models
from exporter.performance.task import Task
from exporter.records import Label
from exporter.truths import Joined, Prediction

_STORE, _APPLIED, _BEFORE = range(3)
_MOST_STORES: Final = 8


class Late:
    """Of all models."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._stores = np.zeros((_MOST_STORES, _BEFORE + 1), np.int64)
        """Of each store of this run, the newest first: a hash of its name; the number that was added last; the last one
        of earlier runs."""
        self._marks = self._stores[0]
        """Of the store there is."""
        self._strangers = np.zeros(1, np.int64)
        self.own: dict[str, NDArray[Any]] = {"late": self._stores, "late.strangers": self._strangers}

    @property
    def applied(self) -> int:
        """The number of the last one that was added."""
        return int(self._marks[_APPLIED])

    @property
    def strangers(self) -> int:
        """Joined predictions of models that are not watched here."""
        return int(self._strangers[0])

    def begin(self, last_number: int, store: str) -> None:
        """Go on, once; `last_number` is the store's, before it has joined anything for this process.

        One that is lower than what was added is of a store that was begun anew, or that has lost its last ones.
        """
        name = _mark_of(store)
        known = np.flatnonzero(self._stores[:, _STORE] == name)
        if known.size:
            self._marks = self._stores[known[0]]
            self._marks[_APPLIED:] = np.minimum(self._marks[_APPLIED:], last_number)
        else:
            self._stores[1:] = self._stores[:-1].copy()
            self._marks = self._stores[0]
            self._marks[:] = name, 0, last_number

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
                found = monitor.performing.rejoin(some, wall_s)
                if monitor.valuing:
                    monitor.valuing.add_again(found, wall_s)
        for monitor, some in self._by_model(new[len(before) :]):
            if monitor and monitor.performing:
                found = monitor.performing.join(some, wall_s)
                if monitor.valuing:
                    monitor.valuing.add_feedback(found, wall_s)
            else:
                self._strangers += len(some)
        self._marks[_APPLIED] = new[-1].number

    def _by_model(self, joined: Sequence[Joined]) -> Iterator[tuple[Monitor | None, Sequence[Joined]]]:
        """Whose they are, each one's in the order of numbers."""
        for owner, some in groupby(sorted(joined, key=lambda one: one.owner), key=lambda one: one.owner):
            watched = self._models.returning(Label(owner.model, owner.version))
            if watched:
                self._models.changed.add(watched.title)
            yield watched.monitor if watched else None, list(some)


def _mark_of(store: str) -> int:
    """Never 0, which is no store's."""
    return int.from_bytes(hashlib.blake2b(store.encode("utf-8", "surrogatepass"), digest_size=7).digest()) + 1
