"""CSV with a header, in the dialects it is met in. The delimiter and the quote are found out from the header."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError, DataError
from exporter.profile.files import Dialect, TableFile
from exporter.profile.headers import check_names
from exporter.profile.pieces import Arrange, NoRows, Piece, chosen
from exporter.profile.texts import TextCells

BATCH_ROWS: Final = 10_000
_MOST_CELLS: Final = 1 << 20
_SNIFFED: Final = 65_536
_DELIMITERS: Final = ",;\t|\x01"
_COMMA_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?\s*")


def read(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    """The columns of a CSV file; a batch of lines is a run. DataError names the line."""
    encoding = file.dialect.encoding
    try:
        with file.open() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
            yield from _rows(file, text, names, arrange)
    except LookupError:
        raise ConfigError(f"--encoding {encoding}: unknown") from None
    except UnicodeDecodeError as error:
        shown = "UTF-8" if encoding == Dialect().encoding else encoding
        line = f"line {_bad_line(file)}: " if Path(file.path).is_file() else ""  # a pipe cannot be read again
        raise DataError(f"{file.path}: {line}not {shown} text: {error.reason}") from None


def _rows(file: TableFile, text: io.TextIOWrapper, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    delimiter, quote = _look(file.dialect, text)
    rows = csv.reader(_lines(file.path, text), delimiter=delimiter, quotechar=quote, strict=True)
    try:
        header = next(rows, None)
        if not header:
            raise NoRows(f"{file.path}: empty, a header line was expected")
        names += check_names([name.strip() for name in header], f"{file.path}: line 1")
        wanted = [(name, names.index(name)) for group in chosen(arrange, names, file.path) for name in group]
        run = -1
        for run, batch in enumerate(_batches(file.path, rows, names)):
            columns = list(zip(*batch, strict=True))
            for name, place in wanted:
                yield Piece(name, TextCells(_points(columns[place], file.dialect.decimal)), file.done(), run)
    except csv.Error as error:
        raise DataError(f"{file.path}: line {rows.line_num}: {error}") from None
    if run < 0:
        raise NoRows(f"{file.path}: no rows below the header")


def _points(texts: tuple[str, ...], decimal: str) -> tuple[str, ...]:
    """Numbers as everybody else writes them."""
    if decimal == ".":
        return texts
    return tuple(text.replace(decimal, ".") if _COMMA_NUMBER.fullmatch(text) else text for text in texts)


def _lines(path: str, text: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if "\0" in line:
            raise DataError(f"{path}: line {number}: holds NUL bytes, not a text file")
        yield line


def _bad_line(file: TableFile) -> int:
    """The first line that is no text: readers decode ahead and do not know."""
    decoder = codecs.getincrementaldecoder(file.dialect.encoding)()
    with file.open() as raw:
        for number, line in enumerate(raw, 1):
            try:
                decoder.decode(line)
            except UnicodeDecodeError:
                return number
    return 0


def _look(dialect: Dialect, text: io.TextIOWrapper) -> tuple[str, str]:
    """The delimiter that splits the header into most fields, outside quotes, and the quote."""
    start = text.buffer.peek(_SNIFFED)[:_SNIFFED] if isinstance(text.buffer, io.BufferedReader) else b""
    header = codecs.getincrementaldecoder(dialect.encoding)("replace").decode(start).split("\n", 1)[0]
    quote = dialect.quote or ("'" if header.startswith("'") and '"' not in header else '"')
    unquoted = "".join(header.split(quote)[::2])
    return dialect.delimiter or max(_DELIMITERS, key=unquoted.count), quote


def _batches(path: str, rows: Any, names: list[str]) -> Iterator[list[list[str]]]:  # noqa: ANN401 (csv has no public type)
    batch: list[list[str]] = []
    most = max(1, min(BATCH_ROWS, _MOST_CELLS // len(names)))
    for row in rows:
        if len(row) != len(names):
            if not row:
                continue  # a blank line
            raise DataError(f"{path}: line {rows.line_num}: {_ragged(len(row), names)}")
        batch.append(row)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


def _ragged(fields: int, names: list[str]) -> str:
    words = f"{fields} fields where the header has {len(names)}: "
    if fields < len(names):
        return words + f"nothing for column {fields + 1}, {names[fields]!r}"
    return words + f"column {len(names) + 1} has no name"
