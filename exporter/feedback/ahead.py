"""What was joined, read from the store before the loop asks for it: bounded, and the loop never waits."""

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from exporter.truths import Joined

_MOST: Final = 5000


class Wish(NamedTuple):
    """What to read next."""

    after: int
    most: int


class Ahead:
    """Joined predictions above the number that the loop applied last."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called where there is room again."""
        self._wake = wake
        self._lock = threading.Lock()
        self._rows: list[Joined] = []
        self._handed: int | None = None
        """The last number that the loop has; None before it asked."""
        self._read = 0
        """And the last one that is here."""
        self._may_be_more = False

    def take(self, after: int) -> list[Joined]:
        """What is here of the numbers above `after`. To ask for others than the following ones begins anew."""
        with self._lock:
            if after != self._handed:
                self._rows, self._handed, self._read, self._may_be_more = [], after, after, True
            rows, self._rows = self._rows, []
            self._handed = self._read
            if rows or self._may_be_more:
                self._wake()
        return rows

    def tell(self) -> None:
        """There is more to read."""
        with self._lock:
            self._may_be_more = True

    @property
    def is_behind(self) -> bool:
        """Whether the store may have what the loop has not got."""
        return self._may_be_more and self._handed is not None

    def wish(self) -> Wish | None:
        """What to read; None where there is nothing, or no room."""
        with self._lock:
            room = _MOST - len(self._rows)
            return Wish(self._read, room) if self.is_behind and room > 0 else None

    def add(self, wish: Wish, rows: Sequence[Joined]) -> None:
        """What was read, unless the loop asks for something else by now."""
        with self._lock:
            if wish.after == self._read:
                self._rows += rows
                self._read = rows[-1].number if rows else self._read
                self._may_be_more = len(rows) == wish.most
