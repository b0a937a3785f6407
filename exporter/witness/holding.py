"""Exchanges that were counted, until there are many whose rows can be judged together, or the first has waited enough.

By itself an exchange costs ten times as much: a busy analyser sees a few at a time, an idle one has time.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from exporter.monitor.watched import Found
from exporter.records import Exchange, Observation

_MANY: Final = 128
_BYTES: Final = 1 << 20
"""Of their bodies."""
_PATIENCE_S: Final = 0.25
Show = Callable[[Sequence[Exchange], Sequence[Observation], Sequence[Found | None]], None]


class Holding:
    """Holds them."""

    def __init__(self, show: Show) -> None:
        """`show` takes those that were held."""
        self._show = show
        self._exchanges, self._decoded, self._found = list[Exchange](), list[Observation](), list[Found | None]()
        self._bytes, self._due = 0, 0.0

    def add(self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]) -> None:
        """Take some of them; they are shown at once where that makes many."""
        if not self._exchanges:
            self._due = time.monotonic() + _PATIENCE_S
        self._exchanges += exchanges
        self._decoded += decoded
        self._found += found
        self._bytes += sum(len(one.request.content) + len(one.response.content) for one in exchanges)
        if len(self._exchanges) >= _MANY or self._bytes >= _BYTES:
            self.show()

    def look(self) -> None:
        """Show them if the first has waited long enough."""
        if self._exchanges and time.monotonic() >= self._due:
            self.show()

    def show(self) -> None:
        """Show all of them."""
        held = self._exchanges, self._decoded, self._found
        self._exchanges, self._decoded, self._found, self._bytes = [], [], [], 0
        if held[0]:
            self._show(*held)
