"""A closer look at columns that drift: their very next rows, in full, until there are enough of them.

What is kept of all columns all the time are bins; what happened to one shows in its values. So once a column drifts its
values are collected from then on: nothing from before it changed is among them. At most 16 columns at a time, 2,000
rows of each: 256 KB while so many drift, nothing while none does. They live in memory alone and are gone with the
process; what rows there are does not depend on how they came in batches.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.diagnosis.seen import Seen, points
from exporter.monitor.batch import Batch, Scope
from exporter.profile.categories import LEAST_CATEGORY_ROWS, refusal
from exporter.reference import Column
from exporter.sketch import frequent

MOST_COLUMNS: Final = 16
MOST_ROWS: Final = 2000
_LONGEST: Final = 64
"""Characters of a name that is looked at."""


class Look:
    """One column's next rows."""

    def __init__(self, column: Column, *, may_name: bool) -> None:
        self.rows = 0
        self._counts = np.zeros(len(column.counts), np.int64)
        self._numbers = np.zeros(MOST_ROWS if column.ordered else 0)
        self._finite = 0
        self._names: Counter[str] = Counter()
        self._may_name, self._salted = may_name, bool(column.salt)
        self._dependence = column.dependence or 1.0
        self._absent = self._judged = 0

    @property
    def is_whole(self) -> bool:
        """Whether it has all the rows it takes."""
        return self.rows == MOST_ROWS

    def count(self, bins: NDArray[np.uint8]) -> None:
        """Count rows by bin."""
        self._counts += np.bincount(bins, minlength=self._counts.size)
        self.rows += bins.size

    def keep(self, numbers: NDArray[np.float64]) -> None:
        """Keep the finite ones of some numbers."""
        finite = numbers[np.isfinite(numbers)]
        self._numbers[self._finite : self._finite + finite.size] = finite
        self._finite += finite.size

    def name(self, names: Iterable[str | None]) -> None:
        """Count names that the reference does not list."""
        if self._may_name:
            frequent.add(self._names, Counter(name for name in names if name is not None and len(name) <= _LONGEST))

    def judge(self, rows: int, absent: int) -> None:
        """Count rows of payloads, and those of them that lack the field."""
        self._judged += rows
        self._absent += absent

    def seen(self) -> Seen:
        """What there is by now; of names those that may be shown."""
        numbers = self._numbers[: self._finite]
        return Seen(
            self._counts.copy(), points(numbers) if self._numbers.size else None, bool(self._numbers.size),
            {name: rows for name, rows in self._names.items() if self._may_be_shown(name, rows)},
            self._absent / self._judged if self._judged else None, dependence=self._dependence,
        )  # fmt: skip

    def _may_be_shown(self, name: str, rows: int) -> bool:
        return rows >= LEAST_CATEGORY_ROWS if self._salted else not refusal(name, rows)


class Lens:
    """Looks at some columns of a side, by place."""

    def __init__(self, scope: Scope) -> None:
        self._columns = scope.columns
        self._may_name = scope.windows.unseen_values
        self._at = np.cumsum([column.ordered for column in scope.columns]) - 1
        """Of ordered columns their place among them."""
        self._looks: dict[int, Look] = {}

    @property
    def looks(self) -> Mapping[int, Look]:
        """Those that are taken."""
        return self._looks

    def look_at(self, places: Iterable[int]) -> None:
        """Look at these columns from now on, the first ones where there are too many; one that is whole begins anew."""
        self._looks = {place: self._look(place) for place in list(places)[:MOST_COLUMNS]}

    def forget(self, places: Iterable[int]) -> None:
        """Look at these anew, as what they were has changed."""
        for place in places:
            self._looks.pop(place, None)

    def _look(self, place: int) -> Look:
        going = self._looks.get(place)
        return Look(self._columns[place], may_name=self._may_name) if going is None or going.is_whole else going

    def add(self, batch: Batch) -> None:
        """Take rows."""
        for place, look in self._looks.items():
            rows = min(batch.rows, MOST_ROWS - look.rows)
            if rows:
                self._take(place, look, batch, rows)

    def _take(self, place: int, look: Look, batch: Batch, rows: int) -> None:
        column, bins = self._columns[place], batch.bins[:rows, place]
        look.count(bins)
        look.judge(batch.rows, int(batch.absent[place]))
        if column.ordered:
            look.keep(batch.numbers[:rows, self._at[place]])
            return
        unseen = np.flatnonzero(bins == len(column.counts) - 2)
        if unseen.size:
            names = batch.names[place]
            look.name(names[row] for row in unseen.tolist())
