"""What is known of one dependency: counts, and how it was at the last probe. One thread's."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.condition import DependencyState
from exporter.dependencies import Dependency
from exporter.probing.findings import Finding
from exporter.records import DEPENDENCY_FAILURES

_PROBES, _OUTCOME, _DURATION_NS, _SUCCESS_NS, _EXPIRY_S = range(5)
_FIRST_FAILURE: Final = 5
_SIZE: Final = _FIRST_FAILURE + len(DEPENDENCY_FAILURES)
_UNKNOWN, _UP, _FIRST_DOWN = range(3)
"""Outcomes: no probe yet, up, and then the failures."""


class Standing:
    """Counts in an array that can be kept: an exporter that goes on knows what was the last one's state."""

    def __init__(self, asked: Dependency) -> None:
        self._asked = asked
        self._detail = ""
        self.counts: NDArray[np.int64] = np.zeros(_SIZE, np.int64)
        said = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
        self.key = f"dependency {said}"
        """It says what is probed and how, not where: an address may hold a secret."""

    def count(self, found: Finding) -> str:
        """Take in what a probe found; a line for the log where that is news."""
        before = int(self.counts[_OUTCOME])
        after = _FIRST_DOWN + DEPENDENCY_FAILURES.index(found.failure) if found.failure else _UP
        self.counts[_PROBES] += 1
        self.counts[_OUTCOME] = after
        self.counts[_DURATION_NS] = round(found.duration_s * 1e9)
        self._detail = found.detail
        if found.failure:
            self.counts[_FIRST_FAILURE + after - _FIRST_DOWN] += 1
        else:
            self.counts[_SUCCESS_NS] = round(found.wall_s * 1e9)
            self.counts[_EXPIRY_S] = round(found.expiry_wall_s)
        return self._news(before, after, found)

    def _news(self, before: int, after: int, found: Finding) -> str:
        where = f"dependency {self._asked.name} ({self._asked.shown})"
        if after == _UP:
            return f"{where} is up again" if before > _UP else ""
        return "" if before == after else f"{where} is down: {found.failure}, {found.detail}"

    def snapshot(self) -> DependencyState:
        """How it is."""
        values = self.counts.tolist()
        outcome = values[_OUTCOME]
        failure = None if outcome == _UNKNOWN else "" if outcome == _UP else DEPENDENCY_FAILURES[outcome - _FIRST_DOWN]
        return DependencyState(
            name=self._asked.name,
            place=self._asked.shown,
            failure=failure,
            detail=self._detail,
            duration_s=values[_DURATION_NS] / 1e9,
            success_wall_s=values[_SUCCESS_NS] / 1e9,
            probes=values[_PROBES],
            failures=dict(zip(DEPENDENCY_FAILURES, values[_FIRST_FAILURE:], strict=True)),
            expiry_wall_s=float(values[_EXPIRY_S]),
        )
