"""Evidence of drift in what one model is asked and answers: each pane's counts, once the pane is over."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from exporter.config import Settings
from exporter.evidence.engine import Engine
from exporter.evidence.planned import Planned
from exporter.evidence.streams import of_column
from exporter.evidence.terms import Terms
from exporter.evidence.verdict import Verdict
from exporter.guarantees import Evidence
from exporter.monitor.batch import Scope
from exporter.monitor.grouping import called
from exporter.monitor.predicting import Hindsight
from exporter.reference import Profile
from exporter.sketch.window import Arrays

_NAME: Final = "evidence"
_WEEK_S: Final = 7 * 86400.0


def same_clock(at: float) -> float:
    """Where exchanges are timed by Unix time."""
    return at


class Watching(NamedTuple):
    """How evidence is gathered and truth is waited for, whatever the model."""

    settings: Evidence = Evidence()
    wall: Callable[[float], float] = same_clock
    """Unix time of a moment on the clock of exchanges."""
    planned: Planned = Planned(())
    hindsight: Hindsight = Hindsight()


WATCHING: Final = Watching()


def watching(settings: Settings, wall: Callable[[float], float]) -> Watching:
    """What the operator says of it."""
    hindsight = Hindsight(
        settings.feedback.enable, settings.performance, settings.values, settings.staleness, settings.loops,
        settings.feedback.is_shared,
    )  # fmt: skip
    return Watching(settings.evidence, wall, Planned(settings.evidence.planned), hindsight)


class Counting(NamedTuple):
    """One side."""

    scope: Scope
    totals: NDArray[np.int64]
    """What is counted since start, shape (columns, bins)."""


class Gathering:
    """Of features and outputs, as they are compared with one profile."""

    def __init__(self, profile: Profile, counting: Sequence[Counting], pane_s: float, watching: Watching) -> None:
        self._totals, self._pane_s, self._wall = [one.totals for one in counting], pane_s, watching.wall
        streams = [of_column(column, said, _weeks(profile)) for scope, _ in counting
                   for column, said in zip(scope.columns, scope.said, strict=True)]  # fmt: skip
        key = watching.settings.group_key
        self._name = f"{_NAME}.{pane_s:g}" + (f".{called(key)}" if key else "")
        terms = Terms(watching.settings, pane_s, _zone(profile), watching.planned.during, key is not None)
        self._engine = Engine(streams, terms)
        self._seen: NDArray[np.int64] = np.zeros((len(streams), max(len(one.counts) for one in streams)), np.int64)
        """What was counted when the last pane ended."""
        self._pane: NDArray[np.int64] = np.zeros(1, np.int64)
        """The one that is not over; 0 before the first."""
        self._told: Verdict | None = None
        """What was said since the last pane ended."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry how wide panes are, and by what rows are grouped."""
        prefix = f"{prefix}.{self._name}"
        return {**self._engine.arrays(prefix), f"{prefix}.seen": self._seen, f"{prefix}.pane": self._pane}

    def held(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """What is to be kept for another time."""
        return self._engine.held(self._name)

    def put_back(self, held: Arrays) -> bool:
        """Go on with what was held; whether it fitted."""
        self._told = None
        return self._engine.put_back(held, self._name)

    # in

    def advance(self, now: float) -> None:
        """Take what was counted since the last pane ended, if that is over at `now`; what waits must be counted."""
        pane = int(now // self._pane_s) + 1  # none is 0
        begun, self._pane[0] = int(self._pane[0]), max(pane, self._pane[0])
        if not begun:
            self._new()  # what was counted while nobody gathered evidence is none
        if 0 < begun < pane:
            self._told = None
            self._engine.pane(self._new(), self._wall((begun - 1) * self._pane_s))

    def _new(self) -> NDArray[np.int64]:
        counted = np.zeros_like(self._seen)
        start = 0
        for totals in self._totals:
            columns, bins = totals.shape
            counted[start : start + columns, :bins] = totals
            start += columns
        new = counted - self._seen
        self._seen[...] = counted
        return new

    # out

    def told(self, now: float) -> Verdict | None:
        """What there is to say; features first, then outputs."""
        if self._told is None:
            self._told = self._engine.told(self._wall(now))
        return self._told


def _zone(profile: Profile) -> tzinfo:
    """The one in which the profile counts hours."""
    try:
        return ZoneInfo(profile.time.zone) if profile.time else UTC
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return UTC


def _weeks(profile: Profile) -> float:
    """Of which the profile has the hours."""
    return max(1.0, (profile.time.last - profile.time.first) / _WEEK_S) if profile.time else 1.0


def gathering(
    profile: Profile | None, counting: Sequence[Counting], pane_s: float, watching: Watching
) -> Gathering | None:  # fmt: skip
    """None where there is nothing to compare with, or nobody wants it."""
    return Gathering(profile, counting, pane_s, watching) if profile and counting and watching.settings.enable else None
