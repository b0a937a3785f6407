"""From the fields of payloads to the columns of a profile: which are numbers, and what is computed of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor import cells
from exporter.override import Override
from exporter.reference import Column, Embedding, Side, Together
from exporter.scalars import vector_scalars
from exporter.scalars.salted import Salt
from exporter.scalars.together import Measure as MeasureTogether
from exporter.scalars.together import names as together_scalars
from exporter.scalars.vectors import Measure

Places = NDArray[np.int64]
Named = tuple[list[str | None], int]
"""Names of categories, and how many cells could have none."""


class _Vector(NamedTuple):
    """An embedding, or the numeric features as one."""

    measure: Measure | MeasureTogether
    at: Places | slice
    """Its dimensions among the numbers that are read."""
    places: Places
    """Of the columns that are computed of it, and what of `measure` each of them is."""
    chosen: Places


class Reading:
    """How one side is read. Columns that are hashed under another salt, or one that nobody gave us, are not."""

    def __init__(self, side: Side, salt: Salt | None) -> None:
        columns = side.columns
        self._side, self._columns = side, columns
        self._salt = salt
        mine = {"", salt.fingerprint if salt else ""}
        self.unreadable = {place for place, column in enumerate(columns) if column.salt not in mine}
        """Columns, by place, whose categories nobody here can hash."""
        at = {field: place for place, field in enumerate(side.fields)}
        direct = [place for place, column in enumerate(columns) if column.kind == "numeric"]
        derived = _by_embedding(columns)
        vectors = [one for one in side.embeddings if one.name in derived]
        self.embeddings = [tuple(at[field] for field in one.fields) for one in vectors]
        """Of each embedding that is watched the places of its fields."""
        self.number_places = sorted({at[columns[place].field] for place in direct}.union(*self.embeddings))
        """Fields that are read as numbers, by place; those of other columns are the others."""
        others = [
            place for place, column in enumerate(columns)
            if column.kind not in {"numeric", "embedding"} and place not in self.unreadable
        ]  # fmt: skip
        self.other_places = sorted({at[columns[place].field] for place in others})
        waiting = {place: number for number, place in enumerate(self.other_places)}
        self._others = [(place, waiting[at[columns[place].field]]) for place in others]
        packed = {place: number for number, place in enumerate(self.number_places)}
        self._direct = np.array(direct, np.int64)
        self._direct_at = np.array([packed[at[columns[place].field]] for place in direct], np.int64)
        self._whole = self._direct_at.tolist() == list(range(len(packed)))
        self._measured = [
            _vector(one, [packed[at[field]] for field in one.fields], derived[one.name], columns) for one in vectors
        ]

        one = side.together if side.together and side.together.name in derived else None
        self._as_one = one and _together(one, [packed[at[field]] for field in one.fields], derived[one.name], columns)

    def fields_of_columns(self) -> Places:
        """The place of each column's field; of what is computed of several that of the first one, else any."""
        first = {one.name: one.fields[0] for one in self._side.embeddings}
        if self._side.together:
            first[self._side.together.name] = self._side.together.fields[0]
        at = {field: place for place, field in enumerate(self._side.fields)}
        read = {*self.number_places, *self.other_places}
        found = [at[first.get(column.field, column.field)] for column in self._columns]
        return np.array([place if place in read else 0 for place in found], np.int64)

    def numbers(self, packed: NDArray[np.float64]) -> Iterator[tuple[Places, NDArray[np.float64]]]:
        """Places of ordered columns, and their values, of numbers of shape (rows, fields that are read as numbers)."""
        if self._direct.size:
            yield self._direct, packed if self._whole else packed[:, self._direct_at]
        for one in self._measured:
            yield one.places, one.measure(packed[:, one.at])[:, one.chosen]
        if self._as_one:
            yield self._as_one.places, self._as_one.measure(packed[:, self._as_one.at])[:, self._as_one.chosen]

    def errors(self, numbers: Places, vectors: Places) -> Iterator[tuple[Places, Places | int]]:
        """Places of columns, and their wrong types, of those by field that is read as a number, and by embedding."""
        yield self._direct, numbers[self._direct_at]
        for one, wrong in zip(self._measured, vectors.tolist(), strict=True):
            yield one.places, wrong

    def others(self, waiting: Sequence[Sequence[object]]) -> Iterator[tuple[int, Sequence[object]]]:
        """Columns that are no numbers, by place, and their cells, of those of each of the other fields."""
        for place, number in self._others:
            yield place, waiting[number]

    def names(self, place: int, given: Sequence[object]) -> Named:
        """Cells of a column of categories, by name."""
        column = self._columns[place]
        if column.scalar:
            return cells.words(given, column.scalar)
        names, wrong = cells.categories(given, column.kind)
        if column.salt and self._salt:
            names = [None if name is None else self._salt.name(name) for name in names]
        return names, wrong

    def spelled(self, said: Sequence[Override]) -> list[Override]:
        """What is said of the columns, with categories as they are called here: hashed ones by their hashes.

        Of what is not read nothing is said.
        """
        return [self._spelled(place, rule) for place, rule in enumerate(said)]

    def _spelled(self, place: int, rule: Override) -> Override:
        if place in self.unreadable:
            return replace(rule, allowed=None)
        if rule.allowed is None or not self._columns[place].salt or self._salt is None:
            return rule
        return replace(rule, allowed=tuple(map(self._salt.name, rule.allowed)))


def _by_embedding(columns: Sequence[Column]) -> dict[str, list[int]]:
    """By name the places of the columns that are computed of an embedding."""
    found: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        if column.kind == "embedding":
            found.setdefault(column.origin, []).append(place)
    return found


def _vector(one: Embedding, at: list[int], places: list[int], columns: Sequence[Column]) -> _Vector:
    scalars = vector_scalars(len(one.axes))
    chosen = [scalars.index(columns[place].scalar) for place in places]
    return _Vector(Measure(one.centroid, one.axes), _taken(at), np.array(places, np.int64), np.array(chosen, np.int64))


def _together(one: Together, at: list[int], places: list[int], columns: Sequence[Column]) -> _Vector:
    scalars = together_scalars(len(one.axes))
    chosen = [scalars.index(columns[place].scalar) for place in places]
    measure = MeasureTogether(one.centre, one.scales, one.axes)
    return _Vector(measure, _taken(at), np.array(places, np.int64), np.array(chosen, np.int64))


def _taken(at: list[int]) -> Places | slice:
    in_a_row = at == list(range(at[0], at[0] + len(at)))
    return slice(at[0], at[0] + len(at)) if in_a_row else np.array(at, np.int64)
