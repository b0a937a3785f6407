"""The door between the web server's threads and the analyser's loop: bounded, and nobody waits at it.

What comes in is counted on the supervisor's board before it is taken, so that what an analyser takes with it when it
dies is known: all that was received and neither refused nor committed.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from exporter.errors import EventError
from exporter.events.halves import Half
from exporter.handoff.board import Seat
from exporter.records import EVENT_REFUSALS


class Accounts(NamedTuple):
    """Events, counted since start but for those that wait: received = refused + taken + waiting."""

    received: int
    refused: Sequence[int]
    """By EVENT_REFUSALS."""
    waiting: int


class Intake:
    """Halves on their way from threads to the loop."""

    def __init__(self, seats: "memoryview[int]", most_bytes: int) -> None:
        """`seats` are the board's."""
        self._seats = seats
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._halves: deque[Half] = deque()
        self._bytes = 0
        self._closed = False

    def accounts(self) -> Accounts:
        """All of one moment: threads count while the loop asks."""
        first = Seat.EVENTS_REFUSED
        with self._lock:
            refused = self._seats[first : first + len(EVENT_REFUSALS)].tolist()
            return Accounts(self._seats[Seat.EVENTS_RECEIVED], refused, len(self._halves))

    def offer(self, halves: Sequence[Half]) -> None:
        """Hand over what a POST held, all of it.

        EventError: busy, where there is no room now or the end is near; too_large, where there never will be.
        """
        cost = sum(half.cost for half in halves)
        if cost > self._most_bytes:
            raise EventError("too_large", "more than half of events.max_pending, with 2 KiB for each event")
        with self._lock:
            if self._bytes + cost <= self._most_bytes and not self._closed:
                self._halves.extend(halves)
                self._bytes += cost
                self._seats[Seat.EVENTS_RECEIVED] += len(halves)
                return
        raise EventError("busy", "it is ending" if self._closed else "too many events wait to be looked at")

    def refuse(self, error: EventError) -> None:
        """Count what was not taken."""
        with self._lock:
            self._seats[Seat.EVENTS_RECEIVED] += error.events  # first: should we die between, they count as lost
            self._seats[Seat.EVENTS_REFUSED + EVENT_REFUSALS.index(error.reason)] += error.events

    def take(self, most: int, most_bytes: int) -> list[Half]:
        """Take halves, oldest first, up to either bound (at least one)."""
        taken: list[Half] = []
        size = 0
        with self._lock:
            while self._halves and len(taken) < most and size < most_bytes:
                taken.append(self._halves.popleft())
                size += taken[-1].cost
            self._bytes -= size
        return taken

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._closed = True
