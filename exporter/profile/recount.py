"""The values of a table in the bins of a profile that is there already."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.profile.builder import number_name
from exporter.profile.cells import Cells, Piece
from exporter.profile.numbers import Numbers
from exporter.reference import MISSING, NUMERIC_BINS, Column, Profile
from exporter.sketch.binning import CategoryBins, NumberBins, truth_name


class Recount:
    """One column of a profile, filled anew. Wrong types count as live traffic's would."""

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self._column = column
        self._counts = np.zeros(len(column.counts), np.int64)
        self._numbers = Numbers()
        self._number_bins = NumberBins([column.edges])
        self._category_bins = CategoryBins(column.categories, column.others)
        self._known = {*column.categories, *column.others}

    def add(self, cells: Cells) -> None:
        """Count some cells."""
        missing = cells.missing
        if not self._column.ordered:
            self._add_names(cells.names(), missing)
        elif self._column.kind == "text":
            self._add_numbers(_repeated(cells.lengths()), missing)
        else:
            numbers = cells.numbers()
            self._add_numbers(cells.loose() if numbers is None else numbers, missing)

    def _add_numbers(self, values: NDArray[np.float64], missing: int) -> None:
        places = self._number_bins.place(values[:, None], np.isnan(values)[:, None])
        self._counts += np.bincount(places[:, 0], minlength=NUMERIC_BINS)
        self._counts[MISSING] += missing
        self._numbers.update(values, missing)

    def _add_names(self, names: Counter[str], missing: int) -> None:
        spelt: Counter[str] = Counter()
        for name, rows in names.items():
            spelt[self._spell(name)] += rows
        places = self._category_bins.place(list(spelt))
        np.add.at(self._counts, places, np.array(list(spelt.values()), np.int64))
        self._counts[-1] += missing

    def _spell(self, name: str) -> str:
        if self._column.kind == "boolean":
            return truth_name(name)
        return name if name in self._known else number_name(name)

    def column(self) -> Column:
        """The column with what was counted, in the profile's bins."""
        old, counts = self._column, tuple(self._counts.tolist())
        moments = (0.0, 0.0, 0.0, 0.0)
        if self._numbers.sum.count:
            moments = self._numbers.moments()
        return Column(old.name, old.kind, counts, old.edges, *moments, old.categories, old.others)


def _repeated(lengths: Counter[int]) -> NDArray[np.float64]:
    return np.repeat(np.array(list(lengths), np.float64), list(lengths.values()))


class Recounted(NamedTuple):
    """A table in a profile's bins."""

    features: tuple[Column | None, ...]
    """None where the table has no such column."""
    outputs: tuple[Column | None, ...]
    rows: int
    strangers: tuple[str, ...]
    """Columns that the profile does not have."""


def recount(profile: Profile, pieces: Iterable[Piece]) -> Recounted:
    """A table in the bins of a profile's columns."""
    sides = [[Recount(column) for column in side] for side in (profile.features, profile.outputs)]
    counting: dict[str, list[Recount]] = {}
    for one in (one for side in sides for one in side):
        counting.setdefault(one.name, []).append(one)
    rows: Counter[str] = Counter()
    for name, cells, _ in pieces:
        rows[name] += cells.rows
        for one in counting.get(name, ()):
            one.add(cells)
    features, outputs = (tuple(one.column() if rows[one.name] else None for one in side) for side in sides)
    strangers = tuple(name for name in rows if name not in counting)
    return Recounted(features, outputs, max(rows.values(), default=0), strangers)
