"""Whether a side gets so few rows that its windows of time hold too little: then windows of rows are shown, too.

A side is quiet until its shortest window of time has held enough, without interruption, for twelve times its length: so
one whose traffic is near that mark stays quiet, instead of coming and going. It is judged by whole panes, and only by
windows that were watched for their whole length; so how rows are batched changes nothing. Memory: one number for each
pane of thirteen such windows.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.sections import Windows as WindowSettings
from exporter.sketch.window import Arrays, PaneRing

_NS: Final = 1_000_000_000
_MEMORY: Final = 12
"""Lengths of the shortest window for which it must have held enough: an hour of windows of five minutes."""


class Quiet:
    """The rows of one side by pane, and since when it is watched."""

    def __init__(self, windows: WindowSettings) -> None:
        """`windows` has at least one length."""
        self._pane_s = windows.pane
        self._panes = round(min(windows.lengths) / windows.pane)
        self._enough = windows.minimum_samples
        self._rows = PaneRing((_MEMORY + 1) * self._panes + 1, windows.pane, (1,), np.int64)
        self._since = np.zeros(2, np.int64)
        """When the first row came, and since when rows are watched here: nanoseconds, 0 before that."""
        self._judged: tuple[int, bool | None] = (-1, None)
        """The pane of the last judgement, and what it was: it is of whole panes, and holds for all of the next one."""

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {f"{prefix}.since": self._since, **self._rows.arrays(f"{prefix}.{self._pane_s:g}")}

    def held(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What is to be kept for another time. How many rows came is not: there will be a gap."""
        return {f"{prefix}.first": self._since[:1].copy()}

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held when the clock showed `shift_s` less; from `now` on, rows are watched here."""
        first = held.get(f"{prefix}.first")
        if first is None or first.shape != (1,) or first.dtype != np.int64 or not first[0]:
            return
        self._note(0, int(first[0]) + round(shift_s * _NS))
        self._note(1, round(now * _NS))

    def _note(self, place: int, moment: int) -> None:
        if not self._since[place] or moment < self._since[place]:
            self._since[place] = moment or 1
            self._judged = (-1, None)

    def add(self, at: float, rows: int) -> None:
        """Count rows that came at the moment `at`."""
        pane = self._rows.pane(at)
        if pane is not None:
            pane += rows
        for place in range(2):
            self._note(place, int(at * _NS))

    @property
    def first(self) -> float:
        """When the first row came, in seconds, by the clock of now; 0 before that."""
        return float(self._since[0]) / _NS

    def is_quiet(self, now: float) -> bool | None:
        """Whether one of the windows that ended lately held too little; None where none was watched as a whole yet."""
        pane = int(now // self._pane_s)
        if self._judged[0] != pane:
            self._judged = pane, self._judge(now)
        return self._judged[1]

    def _judge(self, now: float) -> bool | None:
        rows = np.concatenate(([0], self._rows.recent(now, self._rows.marks.size)[:-1, 0].cumsum()))
        sums = rows[self._panes :] - rows[: -self._panes]
        """Of the windows that ended with each of the last whole panes, and with the one before them."""
        since = int(self._since[1]) / _NS if self._since[1] else now
        whole = int(now // self._pane_s) - int(since // self._pane_s)
        judged = min(whole - self._panes + 1, _MEMORY * self._panes)
        return bool((sums[-judged:] < self._enough).any()) if judged > 0 else None
