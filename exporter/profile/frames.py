"""Tables in memory: data frames of pandas, tables of Arrow, arrays by name, and batches of any of these.

Nothing is imported for them: who has a data frame has its package.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.cells import CodedCells, Distinct, NumberCells, ObjectCells, distinct, time_cells
from exporter.profile.headers import check_names
from exporter.profile.lists import Lengths, Look, Widths
from exporter.profile.pieces import Arrange, Cells, Instants, Piece, as_it_comes, chosen

_NUMBERS = "iuf"
Columns = list[tuple[str, Any]]


def pieces(
    table: object, names: list[str], arrange: Arrange = as_it_comes, widths: Widths | None = None
) -> Iterator[Piece]:
    """The columns of a table in memory, or of an iterable of tables, whose columns may come in another order.

    Some rows of a table are a run.
    """
    single = _columns(table)
    run = 0
    for number, batch in enumerate([table] if single is not None else _each(table), 1):
        where = "the table" if single is not None else f"batch {number}"
        columns = _columns(batch)
        if columns is None:
            raise DataError(f"{where}: {type(batch).__name__} is no table: a data frame or arrays by name are")
        _check(columns, names, where)
        total, rows = len(columns[0][1]) if columns else 0, arrow_cells.rows_of(names, widths or {})
        wanted = [(name, dict(columns)[name]) for group in chosen(arrange, names, where) for name in group]
        for start in range(0, total, rows):
            done = min(1.0, (start + rows) / total) if single is not None else 0.0
            for name, column in wanted:
                yield Piece(name, _slice(column, start, start + rows, typed=single is not None), done, run)
            run += 1


def look(table: object) -> Look:
    """Names, and how long lists are. DataError."""
    single = _columns(table)
    found, mixed = Look([], {}), set[str]()
    for number, batch in enumerate([table] if single is not None else _each(table), 1):
        columns = _columns(batch)
        if columns is None:
            raise DataError(f"batch {number}: {type(batch).__name__} is no table: a data frame or arrays by name are")
        found.names[:] = found.names or [name for name, _ in columns]
        for name, column in columns:
            lengths = _lengths(column)
            if lengths is None:
                mixed.add(name)
            else:
                found.lengths.setdefault(name, Lengths()).merge(lengths)
    for name in mixed & found.lengths.keys():
        found.lengths[name].numbers = False
    return found


def _lengths(column: Any) -> Lengths | None:  # noqa: ANN401
    """Of what may be lists; None of what is none."""
    kind = getattr(column, "type", None)
    if kind is not None and hasattr(column, "null_count"):
        if not arrow_cells.are_lists(kind):
            return None
        chunks = column.chunks if hasattr(column, "chunks") else [column]
        found = Lengths()
        for chunk in chunks:
            found.merge(arrow_cells.lengths(chunk))
        return found
    if getattr(getattr(column, "dtype", None), "kind", "O") != "O":
        return None
    found = Lengths()
    found.add_objects(column)
    return found


def again(table: object) -> bool:
    """Whether the table can be read a second time: an iterator cannot."""
    return _columns(table) is not None or iter(_each(table)) is not table


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


def _slice(column: Any, start: int, end: int, *, typed: bool) -> Cells:  # noqa: ANN401
    if hasattr(column, "chunks"):
        return arrow_cells.cells(_one(column.slice(start, end - start)))
    if hasattr(column, "null_count") and hasattr(column, "type"):
        return arrow_cells.cells(column.slice(start, end - start))
    if hasattr(column, "isna") and hasattr(column, "iloc"):
        return _of_series(column.iloc[start:end], typed=typed)
    return _of_array(column[start:end], typed=typed)


def _one(chunked: Any) -> Any:  # noqa: ANN401
    return chunked.chunk(0) if chunked.num_chunks == 1 else arrow_cells.pyarrow().concat_arrays(chunked.chunks)


def _of_series(series: Any, *, typed: bool) -> Cells:  # noqa: ANN401
    null = series.isna().to_numpy(dtype=bool)
    if hasattr(series, "cat"):  # whoever made it categorical has declared its kind
        found = Distinct(series.cat.categories.tolist(), series.cat.codes.to_numpy().astype(np.int64))
        return CodedCells(len(series), lambda: found)
    kind = getattr(series.dtype, "kind", "O")
    if kind in _NUMBERS:
        size = getattr(series.dtype, "itemsize", 8)
        return NumberCells(series.to_numpy(dtype=f"{kind}{size}", na_value=0), null, nameless=typed)
    if kind == "M":
        return CodedCells(len(series), lambda: distinct(_filled(series, null)), _instants(series, null))
    return ObjectCells(_filled(series, null))


def _filled(series: Any, null: Any) -> list[object]:  # noqa: ANN401
    return [None if gap else value for value, gap in zip(series.tolist(), null, strict=True)]


def _instants(series: Any, null: Any) -> Instants:  # noqa: ANN401
    zoned = series.dt.tz is not None  # numpy's view of such a series is in UTC
    return Instants(series.to_numpy(dtype="datetime64[us]").astype(np.int64), null, naive=not zoned)


def _of_array(values: Any, *, typed: bool) -> Cells:  # noqa: ANN401
    if not isinstance(values, np.ndarray):
        return ObjectCells(list(values))
    if values.dtype.kind in _NUMBERS:
        return NumberCells(np.ma.getdata(values), np.ma.getmaskarray(values), nameless=typed)
    return time_cells(values) if values.dtype.kind in "Mm" else ObjectCells(values.tolist())
