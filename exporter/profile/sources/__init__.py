"""Formats of training data: a file in, pieces of its columns out, in memory that does not grow with the rows.

To add a format: a file with `read`, and a line in the table. `read` fills a list with the columns' names, in order, and
yields `Piece`s, run of rows after run of rows, arranged as it is told; every fault in a file is a DataError that names
it, with its line where it has lines.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.profile.files import TableFile
from exporter.profile.pieces import Arrange, Piece, as_it_comes
from exporter.profile.sources import arrow_ipc, csv_text, json_lines, numpy_arrays, parquet

Reader = Callable[[TableFile, list[str], Arrange], Iterator[Piece]]


class Format(NamedTuple):
    """One entry of the table."""

    endings: tuple[str, ...]
    read: Reader
    text: bool
    """Whether a file may be compressed as a whole, and has a dialect; the others see to that themselves."""


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format((".csv", ".tsv", ".txt", ".psv"), csv_text.read, text=True),
    "json_lines": Format((".jsonl", ".ndjson", ".json"), json_lines.read, text=True),
    "parquet": Format((".parquet", ".pq"), parquet.read, text=False),
    "arrow": Format((".arrow", ".arrows", ".feather", ".ipc"), arrow_ipc.read, text=False),
    "numpy": Format((".npy", ".npz"), numpy_arrays.read, text=False),
}


def pieces(file: TableFile, names: list[str], arrange: Arrange = as_it_comes) -> Iterator[Piece]:
    """The pieces of a table, by its file's ending; what has none of the table's is CSV. ConfigError, DataError.

    A directory is the table whose parts are the files in it, as Spark and others write them.
    """
    yield from _parts(file, names, arrange) if Path(file.path).is_dir() else _whole(file, names, arrange)


def again(path: str) -> bool:
    """Whether a table can be read a second time: a pipe cannot."""
    return Path(path).is_dir() or Path(path).is_file()


def _parts(directory: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    parts = sorted(one for one in Path(directory.path).iterdir() if one.is_file() and one.name[0] not in "._")
    if not parts:
        raise ConfigError(f"cannot read {directory.path}: a directory without files")
    runs = 0
    for number, part in enumerate(parts):
        own: list[str] = []
        before = runs
        for piece in _whole(TableFile(str(part), directory.dialect), own, arrange):
            names += [] if names else own
            runs = before + piece.run + 1
            yield piece._replace(done=(number + piece.done) / len(parts), run=before + piece.run)
        for name in sorted({*own} ^ {*names}):
            raise DataError(f"{part}: column {name!r} is not in every part of the table")
        if own != names:
            names.sort()  # which part is read first must not show


def _whole(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    kind = next((kind for kind in FORMATS.values() if file.bare.endswith(kind.endings)), FORMATS["csv"])
    if file.packed and not kind.text:
        raise ConfigError(f"{file.path}: decompress it first; this format is compressed inside")
    try:
        yield from kind.read(file, names, arrange)
    except OSError as error:
        if error.errno is None:  # the operating system had no objection, the reader of the format has
            raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None
        raise ConfigError(f"cannot read {file.path}: {error.strerror}") from None
