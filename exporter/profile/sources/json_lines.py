"""JSON Lines: an object per line, a column per key. A key that is not there is missing."""

import io
import json
from collections.abc import Iterator
from typing import Any, Final

import orjson

from exporter.errors import DataError
from exporter.profile.cells import ObjectCells
from exporter.profile.files import TableFile
from exporter.profile.lists import Lengths, Look
from exporter.profile.pieces import Arrange, Piece

BATCH_ROWS: Final = 10_000
_MOST_CELLS: Final = 1 << 20
_MOST_COLUMNS: Final = 10_000
_LONGEST_LINE: Final = 16 << 20
_BLOCK: Final = 1 << 20
_KINDS: Final = {list: "a list", str: "text", bool: "a truth value", type(None): "null"}
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    """The columns of a file of JSON Lines; a batch of lines is a run. DataError names the line.

    Columns stand in the order of the keys where that is the same in every line, else in that of the alphabet: the
    order of the lines must not show.
    """
    rows, alike = 0, True
    with file.open() as raw:
        for run, batch in enumerate(_batches(file, raw)):
            alike = _collect(batch, names, file.path) and alike
            for name in (name for group in arrange(names) for name in group):
                yield Piece(name, ObjectCells([row.get(name) for row in batch]), file.done(), run)
            rows += len(batch)
    if not rows:
        raise DataError(f"{file.path}: no rows")
    if not alike:
        names.sort()


def _collect(batch: list[dict[str, Any]], names: list[str], path: str) -> bool:
    """Add new keys to the names; whether each line has all of them, in their order."""
    names += [] if names else list(batch[0])
    alike = True
    known = dict.fromkeys(names)
    for row in batch:
        if list(row) != names:
            alike = False
            known.update(dict.fromkeys(row))
    names += list(known)[len(names) :]
    if len(names) > _MOST_COLUMNS:
        raise DataError(f"{path}: more than {_MOST_COLUMNS} different keys")
    if "" in known:
        raise DataError(f"{path}: a key is empty")
    return alike


def look(file: TableFile, every: bool) -> Look:
    """Names and lists, for which all lines are read: of a file without any list only with `every`."""
    found, alike = Look([], {}), True
    if not every:
        with file.open() as raw:
            every = any(b"[" in block for block in iter(lambda: raw.read(_BLOCK), b""))
    if not every:
        return found
    scalars: set[str] = set()
    with file.open() as raw:
        for batch in _batches(file, raw):
            alike = _collect(batch, found.names, file.path) and alike
            for row in batch:
                _measure(row, found, scalars)
    for name in scalars & found.lengths.keys():
        found.lengths[name].numbers = False
    if not alike:
        found.names.sort()
    return found


def _measure(row: dict[str, Any], found: Look, scalars: set[str]) -> None:
    for name, value in row.items():
        if isinstance(value, list):
            found.lengths.setdefault(name, Lengths()).add_objects((value,))
        elif value is not None and value == value:  # noqa: PLR0124 (NaN)
            scalars.add(name)


def _batches(file: TableFile, raw: io.BufferedReader) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    cells, lists = 0, sum(file.widths.values())
    for row in _objects(file.path, raw):
        batch.append(row)
        cells += len(row) + lists
        if len(batch) == BATCH_ROWS or cells > _MOST_CELLS:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


def _objects(path: str, raw: io.BufferedReader) -> Iterator[dict[str, Any]]:
    number = 0
    while line := raw.readline(_LONGEST_LINE + 1):
        number += 1
        where = f"{path}: line {number}"
        if len(line) > _LONGEST_LINE:
            raise DataError(f"{where}: longer than {_LONGEST_LINE >> 20} MiB")
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.strip():
            yield _object(line, where)


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        row = _lenient(line, where)
    if not isinstance(row, dict):
        raise DataError(f"{where}: must be an object, {{...}}, not {_KINDS.get(type(row), 'a number')}")
    return row


def _lenient(line: bytes, where: str) -> object:
    """Python writes NaN and Infinity, which JSON does not know."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}, column {error.colno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # no text, more digits or brackets than anybody reads
        raise DataError(f"{where}: not JSON: {error}") from None
