"""The thread of one dependency: it probes at its own pace, and tells what it found.

The first probe comes at a random moment of the first interval, or of its first half minute, and every pause differs by
up to a tenth: neither the dependencies of one exporter nor a thousand exporters that start together ask at one moment.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from exporter.dependencies import Dependency
from exporter.probing.findings import Attempt, Deadline, Failed, Finding, told

_GRACE_S: Final = 1.0
"""A probe ends by itself when its time is over, unless it hangs where nothing can be interrupted."""
_FIRST_S: Final = 30.0
_SPREAD: Final = 0.1
_MOST_WAITING: Final = 64
"""Findings that nobody has taken; there are more where the analyser's loop hangs, which ends it."""


def first_pause(interval_s: float) -> float:
    """Seconds until the first probe."""
    return random.uniform(0.0, min(interval_s, _FIRST_S))  # noqa: S311 (to be spread, not secret)


def next_pause(interval_s: float, took_s: float) -> float:
    """Seconds from the end of a probe that took so long until the next one."""
    spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 (as above)
    return max(0.0, interval_s * spread - took_s)


class _Running(NamedTuple):
    """A probe under way."""

    number: int
    begun: float
    deadline: Deadline


class Pacer:
    """One dependency; `run` is its thread's, `take` anybody else's."""

    def __init__(self, asked: Dependency, attempt: Attempt) -> None:
        self.name = asked.name
        self._asked = asked
        self._attempt = attempt
        self._found: deque[tuple[int, Finding]] = deque(maxlen=_MOST_WAITING)
        self._running: _Running | None = None
        self._given_up = -1
        """The number of the last probe that was."""

    def run(self, stop: threading.Event) -> None:
        """Probe until `stop`."""
        number, pause_s = 0, first_pause(self._asked.interval)
        while not stop.wait(pause_s):
            begun = time.monotonic()
            finding = self._probe(_Running(number, begun, Deadline(self._asked.timeout)))
            self._running = None  # first: what is found is not given up as well
            self._found.append((number, finding))
            number, pause_s = number + 1, next_pause(self._asked.interval, time.monotonic() - begun)

    def _probe(self, running: _Running) -> Finding:
        self._running = running
        failure, expiry_s = Failed("", ""), 0.0
        try:
            expiry_s = self._attempt(running.deadline)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what became of this probe)
            failure = told(error)
        return Finding(failure.reason, str(failure), time.monotonic() - running.begun, time.time(), expiry_s)

    def take(self, now_s: float) -> Iterator[Finding]:
        """What was found since the last time; of a probe that hangs that it does, once."""
        while self._found:
            number, finding = self._found.popleft()
            if number != self._given_up:
                yield finding
        running = self._running
        waited_s = self._asked.timeout + _GRACE_S
        if running is not None and running.number != self._given_up and now_s - running.begun > waited_s:
            self._given_up = running.number
            yield _given_up(running, now_s)


def _given_up(running: _Running, now_s: float) -> Finding:
    """What is said of a probe that hangs. What it finds later is not counted."""
    if running.deadline.resolving:
        return Finding("dns", "its name was not found in time", now_s - running.begun, time.time())
    return Finding("timeout", "no answer in time", now_s - running.begun, time.time())
