"""Which categories come most often that the reference does not list: a new shop, a misspelt country.

A table of 32 names for each column and pane; a window has two panes, so it reaches back from half of its length to all
of it. Names of over 64 characters are not looked at, and of all columns together 4,096 are kept for each pane: 2 MB for
three windows at the very most. A count is never too high, and exact as long as there are no more than 32 names.

What is shown came at least 10 times, and is neither an e-mail address nor the number of a payment card; of a salted
column it is the hash. Names are never written down: they are gone with the process, and windows begin anew.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.profile.categories import LEAST_CATEGORY_ROWS, refusal
from exporter.sketch import frequent
from exporter.sketch.window import Arrays
from exporter.snapshots import Listed
from exporter.values import format_duration

WORD: Final = "unseen_category_values"
_PANES: Final = 2
_SHOWN: Final = 3
_MOST_NAMES: Final = 4096
_LONGEST: Final = 64
_MISSING_AND_UNSEEN: Final = 2


class _Pane:
    """Names by column."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tables: dict[int, Counter[str]] = {}

    def add(self, place: int, names: Counter[str]) -> None:
        table = self.tables.get(place)
        if table is None:
            if (len(self.tables) + 1) * frequent.SIZE > _MOST_NAMES:
                return
            table = self.tables[place] = Counter()
        frequent.add(table, names)


class _Generations:
    """The panes of one window."""

    def __init__(self, length: float, pane_s: float) -> None:
        self.window = format_duration(length)
        self._width = -(-round(length / pane_s) // _PANES) * pane_s
        self._panes: list[_Pane] = []

    def pane(self, at: float) -> _Pane | None:
        """That of the moment `at`; None where it has left the window."""
        number = int(at // self._width)
        found = next((pane for pane in self._panes if pane.number == number), None)
        newest = max((pane.number for pane in self._panes), default=number)
        if found is None and number > newest - _PANES:
            found = _Pane(number)
            self._panes = [*(one for one in self._panes if one.number > number - _PANES), found]
        return found

    def total(self, now: float) -> dict[int, Counter[str]]:
        """Names by column in the window that ends at `now`."""
        total: dict[int, Counter[str]] = {}
        newest = int(now // self._width)
        for pane in self._panes:
            if newest - _PANES < pane.number <= newest:
                for place, table in pane.tables.items():
                    total.setdefault(place, Counter()).update(table)
        return total


class UnseenValues:
    """Of the columns of categories of a side."""

    def __init__(self, scope: Scope) -> None:
        columns = enumerate(scope.columns)
        self._bins = {
            place: len(column.counts) - _MISSING_AND_UNSEEN
            for place, column in columns if not column.ordered and scope.readable[place]
        }  # fmt: skip
        self._salted = {place for place, column in enumerate(scope.columns) if column.salt}
        self._windows = [_Generations(length, scope.windows.pane) for length in scope.windows.lengths]

    @property
    def applies(self) -> bool:
        """Whether there is a column of categories."""
        return bool(self._bins)

    def arrays(self, _prefix: str) -> dict[str, NDArray[Any]]:
        """Nothing."""
        return {}

    def held(self, _prefix: str, _now: float) -> dict[str, NDArray[Any]]:
        """Nothing."""
        return {}

    def put_back(self, _held: Arrays, _prefix: str, _shift_s: float, _now: float) -> None:
        """Nothing was held."""

    def add(self, batch: Batch) -> None:
        """Count rows."""
        for place, unseen in self._bins.items():
            rows = np.flatnonzero(batch.bins[:, place] == unseen)
            if rows.size:
                column = batch.names[place]
                names = Counter(
                    name for name in (column[row] for row in rows.tolist()) if name and len(name) <= _LONGEST
                )
                self._add(batch.at, place, names)

    def _add(self, at: float, place: int, names: Counter[str]) -> None:
        for window in self._windows:
            pane = window.pane(at)
            if pane is not None and names:
                pane.add(place, names)

    def snapshot(self, now: float) -> Iterator[Listed]:
        """The most frequent names of windows that have any."""
        for window in self._windows:
            for place, table in sorted(window.total(now).items()):
                shown = (item for item in sorted(table.items(), key=_rank) if self._may_be_shown(place, *item))
                for _, (name, times) in zip(range(_SHOWN), shown, strict=False):
                    yield Listed(WORD, place, (name, window.window), times)

    def _may_be_shown(self, place: int, name: str, times: int) -> bool:
        return times >= LEAST_CATEGORY_ROWS if place in self._salted else not refusal(name, times)


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def made(scope: Scope) -> UnseenValues | None:
    """Of the columns of a side, where they may be named and some are categories."""
    found = UnseenValues(scope) if scope.windows.unseen_values else None
    return found if found and found.applies else None
