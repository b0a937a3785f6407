"""Parquet, one column at a time within a row group. Needs the extra `parquet`."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.files import TableFile
from exporter.profile.headers import check_names
from exporter.profile.lists import Lengths, Look, Widths
from exporter.profile.pieces import Arrange, Piece, chosen

_SMALL: Final = 8 << 20
"""Row groups of so many bytes, uncompressed, are read with all their columns: opening each would take longer."""
_BUFFER: Final = 1 << 20
"""Of pages: a column of lists of a row group is too much to be held as a whole."""
_LOOKED: Final = 1 << 12
"""Rows of lists, however wide they are."""


def read(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    """The columns of a Parquet file; a row group, or some rows of a small one, is a run."""
    pa = arrow_cells.pyarrow()
    try:
        with pa.parquet.ParquetFile(file.path, buffer_size=_BUFFER if file.widths else 0) as table:
            names += check_names(list(table.schema_arrow.names), file.path)
            yield from _groups(table, chosen(arrange, names, file.path), file.widths)
            if not table.metadata.num_rows:
                raise DataError(f"{file.path}: no rows")
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None


def look(file: TableFile, _: bool) -> Look:
    """Names and lists, by the schema; of how these are long the columns must be read."""
    pa = arrow_cells.pyarrow()
    try:
        with pa.parquet.ParquetFile(file.path, buffer_size=_BUFFER) as table:
            found = Look(list(table.schema_arrow.names), {})
            for name in (one.name for one in table.schema_arrow if arrow_cells.are_lists(one.type)):
                lengths = found.lengths[name] = Lengths()
                for batch in table.iter_batches(_LOOKED, columns=[name]):
                    lengths.merge(arrow_cells.lengths(batch.column(0)))
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None
    return found


def _groups(table: Any, wanted: Sequence[Sequence[str]], widths: Widths) -> Iterator[Piece]:  # noqa: ANN401 (pyarrow has no types)
    every = [name for group in wanted for name in group]
    total = max(1, table.metadata.num_rows * len(every))
    done = run = 0
    for number in range(table.num_row_groups):
        small = table.metadata.row_group(number).total_byte_size <= _SMALL
        for group in [every] if small else wanted:
            start = 0
            for batch in table.iter_batches(
                arrow_cells.rows_of(group, widths), row_groups=[number], columns=list(group)
            ):
                for name in group:
                    done += batch.num_rows
                    yield Piece(name, arrow_cells.cells(batch.column(name)), done / total, run, start)
                start, run = (0, run + 1) if small else (start + batch.num_rows, run)
        run += 1
