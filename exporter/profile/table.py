"""A table that is read, maybe several times: a file, or what is in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from exporter.errors import DataError
from exporter.profile import frames, sources
from exporter.profile.files import Dialect, TableFile
from exporter.profile.pieces import Arrange, Piece


class Table(NamedTuple):
    """What can be read."""

    read: Callable[[list[str], Arrange], Iterator[Piece]]
    again: bool
    """Whether it can be read twice."""
    signature: Callable[[], object]
    """Another one once the table has changed."""


def of_file(path: str, dialect: Dialect) -> Table:
    """The table in a file, or in those of a directory."""

    def read(names: list[str], wanted: Arrange) -> Iterator[Piece]:
        return sources.pieces(TableFile(path, dialect), names, wanted)

    return Table(read, sources.again(path), lambda: sources.signature(path))


def in_memory(table: object) -> Table:
    """A data frame, arrays by name, or batches of them."""
    return Table(lambda names, wanted: frames.pieces(table, names, wanted), frames.again(table), tuple)


@contextmanager
def unchanged(table: Table, source: str) -> Iterator[None]:
    """DataError where what is read several times is not the same each time."""
    before = table.signature()
    yield
    if table.signature() != before:
        raise DataError(f"{source}: has changed while it was read")
