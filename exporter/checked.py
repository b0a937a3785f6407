"""The nouns of what became of golden requests. Plain data, as in `snapshots`."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from exporter.snapshots import Histogram

FAILING_FOR: Final = (1, 2, 3)
"""Of how many cases is told that they have failed so many times one after the other, at the least."""


class CaseChecked(NamedTuple):
    """How one golden request was answered last by a version."""

    name: str
    failed_times: int
    """How often it has failed one after the other by now; 0 where it passed."""
    reason: str = ""
    """Of the last failure, as is the next; empty where this process has seen none."""
    detail: str = ""
    """Where the answer differs, what was expected and what came."""


class VersionChecked(NamedTuple):
    """How one version answers golden requests."""

    model: str
    version: str
    asked: int
    """Cases that it has answered, or should have, each counted once, as are those that fail."""
    failing: Mapping[int, int]
    """By FAILING_FOR."""
    cases: tuple[CaseChecked, ...]
    """Those that are shown one by one."""
    passed: int
    """Requests since start, as the next two."""
    failed: Mapping[str, int]
    """By reason."""
    duration: Histogram
    right_wall_s: float
    """Unix time of the last round at whose end no case was failing; 0 before that."""


class GoldenChecked(NamedTuple):
    """All of them."""

    interval_s: float
    cases: int
    """In the file."""
    fault: str
    """Why the file as it is now cannot be used; empty where it is in force."""
    rounds: int
    """That are complete, since start."""
    unreachable: int
    """That ended because the server was not reached."""
    round_wall_s: float
    """Unix time at which the last complete one ended; 0 before that."""
    versions: tuple[VersionChecked, ...] = ()
