"""What columns are counted against: times and answers of a run of rows, in the order of the rows."""

from bisect import bisect_left, bisect_right
from fractions import Fraction
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from exporter.profile.calendar import MINUTES, Calendar
from exporter.profile.clock import GAP, HOUR, MICROSECONDS, Clock, Microseconds
from exporter.profile.placing import Placed
from exporter.reference import Column

WORD: Final = float(1 << 26)
"""So many make a standard deviation: 2^16 rows of the wildest answers are summed exactly in floats."""
_MOST_SD: Final = 1024.0
"""So that one wild answer cannot poison a mean."""
_FALSE, _TRUE = 0, 1

_Array = TypeVar("_Array", bound=NDArray[Any])

Bins = NDArray[np.int64]
Places = NDArray[np.int32]


class Moments(NamedTuple):
    """Some rows, each with the place of its time among those that are counted."""

    rows: Places | None
    """Places of the rows; None where it is all of them."""
    places: Places


class Answers(NamedTuple):
    """What some rows were answered."""

    rows: Bins | None
    """Places of those with a finite answer; None where it is all of them."""
    words: NDArray[np.float64]
    """Whole numbers of a unit, of these."""


class Slice(NamedTuple):
    """The keys of some rows."""

    week: Moments | None
    """Hours of a week; None without a column of time, as are the next two."""
    hours: Moments | None
    """Places of the hours that were chosen."""
    minutes: Moments | None
    """Places of the minutes of those that have panes."""
    answers: tuple[Answers, ...]
    """By output."""
    segments: tuple[Moments, ...] = ()
    """Places of the segments, by what divides the rows."""


class Output:
    """An output as a number: numbers in standard deviations from their mean, truth 0 or 1, the first category 1.

    Numbers without a deviation are in units of their mean's size.
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        self.indicator = not column.ordered
        """Whether it is 0 or 1, and words are whole answers."""
        self.unit = column.sd or abs(column.mean) or 1.0
        """Of what does not vary in this table, but may in the next, which is built with --like."""

    def words(self, placed: Placed) -> NDArray[np.float64]:
        """Answers in whole numbers of the unit, NaN where there is none; shape (rows,)."""
        column = self.column
        if placed.values is None:
            truth = column.kind == "boolean"
            known = placed.bins <= _TRUE if truth else placed.bins != len(column.counts) - 1
            return np.where(known, (placed.bins == (_TRUE if truth else 0)).astype(float), np.nan)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            away = (placed.values - column.mean) / self.unit
        return np.where(np.isfinite(placed.values), np.rint(np.clip(away, -_MOST_SD, _MOST_SD) * WORD), np.nan)

    def mean(self, total: int, count: int) -> float:
        """Of so many answers whose words add up to `total`, rounded once; 0 where there are none."""
        if not count:
            return 0.0
        if self.indicator:
            return total / count
        return float(Fraction(self.column.mean) + Fraction(self.unit) * Fraction(total, int(WORD) * count))


class Times:
    """Which hours are counted, and where a time lies in them."""

    def __init__(self, clock: Clock, calendar: Calendar, bins: int) -> None:
        """`bins` of all columns together."""
        chosen = calendar.hours
        self.clock = clock
        self.hours = chosen.size
        self.paned = calendar.paned(bins)
        self._sorted = np.sort(chosen)
        pane = np.full(chosen.size, -1)
        pane[np.searchsorted(self._sorted, chosen[: self.paned])] = np.arange(self.paned)
        self._pane = pane

    def moments(self, times: Microseconds) -> tuple[Moments, Moments, Moments]:
        """Places in the week, among the hours, and among their minutes."""
        hours = times // HOUR
        found = np.searchsorted(self._sorted, hours)
        found[found == self.hours] = 0
        inside = np.flatnonzero((self._sorted[found] == hours) & (times != GAP))
        held = found[inside]
        panes = self._pane[held]
        paned = np.flatnonzero(panes >= 0)
        minutes = times[inside[paned]] // (MINUTES * MICROSECONDS) % MINUTES
        there = np.flatnonzero(times != GAP)
        week = self.clock.hours_of_week(times)
        return (
            Moments(*_whole(there, week[there], times.size)),
            Moments(*_whole(inside, held, times.size)),
            Moments(_short(inside[paned]), _short(panes[paned] * MINUTES + minutes)),
        )


def _whole(rows: Bins, places: Bins, total: int) -> tuple[Places | None, Places]:
    return (None if rows.size == total else _short(rows)), _short(places)


def _short(places: Bins) -> Places:
    """As they are kept: of every row of a run, which may be millions."""
    return places.astype(np.int32)


class Keys:
    """The keys of one run of rows."""

    def __init__(self, times: Times | None, outputs: int, divisions: int = 0) -> None:
        """`divisions` are the columns whose segments are added before anything is cut."""
        self._times = times
        self._outputs = outputs
        self._divisions = divisions
        self.clear()

    def clear(self) -> None:
        """Another run begins."""
        self._read = _Parts[Microseconds]()
        self._answers = [_Parts[NDArray[np.float64]]() for _ in range(self._outputs)]
        self._segments = [_Parts[Places]() for _ in range(self._divisions)]
        self._slices: dict[tuple[int, int], Slice] = {}

    def add_times(self, times: Microseconds) -> None:
        """Of the run's next rows."""
        self._read.add(times)

    def add_answers(self, output: int, words: NDArray[np.float64]) -> None:
        """Of the run's next rows."""
        self._answers[output].add(words)

    def add_segments(self, division: int, places: Places) -> None:
        """Of the run's next rows."""
        self._segments[division].add(places)

    def slice(self, start: int, rows: int) -> Slice:
        """Those of some rows; of the outputs that are known by now."""
        where = (start, rows)
        known = self._slices.get(where)
        if known is None or len(known.answers) < sum(map(bool, self._answers)):
            self._slices[where] = known = self._cut(start, start + rows)
        return known

    def _cut(self, start: int, end: int) -> Slice:
        answers = tuple(_finite(words.between(start, end)) for words in self._answers if words)
        segments = tuple(Moments(None, places.between(start, end)) for places in self._segments)
        if self._times is None:
            return Slice(None, None, None, answers, segments)
        return Slice(*self._times.moments(self._read.between(start, end)), answers, segments)


def _finite(words: NDArray[np.float64]) -> Answers:
    there = np.flatnonzero(~np.isnan(words))
    return Answers(None, words) if there.size == words.size else Answers(there, words[there])


class _Parts(Generic[_Array]):
    """What is known of a run's rows, as it came. No row is copied twice, however many there are."""

    def __init__(self) -> None:
        self._parts: list[_Array] = []
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, part: _Array) -> None:
        """Of the next rows."""
        self._parts.append(part)
        self._ends.append(part.size + (self._ends[-1] if self._ends else 0))

    def between(self, start: int, end: int) -> _Array:
        """Of the rows from `start` to before `end`, all of which are known."""
        first = min(bisect_right(self._ends, start), len(self._ends) - 1)  # the last one, of no rows behind all
        held = self._parts[first : max(first, bisect_left(self._ends, end)) + 1]
        whole = held[0] if len(held) == 1 else cast("_Array", np.concatenate(held))
        begin = self._ends[first] - self._parts[first].size
        return cast("_Array", whole[start - begin : end - begin])
