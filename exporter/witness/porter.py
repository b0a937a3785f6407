"""Carries things to where it may be slow: bounded, batch by batch, in a thread that nobody waits for.

Whoever puts something in never takes a lock but to wake a thread that sleeps: each side has numbers of its own.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

_LOG = logging.getLogger("exporter.witness")
QUEUE_FULL: Final = "queue_full"
_LONGEST_PAUSE_S: Final = 30.0
_FIRST_PAUSE_S: Final = 0.5
_SAY_EVERY_S: Final = 60.0


class Limits(NamedTuple):
    """How much waits, and for how long."""

    most: int
    """Weight of all that waits."""
    batch: int
    """Weight of what is carried at once."""
    linger_s: float
    """How long the first of a batch waits for others."""
    attempts: int = 1
    """How often a batch is tried that may be taken another time."""


class Outcome(NamedTuple):
    """What became of a batch."""

    reason: str = ""
    """Why it was not taken; empty where it was."""
    words: str = ""
    lost: int = -1
    """How many of its last were not; all where negative."""
    is_final: bool = True
    """Whether to try again is in vain."""


DELIVERED: Final = Outcome()


class Porter:
    """Of one kind of things, each of which has a weight."""

    def __init__(self, name: str, deliver: Callable[[Sequence[Any]], Outcome], limits: Limits) -> None:
        """`deliver` is called by the thread, and may take its time; what it raises is an outcome, too."""
        self._name, self._deliver, self._limits = name, deliver, limits
        self._waiting: deque[tuple[Any, int]] = deque()
        self._put = self._taken = 0
        self._wake, self._ending, self._over = threading.Event(), threading.Event(), threading.Event()
        self._said_at, self._last_words = -_SAY_EVERY_S, ""
        self.offered = self.delivered = 0
        """Since the start, as the next; the one is the putting side's, the others the thread's."""
        self.dropped: Counter[str] = Counter()
        """By the thread; `refused` by who puts."""
        self.refused: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # who puts

    def put(self, thing: object, weight: int = 1) -> None:
        """Have it carried, if there is room."""
        self.offered += 1
        if self._put - self._taken + weight > self._limits.most:
            self.refused[QUEUE_FULL] += 1
            return
        self._put += weight
        self._waiting.append((thing, weight))
        if self._put - self._taken >= self._limits.batch and not self._wake.is_set():
            self._wake.set()

    def refuse(self, reason: str) -> None:
        """Count one that cannot be carried at all."""
        self.offered += 1
        self.refused[reason] += 1

    def counted(self) -> tuple[int, int, Mapping[str, int]]:
        """Offered, delivered, and dropped by reason, since the start."""
        return self.offered, self.delivered, self.refused + Counter(dict(self.dropped))

    def end(self) -> None:
        """Take nothing more, and try nothing again."""
        self._ending.set()
        self._wake.set()

    def finish(self, patience_s: float) -> None:
        """Carry what waits, as far as it takes no longer."""
        self.end()
        self._over.wait(max(patience_s, 0.0))

    # the thread

    def _run(self) -> None:
        while True:
            self._wake.wait(self._limits.linger_s)
            self._wake.clear()
            is_last = self._ending.is_set()
            while batch := self._batch():
                self._carry(batch)
            if is_last:
                break
        self._over.set()

    def _batch(self) -> list[Any]:
        """What is carried next."""
        found: list[Any] = []
        weight = 0
        while self._waiting and weight < self._limits.batch:
            thing, own = self._waiting.popleft()
            found.append(thing)
            weight += own
        self._weight = weight
        return found

    def _carry(self, batch: Sequence[Any]) -> None:
        pause_s = _FIRST_PAUSE_S
        for attempt in range(1, self._limits.attempts + 1):
            outcome = self._tried(batch)
            if outcome.is_final or attempt == self._limits.attempts or self._ending.wait(pause_s):
                break
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        lost = 0
        if outcome.reason:
            lost = len(batch) if outcome.lost < 0 else outcome.lost
            self.dropped[outcome.reason] += lost
            self._say(outcome, lost)
        self.delivered += len(batch) - lost
        self._taken += self._weight

    def _tried(self, batch: Sequence[Any]) -> Outcome:
        try:
            return self._deliver(batch)
        except Exception as error:  # noqa: BLE001 (whatever it is, the next batch may do)
            return Outcome("io", f"{type(error).__name__}: {error}")

    def _say(self, outcome: Outcome, lost: int) -> None:
        """Why something was lost, once in a while."""
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY_S or outcome.words != self._last_words:
            self._said_at, self._last_words = now, outcome.words
            _LOG.warning("%s: %d lost (%s): %s", self._name, lost, outcome.reason, outcome.words)
