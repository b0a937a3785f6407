"""Tables as batches of columns. Every fault in a file is named with its line."""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from exporter.errors import ConfigError, DataError
from exporter.profile.builder import ColumnBuilder

BATCH_ROWS: Final = 10_000
_SNIFFED: Final = 65_536
_PARQUET_ENDINGS: Final = (".parquet", ".pq")


def columns(path: str, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    """Read a table into builders, one per column, with the number of rows. ConfigError, DataError."""
    read = _parquet if path.endswith(_PARQUET_ENDINGS) else _csv
    try:
        return read(path, declared)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None


# --- CSV


def _csv(path: str, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    with Path(path).open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="", errors="strict")
        try:
            return _read_csv(path, text, declared)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not UTF-8 text: {error.reason} near byte {error.start}") from None
        except csv.Error as error:
            raise DataError(f"{path}: {error}") from None


def _read_csv(path: str, text: io.TextIOWrapper, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    rows = csv.reader(text, delimiter=_delimiter(path, text), strict=True)
    try:
        header = next(rows, None)
        if not header:
            raise DataError(f"{path}: empty, a header line was expected")
        builders = _builders(path, [name.strip() for name in header], declared)
        total = 0
        for batch in _batches(path, rows, len(header)):
            for builder, tokens in zip(builders, zip(*batch, strict=True), strict=True):
                builder.add_tokens(tokens)
            total += len(batch)
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: {error}") from None
    if not total:
        raise DataError(f"{path}: no rows below the header")
    return builders, total


def _delimiter(path: str, text: io.TextIOWrapper) -> str:
    """The one of `,` `;` tab `|` that splits the header into most fields, outside quotes."""
    start = text.buffer.peek(_SNIFFED)[:_SNIFFED] if isinstance(text.buffer, io.BufferedReader) else b""
    line = start.split(b"\n", 1)[0]
    if b"\x00" in start:
        raise DataError(f"{path}: holds NUL bytes, not a text file")
    header = codecs.getincrementaldecoder("utf-8")("replace").decode(line)
    unquoted = "".join(header.split('"')[::2])
    return max(",;\t|", key=unquoted.count)


def _batches(path: str, rows: Any, width: int) -> Iterator[list[list[str]]]:  # noqa: ANN401 (csv has no public type)
    batch: list[list[str]] = []
    for row in rows:
        if len(row) != width:
            if not row:
                continue  # a blank line
            raise DataError(f"{path}: line {rows.line_num}: {len(row)} fields where the header has {width}")
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _builders(path: str, names: list[str], declared: dict[str, str]) -> list[ColumnBuilder]:
    for index, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{path}: line 1: column {index} has no name")
        if names.count(name) > 1:
            raise DataError(f"{path}: line 1: column {name!r} stands there twice")
    return [ColumnBuilder(name, declared.get(name)) for name in names]


# --- Parquet


def _parquet(path: str, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ConfigError("Parquet needs the extra: pip install 'inference-exporter[parquet]'") from None
    try:
        with parquet.ParquetFile(path) as file:
            builders = _builders(path, list(file.schema_arrow.names), declared)
            total = 0
            for batch in file.iter_batches(BATCH_ROWS):
                for builder, column in zip(builders, batch.columns, strict=True):
                    _add_arrow(builder, column, pa.types)
                total += batch.num_rows
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}") from None
    if not total:
        raise DataError(f"{path}: no rows")
    return builders, total


def _add_arrow(builder: ColumnBuilder, column: Any, types: Any) -> None:  # noqa: ANN401 (pyarrow has no types)
    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool)
        values = column.cast("float64", safe=False).to_numpy(zero_copy_only=False)
        builder.add_numbers(np.where(missing, 0.0, values), missing)
    else:
        builder.add_values([None if value is None else value if isinstance(value, bool) else str(value)
                            for value in column.to_pylist()])  # fmt: skip
