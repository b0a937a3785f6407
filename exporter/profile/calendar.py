"""When the rows of a table are from: their span, and some of its hours, chosen so that no order of the rows shows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.profile.clock import GAP, HOUR, Microseconds

MOST_HOURS: Final = 512
"""Hours that are compared with their mean."""
_MOST_PANED: Final = 168
_LEAST_PANED: Final = 8
_MOST_CELLS: Final = 8 << 20
"""Counts of minutes, of all columns together."""
MINUTES: Final = 60


class Calendar:
    """Under way. It can be pickled, and merged with those of other parts of the table."""

    def __init__(self) -> None:
        self.rows = 0
        self.missing = 0
        """Rows without a time."""
        self.first: int | None = None
        """Microseconds since 1970, as is the last."""
        self.last: int | None = None
        self.hours: NDArray[np.int64] = np.empty(0, np.int64)
        """Since 1970: those that come first when all are shuffled, in that order."""

    def add(self, times: Microseconds) -> None:
        """Add the times of some rows."""
        held = times[times != GAP]
        self.rows += times.size
        self.missing += times.size - held.size
        if held.size:
            self._span(int(held.min()), int(held.max()))
            self._choose(np.unique(held // HOUR))

    def merge(self, other: "Calendar") -> None:
        """Add all that another one holds."""
        self.rows += other.rows
        self.missing += other.missing
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)
            self._choose(other.hours)

    def _span(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def _choose(self, hours: NDArray[np.int64]) -> None:
        known = np.unique(np.concatenate((self.hours, hours)))
        self.hours = known[np.argsort(shuffled(known), kind="stable")][:MOST_HOURS]

    def paned(self, bins: int) -> int:
        """Of how many of these minutes are counted where all columns together have so many bins."""
        return min(self.hours.size, max(_LEAST_PANED, min(_MOST_PANED, _MOST_CELLS // (MINUTES * max(1, bins)))))


def shuffled(hours: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number for each hour, each another one, without a pattern (splitmix64)."""
    mixed = hours.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
