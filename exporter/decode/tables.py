"""Rows as columns, and columns as they are: the shapes every JSON protocol is made of."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeGuard

import numpy as np

from exporter.decode.turned import Turned
from exporter.errors import DecodeError
from exporter.records import Columns, Table

MOST_COLUMNS: Final = 10_000
MOST_SPARSE_CELLS: Final = 1_000_000
"""Cells a table of objects may have when nine of ten are absent: a few bytes must not become gigabytes."""
_LONGEST_KEPT: Final = 64
_WIDEST_KEPT: Final = 4096
_SCALARS: Final = frozenset((int, float, str, bool, type(None)))
_BYTES: Final = ("b64",)
"""The keys of an object that stands for bytes (TensorFlow Serving, RESTful API, encoding binary values)."""


def from_any(rows: object) -> Table:
    """A table from a list of objects, of lists, or of scalars (one column)."""
    if not isinstance(rows, list):
        raise DecodeError("shape", f"a list of rows was expected, not {type(rows).__name__}")
    if not rows:
        return Table(0, None, ())
    if isinstance(rows[0], dict):
        return from_records(rows)
    if isinstance(rows[0], list):
        return from_rows(rows, None)
    if not _SCALARS.issuperset(map(type, rows)):
        raise DecodeError("ragged", "rows of different shapes")
    return Table(len(rows), None, (rows,))


def from_records(rows: Sequence[Any]) -> Table:
    """A table from objects; a key that a row does not have is missing there.

    A list of one value is that value, a longer one is the columns `name[0]`, `name[1]` and so on of its row. What a row
    says does not depend on the rows beside it.
    """
    alike = _alike(rows)
    found = alike or _sparse(rows)
    if not any(list in map(type, row.values()) for row in rows):
        return found
    return (alike and _evenly(alike)) or _unfolded(found)


def _sparse(rows: Sequence[Any]) -> Table:
    """A table from objects of any keys."""
    names: dict[str, None] = {}
    given = 0
    for row in rows:
        if not isinstance(row, dict):
            raise DecodeError("ragged", "rows of different shapes")
        given += len(row)
        if row.keys() != names.keys():
            names |= dict.fromkeys(row)
    check_width(len(names))
    if len(rows) * len(names) > max(MOST_SPARSE_CELLS, 10 * given):
        raise DecodeError("ragged", f"{len(rows)} rows of {len(names)} names have {given} values only")
    columns = tuple([row.get(name) for row in rows] for name in names)
    return Table(len(rows), tuple(names), columns)


def _evenly(table: Table) -> Table | None:
    """As `_unfolded`, where every row has lists of the same lengths at the same places, as vectors are; else None."""
    rows = table.columns.rows if isinstance(table.columns, Turned) else ()
    widths = [_width(cell) for cell in rows[0]]
    if any([_width(cell) for cell in row] != widths for row in rows[1:]) or sum(widths) > MOST_COLUMNS:
        return None
    names = _spread_names(zip(table.names or (), (max(width, 1) for width in widths), strict=True))
    flat = [
        list(chain.from_iterable(cell if width else (cell,) for cell, width in zip(row, widths, strict=True)))
        for row in rows
    ]
    return Table(table.rows, names, Turned(flat, len(names)))


def _unfolded(table: Table) -> Table:
    """The same table with a column for each place in lists of scalars; whatever else is a list stays a cell."""
    wide: list[tuple[str, Sequence[object]]] = []
    widths = [max(map(_width, column)) for column in table.columns]
    width = sum(one or 1 for one in widths)
    if width > MOST_COLUMNS or _is_swollen(table, width):
        return table
    for name, column, places in zip(table.names or (), table.columns, widths, strict=True):
        rest = [_alone(cell) for cell in column] if places else column
        if places < 2 or any(cell is not None for cell in rest):
            wide.append((name, rest))
        if places > 1:
            lists: list[Any] = [cell if _width(cell) > 1 else () for cell in column]
            wide += [(f"{name}[{place}]", [one[place] if place < len(one) else None for one in lists])
                     for place in range(places)]  # fmt: skip
    return from_named(wide, table.rows)


def _is_swollen(table: Table, width: int) -> bool:
    """Whether nulls would become many more cells than were given."""
    given = sum(_width(cell) or cell is not None for column in table.columns for cell in column)
    return table.rows * width > max(MOST_SPARSE_CELLS, 10 * given)


def _width(cell: object) -> int:
    """How many scalars a list holds; 0 for what is no such list."""
    return len(cell) if type(cell) is list and _SCALARS.issuperset(map(type, cell)) else 0


def _alone(cell: Any) -> object:  # noqa: ANN401 (any cell)
    """What a cell is under its own name; null where it has columns of its own."""
    width = _width(cell)
    return cell if not width else cell[0] if width == 1 else None


def _alike(rows: Sequence[Any]) -> Table | None:
    """A table from objects that have the same keys in the same order, as those that one program writes; else None."""
    names = tuple(rows[0])
    if not all(type(row) is dict and tuple(row) == names for row in rows):
        return None
    check_width(len(names))
    return Table(len(rows), names, Turned([tuple(row.values()) for row in rows], len(names)))


def from_rows(rows: Sequence[Any], names: tuple[str, ...] | None) -> Table:
    """A table from lists of scalars, all of one length; under names a list in them is as in `from_records`."""
    width = len(names) if names is not None else len(rows[0])
    check_width(width)
    for row in rows:
        if type(row) is not list or len(row) != width:
            raise DecodeError("ragged", f"a row does not have {width} values")
    table = Table(len(rows), names, Turned(rows, width))
    if rows and list in map(type, rows[0]):
        if names is None:
            raise DecodeError("shape", "rows of more than one dimension")
        return _evenly(table) or _unfolded(table)
    return table


def from_columns(columns: Mapping[str, Any]) -> Table:
    """A table from an object of columns, all of one length; one whose cells are lists is a column for each place.

    Those are named `name[0]`, `name[1]` and so on; where there is one cell a row, `name`.
    """
    if not columns or not all(isinstance(column, list) for column in columns.values()):
        raise DecodeError("shape", "an object of columns was expected")
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise DecodeError("ragged", "columns of different lengths")
    wide: list[tuple[str, Columns]] = []
    for name, column in columns.items():
        if column and isinstance(column[0], list):
            wide.append((name, from_rows(column, None).columns))
        else:
            wide.append((name, (column,)))
    return from_parts(wide, lengths.pop())


def from_row(row: Mapping[str, Any]) -> Table:
    """A table of one row; lists of scalars in it are columns of their own. DecodeError: shape, too_many_columns."""
    parts: list[tuple[str, Columns]] = []
    for name, value in row.items():
        parts.append((name, from_rows([value], None).columns if isinstance(value, list) else ((value,),)))
    return from_parts(parts, 1)


def opened(table: Table, content: bytes) -> Table:
    """The same table, in which bytes (`{"b64": ...}`) are texts; `content` tells cheaply whether there may be any."""
    braces = 1 if table.names is None or table.names == _BYTES else table.rows + 1
    if content.count(b"{") <= braces or b'"b64"' not in content:  # rows by name and what holds them have one each
        return table
    if table.names == _BYTES:
        return Table(table.rows, None, (texts(table.columns[0]),))
    return with_texts(table)


def with_texts(table: Table) -> Table:
    """The same table, in which bytes are texts, whatever that costs."""
    columns = [[_text(cell["b64"]) if _is_bytes(cell) else cell for cell in column] for column in table.columns]
    return Table(table.rows, table.names, tuple(columns))


def texts(encoded: Sequence[object]) -> list[object]:
    """What Base64 stands for, as text; what is none stays."""
    return [_text(cell) for cell in encoded]


def _is_bytes(cell: object) -> TypeGuard[dict[str, object]]:
    return isinstance(cell, dict) and tuple(cell) == _BYTES


def _text(encoded: object) -> object:
    if not isinstance(encoded, str):
        return encoded
    try:
        return str(base64.b64decode(encoded, validate=True), "utf-8", "replace")
    except (binascii.Error, ValueError):
        return encoded


def from_parts(parts: Sequence[tuple[str, Columns]], rows: int) -> Table:
    """A table from inputs or outputs of `rows` rows, each of which has one column or several.

    DecodeError: shape (a name twice), too_many_columns.
    """
    wide = [columns for _, columns in parts if len(columns) != 1]
    if not wide or not all(isinstance(columns, Turned) for columns in wide):
        return from_named([column for name, columns in parts for column in _spread(name, columns)], rows)
    names = _spread_names((name, len(columns)) for name, columns in parts)
    beside = zip(*(_rows(columns) for _, columns in parts), strict=True)
    return Table(rows, names, Turned([tuple(chain.from_iterable(row)) for row in beside], len(names)))


def _rows(columns: Columns) -> Iterable[Sequence[object]]:
    if not isinstance(columns, Turned):
        return zip(columns[0], strict=True)
    return columns.rows.tolist() if isinstance(columns.rows, np.ndarray) else columns.rows


def _spread(name: str, columns: Columns) -> list[tuple[str, Sequence[object]]]:
    return list(zip(_elements(name, len(columns)), columns, strict=True))


def _spread_names(widths: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The columns' names of values that are so wide. DecodeError: shape (a name twice), too_many_columns."""
    pairs = list(widths)
    check_width(sum(width for _, width in pairs))
    names = tuple(chain.from_iterable(_elements(name, width) for name, width in pairs))
    if len(set(names)) != len(names):
        raise DecodeError("shape", "two columns have one name")
    return names


def _elements(name: str, width: int) -> tuple[str, ...]:
    """What the columns of a value of several are called; one has its name."""
    if width == 1:
        return (name,)
    short = len(name) <= _LONGEST_KEPT and width <= _WIDEST_KEPT
    return _kept_elements(name, width) if short else _made_elements(name, width)


def _made_elements(name: str, width: int) -> tuple[str, ...]:
    return tuple(f"{name}[{place}]" for place in range(width))


_kept_elements = lru_cache(32)(_made_elements)
"""The same strings again are told apart in no time."""


def from_named(columns: Sequence[tuple[str, Sequence[object]]], rows: int) -> Table:
    """A table from columns of `rows` cells each. DecodeError: shape (a name twice), too_many_columns."""
    check_width(len(columns))
    names = tuple(name for name, _ in columns)
    if len(set(names)) != len(names):
        raise DecodeError("shape", "two columns have one name")
    return Table(rows, names, tuple(column for _, column in columns))


def check_width(width: int) -> None:
    """DecodeError: too_many_columns."""
    if width > MOST_COLUMNS:
        raise DecodeError("too_many_columns", f"{width} columns")
