"""Rows as columns, and columns as they are: the shapes every JSON protocol is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.decode.turned import Turned
from exporter.errors import DecodeError
from exporter.records import Columns, Table

MOST_COLUMNS: Final = 10_000
MOST_SPARSE_CELLS: Final = 1_000_000
"""Cells a table of objects may have when nine of ten are absent: a few bytes must not become gigabytes."""
_SCALARS: Final = frozenset((int, float, str, bool, type(None)))


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
    """A table from objects; a key that a row does not have is missing there."""
    alike = _alike(rows)
    if alike is not None:
        return alike
    names: dict[str, None] = {}
    given = 0
    for row in rows:
        if not isinstance(row, dict):
            raise DecodeError("ragged", "rows of different shapes")
        given += len(row)
        if row.keys() != names.keys():
            names |= dict.fromkeys(row)
    _check_width(len(names))
    if len(rows) * len(names) > max(MOST_SPARSE_CELLS, 10 * given):
        raise DecodeError("ragged", f"{len(rows)} rows of {len(names)} names have {given} values only")
    columns = tuple([row.get(name) for row in rows] for name in names)
    return Table(len(rows), tuple(names), columns)


def _alike(rows: Sequence[Any]) -> Table | None:
    """A table from objects that have the same keys in the same order, as those that one program writes; else None."""
    names = tuple(rows[0])
    if not all(type(row) is dict and tuple(row) == names for row in rows):
        return None
    _check_width(len(names))
    return Table(len(rows), names, Turned([tuple(row.values()) for row in rows], len(names)))


def from_rows(rows: Sequence[Any], names: tuple[str, ...] | None) -> Table:
    """A table from lists of scalars, all of one length."""
    width = len(names) if names is not None else len(rows[0])
    _check_width(width)
    for row in rows:
        if type(row) is not list or len(row) != width:
            raise DecodeError("ragged", f"a row does not have {width} values")
    if rows and list in map(type, rows[0]):
        raise DecodeError("shape", "rows of more than one dimension")
    return Table(len(rows), names, Turned(rows, width))


def from_columns(columns: Mapping[str, Any]) -> Table:
    """A table from an object of columns, all of one length; one whose cells are lists is a column for each place.

    Those are named `name[0]`, `name[1]` and so on; where there is one cell a row, `name`.
    """
    if not columns or not all(isinstance(column, list) for column in columns.values()):
        raise DecodeError("shape", "an object of columns was expected")
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise DecodeError("ragged", "columns of different lengths")
    wide: list[tuple[str, Sequence[object]]] = []
    for name, column in columns.items():
        if column and isinstance(column[0], list):
            wide += spread(name, from_rows(column, None).columns)
        else:
            wide.append((name, column))
    return from_named(wide, lengths.pop())


def spread(name: str, columns: Columns) -> list[tuple[str, Sequence[object]]]:
    """The columns of one input or output that has several."""
    if len(columns) == 1:
        return [(name, columns[0])]
    return [(f"{name}[{place}]", column) for place, column in enumerate(columns)]


def from_named(columns: Sequence[tuple[str, Sequence[object]]], rows: int) -> Table:
    """A table from columns of `rows` cells each. DecodeError: shape (a name twice), too_many_columns."""
    _check_width(len(columns))
    names = tuple(name for name, _ in columns)
    if len(set(names)) != len(names):
        raise DecodeError("shape", "two columns have one name")
    return Table(rows, names, tuple(column for _, column in columns))


def _check_width(width: int) -> None:
    if width > MOST_COLUMNS:
        raise DecodeError("too_many_columns", f"{width} columns")
