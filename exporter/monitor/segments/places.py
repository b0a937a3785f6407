"""From what a row says to the place of its segment: listed values, intervals of numbers, or values as they come.

Places count from 0: the values, then other, then missing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.monitor import cells
from exporter.profile.categories import LEAST_CATEGORY_ROWS, refusal
from exporter.profile.segmented import divided
from exporter.segmentations import LONGEST, REST, intervals
from exporter.sketch.binning import truth_name

_BYTES: Final = 4 * LONGEST
"""Of a value that came live, in UTF-8."""
_MOST_WAITING: Final = 1024
"""Values of which rows are counted until they are as many as a category needs. No more names are held than these."""
_TRUTHS: Final = frozenset(("true", "false"))
Places = NDArray[np.uint8]


class Naming(Protocol):
    """How the values of one segmentation are told apart."""

    room: int
    """How many values there may be."""

    def places(self, given: Sequence[str | None]) -> Places:
        """Of rows in their order, by name; None is missing."""

    def looked_up(self, name: str | None) -> int:
        """Of a value that is not counted."""

    def labels(self) -> Sequence[str | None]:
        """What the values are called, by place; None of a place that nobody has taken."""

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for places to mean the same."""

    def moved(self, held: Mapping[str, NDArray[Any]], prefix: str) -> NDArray[np.int64] | None:
        """Where the segments are now that others had by place, shape (room + 2,); None where nobody can tell."""


class Listed:
    """Values that are known beforehand."""

    def __init__(self, values: Sequence[str]) -> None:
        self.room = len(values)
        self._values = tuple(values)
        self._truths = set(values) <= _TRUTHS
        self._by_name: dict[str | None, int] = {name: place for place, name in enumerate(values)}
        self._by_name[None] = self.room + 1

    def places(self, given: Sequence[str | None]) -> Places:
        """Of rows in their order, by name."""
        by_name, other = self._by_name, self.room
        if self._truths:
            given = [None if name is None else truth_name(name) for name in given]
        return np.array([by_name.get(name, other) for name in given], np.uint8)

    def looked_up(self, name: str | None) -> int:
        """Of one value."""
        return int(self.places([name])[0])

    def labels(self) -> Sequence[str]:
        """The values."""
        return self._values

    def arrays(self, _prefix: str) -> dict[str, NDArray[Any]]:
        """Nothing."""
        return {}

    def moved(self, _held: Mapping[str, NDArray[Any]], _prefix: str) -> NDArray[np.int64]:
        """Where they were."""
        return np.arange(self.room + len(REST))


class Edged(Listed):
    """Intervals of numbers."""

    def __init__(self, edges: Sequence[float]) -> None:
        super().__init__(intervals(edges))
        self._edges = np.array(edges)

    def places(self, given: Sequence[str | None]) -> Places:
        """Of rows in their order, by the spelling of their numbers: what is none is other."""
        return self.of_numbers(np.array([_number(name) for name in given], np.float64))

    def of_cells(self, given: Sequence[object]) -> Places:
        """Of rows in their order, by cells of a payload."""
        return self.of_numbers(np.frombuffer(cells.numbers(given)[0]))

    def of_numbers(self, numbers: NDArray[np.float64]) -> Places:
        """Of rows in their order; NaN is missing."""
        return divided(numbers, self._edges).astype(np.uint8)


def _number(name: str | None) -> float:
    try:
        return cells.NAN if name is None else float(name)
    except ValueError:
        return float("inf")


class Found:
    """Values in the order in which each came to more rows than a category needs; those rows themselves are other.

    Row by row, so that it is the same however rows come in batches. Which rows wait is not kept: a name that few rows
    have may be somebody's. Of more names than are held the rarest are forgotten (Misra and Gries, 1982), so that one is
    counted too low and never too high. Memory: `room` times 512 bytes, and 1024 names that wait.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._names = np.zeros((room, _BYTES), np.uint8)
        self._seen = b""
        self._by_name: dict[str | None, int] = {}
        self._waiting: dict[str, int] = {}
        self._read()

    def _read(self) -> None:
        """Look whether somebody has put other names into the array."""
        now = self._names.tobytes()
        if now != self._seen or not self._by_name:
            self._by_name = {name: place for place, name in enumerate(self.labels()) if name is not None}
            self._by_name[None] = self.room + 1
            self._seen = now

    def places(self, given: Sequence[str | None]) -> Places:
        """Of rows in their order, by name; rows are counted."""
        self._read()
        by_name = self._by_name
        found = [by_name[name] if name in by_name else self._learn(str(name)) for name in given]
        return np.array(found, np.uint8)

    def looked_up(self, name: str | None) -> int:
        """Of a value, which is not counted."""
        self._read()
        return self._by_name.get(name, self.room)

    def _learn(self, name: str) -> int:
        """Another row of a value that has no place yet."""
        if len(self._by_name) > self.room or len(name) > LONGEST or not name.isprintable() or name in REST:
            return self.room
        rows = self._waiting.get(name, 0)
        if rows >= LEAST_CATEGORY_ROWS and not refusal(name, rows):
            return self._give(name)
        if rows or len(self._waiting) < _MOST_WAITING:
            self._waiting[name] = min(rows + 1, LEAST_CATEGORY_ROWS)
        else:
            self._waiting = {one: count - 1 for one, count in self._waiting.items() if count > 1}
        return self.room

    def _give(self, name: str) -> int:
        place = len(self._by_name) - 1  # None is among them
        written = name.encode()
        self._names[place, : len(written)] = np.frombuffer(written, np.uint8)
        self._by_name[name] = place
        self._seen = self._names.tobytes()
        self._waiting.pop(name, None)
        if len(self._by_name) > self.room:
            self._waiting.clear()
        return place

    def labels(self) -> Sequence[str | None]:
        """The values that have a place."""
        return [_text(row) or None for row in self._names]

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The names."""
        return {f"{prefix}.names": self._names}

    def moved(self, held: Mapping[str, NDArray[Any]], prefix: str) -> NDArray[np.int64] | None:
        """Where those that others had are here: in a place of their own, as long as there is room."""
        names = held.get(f"{prefix}.names")
        if names is None or (names.dtype, names.shape) != (self._names.dtype, self._names.shape):
            return None
        self._read()
        theirs = [_text(row) for row in names]
        places = [self._place_of(name) if name else self.room for name in theirs]
        return np.array([*places, self.room, self.room + 1])

    def _place_of(self, name: str) -> int:
        if name in self._by_name:
            return self._by_name[name]
        fits = len(self._by_name) <= self.room and len(name) <= LONGEST
        return self._give(name) if fits else self.room


def _text(row: NDArray[np.uint8]) -> str:
    return row.tobytes().rstrip(b"\0").decode(errors="replace")
