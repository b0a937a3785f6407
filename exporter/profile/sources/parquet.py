"""Parquet, one column at a time within a row group. Needs the extra `parquet`."""

from collections.abc import Iterator
from typing import Any, Final

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.cells import Piece
from exporter.profile.files import TableFile
from exporter.profile.headers import check_names

_SMALL: Final = 8 << 20
"""Row groups of so many bytes, uncompressed, are read with all their columns: opening each would take longer."""


def read(file: TableFile, names: list[str]) -> Iterator[Piece]:
    """The columns of a Parquet file."""
    pa = arrow_cells.pyarrow()
    try:
        with pa.parquet.ParquetFile(file.path) as table:
            names += check_names(list(table.schema_arrow.names), file.path)
            yield from _groups(table, names)
            if not table.metadata.num_rows:
                raise DataError(f"{file.path}: no rows")
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None


def _groups(table: Any, names: list[str]) -> Iterator[Piece]:  # noqa: ANN401 (pyarrow has no types)
    total = max(1, table.metadata.num_rows * len(names))
    done = 0
    for group in range(table.num_row_groups):
        small = table.metadata.row_group(group).total_byte_size <= _SMALL
        for chosen in [names] if small else [[name] for name in names]:
            rows = arrow_cells.batch_rows(len(chosen))
            for batch in table.iter_batches(rows, row_groups=[group], columns=chosen):
                for name in chosen:
                    done += batch.num_rows
                    yield Piece(name, arrow_cells.cells(batch.column(name)), done / total)
