"""A payload's columns as those of the profile, by what the operator says of them. Table in, table out.

What is to be done is found out once for each list of names; columns that nobody speaks of stay as they were decoded. A
payload that has nothing of what a column is said to be made of keeps what it has under the column's own name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from exporter.decode.pointers import Pointers
from exporter.origins import Origin, Place, Scalar, is_pointer
from exporter.records import Columns, Table
from exporter.sketch.binning import category_name, truth_name

Cells = Sequence[Any]
Make = Callable[[Columns], Cells]
"""The cells of a column, of all columns of a payload."""
_MOST_REMEMBERED: Final = 50_000
"""Columns of all lists of names that are remembered: clients may make up as many as they like."""
_LONGEST_NAME: Final = 64
"""Characters of a name that is remembered as one column; a longer one, which may be a whole body, is as many more."""
_ELEMENT: Final = re.compile(r"(.+)\[(\d{1,5})\]", re.DOTALL)
_SEVERAL: Final = "<several of one_hot>"
_NO_TRUTH: Final = "<neither 0 nor 1>"
"""What no category of any profile is called: unseen."""


class Column(NamedTuple):
    """One column of a table that was mapped."""

    name: str
    make: Make
    fields: tuple[str, ...]
    """What it is made of, by the payload's names, for people."""


class Mapper:
    """What is said of one side."""

    def __init__(self, origins: Sequence[Origin]) -> None:
        self._origins = origins
        places = dict.fromkeys(chain.from_iterable(origin.places for origin in origins))
        texts = [str(place) for place in places if is_pointer(place)]
        self.pointers = Pointers(texts) if texts else None
        """By which bodies are read, whoever's they are; None where a protocol reads them."""
        self._plans: dict[tuple[bool, tuple[str, ...]], tuple[Column, ...]] = {}
        self._remembered = 0

    def __call__(self, table: Table, order: tuple[str, ...] = ()) -> Table:
        """The table as the profile has it; `order` are the names of bare arrays that are as wide."""
        columns = self.columns(table, order)
        if not columns:
            return table
        names = tuple(column.name for column in columns)
        return Table(table.rows, names, tuple(column.make(table.columns) for column in columns), table.partial)

    def columns(self, table: Table, order: tuple[str, ...] = ()) -> tuple[Column, ...]:
        """How the columns are made of those of a table like this one; none where they are as they are."""
        width, bare = len(table.columns), table.names is None
        names = table.names or (order if len(order) == width else tuple(f"[{place}]" for place in range(width)))
        if (bare, names) not in self._plans:
            cost = width + 1 + sum(map(len, names)) // _LONGEST_NAME
            self._remembered += cost
            if self._remembered > _MOST_REMEMBERED:
                self._plans, self._remembered = {}, cost
            self._plans[bare, names] = self._plan(_Given(names, bare=bare))
        return self._plans[bare, names]

    def _plan(self, given: "_Given") -> tuple[Column, ...]:
        made = [column for origin in self._origins if (column := _column(origin, given))]
        if not made:
            return ()
        taken = {column.name for column in made}
        left = [
            (place, name) for place, name in enumerate(given.names) if place not in given.used and name not in taken
        ]
        return (*made, *(Column(name, _nth(place), (name,)) for place, name in left))


class _Given:
    """The columns that a payload has, and which of them were made use of."""

    def __init__(self, names: tuple[str, ...], *, bare: bool) -> None:
        """`bare`: whether the payload has positions alone, and the names are what these are called."""
        self.names = names
        self._bare = bare
        self._places = {name: place for place, name in enumerate(self.names)}
        self.used: set[int] = set()
        self.touched: list[int] = []
        """Where cells were asked for since somebody emptied it."""

    def cells(self, field: Place) -> Make | None:
        """Those of a field: a column, or what its lists have at a place."""
        place = self._at(field)
        if place is not None:
            return self._use(place)
        element = _ELEMENT.fullmatch(field) if isinstance(field, str) else None
        holder = self._at(element[1]) if element else None
        return _element(self._use(holder), int(element[2])) if element and holder is not None else None

    def in_order(self, field: Place, classes: Sequence[Scalar]) -> list[Make] | None:
        """As many columns as there are classes: those of a field, those that are called like them, or the first."""
        if field != "":
            names: Sequence[Place] = [f"{field}[{place}]" for place in range(len(classes))]
        else:
            names = range(len(classes)) if self._bare else [category_name(one) or "" for one in classes]
        found = [self.cells(name) for name in names]
        return [make for make in found if make] if all(found) else None

    def _at(self, field: Place) -> int | None:
        if isinstance(field, int) and self._bare:
            return field if field < len(self.names) else None
        return self._places.get(str(field))

    def _use(self, place: int) -> Make:
        self.touched.append(place)
        return _nth(place)


def _column(origin: Origin, given: _Given) -> Column | None:
    """How a column is made, None where nothing of what it is made of is there."""
    make: Make | None
    given.touched = []
    if origin.one_hot:
        flags = [(cells, category) for field, category in origin.one_hot if (cells := given.cells(field))]
        make = _chosen(flags, origin.otherwise) if flags else None
    elif origin.argmax:
        several = given.in_order(origin.field, origin.argmax)
        make = _largest(several, origin.argmax) if several else None
    else:
        make = given.cells(origin.field)
        if make and origin.values:
            make = _translated(make, dict(origin.values))
    if make is None:
        return None
    given.used.update(given.touched)
    return Column(origin.column, make, tuple(given.names[place] for place in dict.fromkeys(given.touched)))


# --- cells


def _nth(place: int) -> Make:
    return lambda columns: columns[place]


def _element(make: Make, place: int) -> Make:
    def cells(columns: Columns) -> Cells:
        return [cell[place] if isinstance(cell, list) and place < len(cell) else None for cell in make(columns)]

    return cells


def _translated(make: Make, values: Mapping[str | None, Scalar]) -> Make:
    def cells(columns: Columns) -> Cells:
        return [values.get(category_name(cell), cell) for cell in make(columns)]

    return cells


def _chosen(flags: Sequence[tuple[Make, Scalar]], otherwise: Scalar) -> Make:
    categories = [category for _, category in flags]

    def cell(row: Sequence[Any]) -> Scalar:
        truths = [truth_name(category_name(flag) or "false") for flag in row]
        if any(truth not in {"true", "false"} for truth in truths):
            return _NO_TRUTH
        chosen = [category for truth, category in zip(truths, categories, strict=True) if truth == "true"]
        return chosen[0] if len(chosen) == 1 else _SEVERAL if chosen else otherwise

    def cells(columns: Columns) -> Cells:
        return [cell(row) for row in zip(*(make(columns) for make, _ in flags), strict=True)]

    return cells


def _largest(several: Sequence[Make], classes: Sequence[Scalar]) -> Make:
    def cell(row: Sequence[Any]) -> Scalar:
        numbers = [number for number in row if isinstance(number, int | float) and number == number]  # noqa: PLR0124
        return classes[row.index(max(numbers))] if len(numbers) == len(row) else None

    def cells(columns: Columns) -> Cells:
        return [cell(row) for row in zip(*(make(columns) for make in several), strict=True)]

    return cells
