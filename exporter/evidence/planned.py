"""When nothing is held against a model because something is planned: windows of local time, once or again and again.

Clocks on the wall skip an hour in spring and show one twice in autumn. A time that is skipped is that of a clock not
yet put forward; of one that is shown twice a window begins with the first and ends with the second. One of a day or
less is never shorter than it says: from 02:00 to 03:00 where the clock jumps from 02:00 to 03:00 is 03:00 to 04:00.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from exporter.planned_windows import DAYS, MIDNIGHT, PlannedWindow

_DAY: Final = timedelta(days=1)
_BEFORE: Final = 2
"""Days back on which a window may have begun that is still on."""
_AHEAD: Final = 64
"""Days in which every day of a month there is has come: from one 31st to the next but one are 62."""


class Occurrence(NamedTuple):
    """A window that is on or will be, in seconds since 1970: the begin belongs to it, the end does not."""

    begin_s: float
    end_s: float
    name: str


class Planned:
    """All windows. Calendars are looked at when one of them begins or ends, and not in between.

    Memory: one occurrence of each window.
    """

    def __init__(self, windows: Sequence[PlannedWindow]) -> None:
        self._occurrences = [_once(one) if not one.recurs else partial(_of_days, one) for one in windows]
        self._coming: list[Occurrence] = []
        """The first of each window that is not over, in the order in which they were said."""
        self._known_from, self._known_until = math.inf, -math.inf

    def at(self, wall_s: float) -> str | None:
        """What is planned for a moment, seconds since 1970; the first one said where there are several."""
        self._look(wall_s)
        return next((one.name for one in self._coming if one.begin_s <= wall_s), None)

    def during(self, begin_s: float, end_s: float) -> str | None:
        """What is planned for any part of the time from one moment to a later one, the latter left out."""
        self._look(begin_s)
        return next((one.name for one in self._coming if one.begin_s < end_s), None)

    def next(self, wall_s: float) -> Occurrence | None:
        """The one that is on, or else the next one; None where none will come."""
        self._look(wall_s)
        return min(self._coming, default=None)

    def _look(self, wall_s: float) -> None:
        """Find out what is not over at a moment, unless nothing has begun or ended since it was found out."""
        if self._known_from <= wall_s < self._known_until:
            return
        found = (_first_not_over(of, wall_s) for of in self._occurrences)
        self._coming = [one for one in found if one is not None]
        self._known_from, self._known_until = wall_s, min((one.end_s for one in self._coming), default=math.inf)


def told(windows: Sequence[PlannedWindow], wall_s: float) -> Iterator[str]:
    """For people: when each window is on, from a moment on, as clocks show it in its zone."""
    for window in windows:
        coming, zone = Planned([window]).next(wall_s), ZoneInfo(window.zone)
        if coming is None:
            yield f"{window.name}: is over"
            continue
        begin, end = (
            datetime.fromtimestamp(at, zone).isoformat(" ", "minutes") for at in (coming.begin_s, coming.end_s)
        )
        yield f"{window.name}: {begin} to {end}{', on now' if coming.begin_s <= wall_s else ''}"


def _first_not_over(occurrences: Callable[[float], Iterator[Occurrence]], wall_s: float) -> Occurrence | None:
    return next((one for one in occurrences(wall_s) if one.end_s > wall_s), None)


def _once(window: PlannedWindow) -> Callable[[float], Iterator[Occurrence]]:
    found = _occurrence(window, datetime.fromisoformat(window.begins), datetime.fromisoformat(window.ends))
    return lambda _: iter((found,))


def _of_days(window: PlannedWindow, wall_s: float) -> Iterator[Occurrence]:
    """In their order, from some that may be over at a moment."""
    today = datetime.fromtimestamp(wall_s, ZoneInfo(window.zone)).date()
    for day in (today + ahead * _DAY for ahead in range(-_BEFORE, _AHEAD)):
        if _is_meant(window, day):
            begin, end = _on(day, window.begins), _on(day, window.ends)
            yield _occurrence(window, begin, end if end > begin else end + _DAY)


def _is_meant(window: PlannedWindow, day: date) -> bool:
    """Whether it begins on a day. A month that has no 31st has no window on it."""
    from_end = day.day - ((day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY).day - 1
    return DAYS[day.weekday()] in window.days or not {day.day, from_end}.isdisjoint(window.monthdays)


def _on(day: date, clock: str) -> datetime:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (on the wall of the zone)
    if clock == MIDNIGHT:
        return midnight + _DAY
    hour, minute = map(int, clock.split(":"))
    return midnight.replace(hour=hour, minute=minute)


def _occurrence(window: PlannedWindow, begin: datetime, end: datetime) -> Occurrence:
    """From one local time to another one."""
    zone = ZoneInfo(window.zone)
    begin_s = begin.replace(tzinfo=zone).timestamp()
    end_s = max(end.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if end - begin <= _DAY:
        end_s = max(end_s, begin_s + (end - begin).total_seconds())
    return Occurrence(begin_s, end_s, window.name)
