"""Cells of a table in the bins of a profile's columns, row by row: for `--like`, `check --against` and joint counts."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.profile.builder import number_name
from exporter.profile.pieces import Cells
from exporter.reference import Column, Embedding, Together
from exporter.scalars import LENGTH, TEXT_SCALARS, vector_scalars
from exporter.scalars.salted import Salt
from exporter.scalars.together import Measure as MeasureTogether
from exporter.scalars.together import names as together_scalars
from exporter.scalars.vectors import Measure
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


def placings(
    columns: Sequence[Column], embeddings: Sequence[Embedding] = (), salt: Salt | None = None,
    together: Together | None = None,
) -> list[Placing]:  # fmt: skip
    """Those of some columns of a profile, in the order of the first of each; `salt` is that of hashed categories.

    Features that are watched `together` are placed so; where that is not said, nothing that is computed of them is.
    """
    by_name = {one.name: one for one in embeddings}
    found: list[Placing] = []
    derived: list[Column] = []
    for (field, kind), group in _by_origin(columns).items():
        if kind == "embedding" and field not in by_name:
            derived = group
        elif kind == "embedding":
            found.append(OfVectors(by_name[field], group))
        elif kind == "text":
            found.append(OfTexts(field, group))
        else:
            found += [OwnBins(column, salt) for column in group]
    return found if together is None else as_one(found, together, derived)


def as_one(found: Sequence[Placing], together: Together, derived: Sequence[Column] = ()) -> list[Placing]:
    """The same, the features that are watched together being one; `derived` are columns that are computed of them."""
    by_field = {one.column.field: one for one in found if isinstance(one, OwnBins)}
    parts = [by_field[field] for field in together.fields]
    return [*(one for one in found if one not in parts), OfFeatures(parts, together, derived)]


def _by_origin(columns: Sequence[Column]) -> dict[tuple[str, str], list[Column]]:
    """Columns that are computed of the same, by its name and kind."""
    found: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        kind = "text" if column.scalar and column.kind != "embedding" else column.kind
        found.setdefault((column.field, kind), []).append(column)
    return found


class OwnBins:
    """A column that is one field. Wrong types go where live traffic's would."""

    def __init__(self, column: Column, salt: Salt | None = None) -> None:
        self.column = column
        self.fields = (column.field,)
        self.columns = (column,)
        self._salt = salt if column.salt else None
        self._number_bins = NumberBins([column.edges] if column.ordered else [])
        self._category_bins = CategoryBins(column.categories, column.others)
        self._known = {*column.categories, *column.others}

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """The bin of each row."""
        (own,) = cells
        if not self.column.ordered:
            return [Placed(self._named(own), None)]
        values = own.aligned()
        return _placed(values[:, None], self._number_bins)

    def _named(self, cells: Cells) -> NDArray[np.int64]:
        names, codes = cells.coded()
        bins = self._category_bins.place([*map(self._spell, names), None])
        return bins[codes]  # the last of them is that of missing cells, whose code is -1

    def _spell(self, name: str) -> str:
        if self.column.kind == "boolean":
            return truth_name(name)
        if self._salt:
            name, digits = self._salt.name(name), self._salt.name(number_name(name))
            return name if name in self._known else digits
        return name if name in self._known else number_name(name)


class OfTexts:
    """Columns that are computed of one field of texts; everything that is there is one, by its name."""

    def __init__(self, field: str, columns: Sequence[Column]) -> None:
        self.fields = (field,)
        self.columns = tuple(columns)
        self._bins = {
            column.name: NumberBins([column.edges])
            if column.ordered
            else CategoryBins(column.categories, column.others)
            for column in columns
        }

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """The bins of each row, by column."""
        names, codes = cells[0].coded()
        return [self._place(column, names, codes) for column in self.columns]

    def _place(self, column: Column, names: Sequence[str], codes: NDArray[np.int64]) -> Placed:
        of, bins = TEXT_SCALARS[column.scalar or LENGTH].of, self._bins[column.name]
        if isinstance(bins, CategoryBins):  # the last is that of missing cells, whose code is -1
            return Placed(bins.place([*(str(of(name)) for name in names), None])[codes], None)
        values = np.array([*map(of, names), np.nan], np.float64)[codes]
        return _placed(values[:, None], bins)[0]


class OfFeatures:
    """Numeric features that are watched together, and columns that are computed of them."""

    def __init__(self, parts: Sequence[OwnBins], together: Together, derived: Sequence[Column]) -> None:
        self.fields = together.fields
        self.columns = (*(one.column for one in parts), *derived)
        self._parts = parts
        self._measure = MeasureTogether(together.centre, together.scales, together.axes)
        scalars = together_scalars(len(together.axes))
        self._chosen = [scalars.index(column.scalar) for column in derived]
        self._bins = NumberBins([column.edges for column in derived])

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """The bins of each row, by column."""
        placed = [one.place([own])[0] for one, own in zip(self._parts, cells, strict=True)]
        if not self._chosen:
            return placed
        values = self._measure(np.column_stack([one.values for one in placed if one.values is not None]))
        return [*placed, *_placed(values[:, self._chosen], self._bins)]


class OfVectors:
    """Columns that are computed of an embedding, which is several columns of a table."""

    def __init__(self, embedding: Embedding, columns: Sequence[Column]) -> None:
        self.fields = embedding.fields
        self.columns = tuple(columns)
        self._measure = Measure(embedding.centroid, embedding.axes)
        scalars = vector_scalars(len(embedding.axes))
        self._chosen = [scalars.index(column.scalar) for column in columns]
        self._bins = NumberBins([column.edges for column in columns])

    def place(self, cells: Sequence[Cells]) -> Sequence[Placed]:
        """The bins of each row, by column; a row with a gap is missing."""
        vectors = np.column_stack([own.aligned() for own in cells])
        return _placed(self._measure(vectors)[:, self._chosen], self._bins)


def _placed(values: NDArray[np.float64], bins: NumberBins) -> list[Placed]:
    """Values of shape (rows, columns), by column."""
    placed = bins.place(values, np.isnan(values)).astype(np.int64)
    return [Placed(placed[:, at], values[:, at]) for at in range(values.shape[1])]
