"""Answered rows that wait for their truth: the key of each, and what was said."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Came
from exporter.performance.task import pack_all
from exporter.truths import key_of

_NS_IN_MS: Final = 1_000_000
_MOST: Final = 1 << 16
"""Rows that wait to be taken; that many come between two commits of one who is hopelessly behind."""


class Opened(NamedTuple):
    """An answer that waits for its truth."""

    key: int
    at_ms: int
    content: bytes


class _Noted(NamedTuple):
    """Rows of one exchange that are among those that wait to be counted."""

    came: Came
    start: int
    """The first of them within the exchange, and within what waits."""
    at: int
    rows: int


class Opening:
    """Of one model."""

    def __init__(self) -> None:
        """None so far."""
        self._noted: list[_Noted] = []
        self._waiting = 0
        self._found: list[Opened] = []
        self.dropped = 0
        """Rows for which there was no room since somebody took them last."""

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take in that the next so many rows are those of an exchange from `start` on."""
        if came.request_id or came.row_ids:
            self._noted.append(_Noted(came, start, self._waiting, rows))
        self._waiting += rows

    def add(
        self, answers: NDArray[np.float64], tails: NDArray[np.uint8]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Take the rows that were noted, shape (rows, width); which of them have an id, and their Unix times in s.

        `tails` are bytes that go behind each, shape (rows, bytes).
        """
        noted, self._noted, self._waiting = self._noted, [], 0
        if not noted:
            return np.zeros(0, np.intp), np.zeros(0)
        said = pack_all(answers, tails)
        width = len(said) // len(answers)
        known = list(_keys(noted))
        opened = [Opened(key, at_ms, said[row * width : (row + 1) * width]) for row, key, at_ms in known]
        room = max(0, _MOST - len(self._found))
        self.dropped += len(opened[room:])
        self._found += opened[:room]
        return np.array([row for row, *_ in known], np.intp), np.array([one.at_ms for one in opened]) / 1e3

    def take(self) -> list[Opened]:
        """Those that came since."""
        found, self._found = self._found, []
        return found


def _keys(noted: Sequence[_Noted]) -> Iterator[tuple[int, int, int]]:
    """Row of the batch, key, and time in milliseconds, of all that have an id."""
    for came, start, at, rows in noted:
        at_ms = came.wall_ns // _NS_IN_MS
        for row in range(rows):
            own = came.row_ids[start + row] if start + row < len(came.row_ids) else ""
            if own:
                yield at + row, key_of(own), at_ms
            elif came.request_id:
                yield at + row, key_of(came.request_id, start + row), at_ms
