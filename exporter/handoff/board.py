"""What the supervisor lets its children read about the whole: process ids and restarts."""

import enum
from typing import Final

from exporter.handoff import memory


class Seat(enum.IntEnum):
    """Numbers on the board."""

    SUPERVISOR_PID = 0
    ANALYSER_PID = enum.auto()
    ANALYSER_HEARTBEAT_NS = enum.auto()
    STARTED_WALL_NS = enum.auto()
    SUPERVISOR_LOG_LINES_LOST = enum.auto()
    ANALYSER_LOG_LINES_LOST = enum.auto()
    RELOAD_FAILED = enum.auto()
    RELOADED_WALL_NS = enum.auto()
    ANALYSER_RESTARTS = 64
    """One for each of `RESTART_REASONS`."""
    STATE_ERRORS = 72
    """One for each of `STATE_ERRORS`."""
    STATE_RESTORED = 80
    STATE_KEPT_WALL_NS = enum.auto()
    STATE_KEPT_BYTES = enum.auto()
    PROFILE_ERRORS = 88
    """Looks at the place of the one profile that gave nothing usable, but for those that found nothing at all."""
    PROFILE_LOOKED = enum.auto()
    """Whether there is such a place: 0 or 1, as the next two."""
    PROFILE_FOUND = enum.auto()
    """Whether the last look there found a usable one."""
    PROFILE_KEPT = enum.auto()
    """Whether that in force is what an earlier run kept."""
    PROFILE_FOUND_WALL_NS = enum.auto()
    """When a usable one was found there last."""
    EVENTS_RECEIVED = 96
    EVENTS_REFUSED = enum.auto()
    """One for each of `EVENT_REFUSALS`."""
    WEB_REFUSED = 112
    """One for each of `WEB_REFUSALS`."""
    MERGE_ERRORS = 128
    """One for each of `MERGE_ERRORS`."""
    MERGE_REFUSED = 144
    """One for each of `MERGE_REFUSALS`."""
    FEEDBACK_PREDICTIONS = 160
    """Handed over to be kept."""
    FEEDBACK_TRUTHS = enum.auto()
    """Received, but for those refused."""
    FEEDBACK_REFUSED = enum.auto()


_SEATS: Final = 192


def create() -> int:
    """A new board's memfd."""
    return memory.create("board", 4096)


def attach(fd: int) -> "memoryview[int]":
    """The board's numbers, by `Seat`."""
    return memory.slots(memory.attach(fd), _SEATS)


def add(seats: "memoryview[int]", seat: int) -> None:
    """Count one more; each number has one writer."""
    seats[seat] += 1
