"""Copied bytes that wait to be looked at: a little of the work in each turn of the event loop, in the order they came.

A read of 256 KiB may hold forty thousand chunks or ten thousand requests, and looking at them would hold up every
other connection of the process. Nothing waits for what is put off: the bytes themselves were forwarded before. Time is
the thread's own: a machine that is short of CPU must not look like a connection that costs much.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

SLICE: Final = 4 << 10
"""Looked at in one go whatever it holds, which takes about two milliseconds at the very worst."""
_LONGEST_SLICE: Final = 64 << 10
BUDGET_NS: Final = 1_000_000
"""Of the thread's CPU time, before others have their turn."""
_QUICK_NS: Final = 100_000
"""A slice looked at within this is an ordinary one: the next may be twice as long."""
_MOST_BYTES: Final = 1 << 20
"""A connection that has more than this waiting sends faster than can be followed."""
_MOST_BYTES_OF_ALL: Final = 16 << 20

Look = Callable[[bytes], None]


def _soon(work: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(work)


class Turns:
    """What the connections of one worker have put off: together they get a millisecond in each turn of the loop."""

    __slots__ = ("_account", "_scheduled", "_waiting", "bytes", "soon")

    def __init__(self, account: Callable[[int], None]) -> None:
        """`account` is told what a turn has cost, nanoseconds of CPU time."""
        self._account = account
        self._waiting: deque[Backlog] = deque()
        self._scheduled = False
        self.bytes = 0
        """Of all of them."""
        self.soon: Callable[[Callable[[], None]], None] = _soon

    def add(self, backlog: "Backlog") -> None:
        """Go on with this one later."""
        self._waiting.append(backlog)
        if not self._scheduled:
            self._scheduled = True
            self.soon(self._turn)

    def _turn(self) -> None:
        begun = time.thread_time_ns()
        until = begun + BUDGET_NS
        for _ in range(len(self._waiting)):
            self._waiting.popleft().resume(until)
            if time.thread_time_ns() >= until:
                break
        self._account(time.thread_time_ns() - begun)
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            self.soon(self._turn)


class Backlog:
    """What of one connection is still to be looked at."""

    __slots__ = ("_at", "_bytes", "_done", "_items", "_queued", "_size", "_turns")

    def __init__(self, turns: Turns, done: Callable[[], None]) -> None:
        """`done` is called when nothing is left."""
        self._turns = turns
        self._done = done
        self._items: deque[tuple[Look, bytes]] = deque()
        self._bytes = 0
        self._at = 0
        """How much of the first one was looked at."""
        self._size = SLICE
        self._queued = False

    def room_for(self, data: bytes) -> bool:
        """Whether so much more may wait here."""
        after, of_all = self._bytes + len(data), self._turns.bytes + len(data)
        return not self._items or (after <= _MOST_BYTES and of_all <= _MOST_BYTES_OF_ALL)

    def put(self, look: Look, data: bytes) -> None:
        """One more behind the others, and as much of the work as there is time for (without bytes, one call).

        Even where a turn is already to come: a loop may deliver megabytes of one socket before the next turn.
        """
        self._append(look, data)
        self._work(time.thread_time_ns() + BUDGET_NS)

    def put_by(self, look: Look, data: bytes) -> None:
        """One more behind the others, for which there is no time now."""
        self._append(look, data)
        self._queue()

    def _append(self, look: Look, data: bytes) -> None:
        self._items.append((look, data))
        self._add(len(data))

    def _queue(self) -> None:
        if not self._queued:
            self._queued = True
            self._turns.add(self)

    def resume(self, until_ns: int) -> None:
        """Its turn has come."""
        self._queued = False
        if self._items:
            self._work(until_ns)

    def _work(self, until_ns: int) -> None:
        now = time.thread_time_ns()
        while self._items:
            begun = now
            self._look()
            now = time.thread_time_ns()
            self._size = min(self._size * 2, _LONGEST_SLICE) if now - begun < _QUICK_NS else SLICE
            if now >= until_ns:
                break
        if not self._items:
            self._done()
        else:
            self._queue()

    def _look(self) -> None:
        look, data = self._items[0]
        begin, end = self._at, self._at + self._size
        if end >= len(data):
            self._items.popleft()
            self._add(-len(data))
            self._at = 0
        else:
            self._at = end
        look(data[begin:end])  # it may clear all this

    def _add(self, count: int) -> None:
        self._bytes += count
        self._turns.bytes += count

    def clear(self) -> None:
        """Look at nothing more."""
        self._items.clear()
        self._add(-self._bytes)
        self._at = 0
