"""Tables in memory: data frames of pandas, tables of Arrow, arrays by name, and batches of any of these.

Nothing is imported for them: who has a data frame has its package.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.cells import Cells, CountedCells, NumberCells, ObjectCells, Piece
from exporter.profile.headers import check_names

_NUMBERS = "iuf"
Columns = list[tuple[str, Any]]


def pieces(table: object, names: list[str]) -> Iterator[Piece]:
    """The columns of a table in memory, or of an iterable of tables, whose columns may come in another order."""
    single = _columns(table)
    for number, batch in enumerate([table] if single is not None else _each(table), 1):
        where = "the table" if single is not None else f"batch {number}"
        columns = _columns(batch)
        if columns is None:
            raise DataError(f"{where}: {type(batch).__name__} is no table: a data frame or arrays by name are")
        _check(columns, names, where)
        for place, (name, column) in enumerate(columns, 1):
            done = place / len(columns) if single is not None else 0.0
            yield from (Piece(name, cells, done) for cells in _slices(column, len(columns), typed=single is not None))


def _each(table: object) -> Iterable[object]:
    if isinstance(table, Iterable) and not isinstance(table, str | bytes | np.ndarray):
        return cast("Iterable[object]", table)
    raise DataError(f"{type(table).__name__} is no table: a data frame, arrays by name, or batches of them are")


def _columns(table: Any) -> Columns | None:  # noqa: ANN401
    if isinstance(table, Mapping):
        return [(str(name), _array(column, name)) for name, column in table.items()]
    if hasattr(table, "iloc") and hasattr(table, "columns"):  # pandas
        return [(str(name), table.iloc[:, place]) for place, name in enumerate(table.columns)]
    if hasattr(table, "schema") and hasattr(table, "column"):  # a table or record batch of Arrow
        return [(str(name), table.column(place)) for place, name in enumerate(table.schema.names)]
    return None


def _array(column: Any, name: object) -> Any:  # noqa: ANN401
    if not hasattr(column, "__len__"):
        raise DataError(f"column {str(name)!r} has no length")
    if getattr(column, "ndim", 1) != 1:
        raise DataError(f"column {str(name)!r} has {column.ndim} dimensions where 1 can be read")
    return column


def _check(columns: Columns, names: list[str], where: str) -> None:
    found = [name for name, _ in columns]
    names += [] if names else check_names(found, where)
    for name in sorted({*found} ^ {*names}):
        raise DataError(f"{where}: column {name!r} is not in every batch")
    for name, column in columns:
        if len(column) != len(columns[0][1]):
            raise DataError(f"{where}: column {name!r} has {len(column)} rows where {columns[0][0]!r} has "
                            f"{len(columns[0][1])}")  # fmt: skip


def _slices(column: Any, width: int, *, typed: bool) -> Iterator[Cells]:  # noqa: ANN401
    rows = arrow_cells.batch_rows(width)
    if hasattr(column, "chunks"):
        yield from (cells for chunk in column.chunks for cells in arrow_cells.slices(chunk, rows))
    elif hasattr(column, "null_count") and hasattr(column, "type"):
        yield from arrow_cells.slices(column, rows)
    elif hasattr(column, "isna") and hasattr(column, "iloc"):
        yield from (_of_series(column.iloc[at : at + rows], typed=typed) for at in range(0, len(column), rows))
    else:
        yield from (_of_array(column[at : at + rows], typed=typed) for at in range(0, len(column), rows))


def _of_series(series: Any, *, typed: bool) -> Cells:  # noqa: ANN401
    null = series.isna().to_numpy(dtype=bool)
    if hasattr(series, "cat"):  # whoever made it categorical has declared its kind
        counts = np.bincount(series.cat.codes.to_numpy() + 1, minlength=len(series.cat.categories) + 1).tolist()
        return CountedCells([None, *series.cat.categories.tolist()], counts)
    kind = getattr(series.dtype, "kind", "O")
    if kind in _NUMBERS:
        size = getattr(series.dtype, "itemsize", 8)
        return NumberCells(series.to_numpy(dtype=f"{kind}{size}", na_value=0), null, nameless=typed)
    return ObjectCells([None if gap else value for value, gap in zip(series.tolist(), null, strict=True)])


def _of_array(values: Any, *, typed: bool) -> Cells:  # noqa: ANN401
    if not isinstance(values, np.ndarray):
        return ObjectCells(list(values))
    if values.dtype.kind in _NUMBERS:
        return NumberCells(np.ma.getdata(values), np.ma.getmaskarray(values), nameless=typed)
    return ObjectCells(list(values) if values.dtype.kind in "Mm" else values.tolist())
