"""Tables as batches of columns. Every fault in a file is named with its line."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from exporter.errors import ConfigError, DataError
from exporter.profile.builder import ColumnBuilder
from exporter.sketch.decimals import FP16, FP32, decimals

BATCH_ROWS: Final = 10_000
_SNIFFED: Final = 65_536
_PARQUET_ENDINGS: Final = (".parquet", ".pq")


def columns(path: str, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    """Read a table into builders, one per column, with the number of rows. ConfigError, DataError."""
    read = _parquet if path.endswith(_PARQUET_ENDINGS) else _csv
    try:
        return read(path, declared)
    except OSError as error:
        if error.errno is None:  # the operating system had no objection, the reader of the format has
            raise DataError(f"{path}: {str(error).splitlines()[0]}") from None
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


# --- CSV


def _csv(path: str, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    with Path(path).open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="", errors="strict")
        try:
            return _read_csv(path, text, declared)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: line {_bad_line(path)}: not UTF-8 text: {error.reason}") from None


def _read_csv(path: str, text: io.TextIOWrapper, declared: dict[str, str]) -> tuple[list[ColumnBuilder], int]:
    rows = csv.reader(_lines(path, text), delimiter=_delimiter(text), strict=True)
    try:
        header = next(rows, None)
        if not header:
            raise DataError(f"{path}: empty, a header line was expected")
        builders = _builders(f"{path}: line 1", [name.strip() for name in header], declared)
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


def _lines(path: str, text: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if "\0" in line:
            raise DataError(f"{path}: line {number}: holds NUL bytes, not a text file")
        yield line


def _bad_line(path: str) -> int:
    """The first line that is not UTF-8: readers decode ahead and do not know."""
    with Path(path).open("rb") as raw:
        for number, line in enumerate(raw, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def _delimiter(text: io.TextIOWrapper) -> str:
    """The one of `,` `;` tab `|` that splits the header into most fields, outside quotes."""
    start = text.buffer.peek(_SNIFFED)[:_SNIFFED] if isinstance(text.buffer, io.BufferedReader) else b""
    line = start.split(b"\n", 1)[0]
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


def _builders(where: str, names: list[str], declared: dict[str, str]) -> list[ColumnBuilder]:
    times = Counter(names)
    for index, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{where}: column {index} has no name")
        if times[name] > 1:
            raise DataError(f"{where}: column {name!r} stands there twice")
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
    except pa.ArrowException as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}") from None
    if not total:
        raise DataError(f"{path}: no rows")
    return builders, total


def _add_arrow(builder: ColumnBuilder, column: Any, types: Any) -> None:  # noqa: ANN401 (pyarrow has no types)
    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    whole = types.is_integer(kind)
    if types.is_floating(kind) or types.is_decimal(kind) or (whole and not builder.by_name):
        missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool)
        bits = FP32 if types.is_float32(kind) else FP16 if types.is_float16(kind) else 0
        if bits:  # as they are read from traffic
            values = decimals(column.to_numpy(zero_copy_only=False), bits)
        else:
            values = column.cast("float64", safe=False).to_numpy(zero_copy_only=False)
        builder.add_numbers(np.where(missing, 0.0, values), missing)
    else:
        builder.add_values([value if isinstance(value, bool | int | None) else str(value)
                            for value in column.to_pylist()])  # fmt: skip
