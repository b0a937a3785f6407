"""Who was refused, by why."""

import threading
from collections.abc import Mapping, MutableSequence

from exporter.records import WEB_REFUSALS


class Refused:
    """Counts on seats that somebody else keeps; from any thread."""

    def __init__(self, seats: "MutableSequence[int] | memoryview[int] | None" = None) -> None:
        """One seat for each of WEB_REFUSALS."""
        self._seats = [0] * len(WEB_REFUSALS) if seats is None else seats
        self._lock = threading.Lock()

    def count(self, reason: str) -> None:
        """One more."""
        with self._lock:
            self._seats[WEB_REFUSALS.index(reason)] += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """By reason, since start."""
        return dict(zip(WEB_REFUSALS, self._seats, strict=False))
