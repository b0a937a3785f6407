"""Which field of a payload is which column of a profile: by names first, then by the values it has."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporter.reference import Column
from exporter.samples.layouts import Field
from exporter.sketch.binning import category_name, truth_name

_FITS: Final = 0.95
"""Share of values that a column must have seen."""
_FEW: Final = 5
"""Values that say nothing by themselves."""
_MARGIN: Final = 0.05
"""How far beyond the training data's range a number still fits, as a share of it."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")
Said = str | int | dict[str, Any]


class Match(NamedTuple):
    """What a map says of one column."""

    column: str
    said: Said
    doubt: str = ""
    """Why it should be looked at; empty where it is certain."""
    used: tuple[str, ...] = ()
    """The fields' places."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that is named by it."""
        return (self.column, *self.used, *((self.said,) if isinstance(self.said, str) else ()))


class Matched(NamedTuple):
    """What was found, and what was not."""

    matches: list[Match]
    missing: list[Column]
    left: list[Field]


def match(columns: Sequence[Column], fields: Sequence[Field]) -> Matched:
    """A match for as many columns as can be, in their order."""
    state = _State(columns, fields)
    for by_name in (_same, _alike, _at_the_end):
        state.settle(by_name, "")
    state.one_hot()
    state.classes()
    state.settle_by_values()
    ordered = [state.found[column.name] for column in columns if column.name in state.found]
    return Matched(ordered, state.missing(), state.left())


def fit(column: Column, cells: Sequence[Any]) -> float:
    """The share of values that the training data could have had; nothing fits nothing."""
    given = [cell for cell in cells if cell is not None]
    return sum(map(_fitting(column), given)) / len(given) if given else 0.0


def _fitting(column: Column) -> Callable[[Any], bool]:
    if column.kind == "text":
        return lambda cell: isinstance(cell, str)
    if column.kind == "embedding":
        return lambda cell: isinstance(cell, int | float)
    if column.kind == "numeric":
        margin = _MARGIN * (column.maximum - column.minimum)
        low, high = column.minimum - margin, column.maximum + margin
        return lambda cell: isinstance(cell, int | float) and low <= cell <= high
    known = {*column.categories, *column.others}
    if column.kind == "boolean":
        return lambda cell: truth_name(category_name(cell) or "") in known
    return lambda cell: category_name(cell) in known


