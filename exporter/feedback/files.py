"""Truths in files, as records to be posted: tables of any format that profiles are built from, and JSON Lines.

One after the other, in memory that does not grow with the rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporter.decode import json_body
from exporter.errors import ConfigError, DataError, DecodeError
from exporter.profile import sources
from exporter.profile.files import TableFile
from exporter.profile.pieces import NoRows, Piece, gathered
from exporter.values import nearest

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_LONGEST_LINE: Final = 16 << 20
_MICROSECONDS: Final = 1_000_000
Record = Mapping[str, Any]


class Fields(NamedTuple):
    """Which columns say what; empty where none does."""

    id: str = ""
    key: tuple[str, ...] = ()
    """Columns that together are the id of a row, by the names that they have in traffic."""
    row: str = ""
    truth: str = ""
    weight: str = ""
    value: str = ""
    time: str = ""
    segments: Mapping[str, str] = {}
    """Column by what divides the traffic."""
    model: str = ""
    """Not a column: whose predictions they all are."""

    @property
    def columns(self) -> dict[str, str]:
        """Columns of single words of a record, by these words."""
        words = {"id": self.id, "row": self.row, "truth": self.truth, "weight": self.weight, "value": self.value,
                 "time": self.time}  # fmt: skip
        return {word: column for word, column in words.items() if column}

    @property
    def every(self) -> list[str]:
        """All columns, each once."""
        return [*dict.fromkeys((*self.columns.values(), *self.key, *self.segments.values()))]


class Row(NamedTuple):
    """One of a file."""

    place: int
    """Its line in a file of JSON Lines, else its number; the first is 1."""
    record: Record | bytes | None
    """What is to be posted: bytes as they are; None where there is no truth yet."""
    done: float
    """Share of the file that is read by now, 0 to 1."""


def rows(file: TableFile, fields: Fields | None) -> Iterator[Row]:
    """The rows of a file; without `fields` its lines are records as they are to be posted. ConfigError, DataError."""
    if fields is None:
        yield from _lines(file)
        return
    names: list[str] = []
    wanted = fields.every

    def arrange(known: Sequence[str]) -> Sequence[Sequence[str]]:
        _check(file.path, fields, known)
        return [wanted]

    number = 0
    try:
        for pieces in gathered(sources.pieces(file, names, arrange), [wanted]):
            columns = {piece.column: _cells(piece, is_time=piece.column == fields.time) for piece in pieces}
            for cells in zip(*(columns[name] for name in wanted), strict=True):
                number += 1
                yield Row(number, _record(dict(zip(wanted, cells, strict=True)), fields), pieces[-1].done)
    except NoRows:
        return


def are_lines(file: TableFile) -> bool:
    """Whether a file's name says that it is of JSON Lines."""
    return file.bare.endswith(sources.FORMATS["json_lines"].endings)


def _check(path: str, fields: Fields, known: Sequence[str]) -> None:
    for word, column in (*fields.columns.items(), *(("key", one) for one in fields.key),
                         *(("segment", one) for one in fields.segments.values())):  # fmt: skip
        if column not in known:
            raise ConfigError(f"--{word} {column}: {path} has no such column{nearest(column, {*known})}")


# --- tables


def _cells(piece: Piece, *, is_time: bool) -> list[object]:
    """Cells as JSON has them: text, and None where one is missing; of times seconds."""
    instants = piece.cells.instants() if is_time else None
    if instants is not None:
        seconds = (instants.microseconds / _MICROSECONDS).tolist()
        return [None if gone else one for one, gone in zip(seconds, instants.missing.tolist(), strict=True)]
    coded = piece.cells.coded()
    names: list[object] = [*coded.names, None]
    return [names[code] for code in coded.codes.tolist()]


def _record(cells: Mapping[str, object], fields: Fields) -> Record | None:
    """What is said of a row; None where its truth is missing. What is missing beside it is not said."""
    if cells[fields.truth] is None:
        return None
    found = {word: _typed(word, cells[column]) for word, column in fields.columns.items()}
    if fields.key:
        found["key"] = {column: cells[column] for column in fields.key}
    if fields.segments:
        said = {name: cells[column] for name, column in fields.segments.items()}
        found["segments"] = {name: value for name, value in said.items() if value is not None}
    if fields.model:
        found["model"] = fields.model
    return {word: value for word, value in found.items() if value is not None}


def _typed(word: str, cell: object) -> object:
    """Text that is a number is one, but for ids."""
    if word == "id" or not isinstance(cell, str) or not _NUMBER.fullmatch(cell.strip()):
        return cell
    text = cell.strip()
    return float(text) if any(letter in text for letter in ".eE") else int(text)


# --- lines


def _lines(file: TableFile) -> Iterator[Row]:
    number = 0
    try:
        with file.open() as raw:
            while line := raw.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise DataError(f"{file.path}: line {number}: longer than {_LONGEST_LINE >> 20} MiB")
                text = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\x1e")
                if text:
                    yield Row(number, None if _has_no_truth(text) else text, file.done())
    except OSError as error:
        raise ConfigError(f"cannot read {file.path}: {error.strerror}") from None


def _has_no_truth(text: bytes) -> bool:
    """Whether a record leaves open what turned out: it says null."""
    if b"null" not in text:
        return False
    try:
        found = json_body.parsed(text)
    except DecodeError:
        return False
    return isinstance(found, dict) and "truth" in found and found["truth"] is None
