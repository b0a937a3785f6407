"""Asking for a model to be trained again: an event over HTTP, once an episode (docs/retraining.md).

The loop calls all of this but `desk`. What is decided is committed, then kept on disk, and sent after that alone.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from flask import Flask
from numpy.typing import NDArray

from exporter.config import Settings
from exporter.records import Label
from exporter.retrain import keeping
from exporter.retrain.alerts import Desk, Firing
from exporter.retrain.deciding import Deciding, Watched
from exporter.retrain.delivery import Delivery
from exporter.retrain.keeping import Files, Kept
from exporter.retrain.posting import Sender
from exporter.retrained import ALERT_OUTCOMES, FAILURES, OUTCOMES, SUPPRESSIONS, Retrained
from exporter.state.image import Unreadable
from exporter.web import alerts

_LOG = logging.getLogger("exporter.retrain")
_KEEP_EVERY_S: Final = 60.0
_PATIENCE_S: Final = 2.0
_RETRIED: Final = "retried"
_WORDS: Final = (
    *(("event", word) for word in OUTCOMES), *(("failure", word) for word in FAILURES), ("post", _RETRIED),
    *(("suppressed", word) for word in SUPPRESSIONS), *(("alert", word) for word in ALERT_OUTCOMES),
)  # fmt: skip
"""What is counted, in the order of the array."""


class Retraining:
    """One analyser's."""

    def __init__(self, settings: Settings, seats: "memoryview[int]") -> None:
        """`seats` is the board, for faults of the disk."""
        said, state, most = settings.retrain, settings.state.directory, settings.models.limit
        self._counts = np.zeros(len(_WORDS), np.int64)
        self._room = keeping.room()
        self._deciding = Deciding(said, settings.performance.windows, most, lasts=state is not None)
        self._delivery = Delivery(said, Sender(said).post, Files(state, seats) if state else None)
        self._alerts = Desk(said.alerts_on, time.time)
        self.desk = self._alerts if said.alerts else None
        self._has_resumed, self._waits = False, False
        self._marks: list[object] = []
        self._content = self._handed = b""
        self._due = 0.0
        self._fault = ""

    def open(self, app: Flask) -> None:
        """Have alerts taken by an application, if they are."""
        alerts.add(app, self.desk)

    @property
    def most_bytes(self) -> int:
        """Longest body of a POST."""
        return self.desk.most_bytes if self.desk else 0

    @property
    def own(self) -> dict[str, NDArray[Any]]:
        """To be committed with all else."""
        return {"retrain_counts": self._counts, "retrain": self._room}

    def look(self, models: Iterable[Watched], wall_s: float) -> bool:
        """Decide what is to be asked; whether there is anything that a commit should have."""
        try:
            return self._look(list(models), wall_s)
        except Exception as error:  # noqa: BLE001 (whatever is wrong here, models are watched all the same)
            words = f"{type(error).__name__}: {error}"
            if words != self._fault:
                _LOG.exception("whether to train again was not decided")
            self._fault = words
            return False

    def _look(self, models: list[Watched], wall_s: float) -> bool:
        self._alerts.know(one.label.model for one in models)
        if not self._resumed():
            self._count("suppressed", {"state": not self._waits})
            self._waits = True
            return False
        for report in self._delivery.reports():
            self._count("failure", {report.failure: 1} if report.failure else {})
            self._count("post", {_RETRIED: int(report.is_retry)})
            if report.ending:
                self._count("event", {report.ending: 1})
                self._deciding.over(report.event)
        firing = self._alerts.firing()
        self._deciding.look(models, firing.values(), wall_s)
        self._count("suppressed", self._taken(self._deciding.suppressed))
        self._count("event", self._taken(self._deciding.endings))
        self._count("alert", self._alerts.counted())
        return self._pack(firing)

    @staticmethod
    def _taken(counts: Counter[str]) -> Counter[str]:
        found = Counter(counts)
        counts.clear()
        return found

    def _count(self, kind: str, counts: Mapping[str, int]) -> None:
        for word, count in counts.items():
            self._counts[_WORDS.index((kind, word))] += count

    def _resumed(self) -> bool:
        """Whether it is known what was asked before: the ledger says it, or else the disk."""
        if self._has_resumed:
            return True
        content = keeping.taken(self._room) or self._delivery.found()
        if content is None:
            return False
        self._has_resumed = True
        if content:
            self._resume(content)
        return True

    def _resume(self, content: bytes) -> None:
        try:
            kept = keeping.unpacked(content)
        except Unreadable as error:
            _LOG.error("who was asked before cannot be read: %s", error)
            return
        self._deciding.resume(kept.memories, kept.events)
        self._alerts.resume(kept.firing)

    def _pack(self, firing: Mapping[str, Firing]) -> bool:
        """Make what is to be kept anew where it has changed, or it is time."""
        marks = [*self._deciding.marks(), *firing]
        if marks == self._marks and time.monotonic() < self._due:
            return False
        self._marks, self._due = marks, time.monotonic() + _KEEP_EVERY_S
        self._content = keeping.packed(Kept(self._deciding.memories, self._deciding.events, firing))
        if not keeping.put(self._content, self._room):
            _LOG.warning("who was asked has no room in the ledger: %d bytes", len(self._content))
        return True

    def hand_over(self) -> None:
        """After a commit: have what it has kept on disk, and sent."""
        if self._content is not self._handed:
            self._delivery.hand_over(self._content, self._deciding.events)
            self._handed = self._content

    def snapshot(self) -> Retrained:
        """How it is now."""
        counted = dict(zip(_WORDS, self._counts.tolist(), strict=True))

        def of(kind: str) -> dict[str, int]:
            return {word: count for (one, word), count in counted.items() if one == kind}

        return Retrained(
            models=self._deciding.shown,
            events=of("event"),
            waiting=len(self._deciding.events),
            retried=counted["post", _RETRIED],
            failures=of("failure"),
            suppressed=of("suppressed"),
            alerts=of("alert") if self.desk else None,
        )

    def finish(self) -> None:
        """Have kept what is to be kept."""
        self.hand_over()
        self._delivery.finish(_PATIENCE_S)


class NoRetraining:
    """Where nobody is asked."""

    most_bytes = 0
    own: Final[dict[str, NDArray[Any]]] = {}

    def open(self, app: Flask) -> None:
        """Nobody wants alerts."""
        alerts.add(app, None)

    def look(self, models: Iterable[Watched], wall_s: float) -> bool:  # noqa: ARG002 (as the other one)
        """Nothing to decide."""
        return False

    def hand_over(self) -> None:
        """Nothing to send."""

    def snapshot(self) -> None:
        """Nothing to count."""

    def finish(self) -> None:
        """Nothing to finish."""


def watched(shown: Iterable[Any]) -> Iterable[Watched]:
    """Models of which anything may be found: they serve somebody, and are compared with a profile."""
    return [Watched(Label(*one.label), one.profile, one.snapshot) for one in shown if one.profile and one.is_served]


def of(settings: Settings, seats: "memoryview[int]") -> Retraining | NoRetraining:
    """What the settings say."""
    return Retraining(settings, seats) if settings.retrain.enable else NoRetraining()
