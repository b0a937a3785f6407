"""Cells of a table in the bins of a profile's columns, row by row: for `--like`, `check --against` and joint counts."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.profile.builder import number_name
from exporter.profile.pieces import Cells
from exporter.reference import Column
from exporter.sketch.binning import CategoryBins, NumberBins, truth_name


class Placed(NamedTuple):
    """Rows in the bins of a column, in their order."""

    bins: NDArray[np.int64]
    """Of each row, shape (rows,)."""
    values: NDArray[np.float64] | None
    """What a column of an ordered kind has binned: NaN is missing, what is no number infinite; shape (rows,)."""


class Placing(Protocol):
    """Columns of a profile, and what they are made of."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns of the table."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of the profile."""

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """Each of the columns, from the cells of each of the fields, which are of the same rows."""


def placings(columns: Sequence[Column]) -> list[Placing]:
    """Those of some columns of a profile, in their order."""
    return [OwnBins(column) for column in columns]


class OwnBins:
    """A column that is made of one field. Wrong types go where live traffic's would."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._number_bins = NumberBins([column.edges])
        self._category_bins = CategoryBins(column.categories, column.others)
        self._known = {*column.categories, *column.others}

    @property
    def fields(self) -> tuple[str, ...]:
        """Its field."""
        return (self.column.field,)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The column."""
        return (self.column,)

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """The bin of each row."""
        (own,) = cells
        if not self.column.ordered:
            return [Placed(self._named(own), None)]
        values = self._lengths(own) if self.column.kind == "text" else own.aligned()
        bins = self._number_bins.place(values[:, None], np.isnan(values)[:, None])
        return [Placed(bins[:, 0], values)]

    def _named(self, cells: Cells) -> NDArray[np.int64]:
        names, codes = cells.coded()
        bins = self._category_bins.place([*map(self._spell, names), None])
        return bins[codes]  # the last of them is that of missing cells, whose code is -1

    def _lengths(self, cells: Cells) -> NDArray[np.float64]:
        names, codes = cells.coded()
        return np.array([*map(len, names), np.nan])[codes]

    def _spell(self, name: str) -> str:
        if self.column.kind == "boolean":
            return truth_name(name)
        return name if name in self._known else number_name(name)
