"""Halves become exchanges, whichever comes first. Bounded in number, bytes and time; no clock of its own.

What was joined is remembered for as long as a half would wait, so that one that is delivered twice is known.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from exporter.events.halves import REQUEST, Half, Key

_NS: Final = 1_000_000_000


class Pair(NamedTuple):
    """An exchange as far as it is known; one of the two may be missing."""

    request: Half | None
    response: Half | None

    @property
    def kind(self) -> str:
        """One of `records.EVENT_PAIRS`."""
        if self.request and self.response:
            return "whole"
        return "request" if self.request else "response"


class Joiner:
    """Halves that wait for their other half, oldest first."""

    def __init__(self, most: int, most_bytes: int, wait_s: float) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._wait_ns = round(wait_s * _NS)
        self._waiting: OrderedDict[Key, Half] = OrderedDict()
        self._joined: OrderedDict[Key, int] = OrderedDict()
        """When they were, monotonic."""
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, half: Half) -> list[Pair] | None:
        """Take a half: what there is to observe now. None where it was here before."""
        if half.key in self._joined:
            return None
        other = self._waiting.get(half.key)
        if other is None:
            self._waiting[half.key] = half
            self._bytes += half.cost
            return self._beyond_bounds()
        if other.kind == half.kind:
            return None
        self._remove(other)
        self._remember(half)
        return [Pair(half, other) if half.kind == REQUEST else Pair(other, half)]

    def overdue(self, now_ns: int) -> list[Pair]:
        """Those that have waited long enough at `now_ns`, monotonic."""
        oldest_ns = now_ns - self._wait_ns
        while self._joined and next(iter(self._joined.values())) <= oldest_ns:
            self._joined.popitem(last=False)
        found = []
        while self._waiting and next(iter(self._waiting.values())).arrival.monotonic_ns <= oldest_ns:
            found.append(self._give_up())
        return found

    def rest(self) -> list[Pair]:
        """All that wait, at the end."""
        return [self._give_up() for _ in range(len(self._waiting))]

    def _beyond_bounds(self) -> list[Pair]:
        found = []
        while len(self._waiting) > self._most or self._bytes > self._most_bytes:
            found.append(self._give_up())
        return found

    def _give_up(self) -> Pair:
        """The oldest one is on its own. It is not remembered: its other half may still come, and is then alone, too."""
        half = next(iter(self._waiting.values()))
        self._remove(half)
        return Pair(half, None) if half.kind == REQUEST else Pair(None, half)

    def _remove(self, half: Half) -> None:
        del self._waiting[half.key]
        self._bytes -= half.cost

    def _remember(self, half: Half) -> None:
        self._joined[half.key] = half.arrival.monotonic_ns
        while len(self._joined) > self._most:
            self._joined.popitem(last=False)
