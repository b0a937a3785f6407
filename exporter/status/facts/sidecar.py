"""The exporter itself, the model server, what they need, and what failed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failing:
    """Something that failed, kept until others push it out."""

    time: float
    where: str
    """`request payload`, `response payload`, `dependency`, `profile`, `state`, `golden request`, `settings`, `web`."""
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DependencyFacts:
    """Something that the model needs beside its server."""

    name: str
    place: str
    up: bool | None
    """None before the first probe."""
    detail: str
    last_success: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What one process costs."""

    name: str
    cpu_seconds: float
    resident_bytes: int
    started: float


@dataclass(frozen=True, slots=True)
class SidecarFacts:
    """How the exporter itself is, and the model server."""

    version: str
    started: float
    observing: bool
    relaying: bool
    offered: int
    observed: int
    dropped: Mapping[str, int]
    server_up: bool | None
    """None where there is none to look at."""
    server: ProcessFacts | None
    processes: tuple[ProcessFacts, ...]
    dependencies: tuple[DependencyFacts, ...]
    failures: tuple[Failing, ...]
    """The newest first; successes are not kept, so that they push out none."""
    notes: tuple[str, ...] = ()
    """Of settings not in force, windows not kept, and the like: each a sentence."""
