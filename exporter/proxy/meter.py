"""What the relay itself costs: one read in so many is timed."""

import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from exporter.handoff.tally import Slot, Tally
from exporter.records import HOP_BOUNDS

_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in HOP_BOUNDS)
EVERY: Final = 61
"""One read in so many. A prime: requests and responses alternate, and both must have their turn."""
LOOKS: Final = 7
"""One look in so many is measured: to ask for a thread's CPU time is a system call."""


class Meter:
    """The readings of one worker.

    A hop is the time from the moment the event loop hands us bytes to the return of the call that passes them on: to
    the kernel, or into our buffer where the receiver is slow. What the kernel takes is not in it, nor how long bytes
    wait while the loop serves others. Observation comes afterwards, many reads at a time, and all of it is measured
    apart, as CPU time of the thread.
    """

    __slots__ = ("_slots", "_unmeasured", "left")

    def __init__(self, tally: Tally) -> None:
        self._slots = tally.slots
        self.left = EVERY
        """Reads until the next one that is timed; whoever reads counts it down."""
        self._unmeasured = 0

    def relay(self, write: Callable[[bytes], None], data: bytes) -> None:
        """Forward, timed."""
        self.left = EVERY
        slots = self._slots
        begun = time.perf_counter_ns()
        write(data)
        hop = time.perf_counter_ns() - begun
        slots[Slot.HOP_NS] += hop
        slots[Slot.HOP_BUCKETS + bisect_left(_BOUNDS_NS, hop)] += 1

    def begin(self) -> int:
        """A look at many reads begins: the thread's CPU time, 0 where this one is not measured."""
        if self._unmeasured:
            self._unmeasured -= 1
            return 0
        self._unmeasured = LOOKS - 1
        return time.thread_time_ns()

    def end(self, begun_ns: int) -> None:
        """A look ends; one that was measured stands for those that were not."""
        if begun_ns:
            self.observed(LOOKS * (time.thread_time_ns() - begun_ns))

    def observed(self, cpu_ns: int) -> None:
        """So much more was spent on observation."""
        self._slots[Slot.OBSERVER_NS] += cpu_ns
