"""Times as tables have them, and the hours of a week of the place they are from.

A time is a typed timestamp, a text of ISO 8601, or a number since 1970 in seconds, milli-, micro- or nanoseconds, told
apart by its size; whole numbers such as 20260131 are dates. What names no zone is what clocks on the wall there say: an
hour that is repeated in autumn is its first one, one that is skipped in spring is that of a clock not yet put forward.
"""

import math
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.errors import ConfigError, DataError
from exporter.profile.pieces import Cells
from exporter.reference import HOURS

GAP: Final = np.iinfo(np.int64).min
"""Stands for a time that is missing."""
MICROSECONDS: Final = 1_000_000
HOUR: Final = 3600 * MICROSECONDS
_DAY_S: Final = 86_400
_MONDAY: Final = 72
"""Hours from the Monday before 1970 to the beginning of 1970, which was a Thursday."""
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() * MICROSECONDS for year in (2, 9999))
_UNITS: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (math.inf, 1e-3))
"""Numbers below the first are of a unit of so many microseconds; 1e11 seconds are the year 5138, 1e11 ms are 1973."""
_DATES: Final = (1900_01_01, 2199_12_31)
_MOST_DAYS: Final = 100_000
_SHOWN: Final = 40
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (on the wall of any place)

Microseconds = NDArray[np.int64]


class NoTime(Exception):
    """What is no time, and its place among the cells."""

    def __init__(self, place: int, words: str) -> None:
        super().__init__(words)
        self.place = place


@contextmanager
def faults_of(source: str) -> Iterator[None]:
    """A fault in a column of times is one of the table."""
    try:
        yield
    except NoTime as fault:
        raise DataError(f"{source}: {fault}") from None


class Clock:
    """Reads times of a zone. It can be pickled."""

    def __init__(self, zone: str) -> None:
        """`zone` is an IANA name; ConfigError where none is called so."""
        self.zone = zone
        try:
            self._at = zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise ConfigError(f"--time-zone: no time zone is called {zone!r} here, one is Europe/Berlin") from None
        self._ahead, self._ahead_on_the_wall = _Steps(self._offset), _Steps(self._offset_on_the_wall)

    def read(self, cells: Cells) -> Microseconds:
        """Microseconds since 1970 of each row, shape (rows,), GAP where it is missing. NoTime."""
        typed = cells.instants()
        if typed is not None:
            found = self._of_wall(typed.microseconds) if typed.naive else typed.microseconds
            found = np.where(typed.missing, GAP, found)
        elif cells.numbers() is not None:
            found = self._of_numbers(cells.aligned())
        else:
            names, codes = cells.coded()
            found = np.append(self._of_texts(names, codes), GAP)[codes]
        outside = np.flatnonzero((found != GAP) & ((found < _FIRST) | (found >= _LAST)))
        if outside.size:
            raise NoTime(int(outside[0]), "a time beyond what a calendar holds")
        return found

    def hours_of_week(self, times: Microseconds) -> NDArray[np.int64]:
        """0 to 167, from Monday 00:00 of the local time; 168 for a GAP."""
        there = times != GAP
        seconds = np.where(there, times, 0) // MICROSECONDS
        local = seconds + self._ahead.of(seconds)
        return np.asarray(np.where(there, (local // 3600 + _MONDAY) % HOURS, HOURS), np.int64)

    def _of_numbers(self, numbers: NDArray[np.float64]) -> Microseconds:
        """NaN is a gap."""
        wrong = np.flatnonzero(np.isinf(numbers))
        if wrong.size:
            raise NoTime(int(wrong[0]), "an infinite number is no time")
        found, size = np.full(numbers.shape, np.nan), np.abs(numbers)
        for most, unit in reversed(_UNITS):
            np.copyto(found, numbers * unit, where=size < most)
        found = np.clip(np.rint(found), -9e18, 9e18)
        times = np.where(np.isnan(numbers), float(GAP), found).astype(np.int64)
        maybe = np.flatnonzero((numbers >= _DATES[0]) & (numbers <= _DATES[1]))
        written, which = np.unique(numbers[maybe], return_inverse=True)
        days = np.array([_date(number) for number in written.tolist()], np.int64)[which]
        times[maybe[days != GAP]] = self._of_wall(days[days != GAP])
        return times

    def _of_texts(self, names: Sequence[str], codes: NDArray[np.int64]) -> Microseconds:
        """Of names that are some row's."""
        times, naive = np.full(len(names), GAP), np.zeros(len(names), bool)
        for place in np.unique(codes[codes >= 0]).tolist():
            number = _number(names[place])
            if number is not None:
                times[place] = self._of_numbers(np.array([number]))[0]
                continue
            try:
                times[place], naive[place] = _parsed(names[place])
            except (ValueError, OverflowError):
                first = int(np.flatnonzero(codes == place)[0])
                raise NoTime(first, f"{names[place][:_SHOWN]!r} is no time") from None
        times[naive] = self._of_wall(times[naive])
        return times

    def _of_wall(self, local: Microseconds) -> Microseconds:
        return local - self._ahead_on_the_wall.of(local // MICROSECONDS) * MICROSECONDS

    def _offset(self, seconds: int) -> int:
        return _whole(datetime.fromtimestamp(seconds, UTC).astimezone(self._at).utcoffset())

    def _offset_on_the_wall(self, seconds: int) -> int:
        return _whole((_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=self._at).utcoffset())


class _Steps:
    """Seconds that a zone is ahead of UTC: asked day by day, in each of which they change once at most."""

    def __init__(self, ask: Callable[[int], int]) -> None:
        self._ask = ask
        self._days: dict[int, tuple[int, int, int]] = {}

    def of(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """At each of many times. Times that no calendar has get those of its ends."""
        inside = np.clip(seconds, _FIRST // MICROSECONDS, _LAST // MICROSECONDS - 1).astype(np.int64)
        days, places = np.unique(inside // _DAY_S, return_inverse=True)
        if len(self._days) > _MOST_DAYS:
            self._days.clear()
        table = np.array([self._day(day) for day in days.tolist()], np.int64).reshape(-1, 3)
        change, before, after = table[places].T
        return np.asarray(np.where(inside < change, before, after), np.int64)

    def _day(self, day: int) -> tuple[int, int, int]:
        """When it changes, and what it is before and from then on."""
        if day not in self._days:
            low, high = day * _DAY_S, (day + 1) * _DAY_S - 1
            before, after = self._ask(low), self._ask(high)
            while high - low > 1 and before != after:
                middle = (low + high) // 2
                low, high = (middle, high) if self._ask(middle) == before else (low, middle)
            self._days[day] = (high, before, after)
        return self._days[day]


def _parsed(text: str) -> tuple[int, bool]:
    """Microseconds since 1970, and whether no zone was named. ValueError, OverflowError."""
    at = datetime.fromisoformat(text.strip().removesuffix(" UTC") + ("Z" if text.strip().endswith(" UTC") else ""))
    naive = at.tzinfo is None
    return round((at.replace(tzinfo=UTC) if naive else at).timestamp() * MICROSECONDS), naive


def _number(text: str) -> float | None:
    """None where it is none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _date(number: float) -> int:
    """Microseconds from 1970 to the beginning of the day that a number such as 20260131 means, on the wall; or GAP."""
    try:
        at = datetime(int(number) // 10_000, int(number) // 100 % 100, int(number) % 100, tzinfo=UTC)
    except ValueError:
        return GAP
    return round(at.timestamp()) * MICROSECONDS if number.is_integer() else GAP


def _whole(offset: timedelta | None) -> int:
    return round(offset.total_seconds()) if offset is not None else 0
