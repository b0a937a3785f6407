"""A payload's fields against the profile's columns: which is which, and whether it is of this model at all.

A client of another model, a profile of another version or fields that were renamed are one finding, and not as many
drifts as the profile has columns.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter.reference import Column

_MOST_KEPT: Final = 256
_STRANGERS_KEPT: Final = 64
"""Beside as many names as the profile has: what is longer is worked out each time, so that memory stays small."""
_SIGMAS: Final = 3


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


class Matcher:
    """The columns of one side of a profile."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]
        present = [1 - _missing(column) for column in columns]
        expected = sum(present)
        spread = math.sqrt(sum(share * (1 - share) for share in present))
        # JSON often leaves nulls out, so a column counts by how often the reference has it. Where few are in most rows,
        # chance alone may leave half of these out: then fewer than chance does.
        self._fewest = min(expected / 2, expected - _SIGMAS * spread)
        self._bare = Fit(range(len(columns)), (), len(columns))
        self._fits: dict[tuple[str, ...], Fit] = {}

    def bare(self, width: int) -> Fit:
        """How arrays without names fit: they have the profile's columns in order, or cannot be told apart."""
        columns = len(self._names)
        if width == columns:
            return self._bare
        return Fit((), (), 0, f"{width} columns where the profile has {columns}")

    def named(self, names: tuple[str, ...]) -> Fit:
        """How tables of these names fit; of two columns of one name the last one counts."""
        fit = self._fits.get(names)
        if fit is None:
            fit = self._make(names)
            if len(names) <= len(self._names) + _STRANGERS_KEPT:
                if len(self._fits) >= _MOST_KEPT:
                    self._fits.clear()
                self._fits[names] = fit
        return fit

    def _make(self, names: tuple[str, ...]) -> Fit:
        given = {name: place for place, name in enumerate(names)}
        places = tuple(given.get(name) for name in self._names)
        known = set(self._names)
        strangers = tuple(place for place, name in enumerate(names) if name not in known)
        found = len(places) - places.count(None)
        if found < self._fewest or (strangers and not found):
            return Fit((), (), found, f"{found} of the profile's {len(places)} columns")
        return Fit(places, strangers, found)


def _missing(column: Column) -> float:
    """Share of the reference's values that are missing."""
    (place,) = column.quality_bins()["missing"]
    return column.counts[place] / max(column.rows, 1)
