"""A payload's fields against the profile's columns: which is which, and whether it is of this model at all.

A client of another model, a profile of another version or fields that were renamed are one finding, and not as many
drifts as the profile has columns.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np

from exporter.records import Table
from exporter.reference import Column, Embedding, Side
from exporter.scalars.private import DENIED

_MOST_KEPT: Final = 256
_STRANGERS_KEPT: Final = 64
"""Beside as many names as the profile has: what is longer is worked out each time, so that memory stays small."""
_CHARACTERS_KEPT: Final = 4096
"""Beside those of the profile's names, of all names of a table together: a name may be as long as a body."""
_LEVEL: Final = 0.001
_LAST_NUMBER: Final = re.compile(r"(.*?)(\d{1,9})(\D*)", re.DOTALL)


class Fit(NamedTuple):
    """How tables of certain names fit."""

    places: Sequence[int | None]
    """By field of the profile: its place in the table; None where the table does not have it."""
    strangers: Sequence[int]
    """Places of the table that the profile does not know."""
    found: int
    """How many of the profile's fields are in it, an embedding being one."""
    mismatch: str = ""
    """Why it cannot be of this model, in words; empty where it can."""


def are_of(side: Side, table: Table) -> bool:
    """Whether a table may be of a model that has this side."""
    matcher = Matcher(side)
    fit = matcher.bare(len(table.columns)) if table.names is None else matcher.named(table.names)
    return bool(side.columns and table.rows) and not fit.mismatch


class _Vector(NamedTuple):
    """An embedding among the fields."""

    places: tuple[int, ...]
    beyond: str
    """What a dimension more would be called; empty where nobody can tell."""


class Matcher:
    """The fields of one side of a profile. An embedding counts as one of them, and is there as a whole or not."""

    def __init__(self, side: Side, ignored: Collection[int] = frozenset()) -> None:
        """`ignored` are places of columns that nobody misses; what only they need is no stranger all the same."""
        self._names = side.fields
        self._known = frozenset(self._names)
        self._most_characters = sum(map(len, self._names)) + _CHARACTERS_KEPT
        at = {field: place for place, field in enumerate(self._names)}
        missing = {column.field: _missing(column) for place, column in enumerate(side.columns) if place not in ignored}
        watched = [one for one in side.embeddings if one.name in missing]
        self._vectors = [_Vector(tuple(at[field] for field in one.fields), self._beyond(one)) for one in watched]
        plain = [field for field in side.plain if field in missing]
        self._plain = [at[field] for field in plain]
        present = [1 - missing[field] for field in (*plain, *(one.name for one in watched))]
        self.expected = len(present)
        """How many fields a table should have."""
        # JSON often leaves nulls out, so a column counts by how often the reference has it. Where that is seldom,
        # chance alone may leave half of what is expected out: then it takes fewer than chance leaves.
        self._fewest = min(sum(present) / 2, _by_chance(present))
        self._in_order = Fit(range(len(self._names)), (), self.expected)
        self._fits: dict[tuple[str, ...], Fit] = {}

    def _beyond(self, one: Embedding) -> str:
        number = _LAST_NUMBER.fullmatch(one.fields[-1])
        name = f"{number[1]}{int(number[2]) + 1}{number[3]}" if number else ""
        return "" if name in self._known else name

    def bare(self, width: int) -> Fit:
        """How arrays without names fit: they have the profile's fields in order, or cannot be told apart."""
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
        places = [given.get(name) for name in self._names]
        found = len(self._plain) - sum(places[place] is None for place in self._plain)
        for vector in self._vectors:
            if vector.beyond in given or any(places[place] is None for place in vector.places):
                for place in vector.places:  # of another model that makes embeddings, as far as it is there at all
                    places[place] = None
            else:
                found += 1
        strangers = tuple(place for place, name in enumerate(names) if name not in self._known and name != DENIED)
        if found < self._fewest or (strangers and self.expected and not found):
            return Fit((), (), found, f"{found} of the profile's {self.expected} columns")
        return Fit(tuple(places), strangers, found)


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
