"""A payload's fields against the profile's columns: which is which, and whether it is of this model at all.

A client of another model, a profile of another version or fields that were renamed are one finding, and not as many
drifts as the profile has columns.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np

from exporter.records import Table
from exporter.reference import Column

_MOST_KEPT: Final = 256
_STRANGERS_KEPT: Final = 64
"""Beside as many names as the profile has: what is longer is worked out each time, so that memory stays small."""
_CHARACTERS_KEPT: Final = 4096
"""Beside those of the profile's names, of all names of a table together: a name may be as long as a body."""
_LEVEL: Final = 0.001


class Fit(NamedTuple):
    """How tables of certain names fit."""

    places: Sequence[int | None]
    """By column of the profile: its place in the table; None where the table does not have it."""
    strangers: Sequence[int]
    """Places of the table that the profile does not know."""
    found: int
    """How many of the profile's columns are in it."""
    mismatch: str = ""
    """Why it cannot be of this model, in words; empty where it can."""


def are_of(columns: Sequence[Column], table: Table) -> bool:
    """Whether a table may be of a model that has these columns."""
    matcher = Matcher(columns)
    fit = matcher.bare(len(table.columns)) if table.names is None else matcher.named(table.names)
    return bool(columns and table.rows) and not fit.mismatch


class Matcher:
    """The columns of one side of a profile."""

    def __init__(self, columns: Sequence[Column], ignored: Collection[int] = frozenset()) -> None:
        """`ignored` are places of columns that nobody misses; they are no strangers all the same."""
        self._names = [column.name for column in columns]
        self._ignored = ignored
        self.expected = len(columns) - len(ignored)
        """How many columns a payload should have."""
        self._most_characters = sum(map(len, self._names)) + _CHARACTERS_KEPT
        present = [1 - _missing(column) for at, column in enumerate(columns) if at not in ignored]
        # JSON often leaves nulls out, so a column counts by how often the reference has it. Where that is seldom,
        # chance alone may leave half of what is expected out: then it takes fewer than chance leaves.
        self._fewest = min(sum(present) / 2, _by_chance(present))
        self._in_order = Fit(range(len(self._names)), (), self.expected)
        self._fits: dict[tuple[str, ...], Fit] = {}

    def bare(self, width: int) -> Fit:
        """How arrays without names fit: they have the profile's columns in order, or cannot be told apart."""
        if width == len(self._names):
            return self._in_order
        return Fit((), (), 0, f"{width} columns where the profile has {len(self._names)}")

    def named(self, names: tuple[str, ...]) -> Fit:
        """How tables of these names fit; of two columns of one name the last one counts."""
        fit = self._fits.get(names)
        if fit is None:
            fit = self._make(names)
            if len(names) <= len(self._names) + _STRANGERS_KEPT and sum(map(len, names)) <= self._most_characters:
                if len(self._fits) >= _MOST_KEPT:
                    self._fits.clear()
                self._fits[names] = fit
        return fit

    def _make(self, names: tuple[str, ...]) -> Fit:
        given = {name: place for place, name in enumerate(names)}
        places = tuple(given.get(name) for name in self._names)
        known = set(self._names)
        strangers = tuple(place for place, name in enumerate(names) if name not in known)
        found = sum(place is not None and at not in self._ignored for at, place in enumerate(places))
        if found < self._fewest or (strangers and self.expected and not found):
            return Fit((), (), found, f"{found} of the profile's {self.expected} columns")
        return Fit(places, strangers, found)


def _by_chance(present: Sequence[float]) -> int:
    """The most columns of which at least so many are in 999 of 1000 rows, each being there on its own account."""
    likely = np.ones(1)
    for share in present:
        likely = np.convolve(likely, (1 - share, share))
    return int(np.searchsorted(likely.cumsum(), _LEVEL, side="right"))


def _missing(column: Column) -> float:
    """Share of the reference's values that are missing."""
    (place,) = column.quality_bins()["missing"]
    return column.counts[place] / max(column.rows, 1)
