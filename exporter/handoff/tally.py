"""What a worker counts where others can read it: one slot of the ring's head a number.

Every count here survives the worker. A worker that is started again goes on where the last one stopped; what the
last one had begun and not handed over becomes `worker_lost`.
"""

import enum
import mmap
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from exporter.handoff import memory
from exporter.records import DURATION_BOUNDS

_DURATION_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in DURATION_BOUNDS)

UNOBSERVABLE: Final = (
    "http2", "upgrade", "connect", "request_syntax", "response_syntax", "head_limit",
    "pipeline_limit", "unsolicited_response", "observer_error", "limit", "switched_off",
)  # fmt: skip
"""Why a connection is relayed without being observed any longer."""

INCOMPLETE: Final = ("client", "upstream", "shutdown")
"""Who ended a connection while an exchange was under way; `shutdown` is our own, out of patience."""


class Slot(enum.IntEnum):
    """Numbers of the ring's head. The first ones belong to `ring`."""

    MAGIC = 0
    CAPACITY = enum.auto()
    HEAD = enum.auto()
    SEQUENCE = enum.auto()
    TAIL = enum.auto()
    PID = enum.auto()
    HEARTBEAT_NS = enum.auto()
    DRAINING = enum.auto()
    OFFERED = enum.auto()
    RING_FULL = enum.auto()
    WORKER_LOST = enum.auto()
    BODIES_SHED = enum.auto()
    CONNECTIONS = enum.auto()
    CONNECTIONS_OPEN = enum.auto()
    CONNECT_ERRORS = enum.auto()
    BYTES_TO_SERVER = enum.auto()
    BYTES_TO_CLIENT = enum.auto()
    IN_FLIGHT = enum.auto()
    DURATION_NS = enum.auto()
    PENDING = enum.auto()
    TAKEN = enum.auto()
    BODIES_SAMPLED = enum.auto()
    HALVINGS = enum.auto()
    PAUSED = enum.auto()
    """Written by the analyser alone: 1 while nothing is to be observed. The worker that is started again finds it."""
    HOP_NS = enum.auto()
    OBSERVER_NS = enum.auto()
    UNOBSERVABLE = 64
    INCOMPLETE = 96
    DURATION_BUCKETS = 128
    HOP_BUCKETS = 160
    CODES = 192
    """Status codes 100 to 599; anything else is counted as 599 + 1."""
    ACCEPT_ERRORS_DESCRIPTORS = 896
    ACCEPT_ERRORS_MEMORY = enum.auto()
    ACCEPT_ERRORS_TLS = enum.auto()
    ACCEPT_ERRORS_OTHER = enum.auto()
    CLOSED_MAX_CONNECTIONS = enum.auto()
    CLOSED_HEAD_TIMEOUT = enum.auto()
    LOG_LINES_LOST = enum.auto()
    RESTARTS = 960
    """One for each of `RESTART_REASONS`."""


_OFFERED, _DURATION_NS, _CODES, _DURATION_BUCKETS = map(
    int, (Slot.OFFERED, Slot.DURATION_NS, Slot.CODES, Slot.DURATION_BUCKETS)
)
HEAD_BYTES: Final = 8192
SLOTS: Final = HEAD_BYTES // 8


class Tally:
    """A worker's counters over the head of its ring."""

    __slots__ = ("slots",)

    def __init__(self, block: mmap.mmap) -> None:
        self.slots = memory.slots(block, SLOTS)

    def exchanges(self, ended: Sequence[tuple[int, int]]) -> None:
        """Count complete exchanges by status and duration, nanoseconds (before they are offered to the ring)."""
        slots = self.slots
        slots[_OFFERED] += len(ended)
        total = 0
        counts: dict[int, int] = {}  # a slot costs five times what an entry costs
        for status, duration_ns in ended:
            total += duration_ns
            code = _CODES + (status - 100 if 100 <= status < 600 else 500)
            counts[code] = counts.get(code, 0) + 1
            bucket = _DURATION_BUCKETS + bisect_left(_DURATION_BOUNDS_NS, duration_ns)
            counts[bucket] = counts.get(bucket, 0) + 1
        slots[_DURATION_NS] += total
        for slot, count in counts.items():
            slots[slot] += count

    def add(self, slot: int, amount: int = 1) -> None:
        """Add to one counter."""
        self.slots[slot] += amount

    def unobservable(self, reason: str) -> None:
        """Count a connection that is relayed blindly from now on."""
        self.slots[Slot.UNOBSERVABLE + UNOBSERVABLE.index(reason)] += 1

    def incomplete(self, ended_by: str, exchanges: int) -> None:
        """Count exchanges cut off by the end of their connection."""
        self.slots[Slot.INCOMPLETE + INCOMPLETE.index(ended_by)] += exchanges

    def take_over(self, pid: int) -> None:
        """Start as the worker of this ring: settle what a predecessor left open.

        The ring's `Writer` must have been made before: it publishes what the predecessor had written.
        """
        slots = self.slots
        settled = slots[Slot.SEQUENCE] + slots[Slot.RING_FULL] + slots[Slot.WORKER_LOST]
        slots[Slot.WORKER_LOST] += max(slots[Slot.OFFERED] - settled, 0)
        slots[Slot.IN_FLIGHT] = slots[Slot.CONNECTIONS_OPEN] = slots[Slot.DRAINING] = 0
        slots[Slot.PID] = pid