# --- names


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _parts(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _same(column: str, field: Field) -> bool:
    return column in field.words


def _alike(column: str, field: Field) -> bool:
    return _plain(column) in set(map(_plain, field.words)) - {""}


def _at_the_end(column: str, field: Field) -> bool:
    """Whether one name is the end of the other, in whole words."""
    wanted = _parts(column)
    for word in field.words[:1]:
        given = _parts(word)
        short, long = sorted((wanted, given), key=len)
        if short and long[-len(short) :] == short:
            return True
    return False


class _State:
    """Columns and fields as far as they are settled."""

    def __init__(self, columns: Sequence[Column], fields: Sequence[Field]) -> None:
        self._columns = columns
        self._fields = fields
        self._used: set[str] = set()
        self.found: dict[str, Match] = {}

    def missing(self) -> list[Column]:
        return [column for column in self._columns if column.name not in self.found]

    def left(self) -> list[Field]:
        return [field for field in self._fields if field.place not in self._used]

    def _take(self, found: Match) -> None:
        self.found[found.column] = found
        self._used.update(found.used)

    def settle(self, by_name: Callable[[str, Field], bool], doubt: str) -> None:
        """Columns of which one field alone has the name, which is nobody else's."""
        left = self.left()
        claims = {column.name: [field for field in left if by_name(column.name, field)] for column in self.missing()}
        wanted: dict[str, int] = {}
        for fields in claims.values():
            for field in fields:
                wanted[field.place] = wanted.get(field.place, 0) + 1
        for column in self.missing():
            fields = claims[column.name]
            if len(fields) == 1 and wanted[fields[0].place] == 1:
                self._take(_as(column, fields[0], doubt))

    def settle_by_values(self) -> None:
        """Columns whose values are those of one field alone, which fits no other column."""
        left = [field for field in self.left() if sum(cell is not None for cell in field.cells) >= _FEW]
        claims = {
            column.name: [field for field in left if fit(column, field.cells) >= _FITS]
            for column in self.missing() if column.kind != "embedding"
        }  # fmt: skip
        for column in self.missing():
            fields = claims.get(column.name, [])
            if len(fields) == 1 and sum(fields[0] in others for others in claims.values()) == 1:
                self._take(Match(column.name, fields[0].place, "by its values alone", (fields[0].place,)))

    def one_hot(self) -> None:
        """Categories that are columns of 0 and 1 of their own."""
        for column in self.missing():
            if column.ordered:
                continue
            by_name = {_plain(word): field for field in self.left() for word in field.words}
            names = {one: _plain(f"{column.name} {one}") for one in (*column.categories, *column.others)}
            flags = {by_name[name].place: one for one, name in names.items() if name in by_name}
            if len(flags) < 2:
                continue
            said: dict[str, Any] = {"one_hot": flags}
            without = [one for one in names if one not in flags.values()]
            if len(without) == 1:
                said["otherwise"] = without[0]
            doubt = f"which category has no field: {', '.join(without[:3])}?" if without else ""
            self._take(Match(column.name, said, doubt, tuple(flags)))

    def classes(self) -> None:
        """A class by the largest of as many numbers as there are classes, and the probability of the second of two."""
        for column in self.missing():
            classes = sorted({*column.categories, *column.others})
            group = self._group(len(classes)) if not column.ordered and len(classes) > 1 else None
            if not group:
                continue
            base, places = group
            said: dict[str, Any] = {"argmax": classes} if base is None else {"field": base, "argmax": classes}
            doubt = "is this the order of the classes?"
            self._take(Match(column.name, said, doubt, places))
            rest = [one for one in self.missing() if one.kind == "numeric" and 0 <= one.minimum <= one.maximum <= 1]
            if len(classes) == 2 and len(rest) == 1:
                self._take(Match(rest[0].name, _place(places[1]), "is it that of the second class?", (places[1],)))

    def _group(self, count: int) -> tuple[str | None, tuple[str, ...]] | None:
        """The fields of shares that make one in each row: what they are called together, and one by one."""
        left = self.left()
        for at in range(len(left) - count + 1):
            group = left[at : at + count]
            base = _base([field.place for field in group])
            if base is not None and _are_shares([field.cells for field in group]):
                return (base or None), tuple(field.place for field in group)
        return None


def _base(places: Sequence[str]) -> str | None:
    """What `p[0]`, `p[1]` or `/p/0`, `/p/1` are called together; empty for positions, None where they are no such."""
    for form in ("{}[{}]", "{}/{}", "{}{}"):
        base = places[0][: -len(form.format("", 0))]
        if all(place == form.format(base, at) for at, place in enumerate(places)) and (base or form == "{}{}"):
            return base if form != "{}{}" or not base else None
    return None


def _are_shares(columns: Sequence[Sequence[Any]]) -> bool:
    rows = list(zip(*columns, strict=True))
    return bool(rows) and all(
        all(isinstance(cell, int | float) and 0 <= cell <= 1 for cell in row) and abs(sum(row) - 1) < 1e-3
        for row in rows
    )


def _as(column: Column, field: Field, doubt: str) -> Match:
    """A column as one field, whose values may be codes of its categories."""
    place = _place(field.place)
    given = [cell for cell in field.cells if cell is not None]
    if not given or fit(column, field.cells) >= 0.5:
        return Match(column.name, place, doubt, (field.place,))
    classes = sorted({*column.categories, *column.others})
    if column.kind == "categorical" and all(type(cell) is int and 0 <= cell < len(classes) for cell in given):
        codes: Mapping[str, str] = {str(code): one for code, one in enumerate(classes)}
        said = {"field": place, "values": codes}
        return Match(column.name, said, "are these its codes, by the alphabet?", (field.place,))
    return Match(column.name, place, "its values are not those of the training data", (field.place,))


def _place(place: str) -> str | int:
    """As a map has it: positions are numbers."""
    return int(place) if place.isdecimal() else place


def doubts(columns: Sequence[Column], fields: Sequence[Field]) -> Iterator[str]:
    """Columns, by position, whose values are not those of the training data."""
    for column, field in zip(columns, fields, strict=True):
        if any(cell is not None for cell in field.cells) and fit(column, field.cells) < 0.5:
            yield column.name
