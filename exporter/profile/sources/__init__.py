"""Formats of training data: a file in, pieces of its columns out, in memory that does not grow with the rows.

To add a format: a file with `read`, and a line in the table. `read` fills a list with the columns' names, in order, and
yields `Piece`s, run of rows after run of rows, arranged as it is told; every fault in a file is a DataError that names
it, with its line where it has lines.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.profile.files import TableFile
from exporter.profile.lists import Lengths, Look
from exporter.profile.pieces import Arrange, NoRows, Piece, as_it_comes
from exporter.profile.signature import Signature, signature_of
from exporter.profile.sources import arrow_ipc, csv_text, json_lines, numpy_arrays, parquet

Looker = Callable[[TableFile, bool], Look]
Reader = Callable[[TableFile, list[str], Arrange], Iterator[Piece]]


class Format(NamedTuple):
    """One entry of the table."""

    endings: tuple[str, ...]
    read: Reader
    look: Looker | None
    """None where there are no lists."""
    text: bool
    """Whether a file may be compressed as a whole, and has a dialect; the others see to that themselves."""
    sparse: bool = False
    """Whether a column may be left out where it is missing."""


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format((".csv", ".tsv", ".txt", ".psv"), csv_text.read, None, text=True),
    "json_lines": Format((".jsonl", ".ndjson", ".json"), json_lines.read, json_lines.look, text=True, sparse=True),
    "parquet": Format((".parquet", ".pq"), parquet.read, parquet.look, text=False),
    "arrow": Format((".arrow", ".arrows", ".feather", ".ipc"), arrow_ipc.read, arrow_ipc.look, text=False),
    "numpy": Format((".npy", ".npz"), numpy_arrays.read, None, text=False),
}


def pieces(file: TableFile, names: list[str], arrange: Arrange = as_it_comes) -> Iterator[Piece]:
    """The pieces of a table, by its file's ending; what has none of the table's is CSV. ConfigError, DataError.

    A directory is the table whose parts are the files in it, as Spark and others write them.
    """
    yield from _parts(file, names, arrange) if Path(file.path).is_dir() else _whole(file, names, arrange)


def again(path: str) -> bool:
    """Whether a table can be read a second time: a pipe cannot."""
    return Path(path).is_dir() or Path(path).is_file()


@contextmanager
def unchanged(path: str) -> Iterator[None]:
    """DataError where a table that is read several times is not the same each time, as far as its files say."""
    before = _signatures(path)
    yield
    if _signatures(path) != before:
        raise DataError(f"{path}: has changed while it was read")


def _signatures(path: str) -> list[Signature | None]:
    return [signature_of(part) for part in (_files(path) if Path(path).is_dir() else [Path(path)])]


def look(file: TableFile, *, every: bool) -> Look:
    """How wide a table's lists are, and what its columns are called; `every` where that is worth a whole reading.

    ConfigError, DataError.
    """
    if not Path(file.path).is_dir():
        return _look(file, every=every)
    whole = Look([], {})
    for part in _files(file.path):
        one = _look(replace(file, path=str(part)), every=every)
        for name, lengths in one.lengths.items():
            whole.lengths.setdefault(name, Lengths()).merge(lengths)
        _join(whole.names, one.names or whole.names)
    return whole


def _look(file: TableFile, *, every: bool) -> Look:
    kind = _kind(file)
    with _faults(file):
        if kind.look:
            return kind.look(file, every)
        names: list[str] = []
        with contextlib.suppress(NoRows):  # whoever reads it all says so
            next(kind.read(file, names, lambda known: [known[:1]]), None)
    return Look(names, {})


def _files(directory: str) -> Sequence[Path]:
    parts = sorted(one for one in Path(directory).iterdir() if one.is_file() and one.name[0] not in "._")
    if not parts:
        raise ConfigError(f"cannot read {directory}: a directory without files")
    return parts


def _parts(directory: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    runs, parts = 0, [replace(directory, path=str(part)) for part in _files(directory.path)]
    sparse = all(_kind(part).sparse for part in parts)
    for number, part in enumerate(parts):
        own: list[str] = []
        before = runs
        try:
            for piece in _whole(part, own, arrange):
                names += [] if names else own
                runs = before + piece.run + 1
                yield piece._replace(done=(number + piece.done) / len(parts), run=before + piece.run)
        except NoRows:  # of many parts some often are empty
            continue
        for name in [] if sparse else sorted({*own} ^ {*names}):
            raise DataError(f"{part.path}: column {name!r} is not in every part of the table")
        _join(names, own)
    if not runs:
        raise NoRows(f"{directory.path}: no rows")


def _join(names: list[str], own: list[str]) -> None:
    """Have the columns of a part among the names; which part is read first must not show."""
    if not names:
        names += own
    elif own != names:
        names[:] = sorted({*names, *own})


def _whole(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    with _faults(file):
        yield from _kind(file).read(file, names, arrange)


def _kind(file: TableFile) -> Format:
    kind = next((kind for kind in FORMATS.values() if file.bare.endswith(kind.endings)), FORMATS["csv"])
    if file.packed and not kind.text:
        raise ConfigError(f"{file.path}: decompress it first; this format is compressed inside")
    return kind


@contextmanager
def _faults(file: TableFile) -> Iterator[None]:
    """A fault of the operating system is one of the file."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # the operating system had no objection, the reader of the format has
            raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None
        raise ConfigError(f"cannot read {file.path}: {error.strerror}") from None
