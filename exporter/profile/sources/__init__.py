"""Formats of training data: a file in, pieces of its columns out, in memory that does not grow with the rows.

To add a format: a file with `read`, and a line in the table. `read` fills a list with the columns' names, in order, and
yields `Piece`s, run of rows after run of rows, arranged as it is told; every fault in a file is a DataError that names
it, with its line where it has lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.profile.files import TableFile
from exporter.profile.lists import Lengths, Look
from exporter.profile.pieces import Arrange, Piece, as_it_comes
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


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format((".csv", ".tsv", ".txt", ".psv"), csv_text.read, None, text=True),
    "json_lines": Format((".jsonl", ".ndjson", ".json"), json_lines.read, json_lines.look, text=True),
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


def look(file: TableFile, *, every: bool) -> Look:
    """How wide a table's lists are, and what its columns are called; `every` where that is worth a whole reading.

    ConfigError, DataError.
    """
    if not Path(file.path).is_dir():
        return _look(file, every=every)
    whole = Look([], {})
    for number, part in enumerate(_files(file.path)):
        one = _look(replace(file, path=str(part)), every=every)
        for name, lengths in one.lengths.items():
            whole.lengths.setdefault(name, Lengths()).merge(lengths)
        if not number:
            whole.names[:] = one.names
        elif one.names != whole.names:
            whole.names.sort()
    return whole


def _look(file: TableFile, *, every: bool) -> Look:
    kind = _kind(file)
    with _faults(file):
        if kind.look:
            return kind.look(file, every)
        names: list[str] = []
        next(kind.read(file, names, lambda known: [known[:1]]), None)
    return Look(names, {})


def _files(directory: str) -> Sequence[Path]:
    parts = sorted(one for one in Path(directory).iterdir() if one.is_file() and one.name[0] not in "._")
    if not parts:
        raise ConfigError(f"cannot read {directory}: a directory without files")
    return parts


def _parts(directory: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    runs, parts = 0, _files(directory.path)
    for number, part in enumerate(parts):
        own: list[str] = []
        before = runs
        for piece in _whole(replace(directory, path=str(part)), own, arrange):
            names += [] if names else own
            runs = before + piece.run + 1
            yield piece._replace(done=(number + piece.done) / len(parts), run=before + piece.run)
        for name in sorted({*own} ^ {*names}):
            raise DataError(f"{part}: column {name!r} is not in every part of the table")
        if own != names:
            names.sort()  # which part is read first must not show


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
